//! Weighted means over windows of an image.

use crate::number::Number;

/// Side of the window, px (Wang et al. 2004, section III-B).
const SIDE: usize = 2 * HALF + 1;
/// Number of pixels of the window on each side of its centre.
pub(super) const HALF: usize = 5;
/// Standard deviation of the weights, px (the same section).
const SIGMA: f64 = 1.5;

/// A window of 11 x 11 px with the weights of a Gaussian, which sum to one. The weight of a pixel is
/// the product of the weights of its column and its row.
pub(super) struct Window<T> {
    /// By the distance from the centre, px.
    weights: [T; HALF + 1],
}

impl<T: Number> Window<T> {
    pub(super) fn new() -> Self {
        let weights: [f64; HALF + 1] =
            std::array::from_fn(|distance| (-0.5 * (distance as f64 / SIGMA).powi(2)).exp());
        let sum = weights[0] + 2.0 * weights[1..].iter().sum::<f64>();
        Self {
            weights: weights.map(|weight| T::from_f64(weight / sum)),
        }
    }

    /// Computes the weighted sums along a row of interleaved channels. `padded` is the row between
    /// [`HALF`] pixels of zeros on each side.
    pub(super) fn along_row(&self, padded: &[T], channels: usize, sums: &mut [T]) {
        let taps: [&[T]; SIDE] = std::array::from_fn(|k| &padded[k * channels..][..sums.len()]);
        for (i, sum) in sums.iter_mut().enumerate() {
            *sum = self.weights[0] * taps[HALF][i];
            for distance in 1..=HALF {
                let pair = taps[HALF - distance][i] + taps[HALF + distance][i];
                *sum += self.weights[distance] * pair;
            }
        }
    }

    /// Computes the weighted sums down the columns at row `y` of an image. `rows` are its rows, of the
    /// length of `sums`. Rows outside the image are zeros.
    pub(super) fn down_columns(&self, rows: &[T], y: usize, sums: &mut [T]) {
        let length = sums.len();
        let last = rows.len() / length;
        sums.fill(T::ZERO);
        for near in y.saturating_sub(HALF)..(y + HALF + 1).min(last) {
            let weight = self.weights[near.abs_diff(y)];
            for (sum, &value) in sums.iter_mut().zip(&rows[near * length..][..length]) {
                *sum += weight * value;
            }
        }
    }
}
