//! Edges: a soft map of the boundaries between layers.
//!
//! The map is the mean over several numbers of layers of the indicator "the label of the pixel
//! differs from that of a 4-neighbour". Such a boundary is two pixels wide. The last step of the
//! method therefore smooths the map and suppresses pixels that are no maximum across the boundary
//! (Canny 1986). The benchmark thins maps, but does not do this step.

use super::labels::{Rule, labels};
use super::layers::Layers;
use crate::error::Error;
use crate::evaluation::segmentation::label_boundaries;

/// The numbers of layers whose boundaries are averaged.
pub(crate) const EDGE_LEVELS: [usize; 4] = [4, 8, 16, 32];
/// Standard deviation of the smoothing before the suppression, px. Boundaries of two pixels get one
/// ridge.
const SIGMA: f64 = 1.0;

/// Returns the soft map of boundaries of `layers`, `[H, W]` in `[0, 1]`, for the label maps of
/// [`EDGE_LEVELS`].
///
/// # Errors
///
/// All errors of [`labels`].
pub(crate) fn boundaries(layers: &Layers, rule: Rule) -> Result<Vec<f32>, Error> {
    let mut map = vec![0.0; layers.width() * layers.height()];
    for groups in EDGE_LEVELS {
        let boundaries = label_boundaries(&labels(layers, groups, rule)?);
        for (value, &boundary) in map.iter_mut().zip(boundaries.values()) {
            *value += f32::from(u8::from(boundary)) / EDGE_LEVELS.len() as f32;
        }
    }
    Ok(map)
}

/// Smooths `map`, `[height, width]`, and sets every pixel to zero that is no maximum across its
/// ridge. The result is in the range of the smoothed map.
///
/// The direction across a ridge is that of the largest negative curvature: the eigenvector of the
/// Hessian with the smaller eigenvalue. The two neighbours across are interpolated bilinearly. Of
/// two equal neighbours on a ridge, the one further right or down is kept.
pub(crate) fn thinned(map: &[f32], width: usize, height: usize) -> Vec<f32> {
    let smooth = smoothed(map, width, height);
    let get = |x: isize, y: isize| {
        let x = x.clamp(0, width as isize - 1) as usize;
        let y = y.clamp(0, height as isize - 1) as usize;
        smooth[y * width + x]
    };
    let sample = |x: f64, y: f64| {
        let (left, top) = (x.floor(), y.floor());
        let (u, v) = (x - left, y - top);
        let (left, top) = (left as isize, top as isize);
        (1.0 - v) * ((1.0 - u) * get(left, top) + u * get(left + 1, top))
            + v * ((1.0 - u) * get(left, top + 1) + u * get(left + 1, top + 1))
    };
    let mut thin = vec![0.0; map.len()];
    for y in 0..height {
        for x in 0..width {
            let (column, row) = (x as isize, y as isize);
            let here = get(column, row);
            if here <= 0.0 {
                continue;
            }
            let xx = get(column + 1, row) - 2.0 * here + get(column - 1, row);
            let yy = get(column, row + 1) - 2.0 * here + get(column, row - 1);
            let xy = (get(column + 1, row + 1) + get(column - 1, row - 1)
                - get(column + 1, row - 1)
                - get(column - 1, row + 1))
                / 4.0;
            // The angle of the eigenvector of the larger eigenvalue, plus a quarter turn.
            let angle = 0.5 * (2.0 * xy).atan2(xx - yy) + std::f64::consts::FRAC_PI_2;
            let (mut dy, mut dx) = angle.sin_cos();
            if dx < -1e-9 || (dx.abs() <= 1e-9 && dy < 0.0) {
                (dx, dy) = (-dx, -dy);
            }
            let ahead = sample(x as f64 + dx, y as f64 + dy);
            let behind = sample(x as f64 - dx, y as f64 - dy);
            // Rounding must not decide between two equal neighbours.
            let slack = 1e-9;
            if here > ahead + slack && here >= behind - slack {
                thin[y * width + x] = here as f32;
            }
        }
    }
    thin
}

/// Smooths a map with a Gaussian of [`SIGMA`], cut off at three standard deviations. The border is
/// continued by its own values.
fn smoothed(map: &[f32], width: usize, height: usize) -> Vec<f64> {
    let reach = (3.0 * SIGMA).ceil() as isize;
    let mut kernel: Vec<f64> = (-reach..=reach)
        .map(|i| (-0.5 * (i as f64 / SIGMA).powi(2)).exp())
        .collect();
    let sum: f64 = kernel.iter().sum();
    for weight in &mut kernel {
        *weight /= sum;
    }
    let blur = |source: &[f64], step: [isize; 2]| {
        let mut out = vec![0.0; source.len()];
        for y in 0..height as isize {
            for x in 0..width as isize {
                let value = |(i, weight): (isize, &f64)| {
                    let x = (x + i * step[0]).clamp(0, width as isize - 1);
                    let y = (y + i * step[1]).clamp(0, height as isize - 1);
                    weight * source[(y * width as isize + x) as usize]
                };
                out[(y * width as isize + x) as usize] =
                    (-reach..=reach).zip(&kernel).map(value).sum();
            }
        }
        out
    };
    let wide: Vec<f64> = map.iter().map(|&v| f64::from(v)).collect();
    blur(&blur(&wide, [1, 0]), [0, 1])
}

#[cfg(test)]
mod tests {
    use super::super::layers::{LEVELS, layers};
    use super::super::scene::tests::scene;
    use super::*;

    /// A map of 20 x 20 px with ones where `on` is true.
    fn drawn(on: impl Fn(usize, usize) -> bool) -> Vec<f32> {
        let at = |i: usize| f32::from(u8::from(on(i % 20, i / 20)));
        (0..400).map(at).collect()
    }

    fn kept(map: &[f32]) -> Vec<(usize, usize)> {
        let thin = thinned(map, 20, 20);
        let kept = (0..400).filter(|&i| thin[i] > 0.05);
        kept.map(|i| (i % 20, i / 20)).collect()
    }

    #[test]
    fn a_line_of_two_pixels_becomes_one_pixel_wide() {
        let vertical = kept(&drawn(|x, _| x == 9 || x == 10));
        assert_eq!(vertical, (0..20).map(|y| (10, y)).collect::<Vec<_>>());
        let horizontal = kept(&drawn(|_, y| y == 4 || y == 5));
        assert_eq!(horizontal, (0..20).map(|x| (x, 5)).collect::<Vec<_>>());
        let diagonal = kept(&drawn(|x, y| x == y || x == y + 1));
        for y in 3..16 {
            let row = diagonal.iter().filter(|pixel| pixel.1 == y).count();
            assert!((1..=2).contains(&row), "row {y}: {row} pixels");
        }
    }

    #[test]
    fn flat_maps_have_no_ridge_and_values_stay_in_range() {
        assert!(kept(&vec![0.0; 400]).is_empty());
        assert!(kept(&vec![1.0; 400]).is_empty());
        let thin = thinned(&drawn(|x, y| x == 9 || y == 3), 20, 20);
        assert!(thin.iter().all(|v| (0.0..=1.0).contains(v)));
        // One row and one column.
        assert_eq!(thinned(&[0.0, 1.0, 0.0], 3, 1).len(), 3);
        assert_eq!(thinned(&[1.0], 1, 1), [0.0]);
    }

    #[test]
    fn boundaries_lie_around_the_gaussians() {
        let both = scene(&[([-0.5, 0.0, -0.5], 1.0, 0.99), ([0.5, 0.0, 0.5], 1.0, 0.99)]);
        let found = layers(&both, &LEVELS, 64, 64).expect("a scene");
        let map = boundaries(&found, Rule::Strongest).expect("a map");
        assert!(map.iter().all(|v| (0.0..=1.0).contains(v)));
        // The centres of the Gaussians are inside, and every number of layers separates them.
        assert_eq!([map[32 * 64 + 16], map[32 * 64 + 48]], [0.0; 2]);
        let row = &map[32 * 64 + 16..32 * 64 + 48];
        assert!(row.contains(&1.0), "{row:?}");
    }
}
