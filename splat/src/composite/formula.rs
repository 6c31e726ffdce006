//! Alpha and weight of one (splat, pixel) pair, and their gradients.
//!
//! This file has the mathematics only (MATH section 3). Loops, tiles and the order of hits are in
//! `cpu/` and `gpu/`. The loops also compute the exponential: they pass `falloff = e^-sigma`, so
//! that each backend can use its own implementation.

use super::Real;
use super::fused::fused;
use crate::composite::{Moments, RowMoments, SigmaGradient};
use crate::math::{Sym2, Vec2};
#[cfg(feature = "gpu")]
use cubecl::prelude::*;

/// Computes the terms of sigma that all pixels of a row share (MATH eq. 13). `dy` is the distance
/// of the row below the mean, px. In the result, `x` is the coefficient of `dx` (px^-1), and `y` is
/// the constant term.
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
pub fn sigma_of_row(conic: Sym2<Real>, dy: Real) -> Vec2<Real> {
    Vec2::<Real> {
        x: conic.xy * dy,
        y: 0.5 * conic.yy * dy * dy,
    }
}

/// Computes sigma from the terms of [`sigma_of_row()`] (MATH eq. 13). `dx` is the distance of the
/// pixel to the right of the mean, px.
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
pub fn sigma_in_row(conic: Sym2<Real>, of_row: Vec2<Real>, dx: Real) -> Real {
    fused(fused(0.5 * conic.xx, dx, of_row.x), dx, of_row.y)
}

/// Computes sigma, half the quadratic form of the conic (px^-2), at `d = pixel - mean`, px (MATH
/// eq. 13). The result has no unit.
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
pub fn sigma(conic: Sym2<Real>, d: Vec2<Real>) -> Real {
    sigma_in_row(conic, sigma_of_row(conic, d.y), d.x)
}

/// Adds the moments `v_sigma (1, x, x^2)` of one pixel to the moments of its row (MATH eq. 13').
/// `dx` is the distance of the pixel to the right of the mean, px. [`add_row()`] computes all six
/// moments from the moments of the rows.
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
pub fn add_in_row(sum: RowMoments<Real>, dx: Real, v_sigma: Real) -> RowMoments<Real> {
    let along = v_sigma * dx;
    RowMoments::<Real> {
        one: sum.one + v_sigma,
        x: sum.x + along,
        xx: fused(along, dx, sum.xx),
    }
}

/// Adds the moments of a row of pixels, `dy` below the mean, to `sum` (MATH eq. 13').
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
pub fn add_row(sum: Moments<Real>, row: RowMoments<Real>, dy: Real) -> Moments<Real> {
    let down = row.one * dy;
    Moments::<Real> {
        one: sum.one + row.one,
        x: sum.x + row.x,
        y: sum.y + down,
        xx: sum.xx + row.xx,
        xy: fused(row.x, dy, sum.xy),
        yy: fused(down, dy, sum.yy),
    }
}

/// Adds the moments `v_sigma (1, x, y, x^2, x y, y^2)` of one pixel at `d = pixel - mean` to `sum`
/// (MATH eq. 13'). The gradient in [`sigma_vjp()`] depends on the pixels only through these six
/// sums. The CPU compositor sums row by row instead.
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
pub fn add_moments(sum: Moments<Real>, d: Vec2<Real>, v_sigma: Real) -> Moments<Real> {
    let along = v_sigma * d.x;
    let row = RowMoments::<Real> {
        one: v_sigma,
        x: along,
        xx: along * d.x,
    };
    add_row(sum, row, d.y)
}

/// Computes the vjp of [`sigma()`], summed over pixels (MATH eq. 13'). `v_sigma` is the sum of
/// [`add_moments()`] over the pixels. Returns the gradients with respect to the splat's mean and
/// the conic.
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
pub fn sigma_vjp(conic: Sym2<Real>, v_sigma: Moments<Real>) -> SigmaGradient<Real> {
    SigmaGradient::<Real> {
        mean: Vec2::<Real> {
            x: -(conic.xx * v_sigma.x + conic.xy * v_sigma.y),
            y: -(conic.xy * v_sigma.x + conic.yy * v_sigma.y),
        },
        conic: Sym2::<Real> {
            xx: 0.5 * v_sigma.xx,
            xy: v_sigma.xy,
            yy: 0.5 * v_sigma.yy,
        },
    }
}

/// Computes the gradient with respect to the splat's mean in one pixel at `d = pixel - mean`, px (MATH
/// eq. 13'). [`sigma_vjp()`] returns the sum over the pixels. The statistics need the absolute value
/// in each pixel.
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
pub fn mean_vjp(conic: Sym2<Real>, d: Vec2<Real>, v_sigma: Real) -> Vec2<Real> {
    // A pair that does not count has a `v_sigma` of zero. This order keeps it zero beside any conic.
    let along = v_sigma * d.x;
    let down = v_sigma * d.y;
    Vec2::<Real> {
        x: -(conic.xx * along + conic.xy * down),
        y: -(conic.xy * along + conic.yy * down),
    }
}

/// Computes `min(alpha_max, opacity falloff)` (MATH eq. 14).
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
pub fn alpha(opacity: Real, falloff: Real, alpha_max: Real) -> Real {
    let mut a = opacity * falloff;
    if a > alpha_max {
        a = alpha_max;
    }
    a
}

/// Computes the vjp of [`alpha()`] with respect to sigma, where `falloff = e^-sigma`
/// (MATH eq. 14'). Returns `v_sigma`, which is zero where alpha is clamped.
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
pub fn alpha_vjp(opacity: Real, falloff: Real, alpha_max: Real, v_alpha: Real) -> Real {
    let raw = opacity * falloff;
    let mut v_raw = v_alpha;
    if raw > alpha_max {
        v_raw = 0.0;
    }
    -v_raw * raw
}

/// Computes the vjp of [`alpha()`] with respect to the opacity (MATH eq. 14'). `v_sigma` is the
/// gradient of one pair, or its sum over pixels.
///
/// The derivative of alpha is `-alpha` with respect to sigma, and `alpha / opacity` with respect to
/// the opacity. The result is therefore `v_sigma / -opacity`. The opacity of a pair that counts is
/// positive. Callers must exclude splats that count in no pixel, since their opacity can be any
/// value.
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
pub fn opacity_vjp(opacity: Real, v_sigma: Real) -> Real {
    -v_sigma / opacity
}

/// Returns whether a pair counts: `sigma >= 0` and `alpha >= alpha_min` (MATH eq. 14). The result
/// is false for NaN.
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
pub fn counts(sigma: Real, alpha: Real, alpha_min: Real) -> bool {
    // `&` instead of `&&`, so that a SIMD lane does not branch.
    (sigma >= 0.0) & (alpha >= alpha_min)
}

/// Computes the transmittance behind a splat from the transmittance in front of it (MATH eq. 15).
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
pub fn behind(transmittance: Real, alpha: Real) -> Real {
    transmittance * (1.0 - alpha)
}

/// Computes the transmittance in front of a splat from the transmittance behind it (MATH eq. 15').
/// Inverts [`behind()`] in the backward pass.
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
pub fn in_front(transmittance_behind: Real, alpha: Real) -> Real {
    transmittance_behind / (1.0 - alpha)
}

/// Computes the weight `alpha T` of a splat in a pixel (MATH eq. 15).
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
pub fn weight(alpha: Real, transmittance: Real) -> Real {
    alpha * transmittance
}

/// Returns `sum + weight value` (MATH eq. 15).
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
pub fn add_weighted(sum: Real, weight: Real, value: Real) -> Real {
    fused(weight, value, sum)
}

/// Computes the gradient of a pixel with respect to the alpha of one splat (MATH eq. 15').
/// `transmittance` is the transmittance in front of the splat. `v_weight` is the gradient with
/// respect to the splat's weight. `v_rest` is the gradient with respect to the transmittance behind
/// the splat.
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
pub fn weight_vjp(transmittance: Real, v_weight: Real, v_rest: Real) -> Real {
    transmittance * (v_weight - v_rest)
}

/// Moves `v_rest` from behind a splat to in front of it: `alpha v_weight + (1 - alpha) v_rest`
/// (MATH eq. 15'). This weighted mean is never a small difference of large numbers. A sum over all
/// splats behind could be.
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
pub fn rest(alpha: Real, v_weight: Real, v_rest: Real) -> Real {
    fused(alpha, v_weight - v_rest, v_rest)
}
