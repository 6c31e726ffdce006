//! The conversion of images to pixels on a device, and its kernels.

mod pixel_row;

use cubecl::future::block_on;
use cubecl::prelude::*;

use crate::device::Gpu;
use crate::device::buffer::GpuBuffer;
use crate::device::launch::{cube_dim, grid_of_units, unit_index};
use crate::error::{RenderError, checked_product};
use crate::image::{Image, ImageSize};
use crate::pack::gpu::pixel_row::{ALPHA, channel_of, set_halves_of};
use crate::pack::pixel::{Alpha, LEVELS, TransferFunction, channels_of, thresholds};

/// Alignment of the rows in words: 256 bytes, which WebGPU requires for copies to textures.
const ROW: usize = 64;

/// Packed images on a device, with four channels per pixel: red, green, blue, alpha.
///
/// Row `i` of image `b` begins at byte `(b H + i) bytes_per_row` of the buffer. The bytes between
/// the end of a row and the beginning of the next are 0.
#[derive(Debug, Clone)]
pub struct PackedImage {
    buffer: GpuBuffer,
    size: ImageSize,
    words_per_pixel: usize,
}

impl PackedImage {
    /// Returns the memory of the pixels.
    pub fn buffer(&self) -> &GpuBuffer {
        &self.buffer
    }

    /// Returns the size of the images.
    pub fn size(&self) -> ImageSize {
        self.size
    }

    /// Returns the number of bytes of a pixel: 4 for bytes, 8 for 16-bit floats.
    pub fn bytes_per_pixel(&self) -> usize {
        self.words_per_pixel * size_of::<u32>()
    }

    /// Returns the number of bytes from the beginning of a row to the beginning of the next, a
    /// multiple of 256.
    pub fn bytes_per_row(&self) -> usize {
        words_per_row(self.size, self.words_per_pixel) * size_of::<u32>()
    }
}

fn words_per_row(size: ImageSize, words_per_pixel: usize) -> usize {
    (size.width * words_per_pixel).next_multiple_of(ROW)
}

impl<R: Runtime> Gpu<R> {
    /// [`pack::rgba8`](crate::pack::rgba8) on the device, with the same bytes.
    ///
    /// # Errors
    /// The errors of [`pack::rgba8`](crate::pack::rgba8). Also [`RenderError::Capacity`] if the
    /// rows exceed the device's largest buffer.
    pub fn pack_rgba8(
        &self,
        image: &Image<GpuBuffer>,
        size: ImageSize,
        transfer: TransferFunction,
        alpha: Alpha,
    ) -> Result<PackedImage, RenderError> {
        let source = Source::new(self, image, size, alpha)?;
        let packed = self.rows(size, 1)?;
        if packed.buffer.is_empty() {
            return Ok(packed);
        }
        let tables = [thresholds(transfer), thresholds(TransferFunction::Linear)];
        let tables = self.upload_words(tables.map(|table| &table[..]).concat().as_slice())?;
        let slots = words_per_row(size, 1);
        let count = packed.buffer.len();
        pack_rgba8_kernel::launch::<R>(
            &self.client,
            grid_of_units(count)?,
            cube_dim(),
            source.features.arg(),
            source.transmittance.arg(),
            tables.arg(),
            packed.buffer.arg(),
            size.width as u32,
            slots as u32,
            count as u32,
            source.channels as u32,
            alpha,
        );
        Ok(packed)
    }

    /// [`pack::rgba16f`](crate::pack::rgba16f) on the device, with the same bits.
    ///
    /// # Errors
    /// The errors of [`pack::rgba16f`](crate::pack::rgba16f). Also [`RenderError::Capacity`] if the
    /// rows exceed the device's largest buffer.
    pub fn pack_rgba16f(
        &self,
        image: &Image<GpuBuffer>,
        size: ImageSize,
        alpha: Alpha,
    ) -> Result<PackedImage, RenderError> {
        let source = Source::new(self, image, size, alpha)?;
        let packed = self.rows(size, 2)?;
        if packed.buffer.is_empty() {
            return Ok(packed);
        }
        let slots = words_per_row(size, 2) / 2;
        let count = packed.buffer.len() / 2;
        pack_rgba16f_kernel::launch::<R>(
            &self.client,
            grid_of_units(count)?,
            cube_dim(),
            source.features.arg(),
            source.transmittance.arg(),
            packed.buffer.arg(),
            size.width as u32,
            slots as u32,
            count as u32,
            source.channels as u32,
            alpha,
        );
        Ok(packed)
    }

    /// Copies packed images to the host, without the padding of the rows: bytes `[B, H, W, 4]`, or
    /// 16-bit floats of the same shape as pairs of bytes, the lower byte first.
    ///
    /// # Errors
    /// [`RenderError::Device`] if the device failed.
    ///
    /// # Panics
    /// Panics in a browser, where a host cannot block: use [`Gpu::download_packed_async`].
    pub fn download_packed(&self, packed: &PackedImage) -> Result<Vec<u8>, RenderError> {
        block_on(self.download_packed_async(packed))
    }

    /// [`Gpu::download_packed`] for hosts that must not block.
    ///
    /// # Errors
    /// [`RenderError::Device`] if the device failed.
    pub async fn download_packed_async(
        &self,
        packed: &PackedImage,
    ) -> Result<Vec<u8>, RenderError> {
        let words = self.read(&packed.buffer).await?;
        let padded = words_per_row(packed.size, packed.words_per_pixel);
        let used = packed.size.width * packed.words_per_pixel;
        let rows = words.chunks(padded).flat_map(|row| row.iter().take(used));
        Ok(rows.flat_map(|word| word.to_le_bytes()).collect())
    }

    /// Allocates the rows of packed images.
    fn rows(&self, size: ImageSize, words_per_pixel: usize) -> Result<PackedImage, RenderError> {
        let what = "packed rows [B, H, bytes_per_row]";
        let words = [
            size.views,
            size.height,
            words_per_row(size, words_per_pixel),
        ];
        Ok(PackedImage {
            buffer: self.empty(what, checked_product(what, &words)?)?,
            size,
            words_per_pixel,
        })
    }
}

/// The buffers of an image that are packed.
struct Source<'a> {
    features: &'a GpuBuffer,
    /// One word that no kernel reads, unless alpha is that of the transmittance. A buffer must not
    /// be bound twice, so the features cannot take its place.
    transmittance: GpuBuffer,
    channels: usize,
}

impl<'a> Source<'a> {
    fn new<R: Runtime>(
        gpu: &Gpu<R>,
        image: &'a Image<GpuBuffer>,
        size: ImageSize,
        alpha: Alpha,
    ) -> Result<Self, RenderError> {
        let channels = channels_of(image, size, alpha, GpuBuffer::len)?;
        let transmittance = match (&image.transmittance, alpha) {
            (Some(transmittance), Alpha::Transmittance) => transmittance.clone(),
            _ => gpu.empty("a word", 1)?,
        };
        Ok(Self {
            features: &image.features,
            transmittance,
            channels,
        })
    }
}

/// Packs one pixel, or the padding of a row, per thread. A row has `slots` words. `tables` has the
/// thresholds of the colours, then those of alpha.
#[cube(launch)]
fn pack_rgba8_kernel(
    features: &Array<u32>,
    transmittance: &Array<u32>,
    tables: &Array<u32>,
    out: &mut Array<u32>,
    width: u32,
    slots: u32,
    count: u32,
    channels: u32,
    #[comptime] alpha: Alpha,
) {
    let slot = unit_index();
    if slot < count {
        let row = slot / slots;
        let column = slot - row * slots;
        let mut word = 0u32;
        if column < width {
            let pixel = row * width + column;
            let red = level(tables, 0u32, channel_of(features, channels, pixel, 0u32));
            let green = level(tables, 0u32, channel_of(features, channels, pixel, 1u32));
            let blue = level(tables, 0u32, channel_of(features, channels, pixel, 2u32));
            let last = alpha_bits(features, transmittance, pixel, channels, alpha);
            let last = level(tables, comptime![LEVELS as u32], last);
            word = red | (green << 8) | (blue << 16) | (last << 24);
        }
        out[slot as usize] = word;
    }
}

/// Packs one pixel, or the padding of a row, per thread. A row has `slots` pairs of words.
#[cube(launch)]
fn pack_rgba16f_kernel(
    features: &Array<u32>,
    transmittance: &Array<u32>,
    out: &mut Array<u32>,
    width: u32,
    slots: u32,
    count: u32,
    channels: u32,
    #[comptime] alpha: Alpha,
) {
    let slot = unit_index();
    if slot < count {
        let row = slot / slots;
        let column = slot - row * slots;
        let mut first = 0u32;
        let mut second = 0u32;
        if column < width {
            let pixel = row * width + column;
            let red = half_bits(channel_of(features, channels, pixel, 0u32));
            let green = half_bits(channel_of(features, channels, pixel, 1u32));
            let blue = half_bits(channel_of(features, channels, pixel, 2u32));
            let last = alpha_bits(features, transmittance, pixel, channels, alpha);
            first = red | (green << 16);
            second = blue | (half_bits(last) << 16);
        }
        set_halves_of(out, slot, first, second);
    }
}

/// Returns the bits of alpha of a pixel.
#[cube]
fn alpha_bits(
    features: &Array<u32>,
    transmittance: &Array<u32>,
    pixel: u32,
    channels: u32,
    #[comptime] alpha: Alpha,
) -> u32 {
    // The bits of 1.
    let mut bits = 0x3f80_0000u32;
    if comptime![alpha == Alpha::Channel] {
        bits = channel_of(features, channels, pixel, comptime![ALPHA]);
    }
    if comptime![alpha == Alpha::Transmittance] {
        let of_transmittance = transmittance[pixel as usize];
        bits = u32::reinterpret(1.0f32 - f32::reinterpret(of_transmittance));
        // A compiler may assume that no number is NaN, and NaN must become NaN.
        if (of_transmittance & 0x7fff_ffff) > 0x7f80_0000 {
            bits = of_transmittance;
        }
    }
    bits
}

/// Returns the greatest byte whose threshold is at most the value with these bits. The thresholds
/// begin at `first`.
#[cube]
fn level(tables: &Array<u32>, first: u32, bits: u32) -> u32 {
    let mut key = bits;
    // Negative numbers and NaN. The bits of other floats have the order of the floats.
    if bits > 0x7f80_0000 {
        key = 0u32;
    }
    let mut level = 0u32;
    #[unroll]
    for i in 0..8u32 {
        let step = comptime![128u32 >> i];
        if tables[(first + level + step) as usize] <= key {
            level += step;
        }
    }
    level
}

/// Returns the bits of the value of binary16 that is nearest to the value with these bits, as
/// described in [`crate::pack`].
#[cube]
fn half_bits(bits: u32) -> u32 {
    let size = bits & 0x7fff_ffff;
    let mut half = 0u32;
    if size > 0x477f_e000 {
        // Above 65,504, the greatest finite value.
        half = 0x7bff;
    } else if size >= 0x3880_0000 {
        // At least 2^-14: the exponents differ by 112 and the mantissas by 13 bits.
        half = (size - 0x3800_0000 + 0xfff + ((size >> 13) & 1)) >> 13;
    } else if size >= 0x3300_0000 {
        // At least 2^-25: a multiple of 2^-24. The shift is 14 to 24 bits.
        let mantissa = (size & 0x007f_ffff) | 0x0080_0000;
        let shift = 126 - (size >> 23);
        half = mantissa >> shift;
        let rest = mantissa - (half << shift);
        let middle = 1u32 << (shift - 1);
        if rest > middle || (rest == middle && (half & 1) == 1) {
            half += 1;
        }
    }
    half |= (bits >> 16) & 0x8000;
    if size > 0x7f80_0000 {
        half = 0u32;
    }
    half
}
