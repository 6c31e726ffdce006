//! Symmetric 2 x 2 matrices: the covariance of a splat and its inverse, the conic.

use super::Real;
use crate::math::Sym2;
#[cfg(feature = "gpu")]
use cubecl::prelude::*;

/// Computes the inverse of `m` (MATH eq. 10). The caller passes the determinant, because
/// `xx yy - xy^2` would lose digits.
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

/// Vjp of [`inverse()`]. Returns `v_m = -K V K` for the inverse `k` and the incoming gradient `v_k`
/// (MATH eq. 10').
///
/// The function evaluates `det(K) adj(V) - tr(K V) K`, which is equal by the Cayley-Hamilton
/// theorem. For a needle, `K V K` is a small difference of large products. Multiplied out entry by
/// entry, its rounding errors are not symmetric and cost `f32` two digits. The form used here keeps
/// the accuracy of its inputs.
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
pub fn inverse_vjp(k: Sym2<Real>, v_k: Sym2<Real>) -> Sym2<Real> {
    // The full matrix V has half of v_k.xy in each off-diagonal entry.
    let det = k.xx * k.yy - k.xy * k.xy;
    let trace = k.xx * v_k.xx + k.xy * v_k.xy + k.yy * v_k.yy;
    Sym2::<Real> {
        xx: det * v_k.yy - trace * k.xx,
        xy: -(det * v_k.xy + 2.0 * trace * k.xy),
        yy: det * v_k.xx - trace * k.yy,
    }
}
