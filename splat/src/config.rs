//! The semantic constants of the renderer, each with unit, default and reason. No other file
//! repeats one of these values.
//!
//! All values are `f64`, so that the `f64` path loses no digits. Each backend rounds them once to
//! its scalar.

use crate::error::RenderError;
use crate::number::Number;

/// Margin outside the image border at which the Jacobian's tangents `x/z` and `y/z` are clamped, in
/// half image widths and heights.
///
/// Far outside the image, the affine approximation (MATH eq. 6 and 7) diverges. Beyond the margin,
/// the Jacobian is therefore evaluated at the clamped tangents.
pub const TANGENT_MARGIN: f64 = 0.3;

/// Floor of the determinant ratio under the square root of the anti-alias compensation (MATH eq.
/// 12). The compensation is therefore at least 0.005.
pub const COMPENSATION_FLOOR: f64 = 0.005 * 0.005;

/// Slack added to `ln(opacity / alpha_min)` in the bound of a footprint (MATH eq. 16). It prevents
/// rounding from cutting off a pixel whose computed alpha reaches `alpha_min`.
///
/// At opacity 1 the slack widens a bound by 0.1 %. It exceeds the `f32` rounding error of sigma for
/// needles up to a standard deviation of about 80 px (MATH section 8). A longer needle may lose
/// pixels with alphas near `alpha_min`. The GPU then skips the pixels outside this bound, and the
/// CPU skips the groups of pixels outside it.
pub const FOOTPRINT_SLACK: f64 = 0.01;

/// Default `near` and `far` of a camera whose projection divides by z, world units. The values are
/// those of gsplat.
///
/// Closer to the camera, the affine approximation misrepresents a Gaussian's footprint. No scene is
/// expected beyond the far limit.
pub const DEPTH_RANGE: [f64; 2] = [0.01, 1e10];

/// Constant added to the sum of the spherical harmonics (MATH eq. 18), as in 3DGS. Coefficients of
/// zero then give the middle of the colour range.
pub const HARMONICS_OFFSET: f64 = 0.5;

/// Greatest width and height of an image, px. Up to this size (and twice as far), `f32` represents
/// every pixel centre `j + 0.5` exactly.
pub const MAX_SIDE_PX: usize = 1 << 22;

/// The optional images that a render returns besides the feature image.
///
/// The struct is non-exhaustive: start from [`Outputs::NONE`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Outputs {
    /// Whether to return the final transmittance `T` of every pixel, `[B, H, W]`. The alpha of the
    /// image is `1 - T`.
    pub transmittance: bool,
    /// Whether to return the depth image `sum(weight * z)`, `[B, H, W]`, world units. The sum is
    /// not divided by alpha.
    pub depth: bool,
    /// Whether to find the [`Contributors`](crate::Contributors) of every pixel: the splat with the
    /// largest weight, that weight, and the number of composited splats.
    pub contributors: bool,
}

impl Outputs {
    /// Only the feature image.
    pub const NONE: Self = Self {
        transmittance: false,
        depth: false,
        contributors: false,
    };

    /// All outputs.
    pub const ALL: Self = Self {
        transmittance: true,
        depth: true,
        contributors: true,
    };

    /// Returns these outputs with [`transmittance`](Self::transmittance) replaced.
    #[must_use]
    pub const fn with_transmittance(self, transmittance: bool) -> Self {
        Self {
            transmittance,
            ..self
        }
    }

    /// Returns these outputs with [`depth`](Self::depth) replaced.
    #[must_use]
    pub const fn with_depth(self, depth: bool) -> Self {
        Self { depth, ..self }
    }

    /// Returns these outputs with [`contributors`](Self::contributors) replaced.
    #[must_use]
    pub const fn with_contributors(self, contributors: bool) -> Self {
        Self {
            contributors,
            ..self
        }
    }
}

/// The settings of one render.
///
/// `Default` gives the values of docs/CONVENTIONS.md, section 10. The struct is non-exhaustive:
/// start from the default.
///
/// ```
/// use splat::{Outputs, RenderConfig};
///
/// let config = RenderConfig::default()
///     .with_blur(0.0)
///     .with_outputs(Outputs::NONE.with_depth(true))
///     .with_layers(vec![8, 64]);
/// assert!(config.validate().is_ok());
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct RenderConfig {
    /// Variance added to both diagonal entries of every 2-D covariance, px^2. The value is finite
    /// and at least 0.
    ///
    /// The default is 0.3, the value of the 3DGS renderer. It is a low-pass filter of about half a
    /// pixel, so that no splat falls between pixel centres.
    pub blur: f64,
    /// Whether to multiply the opacity by `sqrt(det(cov) / det(cov + blur I))` (MATH eq. 12). The
    /// blur then spreads a splat without brightening it. This is the 2-D filter of Mip-Splatting.
    /// Default `false`.
    pub antialias: bool,
    /// Smallest alpha that is composited, in (0, 1). A (splat, pixel) pair with a smaller alpha is
    /// skipped. Default 1/255: a smaller alpha cannot change an 8-bit image.
    pub alpha_min: f64,
    /// Upper clamp of alpha, in (`alpha_min`, 1). It keeps `1 - alpha` positive, because the
    /// backward pass divides by it. Default 0.999.
    pub alpha_max: f64,
    /// Lower limit of a pixel's transmittance, at least 0 and below 1. A splat that would reduce
    /// the transmittance to this value or less is not composited and ends the pixel. Default 1e-4.
    pub transmittance_min: f64,
    /// Whether to store the splats' features as 16-bit floats (IEEE binary16). Default `false`.
    ///
    /// The features then take half the memory and traffic of `f32`. Sums, images and gradients keep
    /// full precision.
    ///
    /// Each feature is rounded to 11 bits. The error of an image is at most 2^-11 (4.9e-4) of its
    /// greatest feature. The gradients with respect to geometry are sums of terms of both signs, so
    /// their relative error can be larger. The tests bound it by 2^-9 of the greatest gradient.
    /// Other rounding errors add to these. A feature beyond 65,504 is clamped to that value. A
    /// feature of magnitude 3.0e-8 (2^-25) or less becomes zero.
    ///
    /// `Gpu` rounds features to the same values but stores them as `f32`. If the device supports
    /// 16-bit floats, the compositors read an additional 16-bit copy.
    pub half_features: bool,
    /// The optional outputs. The default is [`Outputs::NONE`].
    pub outputs: Outputs,
    /// Ranks of the prefix images, ascending. The default is no rank.
    ///
    /// For each rank `r`, the render also returns the image of the `r` nearest visible splats over
    /// the background, and its transmittance if `outputs.transmittance` is set. Prefix images carry
    /// no gradient.
    pub layers: Vec<usize>,
}

impl Default for RenderConfig {
    fn default() -> Self {
        Self {
            blur: 0.3,
            antialias: false,
            alpha_min: 1.0 / 255.0,
            alpha_max: 0.999,
            transmittance_min: 1e-4,
            half_features: false,
            outputs: Outputs::default(),
            layers: Vec::new(),
        }
    }
}

/// Defines one `with_` method per setting.
macro_rules! setters {
    ($($name:ident $field:ident: $type:ty)*) => {$(
        #[doc = concat!(
            "Returns these settings with [`", stringify!($field), "`](Self::", stringify!($field),
            ") replaced."
        )]
        #[must_use]
        pub fn $name(self, $field: $type) -> Self {
            Self { $field, ..self }
        }
    )*};
}

impl RenderConfig {
    setters! {
        with_blur blur: f64
        with_antialias antialias: bool
        with_alpha_min alpha_min: f64
        with_alpha_max alpha_max: f64
        with_transmittance_min transmittance_min: f64
        with_half_features half_features: bool
        with_outputs outputs: Outputs
        with_layers layers: Vec<usize>
    }

    /// Checks every setting as [`RenderConfig::validate`] does. Also checks that `alpha_min` does
    /// not round to 0 and `alpha_max` does not round to 1 in the scalar `T`.
    ///
    /// # Errors
    /// [`RenderError::Config`] names the first setting outside its domain.
    pub fn validate_at<T: Number>(&self) -> Result<(), RenderError> {
        self.validate()?;
        if T::from_f64(self.alpha_min) <= T::ZERO {
            let expected = "a number that does not round to 0";
            return Err(RenderError::config(
                "config.alpha_min",
                expected,
                self.alpha_min,
            ));
        }
        if T::from_f64(self.alpha_max) >= T::ONE {
            let expected = "a number that does not round to 1";
            return Err(RenderError::config(
                "config.alpha_max",
                expected,
                self.alpha_max,
            ));
        }
        Ok(())
    }

    /// Checks every setting against its domain.
    ///
    /// # Errors
    /// [`RenderError::Config`] names the first setting outside its domain.
    pub fn validate(&self) -> Result<(), RenderError> {
        let check = |ok: bool, argument, expected, got: f64| {
            if ok {
                Ok(())
            } else {
                Err(RenderError::config(argument, expected, got))
            }
        };
        check(
            self.blur >= 0.0 && self.blur.is_finite(),
            "config.blur",
            "a finite number >= 0",
            self.blur,
        )?;
        check(
            self.alpha_min > 0.0 && self.alpha_min < 1.0,
            "config.alpha_min",
            "a number in (0, 1)",
            self.alpha_min,
        )?;
        check(
            self.alpha_max > self.alpha_min && self.alpha_max < 1.0,
            "config.alpha_max",
            "a number in (alpha_min, 1)",
            self.alpha_max,
        )?;
        check(
            self.transmittance_min >= 0.0 && self.transmittance_min < 1.0,
            "config.transmittance_min",
            "a number in [0, 1)",
            self.transmittance_min,
        )?;
        match self.layers.windows(2).find(|ranks| ranks[0] > ranks[1]) {
            None => Ok(()),
            Some(ranks) => Err(RenderError::config(
                "config.layers",
                "ascending ranks",
                format!("{} after {}", ranks[1], ranks[0]),
            )),
        }
    }
}
