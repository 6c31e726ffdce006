//! Spherical harmonics: view-dependent features, a differentiable function of their own before the render.
//!
//! `features = max(0, 1/2 + sum_k Y_k(d) coefficients_k)`, `d` the direction from the camera's centre `-R^T t` to the
//! Gaussian's mean (3DGS; MATH eq. 18, 19). `formula.rs` has the basis.

use rayon::prelude::*;

use crate::camera::Camera;
use crate::error::{RenderError, try_filled};
use crate::gaussians::{check_channels, check_len};
use crate::math::{Mat3, Vec3};
use crate::scalar::Scalar;

/// Gaussians per parallel task; sums over Gaussians are taken in this grain, so that threads never change a bit.
const GRAIN: usize = 256;

/// Coefficients of N Gaussians for one camera.
#[derive(Debug, Clone, Copy)]
pub struct Harmonics<'a, T> {
    /// Degree, 0 to 3: the first `(degree + 1)^2` coefficients are used.
    pub degree: u32,
    /// Means `[N, 3]`.
    pub means: &'a [T],
    /// Coefficients `[N, K, C]`, `K >= (degree + 1)^2`.
    pub coefficients: &'a [T],
    /// The number K of coefficients per channel that are stored.
    pub stored: usize,
    /// The number C of channels.
    pub channels: usize,
}

/// Gradients of [`features`].
#[derive(Debug, Clone, PartialEq)]
pub struct HarmonicsGradient<T> {
    /// By the means, through the direction, `[N, 3]`.
    pub means: Vec<T>,
    /// By the coefficients `[N, K, C]`; zero for those the degree leaves unused.
    pub coefficients: Vec<T>,
    /// By `camera_from_world` `[3, 4]`, its twelve entries as free numbers, through the camera's centre.
    pub camera_from_world: [[T; 4]; 3],
}

impl<T: Scalar> Harmonics<'_, T> {
    fn used(&self) -> usize {
        ((self.degree + 1) * (self.degree + 1)) as usize
    }

    fn count(&self) -> usize {
        self.means.len() / 3
    }

    fn validate(&self) -> Result<(), RenderError> {
        if self.degree > 3 {
            return Err(RenderError::config(
                "harmonics.degree",
                "0 to 3",
                self.degree,
            ));
        }
        check_channels("harmonics.channels", self.channels)?;
        check_channels("harmonics.stored", self.stored)?;
        if self.stored < self.used() {
            return Err(RenderError::shape(
                "harmonics.stored",
                format!(
                    "at least {} coefficients for degree {}",
                    self.used(),
                    self.degree
                ),
                self.stored,
            ));
        }
        let n = self.count();
        check_len("harmonics.means", "[N, 3]", &[n, 3], self.means.len())?;
        let dims = [n, self.stored, self.channels];
        check_len(
            "harmonics.coefficients",
            "[N, K, C]",
            &dims,
            self.coefficients.len(),
        )
    }

    fn offset_to(&self, centre: Vec3<T>, i: usize) -> Vec3<T> {
        let mean = &self.means[3 * i..3 * i + 3];
        Vec3 {
            x: mean[0] - centre.x,
            y: mean[1] - centre.y,
            z: mean[2] - centre.z,
        }
    }

    /// The sum before the clamp, for one Gaussian and channel.
    fn raw(&self, i: usize, channel: usize, d: Vec3<T>) -> T {
        let block = &self.coefficients[i * self.stored * self.channels..];
        (0..self.used()).fold(T::from_f64(0.5), |sum, k| {
            sum + T::sh_term(k as u32, d) * block[k * self.channels + channel]
        })
    }
}

/// Rotation, translation and centre `-R^T t` of a camera (MATH eq. 19).
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

/// View-dependent features `[N, C]` of Gaussians seen from `camera`.
///
/// # Errors
/// Shapes that do not fit, a degree over 3.
pub fn features<T: Scalar>(
    harmonics: Harmonics<'_, T>,
    camera: &Camera,
) -> Result<Vec<T>, RenderError> {
    harmonics.validate()?;
    let channels = harmonics.channels;
    let mut out = try_filled(
        "harmonic features [N, C]",
        harmonics.count() * channels,
        T::ZERO,
    )?;
    let (_, _, centre) = pose::<T>(camera);
    out.par_chunks_mut(GRAIN * channels)
        .enumerate()
        .for_each(|(task, block)| {
            for (row, feature) in block.chunks_exact_mut(channels).enumerate() {
                let i = task * GRAIN + row;
                let d = T::unit(harmonics.offset_to(centre, i));
                for (channel, value) in feature.iter_mut().enumerate() {
                    let raw = harmonics.raw(i, channel, d);
                    *value = if raw < T::ZERO { T::ZERO } else { raw };
                }
            }
        });
    Ok(out)
}

/// Vjp of [`features`]: inputs as there; incoming `v_features` `[N, C]`; outgoing by coefficients, means and pose
/// (MATH eq. 18', 19').
///
/// # Errors
/// Shapes that do not fit, a degree over 3.
pub fn features_vjp<T: Scalar>(
    harmonics: Harmonics<'_, T>,
    camera: &Camera,
    v_features: &[T],
) -> Result<HarmonicsGradient<T>, RenderError> {
    harmonics.validate()?;
    let (n, channels) = (harmonics.count(), harmonics.channels);
    check_len("v_features", "[N, C]", &[n, channels], v_features.len())?;
    let per_gaussian = harmonics.stored * channels;
    let mut means = try_filled("gradient by means [N, 3]", 3 * n, T::ZERO)?;
    let mut coefficients = try_filled(
        "gradient by coefficients [N, K, C]",
        n * per_gaussian,
        T::ZERO,
    )?;
    let (rotation, translation, centre) = pose::<T>(camera);
    let centre_sums: Vec<Vec3<T>> = means
        .par_chunks_mut(GRAIN * 3)
        .zip(coefficients.par_chunks_mut(GRAIN * per_gaussian))
        .enumerate()
        .map(|(task, (v_means, v_coefficients))| {
            let mut v_centre = Vec3::default();
            let rows = v_means
                .chunks_exact_mut(3)
                .zip(v_coefficients.chunks_exact_mut(per_gaussian));
            for (row, (v_mean, v_coefficient)) in rows.enumerate() {
                let i = task * GRAIN + row;
                let v = &v_features[i * channels..][..channels];
                let v_offset = gaussian_vjp(harmonics, i, centre, v, v_coefficient);
                v_mean.copy_from_slice(&[v_offset.x, v_offset.y, v_offset.z]);
                v_centre = T::add3(v_centre, v_offset);
            }
            v_centre
        })
        .collect();
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

/// One Gaussian's share of [`features_vjp`]: fills its coefficients' gradient, returns that by `mean - centre`.
fn gaussian_vjp<T: Scalar>(
    harmonics: Harmonics<'_, T>,
    i: usize,
    centre: Vec3<T>,
    v_feature: &[T],
    v_coefficient: &mut [T],
) -> Vec3<T> {
    let channels = harmonics.channels;
    let offset = harmonics.offset_to(centre, i);
    let d = T::unit(offset);
    let block = &harmonics.coefficients[i * harmonics.stored * channels..];
    let mut v_d = Vec3::default();
    for (channel, &v) in v_feature.iter().enumerate() {
        // Clamped, or without a direction: no gradient. Phrased so that NaN fails it.
        let raw = harmonics.raw(i, channel, d);
        if !(raw >= T::ZERO && raw.finite()) {
            continue;
        }
        for k in 0..harmonics.used() {
            let at = k * channels + channel;
            v_coefficient[at] = T::sh_term(k as u32, d) * v;
            v_d = T::add3(v_d, T::sh_term_vjp(k as u32, d, block[at] * v));
        }
    }
    let v_offset = T::unit_vjp(offset, v_d);
    // At the camera's centre there is no direction to differentiate by.
    if v_offset.x.finite() && v_offset.y.finite() && v_offset.z.finite() {
        v_offset
    } else {
        Vec3::default()
    }
}
