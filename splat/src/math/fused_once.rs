//! A product and a sum, rounded together.

use super::Real;
// The device form of the formulas also needs a device form of `fused`. No kernel calls it: kernels
// use the formulas with separate rounding.
#[cfg(feature = "gpu")]
pub use super::separate::fused::*;

/// Computes `a b + c` with one rounding.
#[inline(always)]
pub fn fused(a: Real, b: Real, c: Real) -> Real {
    a.mul_add(b, c)
}
