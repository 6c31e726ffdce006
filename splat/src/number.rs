//! The operations of `f32` and `f64` that need no formula. Every value type is bounded by
//! [`Number`].

use std::fmt::{Debug, Display};
use std::hint::select_unpredictable;
use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub};

/// Trait bound on the scalar, required to compile the formulas for a device.
#[cfg(feature = "gpu")]
pub trait DeviceScalar: cubecl::prelude::CubePrimitive {}
#[cfg(feature = "gpu")]
impl<T: cubecl::prelude::CubePrimitive> DeviceScalar for T {}

/// Trait bound on the scalar, required to compile the formulas for a device. Without the feature
/// `gpu` it is empty.
#[cfg(not(feature = "gpu"))]
pub trait DeviceScalar {}
#[cfg(not(feature = "gpu"))]
impl<T> DeviceScalar for T {}

/// Restricts [`Number`] to `f32` and `f64`, the types of the formulas.
mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}
use sealed::Sealed;

/// `f32` or `f64` with the operations that need no formula. Sealed.
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
    /// The value 0.
    const ZERO: Self;
    /// The value 1.
    const ONE: Self;
    /// Rounds `x` to the nearest value.
    fn from_f64(x: f64) -> Self;
    /// Converts to `f64` exactly.
    fn to_f64(self) -> f64;
    /// Returns whether the value is neither infinite nor NaN.
    fn finite(self) -> bool;
    /// Returns `|self|`.
    fn abs(self) -> Self;
    /// Returns `-|self|` if `now`, else `self`.
    fn negative_if(self, now: bool) -> Self;
    /// Returns the integer nearest to `self`, for `0 <= self < 2^22`, without a branch. Ties go to
    /// the even integer.
    fn nearest(self) -> u32;
    /// Returns [`nearest`](Self::nearest) as a floating-point value.
    fn nearest_whole(self) -> Self;
    /// Returns an integer key with the order of the values. The keys of 0 and -0 are equal.
    fn sort_key(self) -> u64;
}

/// Implements [`Number`] for the float `$real` with bits of type `$bits` and their signed type
/// `$signed`.
macro_rules! number {
    ($real:ident, $bits:ident, $signed:ident) => {
        const _: () = {
            /// Adding this value rounds to an integer, because floats of its magnitude are one
            /// apart.
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
                    // The sum has no bits for a fraction. Its lowest bits hold the integer.
                    (self + INTEGERS).to_bits().wrapping_sub(INTEGERS.to_bits()) as u32
                }
                #[inline(always)]
                fn nearest_whole(self) -> Self {
                    (self + INTEGERS) - INTEGERS
                }
                #[inline]
                fn sort_key(self) -> u64 {
                    // -0 + 0 is 0. Negative values have all bits flipped, others only the sign bit.
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
