//! Symmetric 2 x 2 matrices: the covariance of a splat and its inverse, the conic.

use super::Real;
use crate::math::Sym2;
#[cfg(feature = "cube")]
use cubecl::prelude::*;

/// The inverse of `m`, whose determinant the caller knows to more digits than `xx yy - xy^2` has left (MATH eq. 10).
#[cfg_attr(feature = "cube", cube)]
#[inline(always)]
pub fn inverse(m: Sym2<Real>, det: Real) -> Sym2<Real> {
    let scale = 1.0 / det;
    Sym2::<Real> {
        xx: m.yy * scale,
        xy: -m.xy * scale,
        yy: m.xx * scale,
    }
}

/// Vjp of [`inverse`]: inputs `k`, the inverse itself; incoming `v_k`; outgoing `v_m = -K V K` (MATH eq. 10').
#[cfg_attr(feature = "cube", cube)]
#[inline(always)]
pub fn inverse_vjp(k: Sym2<Real>, v_k: Sym2<Real>) -> Sym2<Real> {
    // V as a full matrix has half of v_k.xy in each corner; P = K V.
    let half = 0.5 * v_k.xy;
    let p_xx = k.xx * v_k.xx + k.xy * half;
    let p_xy = k.xx * half + k.xy * v_k.yy;
    let p_yx = k.xy * v_k.xx + k.yy * half;
    let p_yy = k.xy * half + k.yy * v_k.yy;
    Sym2::<Real> {
        xx: -(p_xx * k.xx + p_xy * k.xy),
        xy: -2.0 * (p_xx * k.xy + p_xy * k.yy),
        yy: -(p_yx * k.xy + p_yy * k.yy),
    }
}
