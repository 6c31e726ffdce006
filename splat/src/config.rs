//! Every semantic constant of the renderer, with unit, default and reason. Nothing else in the
//! crate restates one.
//!
//! All are kept in `f64`, so that the `f64` path is `f64` to the end; each backend rounds them once
//! to its scalar.

use crate::error::RenderError;
use crate::number::Number;

/// How much of the half image the tangents `x/z`, `y/z` may leave the image before the projection's
/// Jacobian is taken at the border instead: 0.3 half-widths. Far outside, the affine approximation
/// (MATH eq. 6, 7) explodes.
pub const TANGENT_MARGIN: f64 = 0.3;

/// Floor of the determinant ratio under the anti-alias square root (MATH eq. 12): the compensation
/// never drops below 0.005.
pub const COMPENSATION_FLOOR: f64 = 0.005 * 0.005;

/// Slack added to `ln(opacity / alpha_min)` when a footprint is bounded, so that rounding cuts off
/// no pixel whose computed alpha reaches `alpha_min`. One hundredth widens a bound by 0.1 % at
/// opacity 1 and is more than the `f32` rounding of sigma for all but needles of a hundred pixels
/// and more (MATH section 8), which may then end at this bound, or with the block of pixels that it
/// lies in.
pub const FOOTPRINT_SLACK: f64 = 0.01;

/// The least and the greatest camera z of a new camera that divides by z, world units: nearer, a
/// Gaussian's footprint is more the affine approximation than the Gaussian; farther, there is
/// nothing (the values of gsplat).
pub const DEPTH_RANGE: [f64; 2] = [0.01, 1e10];

/// What is added to the sum of the harmonics: coefficients of zero are the middle of the range of
/// colours (3DGS).
pub const HARMONICS_OFFSET: f64 = 0.5;

/// The longest side of an image in pixels: up to here (and twice as far) `f32` holds every pixel
/// centre `j + 0.5` exactly.
pub const MAX_SIDE_PX: usize = 1 << 22;

/// What a render is asked for besides the feature image. More may be added: start from
/// [`Outputs::NONE`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Outputs {
    /// Also return the transmittance `T` left at every pixel, `[B, H, W]`; alpha is `1 - T`.
    pub transmittance: bool,
    /// Also return the depth image `sum(weight * z)`, `[B, H, W]`, not divided by alpha.
    pub depth: bool,
}

impl Outputs {
    /// The feature image alone.
    pub const NONE: Self = Self {
        transmittance: false,
        depth: false,
    };

    /// Every output there is.
    pub const ALL: Self = Self {
        transmittance: true,
        depth: true,
    };

    /// The same outputs, [`transmittance`](Self::transmittance) set.
    #[must_use]
    pub const fn with_transmittance(self, transmittance: bool) -> Self {
        Self {
            transmittance,
            ..self
        }
    }

    /// The same outputs, [`depth`](Self::depth) set.
    #[must_use]
    pub const fn with_depth(self, depth: bool) -> Self {
        Self { depth, ..self }
    }
}

/// The settings of one render. `Default` is the contract of docs/CONVENTIONS.md. More may be added:
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
    /// Added to both diagonal entries of every 2-D covariance, px^2. Default 0.3: a low-pass filter
    /// of about half a pixel, so that no splat falls between pixel centres (the value of 3DGS's
    /// renderer).
    pub blur: f64,
    /// Multiply the opacity by `sqrt(det(cov) / det(cov + blur I))`, so that the blur spreads a
    /// splat without brightening it (the 2-D filter of Mip-Splatting). Default off.
    pub antialias: bool,
    /// Pairs with less alpha are skipped. Default 1/255: less cannot change an 8-bit picture.
    pub alpha_min: f64,
    /// Alpha is clamped here, so that `1 - alpha` can be divided by in the backward pass. Default
    /// 0.999.
    pub alpha_max: f64,
    /// A Gaussian that would bring the transmittance to this or less is not composited and ends its
    /// pixel. Default 1e-4.
    pub transmittance_min: f64,
    /// Keep the splats' features as 16-bit floats (IEEE binary16), half the memory and traffic of
    /// `f32`. Sums, images and gradients stay at full precision. Each feature is rounded to 11
    /// bits, so an image is off by at most 2^-11 of its greatest feature (4.9e-4) and gradients by
    /// geometry by 2^-11 of theirs, beside the rounding of everything else; beyond 65,504 a feature
    /// is cut off there, below 6e-8 it is zero. A device of `Gpu` rounds to the same numbers but
    /// stores them as `f32`, with a copy of 16 bits for the compositors where it has such numbers.
    /// Default off.
    pub half_features: bool,
    /// The optional outputs.
    pub outputs: Outputs,
    /// Ranks at which the depth order of each view is cut, ascending: for each rank `r` the image
    /// of the `r` nearest visible splats (over the background) is returned too. Prefix images carry
    /// no gradient. Default none.
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

/// One `with_` method per setting.
macro_rules! setters {
    ($($name:ident $field:ident: $type:ty)*) => {$(
        #[doc = concat!("The same settings, [`", stringify!($field), "`](Self::", stringify!($field), ") set.")]
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

    /// [`RenderConfig::validate`], and that no threshold becomes 0 or 1 when it is rounded to `T`.
    ///
    /// # Errors
    /// [`RenderError::Config`] names the first setting outside its domain.
    pub fn validate_at<T: Number>(&self) -> Result<(), RenderError> {
        self.validate()?;
        if T::from_f64(self.alpha_min) <= T::ZERO {
            let expected = "a number the precision can tell from 0";
            return Err(RenderError::config(
                "config.alpha_min",
                expected,
                self.alpha_min,
            ));
        }
        if T::from_f64(self.alpha_max) >= T::ONE {
            let expected = "a number the precision can tell from 1";
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
