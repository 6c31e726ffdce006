//! The features of a splat on a device: given ones, or harmonics in the direction of its Gaussian.

use cubecl::prelude::*;

use crate::config::HARMONICS_OFFSET;
use crate::encoding::{Encoding, Features, terms};
use crate::formulas::single::sh::{sh_term, sh_term_vjp, view_offset};
use crate::formulas::single::{Real, vec3};
use crate::math::Vec3;
use crate::project::CameraParams;

/// The constant that is added to every sum.
const OFFSET: f32 = HARMONICS_OFFSET as f32;

/// Where a kernel reads the features of a splat. Every case is a kernel of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum FeatureSource {
    /// In the row of the Gaussian.
    Gaussians,
    /// In the row of the splat.
    Splats,
    /// In `stored` rows of coefficients per Gaussian, the first `used` of which count.
    Harmonics { used: u32, stored: u32 },
}

impl FeatureSource {
    pub(crate) fn of(encoding: Encoding) -> Self {
        match encoding.features {
            Features::PerGaussian => Self::Gaussians,
            Features::PerSplat => Self::Splats,
            Features::Harmonics { degree, stored } => Self::Harmonics {
                used: terms(degree) as u32,
                stored: stored as u32,
            },
        }
    }

    /// The number of basis functions. 0 without harmonics.
    pub(crate) fn used(self) -> u32 {
        match self {
            Self::Gaussians | Self::Splats => 0,
            Self::Harmonics { used, .. } => used,
        }
    }

    /// The number of coefficients per channel.
    pub(crate) fn stored(self) -> u32 {
        match self {
            Self::Gaussians | Self::Splats => 0,
            Self::Harmonics { stored, .. } => stored,
        }
    }
}

/// Returns feature `c` of splat `m` of Gaussian `n`, which lies at `mean`.
#[cube]
pub(crate) fn feature_of(
    features: &Array<f32>,
    mean: Vec3<f32>,
    camera: CameraParams<f32>,
    n: u32,
    m: u32,
    c: u32,
    channels: u32,
    #[comptime] source: FeatureSource,
) -> f32 {
    let mut row = n;
    if comptime![source == FeatureSource::Splats] {
        row = m;
    }
    let mut feature = features[(row * channels + c) as usize];
    if comptime![source.used() > 0] {
        let direction = vec3::unit(view_offset(mean, camera));
        feature = channel_sum(features, direction, n, c, channels, source);
        // A sum that is NaN stays NaN, and culls the splat.
        if feature < 0.0 {
            feature = 0.0;
        }
    }
    feature
}

/// Returns the index of coefficient `k` of channel `c` of Gaussian `n`.
#[cube]
pub(crate) fn coefficient_index(
    n: u32,
    k: u32,
    c: u32,
    channels: u32,
    #[comptime] source: FeatureSource,
) -> u32 {
    (n * comptime![source.stored()] + k) * channels + c
}

/// Returns the sum of channel `c` of Gaussian `n` before the clamp at zero (MATH eq. 18).
#[cube]
pub(crate) fn channel_sum(
    features: &Array<f32>,
    direction: Vec3<f32>,
    n: u32,
    c: u32,
    channels: u32,
    #[comptime] source: FeatureSource,
) -> f32 {
    let mut sum = (OFFSET).runtime();
    let used = comptime![source.used()];
    #[unroll]
    for k in 0..used {
        let at = coefficient_index(n, k, c, channels, source);
        sum += sh_term(k, direction) * features[at as usize];
    }
    sum
}

/// Computes the gradient with respect to the direction through channel `c`, from the gradient `v`
/// with respect to the channel's sum (MATH eq. 18').
#[cube]
pub(crate) fn channel_sum_vjp(
    features: &Array<f32>,
    direction: Vec3<f32>,
    n: u32,
    c: u32,
    channels: u32,
    v: f32,
    #[comptime] source: FeatureSource,
) -> Vec3<f32> {
    let mut x = 0.0f32;
    let mut y = 0.0f32;
    let mut z = 0.0f32;
    let used = comptime![source.used()];
    #[unroll]
    for k in 0..used {
        let at = coefficient_index(n, k, c, channels, source);
        let part = sh_term_vjp(k, direction, v * features[at as usize]);
        x += part.x;
        y += part.y;
        z += part.z;
    }
    Vec3::<Real> { x, y, z }
}
