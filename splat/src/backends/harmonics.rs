//! The spherical harmonics' entry points.

use crate::backends::stages::CpuScalar;
use crate::camera::Camera;
use crate::error::RenderError;
use crate::gaussians::check_len;
use crate::harmonics::{Harmonics, HarmonicsGradient};
use crate::host::simd::Simd;
use crate::host::threads::check_threads;

/// View-dependent features `[N, C]` of Gaussians seen from `camera`.
///
/// # Errors
/// Shapes that do not fit, a degree over 3, sizes over capacity, no threads, those of
/// [`Simd::preferred`].
pub fn features<T: CpuScalar>(
    harmonics: Harmonics<'_, T>,
    camera: &Camera,
) -> Result<Vec<T>, RenderError> {
    harmonics.validate()?;
    check_threads()?;
    T::stage_harmonics(harmonics, camera, Simd::preferred()?)
}

/// Vjp of [`features`]: inputs as there; incoming `v_features` `[N, C]`; outgoing the gradients
/// with respect to coefficients, means and pose (MATH eq. 18', 19').
///
/// # Errors
/// As [`features`].
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
