//! Layer normalisation of the rows of a matrix (Ba, Kiros and Hinton, arXiv 1607.06450):
//! `y = (x - mean) / sqrt(variance + epsilon) gain + shift`. The variance divides by the number of
//! channels.

use pulp::Arch;

use super::real::Real;
use super::rows::{sum, sum_pairs};

/// The result of [`layer_norm`].
#[derive(Clone, Debug)]
pub struct Normalised<T> {
    /// `y`, `[R, D]`.
    pub y: Vec<T>,
    /// Mean and `1 / sqrt(variance + epsilon)` of every row, `[R, 2]`, for the vjp.
    pub statistics: Vec<[T; 2]>,
}

/// Gradients with respect to the inputs of [`layer_norm`].
#[derive(Clone, Debug)]
pub struct NormGradients<T> {
    /// With respect to `x`, `[R, D]`.
    pub x: Vec<T>,
    /// With respect to the gain, `[D]`.
    pub gain: Vec<T>,
    /// With respect to the shift, `[D]`.
    pub shift: Vec<T>,
}

/// Normalises the rows of `x`, `[R, D]`, with `gain` and `shift`, `[D]`.
pub fn layer_norm<T: Real>(x: &[T], gain: &[T], shift: &[T], epsilon: T) -> Normalised<T> {
    let width = gain.len();
    let count = T::of(width as f64);
    let mut y = x.to_vec();
    let mut statistics = vec![[T::zero(); 2]; x.len() / width];
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for (row, saved) in y.chunks_exact_mut(width).zip(&mut statistics) {
                let mean = sum(row, |x| x) / count;
                let variance = sum(row, |x| (x - mean) * (x - mean)) / count;
                let inverse = T::one() / (variance + epsilon).sqrt();
                for ((x, gain), shift) in row.iter_mut().zip(gain).zip(shift) {
                    *x = (*x - mean) * inverse * *gain + *shift;
                }
                *saved = [mean, inverse];
            }
        },
    );
    Normalised { y, statistics }
}

/// The vjp of [`layer_norm`]. With `n = (x - mean) inverse` and `u = v_y gain`,
/// `v_x = inverse (u - mean(u) - n mean(u n))`, `v_gain = sum of v_y n` and `v_shift = sum of v_y`.
pub fn layer_norm_vjp<T: Real>(
    x: &[T],
    gain: &[T],
    statistics: &[[T; 2]],
    v_y: Vec<T>,
) -> NormGradients<T> {
    let width = gain.len();
    let count = T::of(width as f64);
    let mut v = NormGradients {
        x: v_y,
        gain: vec![T::zero(); width],
        shift: vec![T::zero(); width],
    };
    Arch::new().dispatch(
        #[inline(always)]
        || {
            let rows = x.chunks_exact(width).zip(v.x.chunks_exact_mut(width));
            for ((x, row), &[mean, inverse]) in rows.zip(statistics) {
                let sums = v.gain.iter_mut().zip(&mut v.shift);
                for ((v, x), (v_gain, v_shift)) in row.iter().zip(x).zip(sums) {
                    *v_gain = *v_gain + *v * (*x - mean) * inverse;
                    *v_shift = *v_shift + *v;
                }
                for (v, gain) in row.iter_mut().zip(gain) {
                    *v = *v * *gain;
                }
                let mean_u = sum(row, |u| u) / count;
                let along = sum_pairs(row, x, |u, x| u * (x - mean)) / count * inverse * inverse;
                for (v, x) in row.iter_mut().zip(x) {
                    *v = inverse * (*v - mean_u - (*x - mean) * along);
                }
            }
        },
    );
    v
}
