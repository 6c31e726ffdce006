//! The bounds of one splat (MATH eq. 16). In here: the mathematics. Kept out: tiles and lists.

use super::Real;
use crate::math::{Sym2, Vec2};
#[cfg(feature = "gpu")]
use cubecl::prelude::*;

/// Half width and half height of the box around the ellipse `sigma <= reach`, px: `sqrt(2 reach xx)`, `sqrt(2 reach yy)` of
/// the covariance (MATH eq. 16).
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
pub fn extents(covariance: Sym2<Real>, reach: Real) -> Vec2<Real> {
    Vec2::<Real> {
        x: (2.0 * reach * covariance.xx).sqrt(),
        y: (2.0 * reach * covariance.yy).sqrt(),
    }
}

/// Centre and half length of the chord that the ellipse `sigma <= reach` cuts off the row at `dy` below the splat's centre, px
/// right of it: `slope dy` and `sqrt(half_width_squared (1 - dy^2 / half_height^2))`, the latter 0 where the row misses the ellipse
/// (MATH eq. 16). `slope = -xy / xx` and `half_width_squared = 2 reach / xx` of the conic: neither is a small difference of large
/// numbers, however thin the splat.
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
pub fn chord(
    slope: Real,
    inverse_half_height_squared: Real,
    half_width_squared: Real,
    dy: Real,
) -> Vec2<Real> {
    let mut rest = 1.0 - dy * dy * inverse_half_height_squared;
    if rest < 0.0 {
        rest = 0.0;
    }
    Vec2::<Real> {
        x: slope * dy,
        y: (half_width_squared * rest).sqrt(),
    }
}
