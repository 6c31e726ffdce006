//! Removal of Gaussians, and the reset of opacities.

use super::revision::Revision;
use super::rows;
use crate::error::{RenderError, try_collected, try_filled, try_reserved};
use crate::gaussians::{Gaussians, check_len};
use crate::number::Number;

/// Which Gaussians are worth keeping. Those that are not valid never are.
///
/// The struct is non-exhaustive: start from [`Pruning::new`].
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Pruning {
    /// The least opacity of a Gaussian that is kept, not NaN.
    pub least_opacity: f64,
    /// The largest scale of a Gaussian that is kept, at least 0, world units.
    pub largest_scale: Option<f64>,
    /// The largest radius of a Gaussian that is kept, at least 0, px.
    pub largest_radius: Option<f64>,
}

impl Pruning {
    /// Creates the settings for a least opacity, without bounds of scales and radii. 3DGS and
    /// 3DGS-MCMC use an opacity of 0.005.
    pub const fn new(least_opacity: f64) -> Self {
        Self {
            least_opacity,
            largest_scale: None,
            largest_radius: None,
        }
    }

    /// Returns these settings with [`least_opacity`](Self::least_opacity) replaced.
    #[must_use]
    pub const fn with_least_opacity(self, least_opacity: f64) -> Self {
        Self {
            least_opacity,
            ..self
        }
    }

    /// Returns these settings with [`largest_scale`](Self::largest_scale) replaced.
    #[must_use]
    pub const fn with_largest_scale(self, largest_scale: Option<f64>) -> Self {
        Self {
            largest_scale,
            ..self
        }
    }

    /// Returns these settings with [`largest_radius`](Self::largest_radius) replaced.
    #[must_use]
    pub const fn with_largest_radius(self, largest_radius: Option<f64>) -> Self {
        Self {
            largest_radius,
            ..self
        }
    }

    /// Checks every setting against its domain.
    ///
    /// # Errors
    /// [`RenderError::Config`] names the first setting outside its domain.
    pub fn validate(&self) -> Result<(), RenderError> {
        if self.least_opacity.is_nan() {
            let argument = "pruning.least_opacity";
            return Err(RenderError::config(
                argument,
                "a number",
                self.least_opacity,
            ));
        }
        for (argument, bound) in [
            ("pruning.largest_scale", self.largest_scale),
            ("pruning.largest_radius", self.largest_radius),
        ] {
            if let Some(bound) = bound
                && (bound.is_nan() || bound < 0.0)
            {
                return Err(RenderError::config(argument, "a number >= 0", bound));
            }
        }
        Ok(())
    }

    /// Returns, for each Gaussian, whether it is within all bounds and valid, `[N]`.
    ///
    /// `radii` `[N]`, px, are those of [`Observed`](super::Observed), for example. They may be empty
    /// if [`largest_radius`](Self::largest_radius) is `None`. A radius of NaN is within no bound.
    ///
    /// # Errors
    /// - [`RenderError::Shape`] if there are not N radii.
    /// - The errors of [`Pruning::validate`] and of the [module](super#errors).
    pub fn keep<T: Number>(
        &self,
        gaussians: &Gaussians<Vec<T>>,
        radii: &[f64],
    ) -> Result<Vec<bool>, RenderError> {
        rows::check(gaussians)?;
        self.validate()?;
        if self.largest_radius.is_some() || !radii.is_empty() {
            check_len("radii", "[N]", &[gaussians.count], radii.len())?;
        }
        let keep = |i: usize| {
            rows::is_valid(gaussians, i)
                && rows::opacity(gaussians, i) >= self.least_opacity
                && self
                    .largest_scale
                    .is_none_or(|most| rows::largest_scale(gaussians, i) <= most)
                && self.largest_radius.is_none_or(|most| radii[i] <= most)
        };
        try_collected("kept Gaussians [N]", (0..gaussians.count).map(keep))
    }
}

/// Removes the Gaussians for which `keep` `[N]` is `false`. All others are kept. [`Pruning::keep`]
/// returns the usual choice.
///
/// # Errors
/// - [`RenderError::Shape`] if `keep` has not N elements.
/// - The errors of the [module](super#errors).
pub fn prune<T: Number>(
    gaussians: &mut Gaussians<Vec<T>>,
    keep: &[bool],
) -> Result<Revision, RenderError> {
    rows::check(gaussians)?;
    check_len("keep", "[N]", &[gaussians.count], keep.len())?;
    let copies = keep.iter().map(|&keep| u32::from(keep));
    let copies = try_collected("numbers of copies [N]", copies)?;
    let revision = Revision::new(&copies, |_| true)?;
    *gaussians = revision.apply(gaussians)?;
    Ok(revision)
}

/// Lowers opacities above `most` to `most`, as the reset of 3DGS does with 0.01 (Kerbl et al. 2023,
/// section 5.2). Opacities that are NaN stay NaN.
///
/// The list keeps its order, and Gaussians with a lowered opacity are not kept. Only their opacities
/// have a new history: 3DGS sets the moments of opacities to zero, and no others.
///
/// # Errors
/// - [`RenderError::Config`] if `most` is not above 0 and at most 1.
/// - The errors of the [module](super#errors).
pub fn reset_opacities<T: Number>(
    gaussians: &mut Gaussians<Vec<T>>,
    most: f64,
) -> Result<Revision, RenderError> {
    rows::check(gaussians)?;
    if !(most > 0.0 && most <= 1.0) {
        let expected = "a number above 0 and at most 1";
        return Err(RenderError::config("most", expected, most));
    }
    // The comparison of stored numbers makes a second reset keep every Gaussian. The logit of one is
    // infinite, and no number is above it.
    let most: T = rows::stored_opacity(gaussians, most);
    let ones = try_filled("numbers of copies [N]", gaussians.count, 1)?;
    let mut lowered = try_reserved("lowered opacities [N]", gaussians.count)?;
    lowered.extend(gaussians.opacities.iter().map(|&o| o > most));
    let revision = Revision::new(&ones, |i| !lowered[i])?;
    for (opacity, _) in gaussians
        .opacities
        .iter_mut()
        .zip(lowered)
        .filter(|(_, lowered)| *lowered)
    {
        *opacity = most;
    }
    Ok(revision)
}
