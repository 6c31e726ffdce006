//! Pixels that the device packs, compared bit for bit with those of the host.

use libtest_mimic::Failed;
use splat::pack::{self, Alpha, TransferFunction};
use splat::stages::ImageSize;
use splat::{Image, RenderError};

use crate::caller::{Caller, Case, ensure};

pub(crate) const TRIALS: &[Case] = &[
    ("bytes_are_the_nearest", bytes_are_the_nearest),
    ("pixels_are_those_of_the_host", pixels_are_those_of_the_host),
    (
        "every_range_of_floats_is_packed_as_on_the_host",
        every_range_of_floats,
    ),
    ("the_padding_of_rows_is_zero", the_padding_of_rows_is_zero),
    ("no_images_give_no_pixels", no_images_give_no_pixels),
    ("wrong_shapes_are_refused", wrong_shapes_are_refused),
];

pub(crate) fn size(views: usize, height: usize, width: usize) -> ImageSize {
    ImageSize {
        views,
        height,
        width,
    }
}

/// Values between 0 and 1, values near the limits of the formats, and values outside of them.
const SPECIAL: [f32; 32] = [
    f32::NAN,
    -f32::NAN,
    f32::INFINITY,
    f32::NEG_INFINITY,
    0.0,
    -0.0,
    1.0,
    -1.0,
    1.0 + f32::EPSILON,
    1.0 - f32::EPSILON / 2.0,
    0.5,
    0.499_999_97,
    f32::MIN_POSITIVE,
    1e-45,
    -1e-45,
    0.003_130_8,
    f32::MAX,
    f32::MIN,
    65_504.0,
    65_519.996,
    65_520.0,
    -65_536.0,
    2.980_232_2e-8,
    2.980_232_6e-8,
    5.960_464_5e-8,
    8.940_697e-8,
    6.103_515_6e-5,
    6.097_555e-5,
    6.1e-5,
    1.000_488_3,
    1.001_464_8,
    -0.3,
];

/// Returns `count` values: the special ones among others that cover [0, 1].
fn values(count: usize) -> Vec<f32> {
    let value = |i: usize| match i % 5 {
        0 => SPECIAL[i / 5 % SPECIAL.len()],
        // The golden ratio spreads the values evenly.
        _ => (i as f64 * 0.618_033_988_749_895).fract() as f32,
    };
    (0..count).map(value).collect()
}

/// Packs an image on the device and on the host, in both formats, and compares the bits.
fn check(
    caller: &Caller,
    image: &Image<&[f32]>,
    size: ImageSize,
    alpha: Alpha,
) -> Result<(), Failed> {
    let gpu = caller.gpu()?;
    let on_device = gpu.upload_image(image)?;
    let same = |format: &str, got: Vec<u8>, expected: Vec<u8>| {
        let pairs = || got.iter().zip(&expected);
        let differing = pairs().filter(|(a, b)| a != b).count();
        let first = pairs().position(|(a, b)| a != b);
        ensure(
            got == expected && !got.is_empty(),
            format!("{format} {size:?} {alpha:?}: {differing} bytes differ, first {first:?}"),
        )
    };
    for encoding in [TransferFunction::Linear, TransferFunction::Srgb] {
        let packed = gpu.pack_rgba8(&on_device, size, encoding, alpha)?;
        let expected = pack::rgba8(image, size, encoding, alpha)?;
        same("rgba8", gpu.download_packed(&packed)?, expected)?;
    }
    let packed = gpu.pack_rgba16f(&on_device, size, alpha)?;
    let expected = pack::rgba16f(image, size, alpha)?;
    let expected = expected.iter().flat_map(|half| half.to_le_bytes());
    same("rgba16f", gpu.download_packed(&packed)?, expected.collect())
}

fn pixels_are_those_of_the_host(caller: &Caller) -> Result<(), Failed> {
    for size in [
        size(1, 53, 37),
        size(1, 1, 1),
        size(3, 5, 64),
        size(2, 4, 65),
        size(1, 2, 300),
    ] {
        let pixels = size.views * size.height * size.width;
        // A transmittance of NaN and infinity, and outside [0, 1].
        let transmittance = values(pixels + 1).split_off(1);
        for channels in [3, 4] {
            let features = values(pixels * channels);
            let image = Image::from_features(&features[..]);
            let image = image.with_transmittance(&transmittance[..]);
            check(caller, &image, size, Alpha::Opaque)?;
            check(caller, &image, size, Alpha::Transmittance)?;
            if channels == 4 {
                check(caller, &image, size, Alpha::Channel)?;
            }
        }
    }
    Ok(())
}

/// Two million floats, evenly spaced in their bits: all signs, exponents and NaN.
fn every_range_of_floats(caller: &Caller) -> Result<(), Failed> {
    let (side, step) = (724, 2039);
    let features: Vec<f32> = (0..4 * side * side)
        .map(|i| f32::from_bits((i as u32).wrapping_mul(step)))
        .collect();
    let image = Image::from_features(&features[..]);
    check(caller, &image, size(1, side, side), Alpha::Channel)
}

/// The bytes of the host are the nearest ones by the formula of sRGB, which the thresholds replace.
fn bytes_are_the_nearest(_: &Caller) -> Result<(), Failed> {
    let side = 1024;
    let count = 4 * side * side;
    let features: Vec<f32> = (0..count).map(|i| i as f32 / count as f32).collect();
    let image = Image::from_features(&features[..]);
    let bytes = pack::rgba8(
        &image,
        size(1, side, side),
        TransferFunction::Srgb,
        Alpha::Channel,
    )?;
    for (i, (&byte, &x)) in bytes.iter().zip(&features).enumerate() {
        let x = f64::from(x);
        let encoded = match i % 4 {
            3 => x,
            _ if x <= 0.003_130_8 => 12.92 * x,
            _ => 1.055 * x.powf(1.0 / 2.4) - 0.055,
        };
        // The two pieces of the curve miss each other by 2e-8.
        let off = (f64::from(byte) - 255.0 * encoded).abs();
        ensure(off <= 0.5 + 1e-5, format!("{x}: {byte}"))?;
    }
    Ok(())
}

fn the_padding_of_rows_is_zero(caller: &Caller) -> Result<(), Failed> {
    let gpu = caller.gpu()?;
    let size = size(2, 3, 37);
    let image = Image::from_features(gpu.upload(&vec![1.0; 2 * 3 * 37 * 3])?);
    let bytes = gpu.pack_rgba8(&image, size, TransferFunction::Linear, Alpha::Opaque)?;
    let halves = gpu.pack_rgba16f(&image, size, Alpha::Opaque)?;
    for (packed, row, used) in [(&bytes, 256, 37), (&halves, 512, 74)] {
        let found = (packed.bytes_per_row(), packed.size(), packed.buffer().len());
        ensure(found == (row, size, 6 * row / 4), format!("{found:?}"))?;
        let words = gpu.download(packed.buffer())?;
        for row in words.chunks(row / 4) {
            let (pixels, padding) = row.split_at(used);
            ensure(padding.iter().all(|word| word.to_bits() == 0), "padding")?;
            ensure(pixels.iter().all(|word| word.to_bits() != 0), "pixels")?;
        }
    }
    Ok(())
}

fn no_images_give_no_pixels(caller: &Caller) -> Result<(), Failed> {
    let gpu = caller.gpu()?;
    let image = Image::from_features(gpu.upload(&[])?);
    let size = size(0, 4, 4);
    let bytes = gpu.pack_rgba8(&image, size, TransferFunction::Srgb, Alpha::Opaque)?;
    let halves = gpu.pack_rgba16f(&image, size, Alpha::Opaque)?;
    ensure(gpu.download_packed(&bytes)?.is_empty(), "bytes")?;
    ensure(gpu.download_packed(&halves)?.is_empty(), "halves")
}

fn wrong_shapes_are_refused(caller: &Caller) -> Result<(), Failed> {
    let gpu = caller.gpu()?;
    let size = size(1, 4, 5);
    let refused = |channels: usize, transmittance: Option<usize>, alpha, argument: &str| {
        let image = Image::from_features(gpu.upload(&vec![0.0; 20 * channels])?);
        let transmittance = transmittance.map(|len| gpu.upload(&vec![0.0; len]));
        let image = image.with_transmittance(transmittance.transpose()?);
        let bytes = gpu.pack_rgba8(&image, size, TransferFunction::Linear, alpha);
        let halves = gpu.pack_rgba16f(&image, size, alpha);
        let host = gpu.download_image(&image)?;
        let host = pack::rgba8(&host.as_slices(), size, TransferFunction::Linear, alpha);
        for error in [bytes.err(), halves.err(), host.err()] {
            match error {
                Some(RenderError::Shape { argument: got, .. }) if got == argument => {}
                other => return Err(Failed::from(format!("{argument}: {other:?}"))),
            }
        }
        Ok(())
    };
    refused(2, None, Alpha::Opaque, "image.features")?;
    refused(5, None, Alpha::Opaque, "image.features")?;
    refused(3, None, Alpha::Channel, "image.features")?;
    refused(3, None, Alpha::Transmittance, "image.transmittance")?;
    refused(4, Some(19), Alpha::Transmittance, "image.transmittance")?;
    let image = Image::from_features(gpu.upload(&[0.0; 3])?);
    for (height, width) in [(0, 4), (4, 0), (1 << 23, 1), (usize::MAX, usize::MAX)] {
        let size = ImageSize {
            height,
            width,
            views: 1,
        };
        let packed = gpu.pack_rgba16f(&image, size, Alpha::Opaque);
        ensure(packed.is_err(), format!("{size:?}"))?;
    }
    Ok(())
}
