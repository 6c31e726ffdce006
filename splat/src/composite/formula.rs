//! One (splat, pixel) pair: its alpha, its weight, and the gradient of each.
//!
//! In here: the mathematics (MATH section 3). Kept out: loops, tiles, the order, the exponential
//! itself (the loops pass `falloff = e^-sigma`, so that each backend may use its own).

use super::Real;
use super::fused::fused;
use crate::composite::{Moments, RowMoments, SigmaGradient};
use crate::math::{Sym2, Vec2};
#[cfg(feature = "gpu")]
use cubecl::prelude::*;

/// What half the quadratic form of the pixels of a row has in common, the row `dy` below the mean
/// (MATH eq. 13): in `x` what goes with `dx`, in `y` what stands alone.
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
pub fn sigma_of_row(conic: Sym2<Real>, dy: Real) -> Vec2<Real> {
    Vec2::<Real> {
        x: conic.xy * dy,
        y: 0.5 * conic.yy * dy * dy,
    }
}

/// Half the quadratic form in a row that [`sigma_of_row()`] has looked at, `dx` right of the mean
/// (MATH eq. 13).
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
pub fn sigma_in_row(conic: Sym2<Real>, of_row: Vec2<Real>, dx: Real) -> Real {
    fused(fused(0.5 * conic.xx, dx, of_row.x), dx, of_row.y)
}

/// Half the quadratic form at `d = pixel - mean` (MATH eq. 13).
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
pub fn sigma(conic: Sym2<Real>, d: Vec2<Real>) -> Real {
    sigma_in_row(conic, sigma_of_row(conic, d.y), d.x)
}

/// `sum` and the moments `v_sigma (1, x, x^2)` of one pixel of a row, `dx` right of the mean: those
/// that [`add_row()`] makes all six of.
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

/// `sum` and the moments of the pixels of a row, `dy` below the mean (MATH eq. 13').
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

/// `sum` and the moments `v_sigma (1, x, y, x^2, x y, y^2)` of one pixel at `d = pixel - mean`: all
/// that [`sigma_vjp()`] needs to know of the pixels, however many (MATH eq. 13'). The CPU's lanes
/// go row by row instead.
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

/// Vjp of [`sigma()`], summed over pixels: inputs `conic`; incoming `v_sigma` at every pixel, as
/// [`add_moments()`] sums it; outgoing by the conic and by the splat's mean (MATH eq. 13').
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

/// `min(alpha_max, opacity falloff)` (MATH eq. 14).
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
pub fn alpha(opacity: Real, falloff: Real, alpha_max: Real) -> Real {
    let mut a = opacity * falloff;
    if a > alpha_max {
        a = alpha_max;
    }
    a
}

/// Vjp of [`alpha()`] after `falloff = e^-sigma`: inputs as there; incoming `v_alpha`; outgoing
/// `v_sigma`, zero at the clamp (MATH eq. 14').
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

/// Vjp of [`alpha()`] by the opacity: inputs `opacity`; incoming `v_sigma` of the same pair, or its
/// sum over pixels. Alpha falls by itself as sigma grows, and grows by `1 / opacity` of itself with
/// the opacity: one is the other over `-opacity` (MATH eq. 14'). The opacity of a pair that counts
/// is positive; loops leave out splats that count nowhere, whose opacity may be anything.
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
pub fn opacity_vjp(opacity: Real, v_sigma: Real) -> Real {
    -v_sigma / opacity
}

/// Whether a pair counts: `sigma >= 0` and `alpha >= alpha_min` (MATH eq. 14). False for NaN.
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
pub fn counts(sigma: Real, alpha: Real, alpha_min: Real) -> bool {
    // `&` and not `&&`: a lane must not branch.
    (sigma >= 0.0) & (alpha >= alpha_min)
}

/// The transmittance behind a splat, from that in front of it (MATH eq. 15).
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
pub fn behind(transmittance: Real, alpha: Real) -> Real {
    transmittance * (1.0 - alpha)
}

/// The transmittance in front of a splat, from that behind it: [`behind()`] undone, for the walk
/// back to front (MATH eq. 15').
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
pub fn in_front(transmittance_behind: Real, alpha: Real) -> Real {
    transmittance_behind / (1.0 - alpha)
}

/// The weight `alpha T` of a splat in its pixel (MATH eq. 15).
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
pub fn weight(alpha: Real, transmittance: Real) -> Real {
    alpha * transmittance
}

/// `sum + weight value` (MATH eq. 15).
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
pub fn add_weighted(sum: Real, weight: Real, value: Real) -> Real {
    fused(weight, value, sum)
}

/// Vjp of a pixel by one alpha: inputs `transmittance` in front of the splat; incoming `v_weight`,
/// the gradient by the splat's weight, and `v_rest`, that by the light which everything behind the
/// splat lets through to it; outgoing `v_alpha` (MATH eq. 15').
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
pub fn weight_vjp(transmittance: Real, v_weight: Real, v_rest: Real) -> Real {
    transmittance * (v_weight - v_rest)
}

/// `v_rest` one splat nearer: `alpha` of the splat over `1 - alpha` of what is behind it (MATH eq.
/// 15'). Unlike the sum of all that lies behind, it is never a small difference of large numbers.
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
pub fn rest(alpha: Real, v_weight: Real, v_rest: Real) -> Real {
    fused(alpha, v_weight - v_rest, v_rest)
}
