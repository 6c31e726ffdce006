//! Decoding of the photograph: orientation, transparency and size.

use std::error::Error;
use std::fmt::{self, Display};
use std::io::Cursor;

use image::imageops::{self, FilterType};
use image::{DynamicImage, ImageDecoder, ImageReader, Rgb, RgbImage};
use splat::formulas::MAX_SIDE_PX;

/// The most bytes of decoded pixels. A small file can promise any number of them.
const MOST_BYTES: u64 = 1 << 29;

/// A difference between the picture that a viewer shows and the one that is fitted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Change {
    /// Pixels that are not opaque were composited over white.
    OnWhite { pixels: usize, of: usize },
    /// The picture was downsampled.
    Downsampled { from: [u32; 2], to: [u32; 2] },
}

impl Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::OnWhite { pixels, of } => write!(
                f,
                "{pixels} of {of} pixels are transparent, and are composited over white"
            ),
            Self::Downsampled {
                from: [width, height],
                to: [to_width, to_height],
            } => write!(
                f,
                "{width} x {height} px are downsampled to {to_width} x {to_height} px (--max-side)"
            ),
        }
    }
}

/// Decodes a file: applies the orientation stored in it, composites transparent pixels over white,
/// and downsamples the picture if a side has more than `most_px`.
pub(crate) fn picture(bytes: &[u8], most_px: u32) -> Result<(RgbImage, Vec<Change>), String> {
    let decoded = upright(bytes).map_err(|error| {
        let words: Vec<String> = error.to_string().lines().map(str::to_owned).collect();
        let words = words.join(" ");
        format!("expected a PNG or JPEG file: {}", words.trim())
    })?;
    let from = [decoded.width(), decoded.height()];
    if from.iter().any(|&px| px == 0 || px as usize > MAX_SIDE_PX) {
        let [width, height] = from;
        return Err(format!(
            "expected sides of 1 to {MAX_SIDE_PX} px, got {width} x {height} px"
        ));
    }
    let mut changes = Vec::new();
    let (opaque, pixels) = on_white(decoded);
    let of = from[0] as usize * from[1] as usize;
    if pixels > 0 {
        changes.push(Change::OnWhite { pixels, of });
    }
    let to = fitted(from, most_px);
    if to == from {
        return Ok((opaque, changes));
    }
    changes.push(Change::Downsampled { from, to });
    // When it reduces, `image` widens the filter to the size of a new pixel, so that every old pixel
    // counts.
    let smaller = imageops::resize(&opaque, to[0], to[1], FilterType::Triangle);
    Ok((smaller, changes))
}

/// Returns the size whose longer side has at most `most_px`, with the same ratio of the sides.
fn fitted(from: [u32; 2], most_px: u32) -> [u32; 2] {
    let longest = from[0].max(from[1]);
    if longest <= most_px {
        return from;
    }
    let factor = f64::from(most_px) / f64::from(longest);
    from.map(|px| ((f64::from(px) * factor).round() as u32).max(1))
}

/// Decodes a file in the orientation stored in it.
fn upright(bytes: &[u8]) -> Result<DynamicImage, Box<dyn Error>> {
    let mut decoder = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()?
        .into_decoder()?;
    if decoder.total_bytes() > MOST_BYTES {
        let (width, height) = decoder.dimensions();
        return Err(format!("{width} x {height} px take more than {MOST_BYTES} bytes").into());
    }
    let orientation = decoder.orientation()?;
    let mut picture = DynamicImage::from_decoder(decoder)?;
    picture.apply_orientation(orientation);
    Ok(picture)
}

/// Composites a picture over white. Returns the number of pixels that are not opaque.
fn on_white(picture: DynamicImage) -> (RgbImage, usize) {
    if !picture.color().has_alpha() {
        return (picture.into_rgb8(), 0);
    }
    let picture = picture.into_rgba8();
    let (width, height) = picture.dimensions();
    let mut transparent = 0;
    let opaque = RgbImage::from_fn(width, height, |x, y| {
        let [red, green, blue, alpha] = picture.get_pixel(x, y).0.map(u16::from);
        transparent += usize::from(alpha < 255);
        let on_white = |colour: u16| ((colour * alpha + 255 * (255 - alpha) + 127) / 255) as u8;
        Rgb([red, green, blue].map(on_white))
    });
    (opaque, transparent)
}
