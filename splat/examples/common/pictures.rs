//! Pictures with eight bits per channel.

use std::io::Cursor;
use std::path::Path;

use image::{ImageFormat, RgbImage};

use super::files;

/// Converts a colour value to a byte. Values outside [0, 1] are clamped.
pub(crate) fn byte(value: f32) -> u8 {
    (value.clamp(0.0, 1.0) * 255.0).round() as u8
}

/// Creates a picture from colours `[H, W, 3]` in [0, 1], row 0 on top.
pub(crate) fn picture(width: usize, height: usize, colours: &[f32]) -> RgbImage {
    RgbImage::from_fn(width as u32, height as u32, |x, y| {
        let pixel = y as usize * width + x as usize;
        image::Rgb(std::array::from_fn(|c| byte(colours[3 * pixel + c])))
    })
}

/// Writes a PNG file.
pub(crate) fn write_png(path: &Path, picture: &RgbImage) -> Result<(), String> {
    let mut png = Cursor::new(Vec::new());
    picture
        .write_to(&mut png, ImageFormat::Png)
        .map_err(|error| format!("{}: cannot be encoded: {error}", path.display()))?;
    files::write(path, png.get_ref())
}
