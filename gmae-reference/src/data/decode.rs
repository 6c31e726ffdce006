//! Strict reading of one JPEG or PNG file: an incomplete file is an error.

use std::io::Cursor;
use std::path::Path;

use image::{ImageFormat, ImageReader, RgbImage};

/// Decodes the file at `path` to eight-bit RGB. The content determines the format, not the
/// extension. Transparency is dropped.
///
/// # Errors
///
/// The fault in words, without the name of the file: unreadable, neither JPEG nor PNG, truncated,
/// corrupt, or with a side below `min_side` pixels.
pub(crate) fn decode(path: &Path, min_side: usize) -> Result<RgbImage, String> {
    let bytes = std::fs::read(path).map_err(|error| format!("cannot be read: {error}"))?;
    decode_bytes(&bytes, min_side)
}

fn decode_bytes(bytes: &[u8], min_side: usize) -> Result<RgbImage, String> {
    let format = image::guess_format(bytes)
        .ok()
        .filter(|format| matches!(format, ImageFormat::Jpeg | ImageFormat::Png))
        .ok_or("holds neither JPEG nor PNG data")?;
    // The JPEG decoder fills missing data with grey and reports no error.
    if format == ImageFormat::Jpeg && !jpeg_is_whole(bytes) {
        return Err("truncated: the JPEG data have no end marker".to_owned());
    }
    let image = ImageReader::with_format(Cursor::new(bytes), format)
        .decode()
        .map_err(|error| format!("corrupt: {error}"))?
        .into_rgb8();
    let (width, height) = image.dimensions();
    if (width.min(height) as usize) < min_side.max(1) {
        return Err(format!(
            "too small: {width} x {height} pixels, expected at least {min_side} per side"
        ));
    }
    Ok(image)
}

/// Returns true if the segments of a JPEG file lead to its end marker (ISO/IEC 10918-1, B.1.1 and
/// B.2).
///
/// A search for the two bytes of the end marker is not enough, because an embedded thumbnail also
/// has an end marker.
fn jpeg_is_whole(bytes: &[u8]) -> bool {
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
