//! JPEG files: the check that a file is whole, and decoding at a fraction of the size.

use image::metadata::Orientation;
use image::{DynamicImage, GrayImage, RgbImage};
use jpeg_decoder::{Decoder, PixelFormat};

use super::fault::{MAX_BYTES, corrupt};
use super::window::Window;

/// Returns true if the segments of a JPEG file lead to its end marker (ISO/IEC 10918-1, B.1.1 and
/// B.2).
///
/// A search for the two bytes of the end marker is not enough, because an embedded thumbnail also
/// has an end marker.
pub(super) fn is_whole(bytes: &[u8]) -> bool {
    const END_OF_IMAGE: u8 = 0xD9;
    let mut at = 2;
    while let Some(marker_at) = next_marker(bytes, at) {
        let marker = bytes[marker_at];
        at = marker_at + 1;
        if marker == END_OF_IMAGE {
            return true;
        }
        let Some(length) = bytes.get(at..at + 2) else {
            return false;
        };
        // Coded data without a length follow some segments. The next marker ends these data.
        at += usize::from(u16::from_be_bytes([length[0], length[1]]));
    }
    false
}

/// Returns the position of the code of the next marker at or after `from`. Stuffed zeros, restart
/// markers and fill bytes are skipped, because coded data contain them.
fn next_marker(bytes: &[u8], from: usize) -> Option<usize> {
    let pairs = bytes.get(from..)?.windows(2);
    let found = pairs
        .enumerate()
        .find(|(_, pair)| pair[0] == 0xFF && !matches!(pair[1], 0x00 | 0x01 | 0xD0..=0xD7 | 0xFF));
    found.map(|(i, _)| from + i + 1)
}

/// A JPEG picture at 1/2, 1/4 or 1/8 of its size, upright.
#[derive(Debug)]
pub(super) struct Reduced {
    pub(super) image: RgbImage,
    /// Full size divided by reduced size: 2, 4 or 8.
    factor: u32,
    orientation: Orientation,
}

/// Returns the largest reduction (1, 2, 4 or 8) for which `window` keeps at least `side` pixels in
/// both directions.
pub(super) fn reduction(window: Window, side: u32) -> u32 {
    let kept = window.width.min(window.height);
    let enough = |factor: &u32| kept >= side.saturating_mul(*factor);
    [8, 4, 2].into_iter().find(enough).unwrap_or(1)
}

/// Decodes a JPEG at `1 / factor` of its size. The result is `None` for colour spaces other than
/// grey and three-component colour.
///
/// The decoder transforms only the low frequencies of each block of 8 x 8 pixels, which replaces
/// each square of `factor` x `factor` pixels by about its mean.
pub(super) fn decode_reduced(
    bytes: &[u8],
    factor: u32,
    orientation: Orientation,
) -> Result<Option<Reduced>, String> {
    let mut decoder = Decoder::new(bytes);
    decoder.set_max_decoding_buffer_size(MAX_BYTES as usize);
    decoder.read_info().map_err(corrupt)?;
    let info = decoder.info().ok_or("corrupt: no size")?;
    if !matches!(info.pixel_format, PixelFormat::L8 | PixelFormat::RGB24) {
        return Ok(None);
    }
    let reduced = |side: u16| u32::from(side).div_ceil(factor) as u16;
    let (width, height) = decoder
        .scale(reduced(info.width), reduced(info.height))
        .map_err(corrupt)?;
    // If a side has few pixels, the decoder can choose a smaller reduction.
    if (width, height) != (reduced(info.width), reduced(info.height)) {
        return Ok(None);
    }
    let pixels = decoder.decode().map_err(corrupt)?;
    let (width, height) = (u32::from(width), u32::from(height));
    let image = if info.pixel_format == PixelFormat::L8 {
        GrayImage::from_raw(width, height, pixels).map(DynamicImage::from)
    } else {
        RgbImage::from_raw(width, height, pixels).map(DynamicImage::from)
    };
    let mut image = image.ok_or("corrupt: too few pixels")?;
    image.apply_orientation(orientation);
    Ok(Some(Reduced {
        image: image.into_rgb8(),
        factor,
        orientation,
    }))
}

impl Reduced {
    /// Converts a window of the upright picture of `full` pixels (width, height) to left, top,
    /// width and height in pixels of the reduced picture.
    ///
    /// The last column and the last row of the stored picture can stand for fewer than `factor`
    /// pixels. A turn can move them to the left or to the top.
    pub(super) fn window(&self, window: Window, full: (u32, u32)) -> [f64; 4] {
        use Orientation::{
            FlipHorizontal, FlipVertical, Rotate90, Rotate180, Rotate270, Rotate270FlipH,
        };
        let turn = self.orientation;
        let at_left = matches!(turn, FlipHorizontal | Rotate180 | Rotate90 | Rotate270FlipH);
        let at_top = matches!(turn, FlipVertical | Rotate180 | Rotate270 | Rotate270FlipH);
        let scale = |pixels: u32| f64::from(pixels) / f64::from(self.factor);
        let missing = |full, reduced| f64::from(reduced) - scale(full);
        let (width, height) = self.image.dimensions();
        let left = if at_left { missing(full.0, width) } else { 0.0 };
        let top = if at_top { missing(full.1, height) } else { 0.0 };
        [
            left + scale(window.left),
            top + scale(window.top),
            scale(window.width),
            scale(window.height),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reduction_keeps_the_side_of_the_result() {
        let window = |width, height| Window {
            left: 0,
            top: 0,
            width,
            height,
            mirrored: false,
        };
        for (width, height, factor) in [
            (447, 900, 1),
            (448, 448, 2),
            (900, 895, 2),
            (896, 896, 4),
            (1792, 4000, 8),
            (9999, 9999, 8),
        ] {
            assert_eq!(reduction(window(width, height), 224), factor);
        }
    }
}
