//! One (splat, pixel) pair: its alpha, its weight, and the gradient of each.
//!
//! In here: the mathematics (MATH section 3). Kept out: loops, tiles, the order, the exponential itself (the loops pass
//! `falloff = e^-sigma`, so that each backend may use its own).

use super::Real;
use crate::composite::{AlphaGradient, SigmaGradient};
use crate::math::{Sym2, Vec2};
#[cfg(feature = "cube")]
use cubecl::prelude::*;

/// Half the quadratic form at `d = pixel - mean` (MATH eq. 13).
#[cfg_attr(feature = "cube", cube)]
#[inline(always)]
pub fn sigma(conic: Sym2<Real>, d: Vec2<Real>) -> Real {
    0.5 * (conic.xx * d.x * d.x + conic.yy * d.y * d.y) + conic.xy * d.x * d.y
}

/// Vjp of [`sigma`]: inputs `conic`, `d`; incoming `v_sigma`; outgoing by the conic and by the splat's mean (MATH eq. 13').
#[cfg_attr(feature = "cube", cube)]
#[inline(always)]
pub fn sigma_vjp(conic: Sym2<Real>, d: Vec2<Real>, v_sigma: Real) -> SigmaGradient<Real> {
    SigmaGradient::<Real> {
        mean: Vec2::<Real> {
            x: -v_sigma * (conic.xx * d.x + conic.xy * d.y),
            y: -v_sigma * (conic.xy * d.x + conic.yy * d.y),
        },
        conic: Sym2::<Real> {
            xx: 0.5 * v_sigma * d.x * d.x,
            xy: v_sigma * d.x * d.y,
            yy: 0.5 * v_sigma * d.y * d.y,
        },
    }
}

/// `min(alpha_max, opacity falloff)` (MATH eq. 14).
#[cfg_attr(feature = "cube", cube)]
#[inline(always)]
pub fn alpha(opacity: Real, falloff: Real, alpha_max: Real) -> Real {
    let mut a = opacity * falloff;
    if a > alpha_max {
        a = alpha_max;
    }
    a
}

/// Vjp of [`alpha`] after `falloff = e^-sigma`: inputs as there; incoming `v_alpha`; outgoing by opacity and by `sigma`, both
/// zero at the clamp (MATH eq. 14').
#[cfg_attr(feature = "cube", cube)]
#[inline(always)]
pub fn alpha_vjp(
    opacity: Real,
    falloff: Real,
    alpha_max: Real,
    v_alpha: Real,
) -> AlphaGradient<Real> {
    let raw = opacity * falloff;
    let mut v_raw = v_alpha;
    if raw > alpha_max {
        v_raw = 0.0;
    }
    AlphaGradient::<Real> {
        opacity: v_raw * falloff,
        sigma: -v_raw * raw,
    }
}

/// Whether a pair counts: `sigma >= 0` and `alpha >= alpha_min` (MATH eq. 14). False for NaN.
#[cfg_attr(feature = "cube", cube)]
#[inline(always)]
pub fn counts(sigma: Real, alpha: Real, alpha_min: Real) -> bool {
    // `&` and not `&&`: a lane must not branch.
    (sigma >= 0.0) & (alpha >= alpha_min)
}

/// The transmittance behind a splat, from that in front of it (MATH eq. 15).
#[cfg_attr(feature = "cube", cube)]
#[inline(always)]
pub fn behind(transmittance: Real, alpha: Real) -> Real {
    transmittance * (1.0 - alpha)
}

/// The transmittance in front of a splat, from that behind it: [`behind`] undone, for the walk back to front
/// (MATH eq. 15').
#[cfg_attr(feature = "cube", cube)]
#[inline(always)]
pub fn in_front(transmittance_behind: Real, alpha: Real) -> Real {
    transmittance_behind / (1.0 - alpha)
}

/// The weight `alpha T` of a splat in its pixel (MATH eq. 15).
#[cfg_attr(feature = "cube", cube)]
#[inline(always)]
pub fn weight(alpha: Real, transmittance: Real) -> Real {
    alpha * transmittance
}

/// Vjp of a pixel by one alpha: inputs `alpha` and the transmittance in front; incoming `v_weight`, the gradient by the
/// splat's weight, and `beyond`, what everything behind it adds to the loss; outgoing `v_alpha` (MATH eq. 15').
#[cfg_attr(feature = "cube", cube)]
#[inline(always)]
pub fn weight_vjp(alpha: Real, transmittance: Real, v_weight: Real, beyond: Real) -> Real {
    transmittance * v_weight - beyond / (1.0 - alpha)
}
