//! Loops of the spherical harmonics. The basis functions are computed in vector lanes over
//! Gaussians. The sums over coefficients are computed Gaussian by Gaussian, in memory order.

pub(crate) mod basis;

use rayon::prelude::*;

use crate::camera::Camera;
use crate::error::{RenderError, try_filled, try_made};
use crate::harmonics::cpu::basis::{Basis, BasisGradient, known};
use crate::harmonics::{Harmonics, HarmonicsGradient};
use crate::host::columns::{self, BLOCK, GRAIN};
use crate::host::simd::{Kernel, Simd};
use crate::math::Vec3;
use crate::project::CameraParams;
use crate::scalar::Scalar;
use crate::scalar::rounding::Arithmetic;

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
    let camera = camera.params::<T>(1, 1);
    let per_task = channels.saturating_mul(GRAIN);
    let blocks = out.par_chunks_mut(per_task).enumerate();
    blocks.for_each(|(task, out)| {
        let first = task * GRAIN;
        let job = Features {
            harmonics,
            camera,
            simd,
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
    let camera = camera.params::<T>(1, 1);
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
            camera,
            simd,
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
    let v = T::view_offset_vjp(camera, sum);
    let (r, t) = (v.rotation, v.translation);
    Ok(HarmonicsGradient {
        means,
        coefficients,
        camera_from_world: [
            [r.r0.x, r.r0.y, r.r0.z, t.x],
            [r.r1.x, r.r1.y, r.r1.z, t.y],
            [r.r2.x, r.r2.y, r.r2.z, t.z],
        ],
    })
}

/// Computes the features of the Gaussians from `first` on, as many as fit into `out`.
struct Features<'a, T: Scalar> {
    harmonics: Harmonics<'a, T>,
    camera: CameraParams<T>,
    simd: Simd,
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
            3 => self.blocks::<A, 3>(),
            _ => self.blocks::<A, 0>(),
        }
    }
}

impl<T: Scalar> Features<'_, T> {
    #[inline(always)]
    fn blocks<A: Arithmetic<T>, const CHANNELS: usize>(self) {
        let harmonics = &self.harmonics;
        let channels = known::<CHANNELS>(harmonics.channels);
        let mut basis = Basis::new();
        let blocks = self.out.chunks_mut(BLOCK * channels);
        for (block, out) in blocks.enumerate() {
            let first = self.first + block * BLOCK;
            let means = &harmonics.means[3 * first..][..3 * (out.len() / channels)];
            basis.fill(self.simd, harmonics.used(), means, self.camera);
            for (k, values) in out.chunks_exact_mut(channels).enumerate() {
                basis.features::<A>(k, harmonics.row(first + k), values);
            }
        }
    }
}

/// Computes the gradients with respect to the Gaussians from `first` on, as many as `v_means` has.
struct FeaturesVjp<'a, T: Scalar> {
    harmonics: Harmonics<'a, T>,
    camera: CameraParams<T>,
    simd: Simd,
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
            3 => self.blocks::<A, 3>(),
            _ => self.blocks::<A, 0>(),
        }
    }
}

impl<T: Scalar> FeaturesVjp<'_, T> {
    #[inline(always)]
    fn blocks<A: Arithmetic<T>, const CHANNELS: usize>(self) -> Vec3<T> {
        let harmonics = &self.harmonics;
        let channels = known::<CHANNELS>(harmonics.channels);
        let per_gaussian = harmonics.stored * channels;
        let mut gradient = BasisGradient::new();
        let mut sum = Vec3::default();
        let blocks = self.v_means.chunks_mut(3 * BLOCK);
        let blocks = blocks.zip(self.v_coefficients.chunks_mut(per_gaussian * BLOCK));
        for (block, (v_means, v_coefficients)) in blocks.enumerate() {
            let first = self.first + block * BLOCK;
            let count = v_means.len() / 3;
            let means = &harmonics.means[3 * first..][..3 * count];
            gradient
                .basis
                .fill(self.simd, harmonics.used(), means, self.camera);
            for (k, v_row) in v_coefficients.chunks_exact_mut(per_gaussian).enumerate() {
                let i = first + k;
                let v = &self.v_features[i * channels..][..channels];
                let values = &mut self.values[..channels];
                gradient.basis.sum::<A>(k, harmonics.row(i), values);
                gradient.sum_vjp::<A>(k, harmonics.row(i), values, v, v_row);
            }
            gradient.directions_vjp(self.simd, harmonics.used(), count);
            columns::write(v_means, &gradient.v_offsets);
            let [x, y, z] = &gradient.v_offsets;
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
