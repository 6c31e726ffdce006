//! The numbers of an SPZ file. Each function that unpacks stands above the one that packs, if the
//! writer needs one.

use super::header::{Means, Quaternions};
use crate::io::scene::CHANNELS;
use crate::math::exp;

/// The factor of a coefficient of degree 0. It is less than the value of the basis function, so that
/// colours outside 0 to 1 can be stored.
const COLOUR_SCALE: f64 = 0.15;
/// Standard deviations are stored as logarithms, in steps of 1/16 from -10.
const LOG_STEPS: f64 = 16.0;
const LEAST_LOG: f64 = -10.0;
/// Greatest value of nine bits, in which the size of a quaternion's component is stored.
const MOST_COMPONENT: u32 = 511;
/// Greatest number of 24 bits with a sign.
const MOST_FIXED: f64 = 8_388_607.0;

/// Rounds to a byte. Numbers outside its range become its least or greatest value.
fn byte(x: f64) -> u8 {
    // `as` does the same for numbers outside the range.
    x.round() as u8
}

/// Unpacks means.
pub(super) fn means(bytes: &[u8], stored: Means) -> Vec<f32> {
    match stored {
        Means::Half => {
            let half = |bytes: &[u8; 2]| half::f16::from_le_bytes(*bytes).to_f32();
            bytes.as_chunks::<2>().0.iter().map(half).collect()
        }
        Means::Fixed { fractional_bits } => {
            let unit = (-f64::from(fractional_bits)).exp2() as f32;
            let fixed = |[low, middle, high]: &[u8; 3]| {
                // The sign is in the highest bit.
                let number = i32::from_le_bytes([0, *low, *middle, *high]) >> 8;
                number as f32 * unit
            };
            bytes.as_chunks::<3>().0.iter().map(fixed).collect()
        }
    }
}

/// Returns the greatest number of fractional bits, up to `most`, with which a mean of this size fits
/// into 24 bits.
pub(super) fn fractional_bits(greatest: f32, most: u8) -> Option<u8> {
    let fits = |bits: &u8| (f64::from(greatest) * f64::from(*bits).exp2()).round() <= MOST_FIXED;
    (0..=most).rev().find(fits)
}

/// Packs a coordinate of a mean.
pub(super) fn pack_mean(mean: f32, fractional_bits: u8) -> [u8; 3] {
    let number = (f64::from(mean) * f64::from(fractional_bits).exp2()).round() as i32;
    let [low, middle, high, _] = number.to_le_bytes();
    [low, middle, high]
}

/// Unpacks opacities.
pub(super) fn opacities(bytes: &[u8]) -> Vec<f32> {
    bytes.iter().map(|&byte| f32::from(byte) / 255.0).collect()
}

/// Packs an opacity.
pub(super) fn pack_opacity(opacity: f32) -> u8 {
    byte(255.0 * f64::from(opacity))
}

/// Unpacks standard deviations.
pub(super) fn scales(bytes: &[u8]) -> Vec<f32> {
    let scale = |byte: u8| exp::exponential(f64::from(byte) / LOG_STEPS + LEAST_LOG) as f32;
    let table: Vec<f32> = (0..=u8::MAX).map(scale).collect();
    bytes.iter().map(|&byte| table[usize::from(byte)]).collect()
}

/// Packs a standard deviation.
pub(super) fn pack_scale(scale: f32) -> u8 {
    byte((exp::ln_f64(f64::from(scale)) - LEAST_LOG) * LOG_STEPS)
}

/// Unpacks quaternions, as w, x, y, z of length 1.
pub(super) fn quaternions(bytes: &[u8], stored: Quaternions) -> Vec<f32> {
    match stored {
        Quaternions::FirstThree => {
            let (rows, _) = bytes.as_chunks::<3>();
            rows.iter().flat_map(|&row| first_three(row)).collect()
        }
        Quaternions::SmallestThree => {
            let (rows, _) = bytes.as_chunks::<4>();
            let unpack = |row: &[u8; 4]| smallest_three(u32::from_le_bytes(*row));
            rows.iter().flat_map(unpack).collect()
        }
    }
}

/// Returns the component that makes the length of a quaternion 1.
fn remaining(others: [f64; 3]) -> f64 {
    let squares: f64 = others.iter().map(|x| x * x).sum();
    (1.0 - squares).max(0.0).sqrt()
}

fn first_three(bytes: [u8; 3]) -> [f32; 4] {
    let xyz = bytes.map(|byte| f64::from(byte) / 127.5 - 1.0);
    [remaining(xyz), xyz[0], xyz[1], xyz[2]].map(|x| x as f32)
}

/// Two bits say which of x, y, z, w is the greatest. The three others follow in this order, each as
/// a sign and nine bits. It is at most `sqrt 1/2`.
fn smallest_three(word: u32) -> [f32; 4] {
    let component = |shift: u32| {
        let bits = word >> shift;
        let size = f64::from(bits & MOST_COMPONENT) / f64::from(MOST_COMPONENT);
        let sign = if bits & (MOST_COMPONENT + 1) == 0 {
            1.0
        } else {
            -1.0
        };
        sign * size * std::f64::consts::FRAC_1_SQRT_2
    };
    let others = [component(20), component(10), component(0)];
    let greatest = (word >> 30) as usize;
    let mut next = others.into_iter();
    let xyzw: [f64; 4] = std::array::from_fn(|i| {
        if i == greatest {
            remaining(others)
        } else {
            next.next().unwrap_or_default()
        }
    });
    [xyzw[3], xyzw[0], xyzw[1], xyzw[2]].map(|x| x as f32)
}

/// Packs a quaternion w, x, y, z. `None` if it has no direction.
pub(super) fn pack_quaternion([w, x, y, z]: [f32; 4]) -> Option<[u8; 4]> {
    let xyzw = [x, y, z, w].map(f64::from);
    let length = xyzw.iter().map(|x| x * x).sum::<f64>().sqrt();
    if length == 0.0 {
        return None;
    }
    let mut greatest = 0;
    for i in 1..4 {
        if xyzw[i].abs() > xyzw[greatest].abs() {
            greatest = i;
        }
    }
    // The negative quaternion is the same rotation.
    let sign = xyzw[greatest].signum();
    let mut word = greatest as u32;
    for i in (0..4).filter(|&i| i != greatest) {
        let component = sign * xyzw[i] / length;
        let share = component.abs() * std::f64::consts::SQRT_2;
        let size = (share * f64::from(MOST_COMPONENT)).round() as u32;
        let negative = u32::from(component < 0.0);
        word = (word << 10) | (negative << 9) | size.min(MOST_COMPONENT);
    }
    Some(word.to_le_bytes())
}

/// Unpacks coefficients `[N, K, 3]`. `base` has those of degree 0.
pub(super) fn coefficients(base: &[u8], rest: &[u8], count: usize) -> Vec<f32> {
    let colour = |byte: u8| ((f64::from(byte) / 255.0 - 0.5) / COLOUR_SCALE) as f32;
    let harmonic = |byte: u8| (f32::from(byte) - 128.0) / 128.0;
    let mut coefficients = Vec::with_capacity(base.len() * count);
    let beyond = CHANNELS * (count - 1);
    for (i, colours) in base.as_chunks::<CHANNELS>().0.iter().enumerate() {
        coefficients.extend(colours.map(colour));
        let rest = rest[i * beyond..(i + 1) * beyond].iter();
        coefficients.extend(rest.map(|&byte| harmonic(byte)));
    }
    coefficients
}

/// Packs a coefficient of degree 0.
pub(super) fn pack_colour(coefficient: f32) -> u8 {
    byte((f64::from(coefficient) * COLOUR_SCALE + 0.5) * 255.0)
}

/// Packs a coefficient of a higher degree.
pub(super) fn pack_harmonic(coefficient: f32) -> u8 {
    byte(f64::from(coefficient) * 128.0 + 128.0)
}
