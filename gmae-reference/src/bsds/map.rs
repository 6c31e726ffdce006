//! Edge maps: the strength of a boundary at every pixel, as an eight-bit grey PNG file.

use std::fs::File;
use std::io::{Cursor, Read as _};
use std::path::Path;

use image::{ColorType, ImageDecoder as _, ImageError};

use super::bitmap::Bitmap;
use super::error::{BsdsError, Fault};
use crate::data::guarded;

/// Largest side of an edge map in pixels. The radius of a match then has at most 22 pixels.
pub const MAX_SIDE: usize = 2048;
/// Largest file that is read, in bytes.
const MAX_FILE: u64 = 1 << 26;
/// The first bytes of a PNG file.
const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";
/// The only kind of file that is read, for messages.
const KIND: &str = "an 8-bit grey PNG file";

/// The strength of a boundary at every pixel of an image: 0 for none, 255 for the strongest.
///
/// The method that makes the map does its own non-maximum suppression.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EdgeMap {
    width: usize,
    height: usize,
    /// `[height, width]`, row by row.
    values: Vec<u8>,
}

impl EdgeMap {
    /// Creates a map from its values, row by row. The result is `None` if their number is not
    /// `width * height`, or if a side is zero or larger than [`MAX_SIDE`].
    pub fn new(width: usize, height: usize, values: Vec<u8>) -> Option<Self> {
        check_size(width, height).ok()?;
        (values.len() == width * height).then_some(Self {
            width,
            height,
            values,
        })
    }

    /// Reads an eight-bit grey PNG file. Files with a palette, with colour, with transparency or
    /// with sixteen bits are refused, because their values could be read in several ways. Grey of
    /// one, two or four bits is spread over 0 to 255.
    ///
    /// # Errors
    ///
    /// [`BsdsError::Map`] if the file cannot be read, is damaged, or is of another kind.
    pub fn read(path: &Path) -> Result<Self, BsdsError> {
        let map = read_file(path).and_then(|bytes| {
            guarded(|| Ok(Self::from_bytes(&bytes)))
                .unwrap_or_else(|words| Err(Fault::new("a whole PNG file", words)))
        });
        map.map_err(|fault| fault.of_map(path))
    }

    /// Reads the content of a PNG file.
    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, Fault> {
        if !bytes.starts_with(SIGNATURE) {
            return Err(Fault::new(KIND, "a file without the signature of PNG"));
        }
        // The colour type is the byte after the signature, the length and type of the first chunk,
        // two sides of four bytes and the depth. The decoder would turn a palette into colours.
        if bytes.get(25) == Some(&3) {
            return Err(Fault::new(KIND, "a PNG file with a palette"));
        }
        let damaged = |error: ImageError| Fault::new("a whole PNG file", error.to_string());
        let decoder = image::codecs::png::PngDecoder::new(Cursor::new(bytes)).map_err(damaged)?;
        let kind = match decoder.color_type() {
            ColorType::L8 => None,
            ColorType::La8 => Some("one with transparency"),
            ColorType::L16 | ColorType::La16 => Some("one of 16 bits"),
            ColorType::Rgb8 | ColorType::Rgba8 => Some("one with colours"),
            _ => Some("one with colours of 16 bits"),
        };
        if let Some(kind) = kind {
            return Err(Fault::new(KIND, kind));
        }
        let (width, height) = decoder.dimensions();
        let (width, height) = (width as usize, height as usize);
        check_size(width, height)?;
        let mut values = vec![0; width * height];
        decoder.read_image(&mut values).map_err(damaged)?;
        Ok(Self {
            width,
            height,
            values,
        })
    }

    /// Width in pixels.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Height in pixels.
    pub fn height(&self) -> usize {
        self.height
    }

    /// The values, row by row.
    pub fn values(&self) -> &[u8] {
        &self.values
    }

    /// Returns the pixels whose value is at least `least`.
    pub fn at_least(&self, least: u8) -> Bitmap {
        Bitmap::from_fn(self.width, self.height, |x, y| {
            self.values[y * self.width + x] >= least
        })
    }
}

/// Checks the sides of a picture.
pub(super) fn check_size(width: usize, height: usize) -> Result<(), Fault> {
    let good = 1..=MAX_SIDE;
    if good.contains(&width) && good.contains(&height) {
        return Ok(());
    }
    let expected = format!("sides of 1 to {MAX_SIDE} pixels");
    Err(Fault::new(expected, format!("{width} x {height} pixels")))
}

/// Reads a regular file that is not too large.
pub(super) fn read_file(path: &Path) -> Result<Vec<u8>, Fault> {
    let unreadable = |error| Fault::unreadable(&error);
    let found = std::fs::metadata(path).map_err(unreadable)?;
    if !found.is_file() {
        return Err(Fault::new("a regular file", "another kind"));
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    let mut file = file.take(MAX_FILE + 1);
    file.read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(Fault::new(format!("at most {MAX_FILE} bytes"), "more"));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{DynamicImage, ImageFormat};

    fn png(image: &DynamicImage) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        image.write_to(&mut bytes, ImageFormat::Png).expect("a PNG");
        bytes.into_inner()
    }

    fn refused(bytes: &[u8], words: &str) {
        let fault = EdgeMap::from_bytes(bytes).expect_err(words);
        let text = format!("{} / {}", fault.expected, fault.got);
        assert!(text.contains(words), "{words}: {text}");
    }

    #[test]
    fn grey_is_read_and_other_kinds_are_named() {
        let grey = image::GrayImage::from_fn(3, 2, |x, y| image::Luma([(x * 100 + y) as u8]));
        let bytes = png(&DynamicImage::from(grey));
        let map = EdgeMap::from_bytes(&bytes).expect("a map");
        assert_eq!((map.width(), map.height()), (3, 2));
        assert_eq!(map.values(), [0, 100, 200, 1, 101, 201]);
        assert_eq!(
            map.at_least(101).pixels().collect::<Vec<_>>(),
            [(2, 0), (1, 1), (2, 1)]
        );
        for (image, words) in [
            (DynamicImage::new_luma_a8(3, 2), "transparency"),
            (DynamicImage::new_luma16(3, 2), "16 bits"),
            (DynamicImage::new_rgb8(3, 2), "colours"),
            (DynamicImage::new_rgba8(3, 2), "colours"),
            (DynamicImage::new_rgb16(3, 2), "colours of 16 bits"),
            (DynamicImage::new_luma8(3000, 1), "3000 x 1"),
        ] {
            refused(&png(&image), words);
        }
        refused(b"\xFF\xD8\xFF\xE0 JPEG", "signature");
        // The palette is announced in the byte of the colour type. Nothing after it is read.
        let mut palette = bytes.clone();
        palette[25] = 3;
        refused(&palette, "palette");
        for length in 0..bytes.len() - 12 {
            assert!(EdgeMap::from_bytes(&bytes[..length]).is_err(), "{length}");
        }
    }

    #[test]
    fn values_must_fill_the_map() {
        assert!(EdgeMap::new(3, 2, vec![0; 6]).is_some());
        assert!(EdgeMap::new(3, 2, vec![0; 5]).is_none());
        assert!(EdgeMap::new(0, 2, Vec::new()).is_none());
        assert!(EdgeMap::new(usize::MAX, 2, vec![0; 2]).is_none());
    }
}
