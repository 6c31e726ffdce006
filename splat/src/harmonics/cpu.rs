//! Loops of the spherical harmonics. The basis functions are computed in vector lanes over
//! Gaussians. The sums over coefficients are computed Gaussian by Gaussian, in memory order.

use rayon::prelude::*;

use crate::camera::Camera;
use crate::config::HARMONICS_OFFSET;
use crate::error::{RenderError, try_filled, try_made};
use crate::harmonics::{Harmonics, HarmonicsGradient};
use crate::host::columns::{self, BLOCK, Column, GRAIN};
use crate::host::simd::{Kernel, Simd};
use crate::math::{Mat3, Vec3};
use crate::scalar::Scalar;
use crate::scalar::rounding::Arithmetic;

/// Returns the rotation, the translation and the centre `-R^T t` of a camera (MATH eq. 19).
fn pose<T: Scalar>(camera: &Camera) -> (Mat3<T>, Vec3<T>, Vec3<T>) {
    let params = camera.params::<T>(1, 1);
    let centre = T::apply_transposed(params.rotation, params.translation);
    let negated = Vec3 {
        x: -centre.x,
        y: -centre.y,
        z: -centre.z,
    };
    (params.rotation, params.translation, negated)
}

/// Computes the view-dependent features `[N, C]` of Gaussians seen from `camera`.
pub(crate) fn features<T: Scalar>(
    harmonics: Harmonics<'_, T>,
    camera: &Camera,
    simd: Simd,
) -> Result<Vec<T>, RenderError> {
    let channels = harmonics.channels;
    // Without Gaussians, no buffer length limits `channels`.
    if harmonics.count() == 0 {
        return Ok(Vec::new());
    }
    let elements = harmonics.count() * channels;
    let mut out = try_made("harmonic features [N, C]", elements, || T::ZERO)?;
    let (_, _, centre) = pose::<T>(camera);
    let per_task = channels.saturating_mul(GRAIN);
    let blocks = out.par_chunks_mut(per_task).enumerate();
    blocks.for_each(|(task, out)| {
        let first = task * GRAIN;
        let job = Features {
            harmonics,
            centre,
            first,
            out,
        };
        simd.dispatch(job);
    });
    Ok(out)
}

/// The index of a task, and its parts of the gradients with respect to means and coefficients.
type Part<'a, T> = (usize, (&'a mut [T], &'a mut [T]));

/// Vjp of [`features`]: computes the gradients with respect to the coefficients, the means and the
/// pose from `v_features`, `[N, C]` (MATH eq. 18', 19').
pub(crate) fn features_vjp<T: Scalar>(
    harmonics: Harmonics<'_, T>,
    camera: &Camera,
    v_features: &[T],
    simd: Simd,
) -> Result<HarmonicsGradient<T>, RenderError> {
    let (n, channels) = (harmonics.count(), harmonics.channels);
    // Without Gaussians, no buffer length limits `stored` and `channels`.
    if n == 0 {
        return Ok(HarmonicsGradient {
            means: Vec::new(),
            coefficients: Vec::new(),
            camera_from_world: [[T::ZERO; 4]; 3],
        });
    }
    let per_gaussian = harmonics.stored * channels;
    let mut means = try_made("gradient with respect to means [N, 3]", 3 * n, || T::ZERO)?;
    let mut coefficients = try_made(
        "gradient with respect to coefficients [N, K, C]",
        n * per_gaussian,
        || T::ZERO,
    )?;
    let (rotation, translation, centre) = pose::<T>(camera);
    let blocks = means
        .par_chunks_mut(GRAIN * 3)
        .zip(coefficients.par_chunks_mut(per_gaussian.saturating_mul(GRAIN)))
        .enumerate();
    let what = "partial gradients with respect to the camera centre";
    let mut centre_sums = try_filled(what, n.div_ceil(GRAIN), Vec3::default())?;
    let values = || try_filled("channel sums of a Gaussian [C]", channels, T::ZERO);
    let job = |values: &mut Result<Vec<T>, RenderError>, (sum, part): (&mut _, Part<'_, T>)| {
        let (task, (v_means, v_coefficients)) = part;
        let values = values.as_mut().map_err(|error| error.clone())?;
        let job = FeaturesVjp {
            harmonics,
            centre,
            v_features,
            first: task * GRAIN,
            v_means,
            v_coefficients,
            values,
        };
        *sum = simd.dispatch(job);
        Ok(())
    };
    let blocks = centre_sums.par_iter_mut().zip(blocks);
    blocks.try_for_each_init(values, job)?;
    let zero = Vec3::default();
    let sum = centre_sums
        .into_iter()
        .fold(zero, |sum, part| T::add3(sum, part));
    // offset = mean - centre, centre = -R^T t: v_R = t sum^T, v_t = R sum (MATH eq. 19').
    let v_t = T::apply(rotation, sum);
    let row = |t: T, v: T| [t * sum.x, t * sum.y, t * sum.z, v];
    Ok(HarmonicsGradient {
        means,
        coefficients,
        camera_from_world: [
            row(translation.x, v_t.x),
            row(translation.y, v_t.y),
            row(translation.z, v_t.z),
        ],
    })
}

/// The greatest number of basis functions, for degree 3.
const TERMS: usize = 16;

/// Expands `$body` once for every `$k` below `$used`. `$k` is a constant in each copy, so that the
/// compiler can select the formula of the basis function.
macro_rules! for_each_term {
    ($used:expr, |$k:ident| $body:block) => {
        for_each_term!(@ $used, $k, $body, 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15)
    };
    (@ $used:expr, $k:ident, $body:block, $($number:literal)*) => {$(
        if $number < $used {
            const $k: usize = $number;
            $body
        }
    )*};
}

/// Computes the features of the Gaussians from `first` on, as many as fit into `out`.
struct Features<'a, T: Scalar> {
    harmonics: Harmonics<'a, T>,
    centre: Vec3<T>,
    first: usize,
    out: &'a mut [T],
}

impl<T: Scalar> Kernel for Features<'_, T> {
    type Scalar = T;
    type Output = ();

    #[inline(always)]
    fn run<A: Arithmetic<T>, const LANES: usize>(self) {
        // Three channels, as for colours, are compiled as a constant number.
        match self.harmonics.channels {
            3 => self.blocks::<A, LANES, 3>(),
            _ => self.blocks::<A, LANES, 0>(),
        }
    }
}

impl<T: Scalar> Features<'_, T> {
    #[inline(always)]
    fn blocks<A: Arithmetic<T>, const LANES: usize, const CHANNELS: usize>(self) {
        let harmonics = &self.harmonics;
        let channels = known::<CHANNELS>(harmonics.channels);
        let mut basis = Basis::new();
        let blocks = self.out.chunks_mut(BLOCK * channels);
        for (block, out) in blocks.enumerate() {
            let first = self.first + block * BLOCK;
            basis.fill::<LANES>(harmonics, self.centre, first, out.len() / channels);
            for (k, values) in out.chunks_exact_mut(channels).enumerate() {
                basis.sum::<A>(k, harmonics.row(first + k), values);
                for value in values {
                    if *value < T::ZERO {
                        *value = T::ZERO;
                    }
                }
            }
        }
    }
}

/// Computes the gradients with respect to the Gaussians from `first` on, as many as `v_means` has.
struct FeaturesVjp<'a, T: Scalar> {
    harmonics: Harmonics<'a, T>,
    centre: Vec3<T>,
    v_features: &'a [T],
    first: usize,
    v_means: &'a mut [T],
    /// All zeros on entry.
    v_coefficients: &'a mut [T],
    /// `[C]`: holds the sums before the clamp, then the gradients with respect to these sums.
    values: &'a mut [T],
}

impl<T: Scalar> Kernel for FeaturesVjp<'_, T> {
    type Scalar = T;
    /// The sum of the gradients with respect to the means.
    type Output = Vec3<T>;

    #[inline(always)]
    fn run<A: Arithmetic<T>, const LANES: usize>(self) -> Vec3<T> {
        match self.harmonics.channels {
            3 => self.blocks::<A, LANES, 3>(),
            _ => self.blocks::<A, LANES, 0>(),
        }
    }
}

impl<T: Scalar> FeaturesVjp<'_, T> {
    #[inline(always)]
    fn blocks<A: Arithmetic<T>, const LANES: usize, const CHANNELS: usize>(self) -> Vec3<T> {
        let harmonics = &self.harmonics;
        let channels = known::<CHANNELS>(harmonics.channels);
        let per_gaussian = harmonics.stored * channels;
        let mut basis = Basis::new();
        let mut v_terms = [[T::ZERO; BLOCK]; TERMS];
        let mut v_offsets = [[T::ZERO; BLOCK]; 3];
        let mut sum = Vec3::default();
        let blocks = self.v_means.chunks_mut(3 * BLOCK);
        let blocks = blocks.zip(self.v_coefficients.chunks_mut(per_gaussian * BLOCK));
        for (block, (v_means, v_coefficients)) in blocks.enumerate() {
            let first = self.first + block * BLOCK;
            let count = v_means.len() / 3;
            basis.fill::<LANES>(harmonics, self.centre, first, count);
            for (k, v_row) in v_coefficients.chunks_exact_mut(per_gaussian).enumerate() {
                let i = first + k;
                let v = &self.v_features[i * channels..][..channels];
                let values = &mut self.values[..channels];
                basis.sum::<A>(k, harmonics.row(i), values);
                basis.sum_vjp::<A>(k, harmonics.row(i), values, v, &mut v_terms, v_row);
            }
            basis.directions_vjp::<LANES>(harmonics.used(), count, &v_terms, &mut v_offsets);
            columns::write(v_means, &v_offsets);
            let [x, y, z] = &v_offsets;
            sum = T::add3(
                sum,
                Vec3 {
                    x: columns::total(x, count),
                    y: columns::total(y, count),
                    z: columns::total(z, count),
                },
            );
        }
        sum
    }
}

/// Returns `channels`, as a constant if `CHANNELS` is not 0. The two must then be equal.
#[inline(always)]
fn known<const CHANNELS: usize>(channels: usize) -> usize {
    if CHANNELS > 0 { CHANNELS } else { channels }
}

/// The directions to a block of Gaussians, and the basis functions at these directions.
struct Basis<T> {
    /// Vectors from the camera's centre to the means.
    offsets: [Column<T>; 3],
    directions: [Column<T>; 3],
    terms: [Column<T>; TERMS],
}

impl<T: Scalar> Basis<T> {
    #[inline(always)]
    fn new() -> Self {
        let zeros = [T::ZERO; BLOCK];
        Self {
            offsets: [zeros; 3],
            directions: [zeros; 3],
            terms: [zeros; TERMS],
        }
    }

    /// Computes the columns for the Gaussians `first .. first + count`.
    #[inline(always)]
    fn fill<const LANES: usize>(
        &mut self,
        harmonics: &Harmonics<'_, T>,
        centre: Vec3<T>,
        first: usize,
        count: usize,
    ) {
        let end = columns::padded::<LANES>(count);
        let means = &harmonics.means[3 * first..3 * (first + count)];
        columns::read(means, &mut self.offsets);
        for k in 0..end {
            let mean = columns::vec3(&self.offsets, k);
            let offset = Vec3 {
                x: mean.x - centre.x,
                y: mean.y - centre.y,
                z: mean.z - centre.z,
            };
            columns::set_vec3(&mut self.offsets, k, true, offset);
            columns::set_vec3(&mut self.directions, k, true, T::unit(offset));
        }
        for_each_term!(harmonics.used(), |TERM| {
            for k in 0..end {
                self.terms[TERM][k] = T::sh_term(TERM as u32, columns::vec3(&self.directions, k));
            }
        });
    }

    /// Writes the sums before the clamp of Gaussian `k` to `values`, one per channel. `row`
    /// contains the coefficients in use.
    #[inline(always)]
    fn sum<A: Arithmetic<T>>(&self, k: usize, row: &[T], values: &mut [T]) {
        let offset = T::from_f64(HARMONICS_OFFSET);
        values.fill(offset);
        for (term, coefficients) in row.chunks_exact(values.len()).enumerate() {
            let y = self.terms[term][k];
            for (value, &coefficient) in values.iter_mut().zip(coefficients) {
                *value = A::add_weighted(*value, y, coefficient);
            }
        }
    }

    /// Vjp of the clamped sums of Gaussian `k`. `values` contains the sums before the clamp and is
    /// overwritten. `v` is the gradient with respect to the features.
    ///
    /// Writes the gradients with respect to the terms to `v_terms`. Writes the gradients with
    /// respect to the coefficients to `v_row`, which must be zero on entry.
    #[inline(always)]
    fn sum_vjp<A: Arithmetic<T>>(
        &self,
        k: usize,
        row: &[T],
        values: &mut [T],
        v: &[T],
        v_terms: &mut [Column<T>; TERMS],
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
                let y = self.terms[term][k];
                let mut v_term = T::ZERO;
                for channel in 0..channels {
                    v_coefficients[channel] = y * values[channel];
                    v_term = A::add_weighted(v_term, coefficients[channel], values[channel]);
                }
                v_terms[term][k] = v_term;
            }
            return;
        }
        // A sum that is not finite must not change the gradients of the other channels. Such a
        // channel is left out here.
        for (term, coefficients) in row.chunks_exact(channels).enumerate() {
            v_terms[term][k] = T::ZERO;
            for channel in 0..channels {
                // Both tests are false for NaN.
                if values[channel] >= T::ZERO && values[channel].finite() {
                    v_row[term * channels + channel] = self.terms[term][k] * v[channel];
                    let v_term = &mut v_terms[term][k];
                    *v_term = A::add_weighted(*v_term, coefficients[channel], v[channel]);
                }
            }
        }
    }

    /// Computes the gradients with respect to the offsets from the gradients with respect to the
    /// terms. A gradient that is not finite becomes zero. This is the case at the camera's centre,
    /// where the direction is not defined.
    #[inline(always)]
    fn directions_vjp<const LANES: usize>(
        &self,
        used: usize,
        count: usize,
        v_terms: &[Column<T>; TERMS],
        v_offsets: &mut [Column<T>; 3],
    ) {
        let end = columns::padded::<LANES>(count);
        *v_offsets = [[T::ZERO; BLOCK]; 3];
        for_each_term!(used, |TERM| {
            for k in 0..end {
                let d = columns::vec3(&self.directions, k);
                let v = T::sh_term_vjp(TERM as u32, d, v_terms[TERM][k]);
                let sum = T::add3(columns::vec3(v_offsets, k), v);
                columns::set_vec3(v_offsets, k, true, sum);
            }
        });
        for k in 0..end {
            let offset = columns::vec3(&self.offsets, k);
            let v = T::unit_vjp(offset, columns::vec3(v_offsets, k));
            let finite = v.x.finite() & v.y.finite() & v.z.finite();
            columns::set_vec3(v_offsets, k, finite, v);
        }
    }
}
