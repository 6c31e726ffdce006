//! What `f32` and `f64` can do, and no formula: the bound of every value type.

use std::fmt::{Debug, Display};
use std::hint::select_unpredictable;
use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub};

/// What a scalar must be for the formulas to be compiled for a device too.
#[cfg(feature = "gpu")]
pub trait DeviceScalar: cubecl::prelude::CubePrimitive {}
#[cfg(feature = "gpu")]
impl<T: cubecl::prelude::CubePrimitive> DeviceScalar for T {}

/// What a scalar must be for the formulas to be compiled for a device too: nothing, without the
/// feature `gpu`.
#[cfg(not(feature = "gpu"))]
pub trait DeviceScalar {}
#[cfg(not(feature = "gpu"))]
impl<T> DeviceScalar for T {}

/// Keeps [`Number`] to the two types there are formulas for.
mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}
use sealed::Sealed;

/// `f32` or `f64`, as far as it needs no formula. Sealed.
pub trait Number:
    Copy
    + Default
    + Debug
    + Display
    + PartialOrd
    + Send
    + Sync
    + 'static
    + DeviceScalar
    + Sealed
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + std::iter::Sum
{
    /// 0
    const ZERO: Self;
    /// 1
    const ONE: Self;
    /// Rounds to the nearest value.
    fn from_f64(x: f64) -> Self;
    /// Widens, exactly.
    fn to_f64(self) -> f64;
    /// Neither infinite nor NaN.
    fn finite(self) -> bool;
    /// `|self|`
    fn abs(self) -> Self;
    /// `-|self|` if `now`, else `self`.
    fn negative_if(self, now: bool) -> Self;
    /// The nearest integer of `0 <= self < 2^22`, without a branch; of two equally near ones the
    /// even one.
    fn nearest(self) -> u32;
    /// The same as a number of its own type.
    fn nearest_whole(self) -> Self;
    /// An integer that sorts as the number does; equal for 0 and -0.
    fn sort_key(self) -> u64;
}

/// Implements [`Number`] for a float whose bits are `$bits`, as signed integers `$signed`.
macro_rules! number {
    ($real:ident, $bits:ident, $signed:ident) => {
        const _: () = {
            /// In the middle of those numbers whose neighbours are one apart: adding it rounds to
            /// an integer.
            const INTEGERS: $real = 1.5 * (1u64 << ($real::MANTISSA_DIGITS - 1)) as $real;
            impl Number for $real {
                const ZERO: Self = 0.0;
                const ONE: Self = 1.0;
                #[inline(always)]
                fn from_f64(x: f64) -> Self {
                    x as Self
                }
                #[inline(always)]
                fn to_f64(self) -> f64 {
                    f64::from(self)
                }
                #[inline(always)]
                fn finite(self) -> bool {
                    self.is_finite()
                }
                #[inline(always)]
                fn abs(self) -> Self {
                    <$real>::abs(self)
                }
                #[inline(always)]
                fn negative_if(self, now: bool) -> Self {
                    let sign = select_unpredictable(now, 1 << ($bits::BITS - 1), 0);
                    Self::from_bits(self.to_bits() | sign)
                }
                #[inline(always)]
                fn nearest(self) -> u32 {
                    // The sum has no bits left for a fraction, and the integer stands in its lowest
                    // bits.
                    (self + INTEGERS).to_bits().wrapping_sub(INTEGERS.to_bits()) as u32
                }
                #[inline(always)]
                fn nearest_whole(self) -> Self {
                    (self + INTEGERS) - INTEGERS
                }
                #[inline]
                fn sort_key(self) -> u64 {
                    // -0 + 0 is 0. Then: flip all bits of negative numbers, the sign bit of the others.
                    let bits = (self + 0.0).to_bits();
                    let negative = ((bits as $signed) >> ($bits::BITS - 1)) as $bits;
                    u64::from(bits ^ (negative | (1 << ($bits::BITS - 1))))
                }
            }
        };
    };
}

number!(f32, u32, i32);
number!(f64, u64, i64);
