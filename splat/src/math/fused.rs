//! A product and a sum, rounded separately.

use super::Real;
#[cfg(feature = "gpu")]
use cubecl::prelude::*;

/// Computes `a b + c` with two roundings.
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
pub fn fused(a: Real, b: Real, c: Real) -> Real {
    a * b + c
}
