//! The basis functions of a block of Gaussians, and the vjp of the sums over them. The harmonics of
//! a call and those of a render share these loops.

use crate::config::HARMONICS_OFFSET;
use crate::encoding::{Features, terms};
use crate::gaussians::Gaussians;
use crate::host::columns::{self, BLOCK, Column};
use crate::host::simd::{Kernel, Simd};
use crate::project::CameraParams;
use crate::scalar::Scalar;
use crate::scalar::rounding::Arithmetic;

/// The greatest number of basis functions, for degree 4.
const TERMS: usize = 25;

/// Expands `$body` once for every `$k` below `$used`. `$k` is a constant in each copy, so that the
/// compiler can select the formula of the basis function.
macro_rules! for_each_term {
    ($used:expr, |$k:ident| $body:block) => {
        for_each_term!(@ $used, $k, $body, 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24)
    };
    (@ $used:expr, $k:ident, $body:block, $($number:literal)*) => {$(
        if $number < $used {
            const $k: usize = $number;
            $body
        }
    )*};
}

/// Returns `channels`, as a constant if `CHANNELS` is not 0. The two must then be equal.
#[inline(always)]
pub(crate) fn known<const CHANNELS: usize>(channels: usize) -> usize {
    if CHANNELS > 0 { CHANNELS } else { channels }
}

/// The coefficients of the harmonics of N Gaussians, `[N, K, C]`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Coefficients<'a, T> {
    values: &'a [T],
    /// The number of coefficients per channel that the degree uses.
    pub(crate) used: usize,
    /// The number K of coefficients per channel.
    stored: usize,
    pub(crate) channels: usize,
}

impl<'a, T> Coefficients<'a, T> {
    /// Returns the coefficients of `gaussians`, if its features are harmonics.
    pub(crate) fn of(gaussians: &Gaussians<&'a [T]>) -> Option<Self> {
        let Features::Harmonics { degree, stored } = gaussians.encoding.features else {
            return None;
        };
        Some(Self {
            values: gaussians.features,
            used: terms(degree),
            stored,
            channels: gaussians.channels,
        })
    }

    /// Returns the number of coefficients of a Gaussian, `K C`.
    #[inline(always)]
    pub(crate) fn row_len(&self) -> usize {
        self.stored.saturating_mul(self.channels)
    }

    /// Returns the coefficients of Gaussian `i` that are in use.
    #[inline(always)]
    pub(crate) fn row(&self, i: usize) -> &'a [T] {
        &self.values[i * self.row_len()..][..self.used * self.channels]
    }
}

/// The directions to a block of Gaussians, and the basis functions at these directions.
pub(crate) struct Basis<T> {
    /// Vectors from the camera's centre to the means, world units.
    offsets: [Column<T>; 3],
    directions: [Column<T>; 3],
    terms: [Column<T>; TERMS],
}

impl<T: Scalar> Basis<T> {
    #[inline(always)]
    pub(crate) fn new() -> Self {
        let zeros = [T::ZERO; BLOCK];
        Self {
            offsets: [zeros; 3],
            directions: [zeros; 3],
            terms: [zeros; TERMS],
        }
    }

    /// Computes the columns for Gaussians with these `means`, seen from `camera`, for the first
    /// `used` basis functions.
    pub(crate) fn fill(&mut self, simd: Simd, used: usize, means: &[T], camera: CameraParams<T>) {
        simd.dispatch(Fill {
            basis: self,
            used,
            means,
            camera,
        });
    }

    /// Writes the features of Gaussian `k` to `values`, one per channel. `row` contains the
    /// coefficients in use.
    #[inline(always)]
    pub(crate) fn features<A: Arithmetic<T>>(&self, k: usize, row: &[T], values: &mut [T]) {
        self.sum::<A>(k, row, values);
        for value in values {
            if *value < T::ZERO {
                *value = T::ZERO;
            }
        }
    }

    /// Writes the sums before the clamp of Gaussian `k` to `values`, one per channel. `row`
    /// contains the coefficients in use.
    #[inline(always)]
    pub(crate) fn sum<A: Arithmetic<T>>(&self, k: usize, row: &[T], values: &mut [T]) {
        let offset = T::from_f64(HARMONICS_OFFSET);
        values.fill(offset);
        for (term, coefficients) in row.chunks_exact(values.len()).enumerate() {
            let y = self.terms[term][k];
            for (value, &coefficient) in values.iter_mut().zip(coefficients) {
                *value = A::add_weighted(*value, y, coefficient);
            }
        }
    }
}

/// A block's gradients with respect to the basis functions and to the offsets.
pub(crate) struct BasisGradient<T> {
    pub(crate) basis: Basis<T>,
    v_terms: [Column<T>; TERMS],
    /// Gradients with respect to the vectors from the camera's centre to the means.
    pub(crate) v_offsets: [Column<T>; 3],
}

impl<T: Scalar> BasisGradient<T> {
    #[inline(always)]
    pub(crate) fn new() -> Self {
        Self {
            basis: Basis::new(),
            v_terms: [[T::ZERO; BLOCK]; TERMS],
            v_offsets: [[T::ZERO; BLOCK]; 3],
        }
    }

    /// Sets the gradients with respect to the basis functions of Gaussian `k` to zero.
    #[inline(always)]
    pub(crate) fn skip(&mut self, k: usize, used: usize) {
        for terms in &mut self.v_terms[..used] {
            terms[k] = T::ZERO;
        }
    }

    /// Vjp of the clamped sums of Gaussian `k`. `values` contains the sums before the clamp and is
    /// overwritten. `v` is the gradient with respect to the features.
    ///
    /// Keeps the gradients with respect to the basis functions. Adds those with respect to the
    /// coefficients to `v_row`.
    #[inline(always)]
    pub(crate) fn sum_vjp<A: Arithmetic<T>>(
        &mut self,
        k: usize,
        row: &[T],
        values: &mut [T],
        v: &[T],
        v_row: &mut [T],
    ) {
        let channels = values.len();
        if values.iter().fold(true, |all, x| all & x.finite()) {
            for (value, &v) in values.iter_mut().zip(v) {
                // A clamped channel has no gradient.
                *value = if *value >= T::ZERO { v } else { T::ZERO };
            }
            let rows = row.chunks_exact(channels);
            let rows = rows.zip(v_row.chunks_exact_mut(channels)).enumerate();
            for (term, (coefficients, v_coefficients)) in rows {
                let y = self.basis.terms[term][k];
                let mut v_term = T::ZERO;
                for channel in 0..channels {
                    v_coefficients[channel] += y * values[channel];
                    v_term = A::add_weighted(v_term, coefficients[channel], values[channel]);
                }
                self.v_terms[term][k] = v_term;
            }
            return;
        }
        // A sum that is not finite must not change the gradients of the other channels. Such a
        // channel is left out here.
        for (term, coefficients) in row.chunks_exact(channels).enumerate() {
            self.v_terms[term][k] = T::ZERO;
            for channel in 0..channels {
                // Both tests are false for NaN.
                if values[channel] >= T::ZERO && values[channel].finite() {
                    v_row[term * channels + channel] += self.basis.terms[term][k] * v[channel];
                    let v_term = &mut self.v_terms[term][k];
                    *v_term = A::add_weighted(*v_term, coefficients[channel], v[channel]);
                }
            }
        }
    }

    /// Computes the gradients with respect to the offsets of `count` Gaussians from the gradients
    /// with respect to the terms. A gradient that is not finite becomes zero. This is the case at
    /// the camera's centre, where the direction is not defined.
    pub(crate) fn directions_vjp(&mut self, simd: Simd, used: usize, count: usize) {
        simd.dispatch(DirectionsVjp {
            gradient: self,
            used,
            count,
        });
    }
}

/// [`Basis::fill`]. A kernel of its own, because the formulas of all basis functions are much code,
/// which several loops share.
struct Fill<'a, T: Scalar> {
    basis: &'a mut Basis<T>,
    used: usize,
    means: &'a [T],
    camera: CameraParams<T>,
}

impl<T: Scalar> Kernel for Fill<'_, T> {
    type Scalar = T;
    type Output = ();

    #[inline(always)]
    fn run<A: Arithmetic<T>, const LANES: usize>(self) {
        let Self {
            basis,
            used,
            means,
            camera,
        } = self;
        let end = columns::padded::<LANES>(means.len() / 3);
        columns::read(means, &mut basis.offsets);
        for k in 0..end {
            let offset = T::view_offset(columns::vec3(&basis.offsets, k), camera);
            columns::set_vec3(&mut basis.offsets, k, true, offset);
            columns::set_vec3(&mut basis.directions, k, true, T::unit(offset));
        }
        for_each_term!(used, |TERM| {
            for k in 0..end {
                let direction = columns::vec3(&basis.directions, k);
                basis.terms[TERM][k] = T::sh_term(TERM as u32, direction);
            }
        });
    }
}

/// [`BasisGradient::directions_vjp`].
struct DirectionsVjp<'a, T> {
    gradient: &'a mut BasisGradient<T>,
    used: usize,
    count: usize,
}

impl<T: Scalar> Kernel for DirectionsVjp<'_, T> {
    type Scalar = T;
    type Output = ();

    #[inline(always)]
    fn run<A: Arithmetic<T>, const LANES: usize>(self) {
        let BasisGradient {
            basis,
            v_terms,
            v_offsets,
        } = self.gradient;
        let end = columns::padded::<LANES>(self.count);
        *v_offsets = [[T::ZERO; BLOCK]; 3];
        for_each_term!(self.used, |TERM| {
            for k in 0..end {
                let d = columns::vec3(&basis.directions, k);
                let v = T::sh_term_vjp(TERM as u32, d, v_terms[TERM][k]);
                let sum = T::add3(columns::vec3(v_offsets, k), v);
                columns::set_vec3(v_offsets, k, true, sum);
            }
        });
        for k in 0..end {
            let offset = columns::vec3(&basis.offsets, k);
            let v = T::unit_vjp(offset, columns::vec3(v_offsets, k));
            let finite = v.x.finite() & v.y.finite() & v.z.finite();
            columns::set_vec3(v_offsets, k, finite, v);
        }
    }
}
