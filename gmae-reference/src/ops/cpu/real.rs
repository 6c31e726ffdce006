//! The two scalar types, and the functions in which they differ.

use burn::tensor::Element;
use bytemuck::Pod;
use num_traits::Float;
use rten_simd::SimdUnaryOp;

/// `f32` or `f64`.
pub trait Real: Float + Element + Pod {
    /// Rounds a constant to this type.
    fn of(value: f64) -> Self;

    /// Replaces every value x by e^x.
    fn exp_all(values: &mut [Self]);

    /// Computes `Phi(-a)` for `a >= 0` from `a` and `density = e^(-a^2 / 2)`. `Phi` is the
    /// distribution function of the standard normal distribution.
    fn tail(a: Self, density: Self) -> Self;
}

/// `e^(a^2 / 2) Phi(-a) = t (C0 + C1 t + ..)` with `t = 1 / (1 + P a)`, for a in `[0, 14]`. The
/// coefficients minimise the largest relative error. With these rounded coefficients it is 6.6e-8.
/// Beyond a = 13.3 the exponential of `exp_all` is zero at `f32`.
const TAIL: [f32; 9] = [
    0.139_621_41,
    0.139_861_87,
    0.119_832_866,
    0.105_508,
    -0.023_109_835,
    0.159_174_16,
    -0.255_714_27,
    0.143_971_7,
    -0.029_145_932,
];
const P: f32 = 0.35;

impl Real for f32 {
    fn of(value: f64) -> Self {
        value as Self
    }

    fn exp_all(values: &mut [Self]) {
        rten_vecmath::Exp {}.map_mut(values);
    }

    /// Without a branch, so that a loop over it is vector code.
    #[inline(always)]
    fn tail(a: Self, density: Self) -> Self {
        let t = 1.0 / (P * a + 1.0);
        let mut sum = TAIL[8];
        for k in (0..8).rev() {
            sum = sum * t + TAIL[k];
        }
        density * (sum * t)
    }
}

impl Real for f64 {
    fn of(value: f64) -> Self {
        value
    }

    fn exp_all(values: &mut [Self]) {
        for value in values {
            *value = value.exp();
        }
    }

    fn tail(a: Self, _: Self) -> Self {
        0.5 * libm::erfc(a * std::f64::consts::FRAC_1_SQRT_2)
    }
}
