//! The pixels of an image on the host, and the thresholds of the bytes that host and device share.

use std::sync::LazyLock;

use half::f16;
use rayon::prelude::*;

use crate::error::{RenderError, try_collected, try_filled};
use crate::gaussians::check_len;
use crate::host::threads::check_threads;
use crate::image::{Image, ImageSize};

/// Number of values of a byte.
pub(crate) const LEVELS: usize = 256;

/// The relation between a value and its byte. Alpha is always linear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TransferFunction {
    /// The byte is proportional to the value. For features that are encoded already, such as those
    /// of a scene that was trained on photographs, and for data.
    Linear,
    /// The byte is proportional to the sRGB encoding of the value (IEC 61966-2-1). For features
    /// that are proportional to light, in textures of the format `Rgba8UnormSrgb`.
    Srgb,
}

/// The source of the alpha channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Alpha {
    /// Alpha is 1 in every pixel.
    Opaque,
    /// Alpha is `1 - T`. The image must have [`Image::transmittance`].
    Transmittance,
    /// Alpha is the fourth channel of the features.
    Channel,
}

/// Converts images with 3 or 4 channels to bytes `[B, H, W, 4]`, in the order red, green, blue,
/// alpha.
///
/// # Errors
/// - [`RenderError::Config`] if a side of `size` is not within 1 to 2^22 px.
/// - [`RenderError::Shape`] if the features do not have 3 or 4 channels, or do not have 4 with
///   [`Alpha::Channel`]. The same variant is returned if the transmittance has a wrong length, or
///   is absent with [`Alpha::Transmittance`].
/// - [`RenderError::Capacity`] if the number of pixels exceeds 32-bit indices or the memory.
/// - [`RenderError::Device`] if the system cannot create the threads.
pub fn rgba8(
    image: &Image<&[f32]>,
    size: ImageSize,
    transfer: TransferFunction,
    alpha: Alpha,
) -> Result<Vec<u8>, RenderError> {
    channels_of(image, size, alpha, |buffer| buffer.len())?;
    let mut bytes = try_filled("bytes [B, H, W, 4]", 4 * size.pixels(), 0)?;
    rgba8_into(image, size, transfer, alpha, &mut bytes)?;
    Ok(bytes)
}

/// [`rgba8`] into the bytes of the caller, on all threads.
///
/// # Errors
/// The errors of [`rgba8`]. Also [`RenderError::Shape`] if `bytes` does not have 4 bytes per pixel.
pub fn rgba8_into(
    image: &Image<&[f32]>,
    size: ImageSize,
    transfer: TransferFunction,
    alpha: Alpha,
    bytes: &mut [u8],
) -> Result<(), RenderError> {
    check_threads()?;
    let channels = channels_of(image, size, alpha, |buffer| buffer.len())?;
    let dims = [size.views, size.height, size.width, 4];
    check_len("bytes", "[B, H, W, 4]", &dims, bytes.len())?;
    let (colours, alphas) = (levels(transfer), levels(TransferFunction::Linear));
    let (pixels, _) = bytes.as_chunks_mut::<4>();
    let features = image.features.par_chunks_exact(channels);
    let pixels = pixels.par_iter_mut().zip(features).enumerate();
    let pixels = pixels.with_min_len(PIXELS_PER_TASK);
    pixels.for_each(|(at, (pixel, features))| {
        for (byte, &value) in pixel.iter_mut().zip(&features[..3]) {
            *byte = colours.of(value);
        }
        pixel[3] = alphas.of(alpha_of(image, channels, alpha, at));
    });
    Ok(())
}

/// Converts images with 3 or 4 channels to 16-bit floats `[B, H, W, 4]`, in the order red, green,
/// blue, alpha.
///
/// # Errors
/// The errors of [`rgba8`].
pub fn rgba16f(
    image: &Image<&[f32]>,
    size: ImageSize,
    alpha: Alpha,
) -> Result<Vec<f16>, RenderError> {
    let channels = channels_of(image, size, alpha, |buffer| buffer.len())?;
    let halves = (0..4 * size.pixels()).map(|at| {
        let value = match at % 4 {
            3 => alpha_of(image, channels, alpha, at / 4),
            c => image.features[at / 4 * channels + c],
        };
        let most = f16::MAX.to_f32();
        // `clamp` keeps NaN.
        let value = if value.is_nan() { 0.0 } else { value };
        f16::from_f32(value.clamp(-most, most))
    });
    try_collected("16-bit floats [B, H, W, 4]", halves)
}

/// Checks the lengths of the buffers that are packed, and returns the number of channels. `len`
/// returns the length of a buffer.
pub(crate) fn channels_of<S>(
    image: &Image<S>,
    size: ImageSize,
    alpha: Alpha,
    len: impl Fn(&S) -> usize,
) -> Result<usize, RenderError> {
    size.validate()?;
    let dims = [size.views, size.height, size.width];
    let four = alpha == Alpha::Channel || len(&image.features) == size.elements("features", 4)?;
    let channels = if four { 4 } else { 3 };
    let shape = match alpha {
        Alpha::Channel => "[B, H, W, 4]",
        _ => "[B, H, W, 3 or 4]",
    };
    let [views, height, width] = dims;
    check_len(
        "image.features",
        shape,
        &[views, height, width, channels],
        len(&image.features),
    )?;
    if alpha == Alpha::Transmittance {
        let Some(transmittance) = &image.transmittance else {
            let expected = "a buffer [B, H, W], see `config.outputs.transmittance`";
            return Err(RenderError::shape("image.transmittance", expected, "none"));
        };
        check_len(
            "image.transmittance",
            "[B, H, W]",
            &dims,
            len(transmittance),
        )?;
    }
    Ok(channels)
}

/// Returns alpha of a pixel.
fn alpha_of(image: &Image<&[f32]>, channels: usize, alpha: Alpha, pixel: usize) -> f32 {
    match (alpha, image.transmittance) {
        (Alpha::Channel, _) => image.features[pixel * channels + 3],
        (Alpha::Transmittance, Some(transmittance)) => 1.0 - transmittance[pixel],
        _ => 1.0,
    }
}

/// A table that finds the byte of a value.
struct Levels {
    /// The threshold of the byte after each byte. No value reaches that of the last.
    next: [u32; LEVELS],
    /// The byte of the least value whose upper bits are the index.
    least: Vec<u8>,
}

/// The number of lower bits of a value that the table of [`Levels`] does not distinguish.
const LOWER_BITS: u32 = 15;

/// The least number of pixels that a thread converts.
const PIXELS_PER_TASK: usize = 1 << 12;

impl Levels {
    fn new(transfer: TransferFunction) -> Self {
        let thresholds = thresholds(transfer);
        let next = |byte: usize| thresholds.get(byte + 1).copied().unwrap_or(u32::MAX);
        let upper = 0..=1.0f32.to_bits() >> LOWER_BITS;
        let least = upper.map(|upper| {
            let bits = upper << LOWER_BITS;
            let count = thresholds.partition_point(|&threshold| threshold <= bits);
            count.saturating_sub(1) as u8
        });
        Self {
            next: std::array::from_fn(next),
            least: least.collect(),
        }
    }

    /// Returns the greatest byte whose threshold is at most `value`. NaN gives 0.
    #[inline]
    fn of(&self, value: f32) -> u8 {
        // The bits of positive floats have the order of the floats.
        let bits = if value > 0.0 { value.to_bits() } else { 0 };
        let Some(&least) = self.least.get((bits >> LOWER_BITS) as usize) else {
            return u8::MAX;
        };
        let mut byte = least;
        while self.next[usize::from(byte)] <= bits {
            byte += 1;
        }
        byte
    }
}

/// Returns the bytes of the values.
fn levels(transfer: TransferFunction) -> &'static Levels {
    static LINEAR: LazyLock<Levels> = LazyLock::new(|| Levels::new(TransferFunction::Linear));
    static SRGB: LazyLock<Levels> = LazyLock::new(|| Levels::new(TransferFunction::Srgb));
    match transfer {
        TransferFunction::Linear => &LINEAR,
        TransferFunction::Srgb => &SRGB,
    }
}

/// Returns the thresholds of the bytes: the bits of the least value that becomes byte `k`, for each
/// `k`.
pub(crate) fn thresholds(transfer: TransferFunction) -> &'static [u32; LEVELS] {
    static LINEAR: LazyLock<[u32; LEVELS]> = LazyLock::new(|| table(|encoded| encoded));
    static SRGB: LazyLock<[u32; LEVELS]> = LazyLock::new(|| table(decoded));
    match transfer {
        TransferFunction::Linear => &LINEAR,
        TransferFunction::Srgb => &SRGB,
    }
}

/// Returns the thresholds for the curve whose inverse is `decode`.
fn table(decode: impl Fn(f64) -> f64) -> [u32; LEVELS] {
    std::array::from_fn(|k| {
        if k == 0 {
            return 0;
        }
        // Byte k begins in the middle between the values of bytes k - 1 and k.
        let middle = decode((k as f64 - 0.5) / 255.0);
        let nearest = middle as f32;
        // The least `f32` that is not below the middle.
        let least = if f64::from(nearest) < middle {
            nearest.next_up()
        } else {
            nearest
        };
        least.to_bits()
    })
}

/// Returns the value that sRGB encodes as `encoded` (IEC 61966-2-1).
fn decoded(encoded: f64) -> f64 {
    if encoded <= 0.040_45 {
        encoded / 12.92
    } else {
        ((encoded + 0.055) / 1.055).powf(2.4)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The formulas that the thresholds replace.
    fn expected(transfer: TransferFunction, x: f64) -> f64 {
        let x = x.clamp(0.0, 1.0);
        255.0
            * match transfer {
                TransferFunction::Linear => x,
                TransferFunction::Srgb if x <= 0.003_130_8 => 12.92 * x,
                TransferFunction::Srgb => 1.055 * x.powf(1.0 / 2.4) - 0.055,
            }
    }

    #[test]
    fn every_byte_is_the_nearest() {
        for transfer in [TransferFunction::Linear, TransferFunction::Srgb] {
            for step in 0..=1 << 20 {
                let x = step as f32 / (1 << 20) as f32;
                let byte = f64::from(levels(transfer).of(x));
                let exact = expected(transfer, f64::from(x));
                // The two pieces of the standard's curve miss each other by 2e-8.
                assert!((byte - exact).abs() <= 0.5 + 1e-5, "{transfer:?} {x}");
            }
        }
    }

    #[test]
    fn bytes_and_values_correspond() {
        for k in 0..=255u8 {
            let linear = f32::from(k) / 255.0;
            assert_eq!(levels(TransferFunction::Linear).of(linear), k);
            let light = decoded(f64::from(k) / 255.0) as f32;
            assert_eq!(levels(TransferFunction::Srgb).of(light), k);
        }
        // 255 x is 127.5.
        assert_eq!(levels(TransferFunction::Linear).of(0.5), 128);
    }

    #[test]
    fn values_outside_the_range_are_clamped() {
        for transfer in [TransferFunction::Linear, TransferFunction::Srgb] {
            let bytes = [f32::NAN, -f32::NAN, -0.0, -3.0, f32::NEG_INFINITY]
                .map(|x| levels(transfer).of(x));
            assert_eq!(bytes, [0; 5]);
            for &threshold in &thresholds(transfer)[1..] {
                let of = |bits: u32| levels(transfer).of(f32::from_bits(bits));
                assert_eq!(of(threshold), of(threshold - 1) + 1);
            }
            let bytes = [1.0, 1.5, f32::MAX, f32::INFINITY].map(|x| levels(transfer).of(x));
            assert_eq!(bytes, [255; 4]);
        }
    }
}
