//! The test for finite numbers, in one version for the host and one for devices.

use super::Real;
// The device form of [`finite()`]. The host form below shadows the imported function of the same
// name.
#[cfg(feature = "gpu")]
pub use on_device::*;

/// Returns whether `x` is neither infinite nor NaN.
#[inline(always)]
pub fn finite(x: Real) -> bool {
    x.is_finite()
}

#[cfg(feature = "gpu")]
mod on_device {
    use super::super::{Bits, EXPONENT, Real};
    use cubecl::prelude::*;

    /// Returns whether `x` is neither infinite nor NaN. The function tests the bits, because
    /// compilers for devices may assume that no such numbers occur.
    #[cube]
    pub fn finite(x: Real) -> bool {
        (Bits::reinterpret(x) & EXPONENT) != EXPONENT
    }
}
