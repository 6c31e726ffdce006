//! Growth of 3DGS: copies of small Gaussians and samples of large ones.

use super::draws::Draws;
use super::revision::Revision;
use super::rows;
use crate::error::{RenderError, try_filled, try_reserved};
use crate::formulas::double::vec3;
use crate::gaussians::{Gaussians, check_len};
use crate::number::Number;

/// The number by which the scales of a split Gaussian are divided, phi of Kerbl et al. 2023, section
/// 5.2.
const DIVISOR: f64 = 1.6;

/// Which Gaussians [`grow`] copies or splits.
///
/// The struct is non-exhaustive: start from [`Growth::new`].
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Growth {
    /// The least gradient of a Gaussian that is copied or split, at least 0, in the unit of the
    /// gradients.
    pub gradient: f64,
    /// The largest scale of a Gaussian that is copied, at least 0, world units. Gaussians with a
    /// larger scale are split.
    pub scale: f64,
    /// The number by which a split divides the scales, positive and finite. Default 1.6.
    pub divisor: f64,
    /// Upper bound of the number of Gaussians after the growth. If it does not suffice, the Gaussians
    /// with the largest gradients come first, and those with smaller indices among equal gradients.
    /// A list that is longer already does not change. Default 2^32 - 1.
    pub most: usize,
}

impl Growth {
    /// Creates the settings for two bounds. Those of 3DGS are 0.0002 for gradients in normalised
    /// device coordinates, and a hundredth of the radius of the cameras' positions for scales.
    pub const fn new(gradient: f64, scale: f64) -> Self {
        Self {
            gradient,
            scale,
            divisor: DIVISOR,
            most: u32::MAX as usize,
        }
    }

    /// Returns these settings with [`gradient`](Self::gradient) replaced.
    #[must_use]
    pub const fn with_gradient(self, gradient: f64) -> Self {
        Self { gradient, ..self }
    }

    /// Returns these settings with [`scale`](Self::scale) replaced.
    #[must_use]
    pub const fn with_scale(self, scale: f64) -> Self {
        Self { scale, ..self }
    }

    /// Returns these settings with [`divisor`](Self::divisor) replaced.
    #[must_use]
    pub const fn with_divisor(self, divisor: f64) -> Self {
        Self { divisor, ..self }
    }

    /// Returns these settings with [`most`](Self::most) replaced.
    #[must_use]
    pub const fn with_most(self, most: usize) -> Self {
        Self { most, ..self }
    }

    /// Checks every setting against its domain.
    ///
    /// # Errors
    /// [`RenderError::Config`] names the first setting outside its domain.
    pub fn validate(&self) -> Result<(), RenderError> {
        for (argument, bound) in [
            ("growth.gradient", self.gradient),
            ("growth.scale", self.scale),
        ] {
            if bound.is_nan() || bound < 0.0 {
                return Err(RenderError::config(argument, "a number >= 0", bound));
            }
        }
        if self.divisor > 0.0 && self.divisor.is_finite() {
            return Ok(());
        }
        let expected = "a finite number > 0";
        Err(RenderError::config(
            "growth.divisor",
            expected,
            self.divisor,
        ))
    }

    /// Returns the Gaussians that are copied or split.
    fn choose<T: Number>(
        &self,
        gaussians: &Gaussians<Vec<T>>,
        gradients: &[f64],
    ) -> Result<Vec<u32>, RenderError> {
        let mut chosen = try_reserved("chosen Gaussians [N]", gaussians.count)?;
        let large = (0u32..)
            .zip(gradients)
            .filter(|(_, v)| **v >= self.gradient);
        let valid = large.filter(|(i, _)| rows::is_valid(gaussians, *i as usize));
        chosen.extend(valid.map(|(i, _)| i));
        let room = self.most.saturating_sub(gaussians.count);
        if chosen.len() > room {
            let gradient = |i: u32| gradients[i as usize];
            chosen.sort_unstable_by(|&a, &b| {
                gradient(b).total_cmp(&gradient(a)).then_with(|| a.cmp(&b))
            });
            chosen.truncate(room);
        }
        Ok(chosen)
    }
}

/// Adds Gaussians where `gradients` `[N]` are large (Kerbl et al. 2023, section 5.2; MATH eq. 25).
///
/// `gradients` are those of [`Observed`](super::Observed), for example. A valid Gaussian whose
/// gradient reaches `growth.gradient` becomes two Gaussians. NaN reaches no bound.
///
/// - If no scale exceeds `growth.scale`, the second is a copy of the first, which is kept. Where the
///   paper moves the copy along the gradient, the steps of the optimiser separate the two here:
///   one is in front of the other, and only the first has moments.
/// - Else, the means of both are samples of the Gaussian, and their scales are divided by
///   `growth.divisor`. Opacities and features stay the same. Three normal numbers are drawn for each
///   sample, in the order of the list. A sample that is not finite is the mean.
///
/// # Errors
/// - [`RenderError::Shape`] if there are not N gradients.
/// - The errors of [`Growth::validate`] and of the [module](super#errors).
pub fn grow<T: Number>(
    gaussians: &mut Gaussians<Vec<T>>,
    gradients: &[f64],
    growth: &Growth,
    uniform: &mut dyn FnMut() -> f64,
) -> Result<Revision, RenderError> {
    rows::check(gaussians)?;
    let n = gaussians.count;
    check_len("gradients", "[N]", &[n], gradients.len())?;
    growth.validate()?;
    let mut copies = try_filled("numbers of copies [N]", n, 1)?;
    let mut split = try_filled("split Gaussians [N]", n, false)?;
    for i in growth.choose(gaussians, gradients)? {
        let i = i as usize;
        copies[i] = 2;
        split[i] = rows::largest_scale(gaussians, i) > growth.scale;
    }
    let revision = Revision::new(&copies, |i| !split[i])?;
    let mut grown = revision.apply(gaussians)?;
    let mut draws = Draws::new(uniform);
    for (i, &source) in revision.sources().iter().enumerate() {
        if split[source as usize] {
            sample(&mut grown, i, growth.divisor, &mut draws);
        }
    }
    *gaussians = grown;
    Ok(revision)
}

/// Replaces Gaussian `i` by a sample of itself with smaller scales (MATH eq. 25).
fn sample<T: Number>(
    gaussians: &mut Gaussians<Vec<T>>,
    i: usize,
    divisor: f64,
    draws: &mut Draws<'_>,
) {
    let along = vec3::times(rows::scales(gaussians, i), draws.normals());
    let shift = vec3::apply(rows::rotation(gaussians, i), along);
    rows::shift(gaussians, i, shift);
    rows::multiply_scales(gaussians, i, 1.0 / divisor);
}
