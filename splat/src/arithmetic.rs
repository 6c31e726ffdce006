//! The formulas of one (splat, pixel) pair, compiled for both ways of rounding a product and a sum.

use crate::composite::{Moments, RowMoments, SigmaGradient};
use crate::math::{Sym2, Vec2, exp};
use crate::scalar::Scalar;

/// Products and sums rounded one by one: what every machine can.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Separate;

/// Products and sums rounded together: twice as fast where the machine has an instruction for it, and very slow elsewhere.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fused;

/// Declares [`Arithmetic`] and implements it for both roundings of both scalars from one list of formulas.
macro_rules! arithmetic {
    ($(fn $name:ident($($arg:ident: $type:ty),*) -> $out:ty;)*) => {
        /// What the lanes of the compositors compute with: `composite/formula.rs`, and the exponential.
        pub(crate) trait Arithmetic<T: Scalar>: Copy + 'static {
            /// `e^-sigma` for `sigma >= 0`; beyond [`SIGMA_MAX`](Self::SIGMA_MAX), and of NaN, that of `SIGMA_MAX`: too little to count.
            /// Anything for negative numbers.
            fn falloff(sigma: T) -> T;
            /// `e^-SIGMA_MAX` is nearly too small for a normal number of the scalar.
            const SIGMA_MAX: T;
            $(fn $name($($arg: $type),*) -> $out;)*
        }

        arithmetic!(@implement Separate, f32, single, exp::exp_f32_separate, 87.0, [$(fn $name($($arg: $type),*) -> $out;)*]);
        arithmetic!(@implement Fused, f32, single_fused, exp::exp_f32_fused, 87.0, [$(fn $name($($arg: $type),*) -> $out;)*]);
        arithmetic!(@implement Separate, f64, double, exp::exp_f64, 700.0, [$(fn $name($($arg: $type),*) -> $out;)*]);
        arithmetic!(@implement Fused, f64, double_fused, exp::exp_f64, 700.0, [$(fn $name($($arg: $type),*) -> $out;)*]);
    };
    (@implement $rounding:ident, $real:ident, $module:ident, $exp:path, $sigma_max:literal, [$(fn $name:ident($($arg:ident: $type:ty),*) -> $out:ty;)*]) => {
        const _: () = {
            type T = $real;
            impl Arithmetic<T> for $rounding {
                #[inline(always)]
                fn falloff(sigma: T) -> T {
                    // The minimum of a number and NaN is the number.
                    $exp(-sigma.min(Self::SIGMA_MAX))
                }
                const SIGMA_MAX: T = $sigma_max;
                $(#[inline(always)]
                fn $name($($arg: $type),*) -> $out {
                    crate::$module::composite::$name($($arg),*)
                })*
            }
        };
    };
}

arithmetic! {
    fn sigma(conic: Sym2<T>, d: Vec2<T>) -> T;
    fn sigma_of_row(conic: Sym2<T>, dy: T) -> Vec2<T>;
    fn sigma_in_row(conic: Sym2<T>, of_row: Vec2<T>, dx: T) -> T;
    fn add_in_row(sum: RowMoments<T>, dx: T, v_sigma: T) -> RowMoments<T>;
    fn add_row(sum: Moments<T>, row: RowMoments<T>, dy: T) -> Moments<T>;
    fn sigma_vjp(conic: Sym2<T>, v_sigma: Moments<T>) -> SigmaGradient<T>;
    fn alpha(opacity: T, falloff: T, alpha_max: T) -> T;
    fn alpha_vjp(opacity: T, falloff: T, alpha_max: T, v_alpha: T) -> T;
    fn opacity_vjp(opacity: T, v_sigma: T) -> T;
    fn counts(sigma: T, alpha: T, alpha_min: T) -> bool;
    fn behind(transmittance: T, alpha: T) -> T;
    fn in_front(transmittance_behind: T, alpha: T) -> T;
    fn weight(alpha: T, transmittance: T) -> T;
    fn weight_vjp(transmittance: T, v_weight: T, v_rest: T) -> T;
    fn rest(alpha: T, v_weight: T, v_rest: T) -> T;
    fn add_weighted(sum: T, weight: T, value: T) -> T;
}
