//! The two precisions, and the table that leads from a scalar type to the formulas compiled for it.

pub(crate) mod rounding;

use std::fmt::{Debug, Display};
use std::hint::select_unpredictable;
use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub};

use crate::backends::stages::Stages;
use crate::camera::CameraParams;
use crate::host::kernels::Kernels;
use crate::math::{Mat3, Quaternion, Sym2, Vec2, Vec3, exp};
use crate::project::{Footprint, GaussianShape, ProjectConstants, ProjectGradient, Splat};

/// What a scalar must be for the formulas to be compiled for a device too.
#[cfg(feature = "gpu")]
pub trait DeviceScalar: cubecl::prelude::CubePrimitive {}
#[cfg(feature = "gpu")]
impl<T: cubecl::prelude::CubePrimitive> DeviceScalar for T {}

/// What a scalar must be for the formulas to be compiled for a device too: nothing, without the feature `cube`.
#[cfg(not(feature = "gpu"))]
pub trait DeviceScalar {}
#[cfg(not(feature = "gpu"))]
impl<T> DeviceScalar for T {}

/// Keeps [`Scalar`] to the two types there are formulas for.
mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}
use sealed::Sealed;

/// Declares [`Scalar`] and implements it for both precisions from one list of formulas.
macro_rules! scalar {
    ($($(#[$doc:meta])* fn $name:ident($($arg:ident: $type:ty),*) -> $out:ty = $module:ident;)*) => {
        /// `f32` or `f64`: the precision the CPU backend computes in.
        ///
        /// Sealed: its formulas are those of [`crate::formulas::single`] and [`crate::formulas::double`].
        pub trait Scalar:
            Copy + Default + Debug + Display + PartialOrd + Send + Sync + 'static + DeviceScalar + Sealed
            + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self>
            + Neg<Output = Self> + AddAssign + std::iter::Sum + Kernels + Stages
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
            /// Natural logarithm of a positive normal number; of `f32` without a branch.
            fn ln(self) -> Self;
            /// The nearest integer of `0 <= self < 2^22`, without a branch; of two equally near ones the even one.
            fn nearest(self) -> u32;
            /// The same as a number of its own type.
            fn nearest_whole(self) -> Self;
            /// An integer that sorts as the number does; equal for 0 and -0.
            fn sort_key(self) -> u64;
            $($(#[$doc])* fn $name($($arg: $type),*) -> $out;)*
        }

        scalar!(@implement f32, single, u32, i32, exp::ln_f32, [$(fn $name($($arg: $type),*) -> $out = $module;)*]);
        scalar!(@implement f64, double, u64, i64, exp::ln_f64, [$(fn $name($($arg: $type),*) -> $out = $module;)*]);
    };
    (@implement $real:ident, $precision:ident, $bits:ident, $signed:ident, $ln:path,
     [$(fn $name:ident($($arg:ident: $type:ty),*) -> $out:ty = $module:ident;)*]) => {
        const _: () = {
        /// In the middle of those numbers whose neighbours are one apart: adding it rounds to an integer.
        const INTEGERS: $real = 1.5 * (1u64 << ($real::MANTISSA_DIGITS - 1)) as $real;
        impl Scalar for $real {
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
            fn ln(self) -> Self {
                $ln(self)
            }
            #[inline(always)]
            fn nearest(self) -> u32 {
                // The sum has no bits left for a fraction, and the integer stands in its lowest bits.
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
            $(#[inline(always)]
            fn $name($($arg: $type),*) -> $out {
                crate::formulas::$precision::$module::$name($($arg),*)
            })*
        }
        };
    };
}

scalar! {
    /// See `math/quat.rs`.
    fn norm(q: Quaternion<Self>) -> Self = quat;
    /// See `project/formula.rs`.
    fn footprint(g: GaussianShape<Self>, camera: CameraParams<Self>, constants: ProjectConstants<Self>) -> Footprint<Self> = project;
    /// See `project/formula.rs`.
    fn splat(g: GaussianShape<Self>, f: Footprint<Self>, camera: CameraParams<Self>, constants: ProjectConstants<Self>) -> Splat<Self> = project;
    /// See `project/formula.rs`.
    fn splat_vjp(g: GaussianShape<Self>, camera: CameraParams<Self>, constants: ProjectConstants<Self>, v_splat: Splat<Self>) -> ProjectGradient<Self> = project;
    /// See `binning/formula.rs`.
    fn extents(covariance: Sym2<Self>, reach: Self) -> Vec2<Self> = binning;
    /// See `binning/formula.rs`.
    fn chord(slope: Self, inverse_half_height_squared: Self, half_width_squared: Self, dy: Self) -> Vec2<Self> = binning;
    /// See `math/vec3.rs`.
    fn add3(a: Vec3<Self>, b: Vec3<Self>) -> Vec3<Self> = vec3;
    /// See `math/vec3.rs`.
    fn apply(m: Mat3<Self>, a: Vec3<Self>) -> Vec3<Self> = vec3;
    /// See `math/vec3.rs`.
    fn apply_transposed(m: Mat3<Self>, a: Vec3<Self>) -> Vec3<Self> = vec3;
    /// See `math/vec3.rs`.
    fn unit(a: Vec3<Self>) -> Vec3<Self> = vec3;
    /// See `math/vec3.rs`.
    fn unit_vjp(a: Vec3<Self>, v_unit: Vec3<Self>) -> Vec3<Self> = vec3;
    /// See `sh/formula.rs`.
    fn sh_term(k: u32, d: Vec3<Self>) -> Self = sh;
    /// See `sh/formula.rs`.
    fn sh_term_vjp(k: u32, d: Vec3<Self>, v_term: Self) -> Vec3<Self> = sh;
}
