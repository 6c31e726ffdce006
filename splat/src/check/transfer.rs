//! Copies between the host and a backend, which the checks of a backend need.

use crate::backend::Backend;
use crate::backends::cpu::Cpu;
use crate::backends::stages::CpuScalar;
use crate::camera::Camera;
use crate::error::RenderError;
use crate::harmonics::{Harmonics, HarmonicsGradient};

/// The greatest relative rounding error of `f32`, 2^-24.
pub(super) const SINGLE: f64 = f32::EPSILON as f64 / 2.0;

/// The features of spherical harmonics, and the gradients of their vjp.
pub type HarmonicsOutcome = (Vec<f64>, HarmonicsGradient<f64>);

/// A backend whose buffers can be copied from and to the host, so that
/// [`check_backend`](super::check_backend) can run it.
pub trait Transfer: Backend {
    /// Copies numbers to the backend, rounded to its precision.
    ///
    /// # Errors
    /// The errors of the backend.
    fn upload(&self, numbers: &[f64]) -> Result<Self::Buffer, RenderError>;

    /// Copies a buffer to the host.
    ///
    /// # Errors
    /// The errors of the backend.
    fn download(&self, buffer: &Self::Buffer) -> Result<Vec<f64>, RenderError>;

    /// Copies a buffer of integers to the host.
    ///
    /// # Errors
    /// The errors of the backend.
    fn download_indices(&self, indices: &Self::Indices) -> Result<Vec<u32>, RenderError>;

    /// Rounds a number to the precision of the backend. The default is that of `f32`.
    fn round(&self, number: f64) -> f64 {
        f64::from(number as f32)
    }

    /// The greatest relative error of [`round`](Self::round). The tolerances of the checks are
    /// multiples of it. The default is that of `f32`, 2^-24.
    fn unit_roundoff(&self) -> f64 {
        SINGLE
    }

    /// Evaluates spherical harmonics and their vjp, if the backend has them. The default is `None`.
    ///
    /// # Errors
    /// The errors of the backend.
    fn harmonics(
        &self,
        harmonics: Harmonics<'_, f64>,
        camera: &Camera,
        v_features: &[f64],
    ) -> Option<Result<HarmonicsOutcome, RenderError>> {
        let _ = (harmonics, camera, v_features);
        None
    }
}

impl<T: CpuScalar> Transfer for Cpu<T> {
    fn upload(&self, numbers: &[f64]) -> Result<Vec<T>, RenderError> {
        Ok(numbers.iter().map(|&x| T::from_f64(x)).collect())
    }

    fn download(&self, buffer: &Vec<T>) -> Result<Vec<f64>, RenderError> {
        Ok(buffer.iter().map(|x| x.to_f64()).collect())
    }

    fn download_indices(&self, indices: &Vec<u32>) -> Result<Vec<u32>, RenderError> {
        Ok(indices.clone())
    }

    fn round(&self, number: f64) -> f64 {
        T::from_f64(number).to_f64()
    }

    fn unit_roundoff(&self) -> f64 {
        let single = self.round(1.0 + f64::EPSILON) == 1.0;
        if single { SINGLE } else { f64::EPSILON / 2.0 }
    }

    fn harmonics(
        &self,
        harmonics: Harmonics<'_, f64>,
        camera: &Camera,
        v_features: &[f64],
    ) -> Option<Result<HarmonicsOutcome, RenderError>> {
        Some(harmonics_at(self, harmonics, camera, v_features))
    }
}

/// Evaluates harmonics at the precision and with the instruction set of a backend.
fn harmonics_at<T: CpuScalar>(
    backend: &Cpu<T>,
    harmonics: Harmonics<'_, f64>,
    camera: &Camera,
    v_features: &[f64],
) -> Result<HarmonicsOutcome, RenderError> {
    let simd = backend.simd()?;
    let means = backend.upload(harmonics.means)?;
    let coefficients = backend.upload(harmonics.coefficients)?;
    let rounded = Harmonics {
        degree: harmonics.degree,
        means: &means,
        coefficients: &coefficients,
        stored: harmonics.stored,
        channels: harmonics.channels,
    };
    let features = T::stage_harmonics(rounded, camera, simd)?;
    let v_features = backend.upload(v_features)?;
    let v = T::stage_harmonics_vjp(rounded, camera, &v_features, simd)?;
    let gradient = HarmonicsGradient {
        means: backend.download(&v.means)?,
        coefficients: backend.download(&v.coefficients)?,
        camera_from_world: v.camera_from_world.map(|row| row.map(T::to_f64)),
    };
    Ok((backend.download(&features)?, gradient))
}

#[cfg(feature = "gpu")]
impl<R: cubecl::Runtime> Transfer for crate::device::Gpu<R> {
    fn upload(&self, numbers: &[f64]) -> Result<Self::Buffer, RenderError> {
        let single: Vec<f32> = numbers.iter().map(|&x| x as f32).collect();
        crate::device::Gpu::upload(self, &single)
    }

    fn download(&self, buffer: &Self::Buffer) -> Result<Vec<f64>, RenderError> {
        let single = crate::device::Gpu::download(self, buffer)?;
        Ok(single.into_iter().map(f64::from).collect())
    }

    fn download_indices(&self, indices: &Self::Indices) -> Result<Vec<u32>, RenderError> {
        self.download_words(&indices.0)
    }
}
