//! Whether a number is finite: a text for the host and one for a device.

use super::Real;
// The device form of [`finite()`]. The host form below takes precedence over the other function of
// this name.
#[cfg(feature = "gpu")]
pub use on_device::*;

/// Neither infinite nor NaN.
#[inline(always)]
pub fn finite(x: Real) -> bool {
    x.is_finite()
}

#[cfg(feature = "gpu")]
mod on_device {
    use super::super::{Bits, EXPONENT, Real};
    use cubecl::prelude::*;

    /// Neither infinite nor NaN, by the bits: compilers for devices may take it that such numbers
    /// do not occur.
    #[cube]
    pub fn finite(x: Real) -> bool {
        (Bits::reinterpret(x) & EXPONENT) != EXPONENT
    }
}
