//! Spherical harmonics: features that depend on the view. A render evaluates them if the encoding
//! of the Gaussians says so. `sh::features` evaluates them alone.
//!
//! `features = max(0, 1/2 + sum_k Y_k(d) coefficients_k)`. `d` is the direction from the camera's
//! centre `-R^T t` to the Gaussian's mean (3DGS; MATH eq. 18, 19). `formula.rs` contains the basis
//! functions and `cpu/` the loops.

use crate::encoding::{check_stored, terms, used_terms};
use crate::error::RenderError;
use crate::gaussians::{check_channels, check_len};

pub(crate) mod cpu;

/// The means and the spherical-harmonic coefficients of N Gaussians.
#[derive(Debug, Clone, Copy)]
pub struct Harmonics<'a, T> {
    /// Degree, 0 to 4. The first `(degree + 1)^2` coefficients are used.
    pub degree: u32,
    /// Means `[N, 3]`, world units.
    pub means: &'a [T],
    /// Coefficients `[N, K, C]`, with `K >= (degree + 1)^2`.
    pub coefficients: &'a [T],
    /// The number K of stored coefficients per channel.
    pub stored: usize,
    /// The number C of channels.
    pub channels: usize,
}

/// The gradients of [`features`](crate::sh::features) with respect to its inputs.
#[derive(Debug, Clone, PartialEq)]
pub struct HarmonicsGradient<T> {
    /// Gradient with respect to the means, `[N, 3]`. The features depend on the means through the
    /// direction.
    pub means: Vec<T>,
    /// Gradient with respect to the coefficients, `[N, K, C]`. It is zero for the coefficients that
    /// the degree leaves unused.
    pub coefficients: Vec<T>,
    /// Gradient with respect to `camera_from_world`, `[3, 4]`, through the camera's centre. The
    /// twelve entries are treated as independent variables.
    pub camera_from_world: [[T; 4]; 3],
}

impl<T> Harmonics<'_, T> {
    #[inline(always)]
    pub(crate) fn used(&self) -> usize {
        terms(self.degree)
    }

    pub(crate) fn count(&self) -> usize {
        self.means.len() / 3
    }

    pub(crate) fn validate(&self) -> Result<(), RenderError> {
        let used = used_terms("harmonics.degree", self.degree)?;
        check_channels("harmonics.channels", self.channels)?;
        check_stored("harmonics.stored", used, self.degree, self.stored)?;
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

    /// Returns the coefficients of Gaussian `i` that are in use.
    #[inline(always)]
    pub(crate) fn row(&self, i: usize) -> &[T] {
        &self.coefficients[i * self.stored * self.channels..][..self.used() * self.channels]
    }
}
