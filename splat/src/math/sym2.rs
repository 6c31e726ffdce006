//! Symmetric 2 x 2 matrices: the covariance of a splat and its inverse, the conic.

use super::Real;
use crate::math::Sym2;
#[cfg(feature = "gpu")]
use cubecl::prelude::*;

/// The inverse of `m`, whose determinant the caller knows to more digits than `xx yy - xy^2` has
/// left (MATH eq. 10).
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
pub fn inverse(m: Sym2<Real>, det: Real) -> Sym2<Real> {
    let scale = 1.0 / det;
    Sym2::<Real> {
        xx: m.yy * scale,
        xy: -m.xy * scale,
        yy: m.xx * scale,
    }
}

/// Vjp of [`inverse()`]: inputs `k`, the inverse itself; incoming `v_k`; outgoing `v_m = -K V K`,
/// in the form `det(K) adj(V) - tr(K V) K` that Cayley and Hamilton give it (MATH eq. 10').
///
/// For a needle `K V K` is a small difference of large products. Written out, its rounding errors
/// are not symmetric and cost `f32` two digits; in this form a needle's gradient is as good as its
/// numbers.
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
pub fn inverse_vjp(k: Sym2<Real>, v_k: Sym2<Real>) -> Sym2<Real> {
    // V as a full matrix has half of v_k.xy in each corner.
    let det = k.xx * k.yy - k.xy * k.xy;
    let trace = k.xx * v_k.xx + k.xy * v_k.xy + k.yy * v_k.yy;
    Sym2::<Real> {
        xx: det * v_k.yy - trace * k.xx,
        xy: -(det * v_k.xy + 2.0 * trace * k.xy),
        yy: det * v_k.xx - trace * k.yy,
    }
}
