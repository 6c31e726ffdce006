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
    /// The length of the gradient by Sobel's filters. The benchmark thins it.
    Sobel,
    /// The length of the gradient by derivatives of a Gaussian of 2 px, at its maxima across the
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
                (0..width * height).map(|at| 255 * u8::from(on(at))).collect()
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
/// over all paths of the smallest limit on the path. Pixels are visited in decreasing order of their
/// results.
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
