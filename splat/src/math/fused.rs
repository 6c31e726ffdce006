//! A product and a sum, each rounded by itself.

use super::Real;
#[cfg(feature = "gpu")]
use cubecl::prelude::*;

/// `a b + c`
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
pub fn fused(a: Real, b: Real, c: Real) -> Real {
    a * b + c
}
