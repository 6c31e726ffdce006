//! The public functions of the spherical harmonics.

use crate::backends::stages::CpuScalar;
use crate::camera::Camera;
use crate::error::RenderError;
use crate::gaussians::check_len;
use crate::harmonics::{Harmonics, HarmonicsGradient};
use crate::host::simd::Simd;
use crate::host::threads::check_threads;

/// Computes view-dependent features `[N, C]` of Gaussians seen from `camera` (MATH eq. 18 and 19).
///
/// # Errors
/// - [`RenderError::Shape`] if a buffer of `harmonics` has the wrong length, or fewer coefficients
///   are stored than the degree needs.
/// - [`RenderError::Config`] if the degree exceeds 3, `channels` or `stored` is 0 or exceeds 32
///   bits, or [`Simd::preferred`] fails.
/// - [`RenderError::Capacity`] if a size overflows or an allocation fails.
/// - [`RenderError::Device`] if the system cannot create the threads.
pub fn features<T: CpuScalar>(
    harmonics: Harmonics<'_, T>,
    camera: &Camera,
) -> Result<Vec<T>, RenderError> {
    harmonics.validate()?;
    check_threads()?;
    T::stage_harmonics(harmonics, camera, Simd::preferred()?)
}

/// Vjp of [`features`]. Returns the gradients with respect to coefficients, means and pose (MATH
/// eq. 18', 19').
///
/// `harmonics` and `camera` are the arguments of [`features`], and `v_features` `[N, C]` is the
/// gradient with respect to its result.
///
/// # Errors
/// The errors of [`features`], and [`RenderError::Shape`] if `v_features` has the wrong length.
pub fn features_vjp<T: CpuScalar>(
    harmonics: Harmonics<'_, T>,
    camera: &Camera,
    v_features: &[T],
) -> Result<HarmonicsGradient<T>, RenderError> {
    harmonics.validate()?;
    let dims = [harmonics.count(), harmonics.channels];
    check_len("v_features", "[N, C]", &dims, v_features.len())?;
    check_threads()?;
    T::stage_harmonics_vjp(harmonics, camera, v_features, Simd::preferred()?)
}
