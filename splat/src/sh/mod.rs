//! Spherical harmonics: view-dependent features, a differentiable function of their own before the render.
//!
//! `features = max(0, 1/2 + sum_k Y_k(d) coefficients_k)`, `d` the direction from the camera's centre `-R^T t` to the
//! Gaussian's mean (3DGS; MATH eq. 18, 19). `formula.rs` has the basis, `cpu.rs` the loops.

use rayon::prelude::*;

use crate::camera::Camera;
use crate::error::{RenderError, try_made};
use crate::gaussians::{check_channels, check_len};
use crate::host::columns::GRAIN;
use crate::host::simd::Simd;
use crate::math::{Mat3, Vec3};
use crate::scalar::Scalar;
use crate::sh::cpu::{Features, FeaturesVjp};

pub(crate) mod cpu;

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
    #[inline(always)]
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

    /// The coefficients in use of one Gaussian.
    #[inline(always)]
    fn row(&self, i: usize) -> &[T] {
        &self.coefficients[i * self.stored * self.channels..][..self.used() * self.channels]
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
/// Shapes that do not fit, a degree over 3, those of [`Simd::preferred`].
pub fn features<T: Scalar>(
    harmonics: Harmonics<'_, T>,
    camera: &Camera,
) -> Result<Vec<T>, RenderError> {
    harmonics.validate()?;
    let channels = harmonics.channels;
    let elements = harmonics.count() * channels;
    let mut out = try_made("harmonic features [N, C]", elements, || T::ZERO)?;
    let (_, _, centre) = pose::<T>(camera);
    let simd = Simd::preferred()?;
    let blocks = out.par_chunks_mut(GRAIN * channels).enumerate();
    blocks.for_each(|(task, out)| {
        let first = task * GRAIN;
        let job = Features {
            harmonics,
            centre,
            first,
            out,
        };
        T::harmonics_run(simd, job);
    });
    Ok(out)
}

/// Vjp of [`features`]: inputs as there; incoming `v_features` `[N, C]`; outgoing by coefficients, means and pose
/// (MATH eq. 18', 19').
///
/// # Errors
/// Shapes that do not fit, a degree over 3, those of [`Simd::preferred`].
pub fn features_vjp<T: Scalar>(
    harmonics: Harmonics<'_, T>,
    camera: &Camera,
    v_features: &[T],
) -> Result<HarmonicsGradient<T>, RenderError> {
    harmonics.validate()?;
    let (n, channels) = (harmonics.count(), harmonics.channels);
    check_len("v_features", "[N, C]", &[n, channels], v_features.len())?;
    let per_gaussian = harmonics.stored * channels;
    let mut means = try_made("gradient by means [N, 3]", 3 * n, || T::ZERO)?;
    let mut coefficients = try_made(
        "gradient by coefficients [N, K, C]",
        n * per_gaussian,
        || T::ZERO,
    )?;
    let (rotation, translation, centre) = pose::<T>(camera);
    let simd = Simd::preferred()?;
    let blocks = means
        .par_chunks_mut(GRAIN * 3)
        .zip(coefficients.par_chunks_mut(GRAIN * per_gaussian))
        .enumerate();
    let job = |(task, (v_means, v_coefficients))| {
        let job = FeaturesVjp {
            harmonics,
            centre,
            v_features,
            first: task * GRAIN,
            v_means,
            v_coefficients,
        };
        T::harmonics_vjp_run(simd, job)
    };
    let centre_sums: Vec<Vec3<T>> = blocks.map(job).collect();
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
