//! The bounds of one splat (MATH eq. 16). In here: the mathematics. Kept out: tiles and lists.

use super::Real;
use crate::math::{Sym2, Vec2};
#[cfg(feature = "gpu")]
use cubecl::prelude::*;

/// The greatest `sigma` that is looked at, from the `sigma` at which alpha falls to `alpha_min`:
/// not below zero, and with `slack` for rounding. `slack` where `sigma` is NaN.
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
pub fn reach(sigma: Real, slack: Real) -> Real {
    let mut reach = 0.0;
    if sigma > 0.0 {
        reach = sigma;
    }
    reach + slack
}

/// Half width and half height of the box around the ellipse `sigma <= reach`, px: `sqrt(2 reach
/// xx)`, `sqrt(2 reach yy)` of the covariance (MATH eq. 16).
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
pub fn extents(covariance: Sym2<Real>, reach: Real) -> Vec2<Real> {
    Vec2::<Real> {
        x: (2.0 * reach * covariance.xx).sqrt(),
        y: (2.0 * reach * covariance.yy).sqrt(),
    }
}

/// Centre and half length of the chord that the ellipse `sigma <= reach` cuts off the row at `dy`
/// below the splat's centre, px right of it: `slope dy` and `sqrt(half_width_squared (1 - dy^2 /
/// half_height^2))`, the latter 0 where the row misses the ellipse (MATH eq. 16). `slope = -xy /
/// xx` and `half_width_squared = 2 reach / xx` of the conic: neither is a small difference of large
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

/// Whether the box of a splat at `mean` with half side `extent` holds one of the pixel centres
/// `first, first + 1 .. last`, along one axis. Rounding is monotone: what holds for any of the
/// centres holds here too, so no pixel that [`in_box()`] keeps is ever left out.
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
pub fn meets(mean: Real, extent: Real, first: Real, last: Real) -> bool {
    extent > 0.0 && reaches_right_to(mean, extent, first) && reaches_left_to(mean, extent, last)
}

/// Whether the box ends at the pixel centre `first` or right of it: true of all up to some centre.
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
pub fn reaches_right_to(mean: Real, extent: Real, first: Real) -> bool {
    first - mean <= extent
}

/// Whether the box begins at the pixel centre `last` or left of it: true of all from some centre
/// on.
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
pub fn reaches_left_to(mean: Real, extent: Real, last: Real) -> bool {
    mean - last <= extent
}

/// Whether a pixel at `d = pixel - mean` along one axis lies in the box.
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
pub fn in_box(d: Real, extent: Real) -> bool {
    d <= extent && -d <= extent
}
