//! Spherical harmonics: view-dependent features, a differentiable function of their own before the
//! render.
//!
//! `features = max(0, 1/2 + sum_k Y_k(d) coefficients_k)`, `d` the direction from the camera's
//! centre `-R^T t` to the Gaussian's mean (3DGS; MATH eq. 18, 19). `formula.rs` has the basis,
//! `cpu.rs` the loops.

use crate::error::RenderError;
use crate::gaussians::{check_channels, check_len};

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

/// Gradients of [`features`](crate::sh::features).
#[derive(Debug, Clone, PartialEq)]
pub struct HarmonicsGradient<T> {
    /// By the means, through the direction, `[N, 3]`.
    pub means: Vec<T>,
    /// By the coefficients `[N, K, C]`; zero for those the degree leaves unused.
    pub coefficients: Vec<T>,
    /// By `camera_from_world` `[3, 4]`, its twelve entries as free numbers, through the camera's
    /// centre.
    pub camera_from_world: [[T; 4]; 3],
}

impl<T> Harmonics<'_, T> {
    #[inline(always)]
    pub(crate) fn used(&self) -> usize {
        ((self.degree + 1) * (self.degree + 1)) as usize
    }

    pub(crate) fn count(&self) -> usize {
        self.means.len() / 3
    }

    pub(crate) fn validate(&self) -> Result<(), RenderError> {
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
    pub(crate) fn row(&self, i: usize) -> &[T] {
        &self.coefficients[i * self.stored * self.channels..][..self.used() * self.channels]
    }
}
