//! The meaning of the numbers of Gaussians.

use crate::error::RenderError;

/// The greatest degree of spherical harmonics.
pub(crate) const MAX_DEGREE: u32 = 4;

/// What the numbers of [`Gaussians`](crate::Gaussians) mean.
///
/// The default is linear scales, opacities, and features per Gaussian. The struct is
/// non-exhaustive: start from [`Encoding::PLAIN`] or [`Encoding::RAW`].
///
/// ```
/// use splat::encoding::Encoding;
///
/// // The parameters of 3DGS: logarithms of scales, logits of opacities, harmonics of degree 3.
/// let encoding = Encoding::RAW.with_harmonics(3);
/// assert_eq!(encoding.features_per_gaussian(3), Some(16 * 3));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Encoding {
    /// Whether `scales` has the natural logarithms of the standard deviations, and `opacities` the
    /// logits `ln(o / (1 - o))` of the opacities `o` (MATH eq. 20). Gradients are then those with
    /// respect to the logarithms and the logits.
    pub raw: bool,
    /// The meaning and the shape of `features`.
    pub features: Features,
}

/// The meaning and the shape of the features of [`Gaussians`](crate::Gaussians).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Features {
    /// `[N, C]`: every view shows a Gaussian with the same features.
    #[default]
    PerGaussian,
    /// `[M, C]`: a Gaussian has features of its own in every view. Row `m` belongs to splat `m`, in
    /// the order of [`Views::splat_offsets`](crate::Views::splat_offsets).
    PerSplat,
    /// `[N, K, C]`: coefficients of real spherical harmonics (MATH eq. 18). Every view evaluates
    /// them in the direction from its camera's centre to the mean (MATH eq. 19).
    Harmonics {
        /// The degree, 0 to 4. The first `(degree + 1)^2` coefficients are used. The gradient with
        /// respect to the others is zero.
        degree: u32,
        /// The number K of stored coefficients per channel, at least `(degree + 1)^2`.
        stored: usize,
    },
}

impl Encoding {
    /// Linear scales, opacities, and features per Gaussian.
    pub const PLAIN: Self = Self {
        raw: false,
        features: Features::PerGaussian,
    };

    /// Logarithms of scales, logits of opacities, and features per Gaussian.
    pub const RAW: Self = Self {
        raw: true,
        features: Features::PerGaussian,
    };

    /// Returns this encoding with [`features`](Self::features) replaced.
    #[must_use]
    pub const fn with_features(self, features: Features) -> Self {
        Self { features, ..self }
    }

    /// Returns this encoding with harmonics of `degree`, as many of which are stored as are used.
    #[must_use]
    pub const fn with_harmonics(self, degree: u32) -> Self {
        let side = (degree as usize).saturating_add(1);
        let stored = side.saturating_mul(side);
        self.with_features(Features::Harmonics { degree, stored })
    }

    /// Returns the number of values of `features` per Gaussian, for C channels. Returns `None` for
    /// [`Features::PerSplat`], and if the number overflows.
    pub fn features_per_gaussian(&self, channels: usize) -> Option<usize> {
        match self.features {
            Features::PerGaussian => Some(channels),
            Features::PerSplat => None,
            Features::Harmonics { stored, .. } => stored.checked_mul(channels),
        }
    }

    /// Returns whether the features of a splat depend on the mean of its Gaussian and on the pose.
    pub(crate) fn features_have_direction(&self) -> bool {
        matches!(self.features, Features::Harmonics { degree: 1.., .. })
    }

    /// Checks that features are rows of Gaussians, in the order of the Gaussians.
    pub(crate) fn check_by_gaussian(&self) -> Result<(), RenderError> {
        if self.features != Features::PerSplat {
            return Ok(());
        }
        let expected = "features of Gaussians: those of splats are in the order of the views";
        Err(RenderError::shape(
            "gaussians.encoding.features",
            expected,
            "PerSplat",
        ))
    }

    /// Checks the degree and the number of stored coefficients.
    pub(crate) fn validate(&self) -> Result<(), RenderError> {
        let Features::Harmonics { degree, stored } = self.features else {
            return Ok(());
        };
        let name = "gaussians.encoding.features.degree";
        let used = used_terms(name, degree)?;
        let name = "gaussians.encoding.features.stored";
        check_stored(name, used, degree, stored)
    }
}

/// Checks that at least as many coefficients are `stored` as are `used`, and that 32 bits can count
/// them.
pub(crate) fn check_stored(
    argument: &'static str,
    used: usize,
    degree: u32,
    stored: usize,
) -> Result<(), RenderError> {
    if stored < used {
        let expected = format!("at least {used} coefficients for degree {degree}");
        return Err(RenderError::shape(argument, expected, stored));
    }
    if u32::try_from(stored).is_err() {
        return Err(RenderError::config(argument, "1 to 4294967295", stored));
    }
    Ok(())
}

/// Returns the number of basis functions of degrees up to `degree`, if it is at most
/// [`MAX_DEGREE`].
pub(crate) fn used_terms(argument: &'static str, degree: u32) -> Result<usize, RenderError> {
    if degree > MAX_DEGREE {
        return Err(RenderError::config(argument, "0 to 4", degree));
    }
    Ok(terms(degree))
}

/// Returns the number of basis functions of degrees up to `degree`.
#[inline(always)]
pub(crate) fn terms(degree: u32) -> usize {
    (degree as usize + 1).pow(2)
}
