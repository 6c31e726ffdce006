//! Edge maps of trivial methods, to compare with.
//!
//! A gradient is a derivative of the grey value, which is between 0 and 1. Each map is scaled so
//! that a vertical step from black to white has the value 255. Larger values are cut off.

use std::path::Path;

use super::error::BsdsError;
use super::gradient::{gaussian, sobel};
use super::map::EdgeMap;
use crate::data::decode;

/// Distance of two lines of the grid in pixels.
const GRID: usize = 20;
/// Standard deviation of the Gaussian in pixels.
const SIGMA: f64 = 2.0;
/// Lower threshold of Canny's hysteresis, as a part of the upper one.
const LOW: f64 = 0.4;

/// A trivial method.
#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
pub enum Baseline {
    /// Lines at every 20th row and column, without a look at the image.
    Grid,
    /// The length of the gradient, from Sobel's filters. The benchmark thins it.
    Sobel,
    /// The length of the gradient, from derivatives of a Gaussian of 2 px, at its maxima across the
    /// edge.
    Gaussian,
    /// The same maxima, joined by hysteresis (Canny 1986). The value of a pixel is the largest
    /// upper threshold at which it is kept. The lower threshold is 0.4 times the upper one.
    Canny,
}

impl Baseline {
    /// The name, in words.
    pub fn label(self) -> &'static str {
        match self {
            Self::Grid => "20-px grid",
            Self::Sobel => "Sobel",
            Self::Gaussian => "Gaussian derivative, 2 px, with NMS",
            Self::Canny => "Canny, 2 px",
        }
    }

    /// Makes the map of an image file.
    ///
    /// # Errors
    ///
    /// [`BsdsError::Image`] if the image cannot be read, or is larger than maps can be.
    pub fn read(self, path: &Path) -> Result<EdgeMap, BsdsError> {
        let fault = |reason: String| BsdsError::Image {
            path: path.to_owned(),
            reason,
        };
        let image = decode(path, 1).map_err(fault)?;
        let (width, height) = (image.width() as usize, image.height() as usize);
        let pixels = image.pixels().map(|pixel| {
            // The luma of ITU-R BT.601.
            let [red, green, blue] = pixel.0.map(f64::from);
            (0.299 * red + 0.587 * green + 0.114 * blue) / 255.0
        });
        let grey: Vec<f64> = pixels.collect();
        let too_large = || fault(format!("too large: {width} x {height} pixels"));
        EdgeMap::new(width, height, self.values(width, height, &grey)).ok_or_else(too_large)
    }

    /// Makes the values of the map of a grey image, row by row.
    pub(super) fn values(self, width: usize, height: usize, grey: &[f64]) -> Vec<u8> {
        match self {
            Self::Grid => {
                let line = |at: usize| at % GRID == GRID / 2;
                let on = |at: usize| line(at % width) || line(at / width);
                (0..width * height)
                    .map(|at| 255 * u8::from(on(at)))
                    .collect()
            }
            Self::Sobel => eight_bits(&sobel(width, height, grey).lengths()),
            Self::Gaussian => eight_bits(&gaussian(width, height, grey, SIGMA).maxima()),
            Self::Canny => {
                let gradient = gaussian(width, height, grey, SIGMA);
                hysteresis(width, height, &eight_bits(&gradient.maxima()))
            }
        }
    }
}

/// Converts strengths from 0 to 1 to 0 to 255.
fn eight_bits(strengths: &[f64]) -> Vec<u8> {
    let value = |strength: &f64| (strength.clamp(0.0, 1.0) * 255.0).round() as u8;
    strengths.iter().map(value).collect()
}

/// Returns for each pixel the largest upper threshold at which hysteresis keeps it, or 0.
///
/// A pixel of strength `s` can be part of a line while the lower threshold is at most `s`, that is
/// up to the upper threshold `s / LOW`. A pixel is kept at a threshold if a path of such pixels
/// leads from it to one whose strength reaches the threshold. The result is therefore the largest
/// over all paths of the smallest limit on the path. Pixels are visited in decreasing order of
/// their results.
fn hysteresis(width: usize, height: usize, strengths: &[u8]) -> Vec<u8> {
    let limit = |strength: u8| (f64::from(strength) / LOW).min(255.0) as u8;
    let mut results = strengths.to_vec();
    let mut waiting: Vec<Vec<usize>> = vec![Vec::new(); 256];
    for (at, &strength) in strengths.iter().enumerate() {
        waiting[usize::from(strength)].push(at);
    }
    for level in (1..=u8::MAX).rev() {
        while let Some(at) = waiting[usize::from(level)].pop() {
            if results[at] != level {
                continue;
            }
            let (x, y) = (at % width, at / width);
            for near_y in y.saturating_sub(1)..(y + 2).min(height) {
                for near_x in x.saturating_sub(1)..(x + 2).min(width) {
                    let near = near_y * width + near_x;
                    let result = level.min(limit(strengths[near]));
                    if result > results[near] {
                        results[near] = result;
                        waiting[usize::from(result)].push(near);
                    }
                }
            }
        }
    }
    results
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A dark left half and a bright right half of 40 x 30 pixels, with a step of `height`.
    fn step(height: f64) -> Vec<f64> {
        let value = |at: usize| if at % 40 < 20 { 0.0 } else { height };
        (0..40 * 30).map(value).collect()
    }

    fn row(values: &[u8], y: usize) -> &[u8] {
        &values[40 * y..40 * (y + 1)]
    }

    #[test]
    fn a_step_from_black_to_white_has_the_largest_value() {
        for height in [1.0_f64, 0.4] {
            let value = (255.0 * height).round() as u8;
            let sobel = Baseline::Sobel.values(40, 30, &step(height));
            let gaussian = Baseline::Gaussian.values(40, 30, &step(height));
            for y in 0..30 {
                // Both pixels beside the step.
                assert_eq!(row(&sobel, y)[18..22], [0, value, value, 0]);
                assert_eq!(row(&gaussian, y).iter().filter(|v| **v > 0).count(), 1);
                let [left, right] = [19, 20].map(|x| row(&gaussian, y)[x]);
                assert!(left.max(right).abs_diff(value) <= 1, "{left} {right}");
            }
        }
        let turned: Vec<f64> = (0..40 * 30)
            .map(|at| f64::from(u8::from(at / 40 >= 15)))
            .collect();
        let gaussian = Baseline::Gaussian.values(40, 30, &turned);
        assert_eq!(gaussian.iter().filter(|v| **v > 0).count(), 40);
    }

    #[test]
    fn flat_and_tiny_images_have_no_edges() {
        for baseline in [Baseline::Sobel, Baseline::Gaussian, Baseline::Canny] {
            for (width, height) in [(1, 1), (1, 9), (9, 1), (40, 30)] {
                let flat = vec![0.3; width * height];
                let values = baseline.values(width, height, &flat);
                assert_eq!(values, vec![0; width * height], "{baseline:?}");
            }
        }
    }

    #[test]
    fn the_grid_does_not_look_at_the_image() {
        let values = Baseline::Grid.values(40, 30, &step(1.0));
        assert_eq!(row(&values, 10), [255; 40]);
        let lines: Vec<usize> = (0..40).filter(|&x| row(&values, 0)[x] > 0).collect();
        assert_eq!(lines, [10, 30]);
    }

    /// Returns whether hysteresis keeps each pixel at an upper threshold, by a flood fill.
    fn kept(width: usize, strengths: &[u8], upper: u8) -> Vec<bool> {
        let height = strengths.len() / width;
        let lower = f64::from(upper) * LOW;
        let mut kept: Vec<bool> = strengths.iter().map(|&s| s >= upper).collect();
        loop {
            let before = kept.clone();
            for at in 0..strengths.len() {
                let (x, y) = (at % width, at / width);
                let near = |other: usize| {
                    before[other]
                        && (other % width).abs_diff(x) < 2
                        && (other / width).abs_diff(y) < 2
                };
                if f64::from(strengths[at]) >= lower && (0..width * height).any(near) {
                    kept[at] = true;
                }
            }
            if kept == before {
                return kept;
            }
        }
    }

    #[test]
    fn hysteresis_agrees_with_a_flood_fill_at_every_threshold() {
        let strengths: Vec<u8> = (0_u32..9 * 7)
            .map(|i| {
                let noise = i.wrapping_mul(2_654_435_761) >> 11;
                if noise % 5 < 2 {
                    0
                } else {
                    (noise % 251) as u8
                }
            })
            .collect();
        let results = hysteresis(9, 7, &strengths);
        for upper in 1..=255 {
            let expected = kept(9, &strengths, upper);
            let got: Vec<bool> = results.iter().map(|&result| result >= upper).collect();
            assert_eq!(got, expected, "{upper}");
        }
        // A weak pixel beside a strong one is kept with it, up to its own limit.
        assert_eq!(hysteresis(3, 1, &[200, 60, 0]), [200, 150, 0]);
    }
}
