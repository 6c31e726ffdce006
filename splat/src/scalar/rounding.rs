//! The formulas of one (splat, pixel) pair, compiled with products and sums rounded separately and
//! together.

use crate::composite::{Moments, RowMoments, SigmaGradient};
use crate::math::{Sym2, Vec2, exp};
use crate::number::Number;

/// Arithmetic with products and sums rounded separately, for every machine.
#[derive(Debug, Clone, Copy)]
pub struct Separate;

/// Arithmetic with products and sums rounded together. It is twice as fast on machines with fused
/// multiply-add and very slow on other machines.
#[derive(Debug, Clone, Copy)]
pub struct Fused;

/// Declares [`Arithmetic`] and implements it for both roundings of both scalars from one list of
/// formulas.
macro_rules! arithmetic {
    ($(fn $name:ident($($arg:ident: $type:ty),*) -> $out:ty;)*) => {
        /// The arithmetic of the compositors' lanes: the formulas of `composite/formula.rs`, and
        /// the exponential.
        pub trait Arithmetic<T: Number>: Copy + 'static {
            /// Computes `e^-sigma` for `sigma >= 0`.
            ///
            /// For `sigma` above [`SIGMA_MAX`](Self::SIGMA_MAX) or NaN the result is too small for
            /// any opacity to pass `alpha_min`. Undefined for `sigma < 0`; `counts` rejects those
            /// pairs.
            fn falloff(sigma: T) -> T;
            /// A sigma at which `e^-sigma` is too small for a normal number of the scalar.
            /// [`falloff`](Self::falloff) clamps sigma to it.
            const SIGMA_MAX: T;
            $(fn $name($($arg: $type),*) -> $out;)*
        }

        arithmetic!(@implement Separate, f32, single, exp::exp_f32_separate, exp::VANISHED_F32, [$(fn $name($($arg: $type),*) -> $out;)*]);
        arithmetic!(@implement Fused, f32, single_fused, exp::exp_f32_fused, exp::VANISHED_F32, [$(fn $name($($arg: $type),*) -> $out;)*]);
        arithmetic!(@implement Separate, f64, double, exp::exp_f64, exp::VANISHED_F64, [$(fn $name($($arg: $type),*) -> $out;)*]);
        arithmetic!(@implement Fused, f64, double_fused, exp::exp_f64, exp::VANISHED_F64, [$(fn $name($($arg: $type),*) -> $out;)*]);
    };
    (@implement $rounding:ident, $real:ident, $module:ident, $exp:path, $sigma_max:path, [$(fn $name:ident($($arg:ident: $type:ty),*) -> $out:ty;)*]) => {
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
                    crate::formulas::$module::composite::$name($($arg),*)
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
    fn mean_vjp(conic: Sym2<T>, d: Vec2<T>, v_sigma: T) -> Vec2<T>;
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks that no pair counts at a large, infinite or NaN sigma, even with the greatest
    /// opacity.
    fn check<T: Number, A: Arithmetic<T>>(greatest: T, alpha_min: T) {
        let beyond = [
            A::SIGMA_MAX,
            T::from_f64(1e4),
            greatest,
            greatest + greatest,
        ];
        let nan = greatest - greatest * T::from_f64(f64::NAN);
        for sigma in beyond.into_iter().chain([nan]) {
            let alpha = A::alpha(greatest, A::falloff(sigma), T::ONE);
            assert!(!A::counts(T::ONE, alpha, alpha_min), "{sigma}: {alpha}");
        }
        assert!(A::falloff(T::from_f64(80.0)) > T::ZERO);
    }

    #[test]
    fn far_out_nothing_counts() {
        check::<f32, Separate>(f32::MAX, 1.0 / 255.0);
        check::<f32, Fused>(f32::MAX, 1.0 / 255.0);
        check::<f64, Separate>(f64::MAX, 1.0 / 255.0);
        check::<f64, Fused>(f64::MAX, 1.0 / 255.0);
    }
}
