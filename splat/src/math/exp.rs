//! The exponential and its relatives: the only file that names them.

/// `e^x` for the lanes of the CPU compositor at `f32`: `x = n ln 2 + r`, `|r| <= ln 2 / 2`, a fitted polynomial of degree 6 in
/// `r`, and `n` added to the exponent (MATH eq. 21). No branch, so that a loop over lanes becomes vector code.
///
/// Largest relative error over `-87 <= x <= 0`: 8.2e-8 (measured over every `f32` there; `exp_is_accurate_everywhere`).
/// Below -87, where `f32` runs out of normal numbers, 0; NaN gives NaN.
#[inline(always)]
pub(crate) fn exp_f32(x: f32) -> f32 {
    // 1.5 * 2^23: adding it rounds to an integer that sits in the low bits of the sum.
    const ROUND: f32 = 12_582_912.0;
    // ln 2 in two parts; the first has few enough bits that n * LN2_HIGH is exact.
    const LN2_HIGH: f32 = 0.693_359_375;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    let low = x < -87.0;
    let x = if low { -87.0 } else { x };
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = (x - n * LN2_HIGH) - n * LN2_LOW;
    let tail = 0.041_668_39 + r * (0.008_368_745 + r * 0.001_381_453_9);
    let p = 1.0 + (r + r * r * (0.499_999_94 + r * (0.166_665_21 + r * tail)));
    let power = (shifted.to_bits() << 23).wrapping_add(1.0f32.to_bits());
    let e = p * f32::from_bits(power);
    if low { 0.0 } else { e }
}

/// `e^x` at `f64`, from the standard library.
#[inline(always)]
pub(crate) fn exp_f64(x: f64) -> f64 {
    x.exp()
}

/// The greatest `sigma` at which `opacity e^-sigma` still reaches `alpha_min`; negative where it never does (MATH eq. 16).
pub(crate) fn sigma_at(opacity: f64, alpha_min: f64) -> f64 {
    (opacity / alpha_min).ln()
}

/// `e^x`, for activations.
pub(crate) fn exponential(x: f64) -> f64 {
    x.exp()
}

/// `1 / (1 + e^-x)`, without overflow on either side.
pub(crate) fn sigmoid(x: f64) -> f64 {
    if x >= 0.0 {
        1.0 / (1.0 + (-x).exp())
    } else {
        let e = x.exp();
        e / (1.0 + e)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bound stated in the doc of [`exp_f32`].
    const MAX_RELATIVE_ERROR: f64 = 8.2e-8;

    fn relative_error(x: f32) -> f64 {
        let exact = f64::from(x).exp();
        (f64::from(exp_f32(x)) - exact).abs() / exact
    }

    #[test]
    fn exp_is_accurate_on_a_grid() {
        let worst = (0..=870_000)
            .map(|i| relative_error(-(i as f32) * 1e-4))
            .fold(0.0, |m: f64, e| if e <= m { m } else { e });
        assert!(worst <= MAX_RELATIVE_ERROR, "relative error {worst:e}");
    }

    #[test]
    #[ignore = "walks all 1.1 billion f32 in [-87, 0]; a minute"]
    fn exp_is_accurate_everywhere() {
        let worst = (0..=(-87.0f32).to_bits() - (-0.0f32).to_bits())
            .map(|offset| relative_error(f32::from_bits((-0.0f32).to_bits() + offset)))
            .fold(0.0, |m: f64, e| if e <= m { m } else { e });
        println!("largest relative error {worst:e}");
        assert!(worst <= MAX_RELATIVE_ERROR, "relative error {worst:e}");
    }

    #[test]
    fn exp_keeps_nan_and_is_zero_far_out() {
        assert!(exp_f32(f32::NAN).is_nan());
        assert_eq!(exp_f32(f32::NEG_INFINITY), 0.0);
        assert_eq!(exp_f32(-87.01), 0.0);
        assert!(exp_f32(-87.0) > 0.0);
    }
}
