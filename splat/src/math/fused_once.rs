//! A product and a sum, rounded together.

use super::Real;
// The formulas' device form wants one of this function too. A device is never asked for it: it gets
// the other one.
#[cfg(feature = "gpu")]
pub use super::separate::fused::*;

/// `a b + c`
#[inline(always)]
pub fn fused(a: Real, b: Real, c: Real) -> Real {
    a.mul_add(b, c)
}
