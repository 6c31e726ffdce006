//! The exponential and the logarithm. Only this file and the oracle call the functions of the
//! standard library or of a device.

#[cfg(feature = "gpu")]
use cubecl::prelude::*;

/// 127 ln 2. At this `x`, the exponent of `e^-x` is below that of every normal `f32`.
/// [`exp_f32_fused`] and [`exp_f32_separate`] only add to the exponent field. Their result for `-x`
/// is therefore 0, except for a few of the lowest bits.
pub(crate) const VANISHED_F32: f32 = 88.029_69;

/// At this `x`, `e^-x` is 0 in `f64`.
pub(crate) const VANISHED_F64: f64 = 750.0;

/// Computes `e^x` for the lanes of the CPU compositor at `f32`, with products and sums rounded
/// together (MATH eq. 21).
///
/// The argument is split as `x = n ln 2 + r` with `|r| <= ln 2 / 2`. A polynomial of degree 5 in
/// `r`, fitted to the smallest relative error, approximates `e^r`. Then `n` is added to the
/// exponent. The function has no branch, so that a loop over lanes becomes vector code.
///
/// Largest relative error over `-87 <= x <= 0`: 4.2e-7. Over `-8 <= x <= 0`, the range of every
/// pair that counts by default: 2.0e-7. Both were measured over every `f32` of the range
/// (`exp_is_accurate_everywhere`). For `x < -87` the result is too small, because `f32` has no
/// normal numbers there. For `x` below minus [`VANISHED_F32`] and for NaN the result is undefined.
#[inline(always)]
pub(crate) fn exp_f32_fused(x: f32) -> f32 {
    let shifted = x.mul_add(std::f32::consts::LOG2_E, ROUND);
    let r = (shifted - ROUND).mul_add(-std::f32::consts::LN_2, x);
    // Estrin's scheme: three pairs of terms side by side. It has one product more than Horner's
    // scheme and half its latency.
    let square = r * r;
    let high = r.mul_add(POLYNOMIAL[4], POLYNOMIAL[3]);
    let middle = r.mul_add(POLYNOMIAL[2], POLYNOMIAL[1]);
    let low = r.mul_add(POLYNOMIAL[0], 1.0);
    times_power_of_two(square.mul_add(square.mul_add(high, middle), low), shifted)
}

/// [`exp_f32_fused`] with products and sums rounded separately, for machines without fused
/// multiply-add. The errors are the same.
#[inline(always)]
pub(crate) fn exp_f32_separate(x: f32) -> f32 {
    // ln 2 in two parts. The first has so few bits that n * LN2_HIGH is exact.
    const LN2_HIGH: f32 = 0.693_359_375;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = (x - n * LN2_HIGH) - n * LN2_LOW;
    let tail = POLYNOMIAL[1] + r * (POLYNOMIAL[2] + r * (POLYNOMIAL[3] + r * POLYNOMIAL[4]));
    times_power_of_two(1.0 + r * (POLYNOMIAL[0] + r * tail), shifted)
}

/// 1.5 * 2^23. Adding it rounds to an integer, which the lowest bits of the sum hold.
const ROUND: f32 = 12_582_912.0;

/// `e^r = 1 + r (p0 + r (p1 + ...))` for `|r| <= ln 2 / 2`, relative error 9.2e-8 before rounding.
const POLYNOMIAL: [f32; 5] = [
    0.999_999_7,
    0.499_991_48,
    0.166_676_39,
    0.041_898_16,
    0.008_290_272,
];

/// Returns `p 2^n` for `n` in the low bits of `shifted`. `p` is close to 1, so only its exponent
/// changes.
#[inline(always)]
fn times_power_of_two(p: f32, shifted: f32) -> f32 {
    f32::from_bits(p.to_bits().wrapping_add(shifted.to_bits() << 23))
}

/// Computes `e^x` at `f64` with the standard library.
#[inline(always)]
pub(crate) fn exp_f64(x: f64) -> f64 {
    x.exp()
}

/// Computes `ln x` for normal `x > 0`, with the method and the coefficients of FreeBSD's `logf`.
///
/// The argument is split as `x = 2^n (1 + f)` with `1 + f` between `sqrt 1/2` and `sqrt 2`. An odd
/// series in `f / (2 + f)` gives `ln (1 + f)`. The function has no branch, so that a loop over
/// lanes becomes vector code.
///
/// Largest relative error: 8.2e-8, measured over every normal `f32` (`ln_is_accurate_everywhere`).
/// The result is unspecified for zero, subnormal and negative numbers, infinity and NaN.
#[inline(always)]
pub(crate) fn ln_f32(x: f32) -> f32 {
    const SQRT_HALF: u32 = std::f32::consts::FRAC_1_SQRT_2.to_bits();
    const ONE: u32 = 1.0f32.to_bits();
    // ln 2 in two parts. The first has so few bits that n * LN2_HIGH is exact.
    const LN2_HIGH: f32 = 6.931_381e-1;
    const LN2_LOW: f32 = 9.058_000_6e-6;
    const SERIES: [f32; 4] = [0.666_666_6, 0.400_009_72, 0.284_987_87, 0.242_790_79];
    let shifted = x.to_bits().wrapping_add(ONE - SQRT_HALF);
    let n = ((shifted >> 23) as i32 - 127) as f32;
    let f = f32::from_bits((shifted & 0x007f_ffff) + SQRT_HALF) - 1.0;
    let s = f / (2.0 + f);
    let z = s * s;
    let w = z * z;
    let series = z * (SERIES[0] + w * SERIES[2]) + w * (SERIES[1] + w * SERIES[3]);
    let half_square = 0.5 * f * f;
    s * (half_square + series) + n * LN2_LOW - half_square + f + n * LN2_HIGH
}

/// Computes `ln x` at `f64` with the standard library.
#[inline(always)]
pub(crate) fn ln_f64(x: f64) -> f64 {
    x.ln()
}

/// Computes `e^x` with the instruction of the device.
#[cfg(feature = "gpu")]
#[cubecl::cube]
pub(crate) fn exp_on_device(x: f32) -> f32 {
    f32::exp(x)
}

/// Returns the greatest `sigma` for which `opacity e^-sigma` reaches `alpha_min`, on a device (MATH
/// eq. 16). Negative if no `sigma >= 0` does.
#[cfg(feature = "gpu")]
#[cubecl::cube]
pub(crate) fn sigma_at_on_device(opacity: f32, alpha_min: f32) -> f32 {
    f32::ln(opacity / alpha_min)
}

/// Computes `1 / (1 + e^-x)` on a device. `e^-x` can overflow to infinity, which gives 0.
#[cfg(feature = "gpu")]
#[cubecl::cube]
pub(crate) fn sigmoid_on_device(x: f32) -> f32 {
    1.0 / (1.0 + f32::exp(-x))
}

/// Computes `e^x` for the activations.
pub(crate) fn exponential(x: f64) -> f64 {
    x.exp()
}

/// Computes `1 / (1 + e^-x)` without overflow for any sign of `x`.
pub(crate) fn sigmoid(x: f64) -> f64 {
    if x >= 0.0 {
        1.0 / (1.0 + (-x).exp())
    } else {
        let e = x.exp();
        e / (1.0 + e)
    }
}

/// Computes `ln (o / (1 - o))`, the inverse of [`sigmoid`], for `o` from 0 to 1.
pub(crate) fn logit(o: f64) -> f64 {
    ln_f64(o / (1.0 - o))
}

/// Computes `1 - (1 - o)^(1 / n)` for `o` from 0 to below 1, without the cancellation near 0.
pub(crate) fn one_minus_root(o: f64, n: f64) -> f64 {
    -((-o).ln_1p() / n).exp_m1()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bounds stated in the doc of [`exp_f32_fused`].
    const MAX_RELATIVE_ERROR: f64 = 4.2e-7;
    const MAX_RELATIVE_ERROR_NEAR: f64 = 2.0e-7;

    fn check(errors: impl Iterator<Item = f32>, bound: f64) {
        let mut worst = 0.0f64;
        for x in errors {
            let exact = f64::from(x).exp();
            for e in [exp_f32_fused(x), exp_f32_separate(x)] {
                let error = (f64::from(e) - exact).abs() / exact;
                // This form also keeps a NaN.
                worst = if error <= worst { worst } else { error };
            }
        }
        println!("largest relative error {worst:e}");
        assert!(worst <= bound, "relative error {worst:e}");
    }

    fn every_f32(from: f32) -> impl Iterator<Item = f32> {
        ((-0.0f32).to_bits()..=from.to_bits()).map(f32::from_bits)
    }

    #[test]
    fn exp_is_accurate_on_a_grid() {
        check(
            (0..=87_000).map(|i| -(i as f32) / 1000.0),
            MAX_RELATIVE_ERROR,
        );
        check(
            (0..=80_000).map(|i| -(i as f32) / 10_000.0),
            MAX_RELATIVE_ERROR_NEAR,
        );
    }

    #[test]
    #[ignore = "walks all 1.1 billion f32 in [-87, 0], twice; minutes"]
    fn exp_is_accurate_everywhere() {
        check(every_f32(-87.0), MAX_RELATIVE_ERROR);
        check(every_f32(-8.0), MAX_RELATIVE_ERROR_NEAR);
    }

    /// The bound stated in the doc of [`ln_f32`].
    const MAX_RELATIVE_ERROR_LN: f64 = 8.2e-8;

    /// Checks every `step`-th positive normal number.
    fn check_ln(step: usize) {
        let mut worst = 0.0f64;
        for bits in (f32::MIN_POSITIVE.to_bits()..f32::INFINITY.to_bits()).step_by(step) {
            let x = f32::from_bits(bits);
            let exact = f64::from(x).ln();
            let error = (f64::from(ln_f32(x)) - exact).abs() / exact.abs().max(f64::MIN_POSITIVE);
            // This form also keeps a NaN.
            worst = if error <= worst { worst } else { error };
        }
        println!("largest relative error {worst:e}");
        assert!(worst <= MAX_RELATIVE_ERROR_LN, "relative error {worst:e}");
    }

    #[test]
    fn ln_is_accurate_on_a_grid() {
        check_ln(1009);
    }

    #[test]
    #[ignore = "walks all 2.1 billion normal f32 above 0; a minute"]
    fn ln_is_accurate_everywhere() {
        check_ln(1);
    }

    #[test]
    fn ln_of_one_is_zero() {
        assert_eq!(ln_f32(1.0), 0.0);
    }

    #[test]
    fn exp_of_zero_is_one() {
        assert_eq!(exp_f32_fused(0.0), 1.0);
        assert_eq!(exp_f32_separate(0.0), 1.0);
    }
}
