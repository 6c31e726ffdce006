//! Masks in image files: grey masks and trimaps.

use std::path::Path;

use image::RgbImage;

use super::entry::fault;
use super::item::Truth;
use crate::data::decode::decode;
use crate::data::error::DataError;
use crate::data::pixel_mask::PixelMask;

/// The kind of file, for messages.
const WHAT: &str = "mask";
/// Largest grey value of the background.
const BACKGROUND: u16 = 127;
/// Value of the pixels of a trimap that the annotators left undecided.
const UNDECIDED: u8 = 128;

/// Reads a grey mask. The object has the values above 127.
///
/// # Errors
///
/// [`DataError::Annotation`] if the file is not an image, or the object has no pixel.
pub(super) fn grey(path: &Path) -> Result<Truth, DataError> {
    let image = open(path)?;
    let mask = mask(&image, |colour| {
        colour.map(u16::from).iter().sum::<u16>() > 3 * BACKGROUND
    })?;
    if mask.count() == 0 {
        return Err(fault(WHAT, path, "values above 127", "none"));
    }
    Ok(Truth::mask(mask))
}

/// Reads a trimap: 255 is the object, 0 the background, and 128 undecided.
///
/// # Errors
///
/// [`DataError::Annotation`] if the file is not an image, has other values, or the object has no
/// pixel.
pub(super) fn trimap(path: &Path) -> Result<Truth, DataError> {
    let image = open(path)?;
    let is_known = |[r, g, b]: [u8; 3]| r == g && g == b && [0, UNDECIDED, 255].contains(&r);
    if let Some((x, y, colour)) = image.enumerate_pixels().find(|(.., c)| !is_known(c.0)) {
        let got = format!("{:?} in column {x}, row {y}", colour.0);
        return Err(fault(WHAT, path, "the grey values 0, 128 and 255", got));
    }
    let foreground = mask(&image, |colour| colour[0] == 255)?;
    if foreground.count() == 0 {
        return Err(fault(WHAT, path, "pixels of the value 255", "none"));
    }
    let undecided = mask(&image, |colour| colour[0] == UNDECIDED)?;
    Ok(Truth {
        foreground,
        undecided: (undecided.count() > 0).then_some(undecided),
        rectangle: None,
    })
}

fn open(path: &Path) -> Result<RgbImage, DataError> {
    decode(path, 1).map_err(|reason| fault(WHAT, path, "a readable image", reason))
}

fn mask(image: &RgbImage, value: impl Fn([u8; 3]) -> bool) -> Result<PixelMask, DataError> {
    let (width, height) = (image.width() as usize, image.height() as usize);
    let values = image.pixels().map(|colour| value(colour.0)).collect();
    PixelMask::new(width, height, values)
}
