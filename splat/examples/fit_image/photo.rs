//! The photograph: its pixels, its local detail, and the error of a rendered picture.

use std::path::Path;

use crate::decoding::{self, Change};
use crate::model::CHANNELS;

/// Half the side of the square over which detail is averaged, px.
const DETAIL_RADIUS: usize = 4;

/// A photograph with colours in [0, 1].
pub(crate) struct Photo {
    /// px
    pub(crate) width: usize,
    /// px
    pub(crate) height: usize,
    /// `[H, W, 3]`
    pub(crate) colours: Vec<f32>,
}

impl Photo {
    /// Reads a PNG or JPEG file, as a picture whose sides have at most `most_px`. The second value is
    /// the list of changes for which the file does not ask.
    pub(crate) fn read(path: &Path, most_px: u32) -> Result<(Self, Vec<Change>), String> {
        let named = |error| format!("{}: {error}", path.display());
        let bytes = std::fs::read(path).map_err(|error| named(format!("cannot be read: {error}")));
        let (picture, changes) = decoding::picture(&bytes?, most_px).map_err(named)?;
        let photo = Self {
            width: picture.width() as usize,
            height: picture.height() as usize,
            colours: picture
                .as_raw()
                .iter()
                .map(|&byte| f32::from(byte) / 255.0)
                .collect(),
        };
        Ok((photo, changes))
    }

    /// The number of pixels.
    pub(crate) fn pixels(&self) -> usize {
        self.width * self.height
    }

    /// The colour of a pixel.
    pub(crate) fn colour(&self, pixel: usize) -> [f32; CHANNELS] {
        std::array::from_fn(|channel| self.colours[pixel * CHANNELS + channel])
    }

    /// The mean colour.
    pub(crate) fn mean(&self) -> [f32; CHANNELS] {
        let sum = |channel| {
            self.colours
                .iter()
                .skip(channel)
                .step_by(CHANNELS)
                .map(|&x| f64::from(x))
                .sum::<f64>()
        };
        std::array::from_fn(|channel| (sum(channel) / self.pixels() as f64) as f32)
    }

    /// Computes the detail `[H, W]`. It is the absolute difference of each pixel from its right and
    /// lower neighbour, summed over the channels and averaged over a square around the pixel.
    pub(crate) fn detail(&self) -> Vec<f32> {
        let difference = |a: usize, b: usize| {
            let (a, b) = (self.colour(a), self.colour(b));
            a.iter().zip(b).map(|(a, b)| (a - b).abs()).sum::<f32>()
        };
        let raw: Vec<f32> = (0..self.pixels())
            .map(|pixel| {
                let (x, y) = (pixel % self.width, pixel / self.width);
                let right = if x + 1 < self.width {
                    difference(pixel, pixel + 1)
                } else {
                    0.0
                };
                let below = if y + 1 < self.height {
                    difference(pixel, pixel + self.width)
                } else {
                    0.0
                };
                right + below
            })
            .collect();
        let by_rows = averaged(&raw, self.width, 1, self.height, self.width);
        averaged(&by_rows, self.height, self.width, self.width, 1)
    }

    /// Computes the squared error `[H, W]` of each pixel, summed over the channels.
    pub(crate) fn square_errors(&self, rendered: &[f32]) -> Vec<f32> {
        let pairs = self
            .colours
            .chunks_exact(CHANNELS)
            .zip(rendered.chunks_exact(CHANNELS));
        pairs
            .map(|(a, b)| a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum())
            .collect()
    }

    /// Computes the peak signal-to-noise ratio in dB. Rendered colours are clamped to [0, 1].
    pub(crate) fn psnr(&self, rendered: &[f32]) -> f64 {
        let square = |(&a, &b): (&f32, &f32)| f64::from(a - b.clamp(0.0, 1.0)).powi(2);
        let sum: f64 = self.colours.iter().zip(rendered).map(square).sum();
        -10.0 * (sum / self.colours.len() as f64).log10()
    }
}

/// Averages `lines` lines of `length` values over a window along each line. Neighbouring values of
/// a line are `step` elements apart, and neighbouring lines are `line_step` elements apart.
fn averaged(
    values: &[f32],
    length: usize,
    step: usize,
    lines: usize,
    line_step: usize,
) -> Vec<f32> {
    let mut out = vec![0.0; values.len()];
    for line in 0..lines {
        for i in 0..length {
            let window = i.saturating_sub(DETAIL_RADIUS)..(i + DETAIL_RADIUS + 1).min(length);
            let count = window.len() as f32;
            let sum: f32 = window.map(|j| values[line * line_step + j * step]).sum();
            out[line * line_step + i * step] = sum / count;
        }
    }
    out
}
