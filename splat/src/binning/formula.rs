//! Formulas of the bounds of one splat (MATH eq. 16). `grid.rs` finds the tiles within the bounds.

use super::Real;
use crate::math::{Sym2, Vec2};
#[cfg(feature = "gpu")]
use cubecl::prelude::*;

/// Returns `max(0, sigma) + slack`: the greatest `sigma` that a renderer evaluates for a splat
/// (MATH eq. 16). The argument `sigma` is the value at which alpha falls to `alpha_min`. `slack`
/// allows for rounding errors. If `sigma` is NaN, the result is `slack`.
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
pub fn reach(sigma: Real, slack: Real) -> Real {
    let mut reach = 0.0;
    if sigma > 0.0 {
        reach = sigma;
    }
    reach + slack
}

/// Returns half the width and half the height, px, of the box around the ellipse `sigma <= reach`:
/// `sqrt(2 reach xx)` and `sqrt(2 reach yy)` of the covariance (MATH eq. 16).
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
pub fn extents(covariance: Sym2<Real>, reach: Real) -> Vec2<Real> {
    Vec2::<Real> {
        x: (2.0 * reach * covariance.xx).sqrt(),
        y: (2.0 * reach * covariance.yy).sqrt(),
    }
}

/// Returns the chord that the ellipse `sigma <= reach` cuts off a row of pixels (MATH eq. 16). `dy`
/// is the distance of the row below the splat's centre, px.
///
/// `x` of the result is the centre of the chord, px to the right of the splat's centre: `slope dy`.
/// `y` is half the length of the chord, px: `sqrt(half_width_squared (1 - dy^2 / half_height^2))`.
/// It is 0 if the row misses the ellipse.
///
/// The caller passes `slope = -xy / xx` and `half_width_squared = 2 reach / xx` of the conic.
/// Neither is a small difference of large numbers, so both are accurate for thin splats too.
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

/// Returns whether the box of a splat contains one of the pixel centres `first, first + 1 .. last`
/// along one axis. The box extends from `mean - extent` to `mean + extent`. All arguments are in
/// px.
///
/// Rounding is monotone. If `extent` is positive and [`in_box()`] is true for one of these pixel
/// centres, the result is therefore true.
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
pub fn meets(mean: Real, extent: Real, first: Real, last: Real) -> bool {
    extent > 0.0 && reaches_right_to(mean, extent, first) && reaches_left_to(mean, extent, last)
}

/// Returns whether the box ends at or after the pixel centre `first`. If the result is true for a
/// pixel centre, it is also true for every smaller pixel centre. All arguments are in px, as in
/// [`meets()`].
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
pub fn reaches_right_to(mean: Real, extent: Real, first: Real) -> bool {
    first - mean <= extent
}

/// Returns whether the box begins at or before the pixel centre `last`. If the result is true for a
/// pixel centre, it is also true for every greater pixel centre. All arguments are in px, as in
/// [`meets()`].
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
pub fn reaches_left_to(mean: Real, extent: Real, last: Real) -> bool {
    mean - last <= extent
}

/// Returns whether a pixel centre at `d = pixel - mean` along one axis lies in the box. Both
/// arguments are in px.
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
pub fn in_box(d: Real, extent: Real) -> bool {
    d <= extent && -d <= extent
}
