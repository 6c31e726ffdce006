//! Pixels with 8 or 16 bits per channel, for textures and files.
//!
//! [`rgba8`] and [`rgba16f`] convert images on the host.
//! [`Cpu::render_rgba8_into`](crate::Cpu::render_rgba8_into) renders to bytes. `Gpu::pack_rgba8` and
//! `Gpu::pack_rgba16f` convert images on a device to the same bits: they compare integers, so that
//! neither the rounding nor the treatment of NaN depends on the device.
//!
//! The colours are the first three channels of the image, as they are: premultiplied, over the
//! background. Only a render over a black background is premultiplied in the usual sense, without
//! the colour of a background.
//!
//! # Eight bits
//! A value `x` becomes the byte that is nearest to `255 x`, or to `255 s(x)` with the curve `s` of
//! sRGB. Of two bytes at the same distance the greater one is chosen. NaN and negative values
//! become 0, and values above 1 become 255.
//!
//! # Sixteen bits
//! A value becomes the nearest value of IEEE binary16, ties to even. Values beyond ±65,504 are
//! clamped to ±65,504, infinities included. NaN becomes 0. Negative values keep their sign.

#[cfg(feature = "gpu")]
pub(crate) mod gpu;
pub(crate) mod pixel;

#[cfg(feature = "gpu")]
pub use crate::pack::gpu::PackedImage;
pub use crate::pack::pixel::{Alpha, TransferFunction, rgba8, rgba8_into, rgba16f};
