//! Gradients of a grey image.

/// The derivatives of a grey image with respect to x and y, `[height, width]` each.
///
/// The scale is such that a step from 0 to 1 along an axis has the length 1 at its strongest pixel.
pub(super) struct Gradient {
    width: usize,
    height: usize,
    x: Vec<f64>,
    y: Vec<f64>,
}

/// Sobel's filters: the derivative `[-1, 0, 1]` along one axis, and `[1, 2, 1]` along the other.
pub(super) fn sobel(width: usize, height: usize, grey: &[f64]) -> Gradient {
    // The filters respond to a step with 1 and 4.
    separable(width, height, grey, &[-1.0, 0.0, 1.0], &[0.25, 0.5, 0.25])
}

/// The derivatives of a Gaussian with standard deviation `sigma` in pixels, cut off at three
/// deviations.
pub(super) fn gaussian(width: usize, height: usize, grey: &[f64], sigma: f64) -> Gradient {
    let reach = (3.0 * sigma).ceil();
    let offsets = (0..=2 * reach as usize).map(|at| at as f64 - reach);
    let weights: Vec<f64> = offsets
        .clone()
        .map(|d| (-0.5 * (d / sigma).powi(2)).exp())
        .collect();
    let sum: f64 = weights.iter().sum();
    let smooth: Vec<f64> = weights.iter().map(|weight| weight / sum).collect();
    let slopes: Vec<f64> = offsets
        .zip(&weights)
        .map(|(d, weight)| d * weight)
        .collect();
    // A step responds with the sum of the weights on one side of it.
    let step: f64 = slopes.iter().filter(|slope| **slope > 0.0).sum();
    let slope: Vec<f64> = slopes.iter().map(|slope| slope / step).collect();
    separable(width, height, grey, &slope, &smooth)
}

fn separable(width: usize, height: usize, grey: &[f64], slope: &[f64], smooth: &[f64]) -> Gradient {
    let filter = |values: &[f64], along_x: bool, weights: &[f64]| {
        let reach = weights.len() / 2;
        let value = |at: usize| {
            let (x, y) = (at % width, at / width);
            let weighted = weights.iter().enumerate().map(|(offset, weight)| {
                // The border is repeated outwards.
                let beside =
                    |at: usize, len: usize| (at + offset).saturating_sub(reach).min(len - 1);
                let (x, y) = if along_x {
                    (beside(x, width), y)
                } else {
                    (x, beside(y, height))
                };
                weight * values[y * width + x]
            });
            weighted.sum::<f64>()
        };
        (0..values.len()).map(value).collect::<Vec<f64>>()
    };
    Gradient {
        width,
        height,
        x: filter(&filter(grey, false, smooth), true, slope),
        y: filter(&filter(grey, true, smooth), false, slope),
    }
}

impl Gradient {
    /// The length of the gradient at every pixel.
    pub(super) fn lengths(&self) -> Vec<f64> {
        self.x
            .iter()
            .zip(&self.y)
            .map(|(x, y)| x.hypot(*y))
            .collect()
    }

    /// The length of the gradient where it is largest along its direction, and 0 elsewhere
    /// (non-maximum suppression). The lengths on both sides, one pixel away, are interpolated
    /// linearly between two pixels. Pixels outside the image have the length 0.
    pub(super) fn maxima(&self) -> Vec<f64> {
        let lengths = self.lengths();
        let length = |x: isize, y: isize| {
            let inside =
                (0..self.width as isize).contains(&x) && (0..self.height as isize).contains(&y);
            if inside {
                lengths[y as usize * self.width + x as usize]
            } else {
                0.0
            }
        };
        let maximum = |at: usize| {
            let here = lengths[at];
            if here == 0.0 {
                return 0.0;
            }
            let (x, y) = ((at % self.width) as isize, (at / self.width) as isize);
            let (dx, dy) = (self.x[at], self.y[at]);
            let (step_x, step_y) = (dx.signum() as isize, dy.signum() as isize);
            // The line crosses the square of neighbours between a corner and the middle of a side.
            let (side, part) = if dx.abs() >= dy.abs() {
                ((step_x, 0), (dy / dx).abs())
            } else {
                ((0, step_y), (dx / dy).abs())
            };
            let beside = |sign: isize| {
                let straight = length(x + sign * side.0, y + sign * side.1);
                let corner = length(x + sign * step_x, y + sign * step_y);
                (1.0 - part) * straight + part * corner
            };
            // Of two equal neighbours the first is kept.
            if here >= beside(1) && here > beside(-1) {
                here
            } else {
                0.0
            }
        };
        (0..lengths.len()).map(maximum).collect()
    }
}
