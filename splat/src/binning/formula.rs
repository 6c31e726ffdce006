//! The bounds of one splat (MATH eq. 16). In here: the mathematics. Kept out: tiles and lists.

use super::Real;
use crate::math::{Sym2, Vec2};
#[cfg(feature = "cube")]
use cubecl::prelude::*;

/// Half width and half height of the box around the ellipse `sigma <= reach`, px: `sqrt(2 reach xx)`, `sqrt(2 reach yy)` of
/// the covariance (MATH eq. 16).
#[cfg_attr(feature = "cube", cube)]
#[inline(always)]
pub fn extents(covariance: Sym2<Real>, reach: Real) -> Vec2<Real> {
    Vec2::<Real> {
        x: (2.0 * reach * covariance.xx).sqrt(),
        y: (2.0 * reach * covariance.yy).sqrt(),
    }
}
