//! Strict decoding of one image file: an incomplete file is an error.

use std::io::Cursor;
use std::path::Path;

use image::metadata::Orientation;
use image::{
    DynamicImage, GenericImageView, ImageDecoder, ImageFormat, ImageReader, Rgb, RgbImage,
};

use super::fault::{MAX_BYTES, corrupt, guarded};
use super::jpeg::is_whole;

/// The kinds of images that are read, for messages.
pub(crate) const KINDS: &str = "JPEG, PNG, WebP, GIF, BMP or TIFF";

/// A decoded picture.
#[derive(Debug)]
pub(super) struct Decoded {
    /// The picture, turned upright and over white.
    pub(super) image: RgbImage,
    /// Whether any pixel was transparent.
    pub(super) transparent: bool,
}

/// An image file whose header has been read.
pub(super) struct Header<'a> {
    decoder: Box<dyn ImageDecoder + 'a>,
    /// The kind of the file.
    pub(super) format: ImageFormat,
    /// The turn that makes the stored picture upright.
    pub(super) orientation: Orientation,
    /// Width in pixels of the upright picture.
    pub(super) width: u32,
    /// Height in pixels of the upright picture.
    pub(super) height: u32,
}

/// Decodes the file at `path` to eight-bit RGB, upright and over white. The content determines the
/// format, not the extension. The first frame of an animation is returned.
///
/// # Errors
///
/// The fault in words, without the name of the file: unreadable, none of the kinds that are read,
/// truncated, corrupt, too large, or with a side below `min_side` pixels.
pub(crate) fn decode(path: &Path, min_side: usize) -> Result<RgbImage, String> {
    let unreadable = |error| format!("cannot be read: {error}");
    let found = std::fs::metadata(path).map_err(unreadable)?;
    if !found.is_file() {
        return Err("not a regular file".to_owned());
    }
    let size = found.len();
    if size > MAX_BYTES {
        return Err(format!(
            "too large: {size} bytes, expected at most {MAX_BYTES}"
        ));
    }
    let bytes = std::fs::read(path).map_err(unreadable)?;
    guarded(|| Ok(Header::read(&bytes, min_side)?.decode()?.image))
}

impl<'a> Header<'a> {
    /// Reads the header of an image file. No pixel is decoded.
    pub(super) fn read(bytes: &'a [u8], min_side: usize) -> Result<Self, String> {
        use ImageFormat::{Bmp, Gif, Jpeg, Png, Tiff, WebP};
        let format = image::guess_format(bytes)
            .ok()
            .filter(|format| matches!(format, Jpeg | Png | WebP | Gif | Bmp | Tiff))
            .ok_or_else(|| format!("holds no {KINDS} data"))?;
        // The JPEG decoder fills missing data with grey and reports no error.
        if format == Jpeg && !is_whole(bytes) {
            return Err("truncated: the JPEG data have no end marker".to_owned());
        }
        let reader = ImageReader::with_format(Cursor::new(bytes), format);
        let mut decoder: Box<dyn ImageDecoder> = Box::new(reader.into_decoder().map_err(corrupt)?);
        // A picture with a damaged orientation is shown as it is stored.
        let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
        let (width, height) = upright(decoder.dimensions(), orientation);
        if (width.min(height) as usize) < min_side.max(1) {
            return Err(format!(
                "too small: {width} x {height} pixels, expected at least {min_side} per side"
            ));
        }
        if decoder.total_bytes() > MAX_BYTES {
            return Err(format!(
                "too large: {width} x {height} pixels, expected at most {MAX_BYTES} bytes in memory"
            ));
        }
        Ok(Self {
            decoder,
            format,
            orientation,
            width,
            height,
        })
    }

    /// Decodes the picture at full size.
    pub(super) fn decode(self) -> Result<Decoded, String> {
        let mut image = DynamicImage::from_decoder(self.decoder).map_err(corrupt)?;
        image.apply_orientation(self.orientation);
        Ok(over_white(image))
    }
}

/// Returns width and height after a turn.
fn upright((width, height): (u32, u32), orientation: Orientation) -> (u32, u32) {
    use Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
    match orientation {
        Rotate90 | Rotate90FlipH | Rotate270 | Rotate270FlipH => (height, width),
        _ => (width, height),
    }
}

/// Composites the picture over white. The colours of transparent pixels are arbitrary and must not
/// show.
fn over_white(image: DynamicImage) -> Decoded {
    if !image.color().has_alpha() {
        return Decoded {
            image: image.into_rgb8(),
            transparent: false,
        };
    }
    let (width, height) = image.dimensions();
    let layered = image.into_rgba8();
    let mut flat = RgbImage::new(width, height);
    let mut transparent = false;
    for (to, from) in flat.pixels_mut().zip(layered.pixels()) {
        let [red, green, blue, alpha] = from.0.map(u32::from);
        transparent |= alpha < 255;
        let mix = |colour| ((colour * alpha + 255 * (255 - alpha) + 127) / 255) as u8;
        *to = Rgb([mix(red), mix(green), mix(blue)]);
    }
    Decoded {
        image: flat,
        transparent,
    }
}
