//! The trait that maps a scalar type to the formulas compiled for it.

use crate::formulas::{double, single};
use crate::math::{Mat3, Sym2, Vec2, Vec3, exp};
use crate::number::Number;
use crate::project::{
    CameraGradient, CameraParams, Footprint, GaussianShape, ProjectConstants, ProjectGradient,
    Splat,
};
use crate::scalar::rounding::{Arithmetic, Fused, Separate};

pub(crate) mod rounding;

/// Declares [`Scalar`] and implements it for `f32` and `f64` from one list of formulas.
macro_rules! scalar {
    ($($(#[$doc:meta])* fn $name:ident($($arg:ident: $type:ty),*) -> $out:ty = $module:ident;)*) => {
        /// `f32` or `f64` with the formulas compiled for it.
        ///
        /// Sealed. The formulas are those of [`single`] and [`double`].
        pub trait Scalar: Number {
            /// The formulas of a (splat, pixel) pair, with products and sums rounded separately.
            type Separate: Arithmetic<Self>;
            /// The formulas of a (splat, pixel) pair, with products and sums rounded together.
            type Fused: Arithmetic<Self>;
            /// Computes the natural logarithm of a positive normal number. The `f32` version has no
            /// branch.
            fn ln(self) -> Self;
            $($(#[$doc])* fn $name($($arg: $type),*) -> $out;)*
        }

        scalar!(@implement f32, single, exp::ln_f32, [$(fn $name($($arg: $type),*) -> $out = $module;)*]);
        scalar!(@implement f64, double, exp::ln_f64, [$(fn $name($($arg: $type),*) -> $out = $module;)*]);
    };
    (@implement $real:ident, $precision:ident, $ln:path,
     [$(fn $name:ident($($arg:ident: $type:ty),*) -> $out:ty = $module:ident;)*]) => {
        impl Scalar for $real {
            type Separate = Separate;
            type Fused = Fused;
            #[inline(always)]
            fn ln(self) -> Self {
                $ln(self)
            }
            $(#[inline(always)]
            fn $name($($arg: $type),*) -> $out {
                $precision::$module::$name($($arg),*)
            })*
        }
    };
}

scalar! {
    /// [`single::project::footprint`](single::project::footprint())
    fn footprint(g: GaussianShape<Self>, camera: CameraParams<Self>, constants: ProjectConstants<Self>) -> Footprint<Self> = project;
    /// [`single::project::splat`](single::project::splat())
    fn splat(g: GaussianShape<Self>, f: Footprint<Self>, camera: CameraParams<Self>, constants: ProjectConstants<Self>) -> Splat<Self> = project;
    /// [`single::project::is_sound`](single::project::is_sound())
    fn is_sound(g: GaussianShape<Self>, f: Footprint<Self>, s: Splat<Self>, camera: CameraParams<Self>, alpha_min: Self) -> bool = project;
    /// [`single::project::splat_vjp`](single::project::splat_vjp())
    fn splat_vjp(g: GaussianShape<Self>, camera: CameraParams<Self>, constants: ProjectConstants<Self>, v_splat: Splat<Self>) -> ProjectGradient<Self> = project;
    /// [`single::sh::view_offset`](single::sh::view_offset())
    fn view_offset(mean: Vec3<Self>, camera: CameraParams<Self>) -> Vec3<Self> = sh;
    /// [`single::sh::view_offset_vjp`](single::sh::view_offset_vjp())
    fn view_offset_vjp(camera: CameraParams<Self>, v_offset: Vec3<Self>) -> CameraGradient<Self> = sh;
    /// [`single::project::activation_vjp`](single::project::activation_vjp())
    fn activation_vjp(g: GaussianShape<Self>, v: GaussianShape<Self>) -> GaussianShape<Self> = project;
    /// [`single::vec3::length`](single::vec3::length())
    fn length(a: Vec2<Self>) -> Self = vec3;
    /// [`single::binning::reach`](single::binning::reach())
    fn reach(sigma: Self, slack: Self) -> Self = binning;
    /// [`single::binning::extents`](single::binning::extents())
    fn extents(covariance: Sym2<Self>, reach: Self) -> Vec2<Self> = binning;
    /// [`single::binning::chord`](single::binning::chord())
    fn chord(slope: Self, inverse_half_height_squared: Self, half_width_squared: Self, dy: Self) -> Vec2<Self> = binning;
    /// [`single::sym2::inverse_vjp`](single::sym2::inverse_vjp())
    fn inverse_vjp(k: Sym2<Self>, v_k: Sym2<Self>) -> Sym2<Self> = sym2;
    /// [`single::vec3::add3`](single::vec3::add3())
    fn add3(a: Vec3<Self>, b: Vec3<Self>) -> Vec3<Self> = vec3;
    /// [`single::vec3::apply`](single::vec3::apply())
    fn apply(m: Mat3<Self>, a: Vec3<Self>) -> Vec3<Self> = vec3;
    /// [`single::vec3::apply_transposed`](single::vec3::apply_transposed())
    fn apply_transposed(m: Mat3<Self>, a: Vec3<Self>) -> Vec3<Self> = vec3;
    /// [`single::vec3::unit`](single::vec3::unit())
    fn unit(a: Vec3<Self>) -> Vec3<Self> = vec3;
    /// [`single::vec3::unit_vjp`](single::vec3::unit_vjp())
    fn unit_vjp(a: Vec3<Self>, v_unit: Vec3<Self>) -> Vec3<Self> = vec3;
    /// [`single::sh::sh_term`](single::sh::sh_term())
    fn sh_term(k: u32, d: Vec3<Self>) -> Self = sh;
    /// [`single::sh::sh_term_vjp`](single::sh::sh_term_vjp())
    fn sh_term_vjp(k: u32, d: Vec3<Self>, v_term: Self) -> Vec3<Self> = sh;
}
