//! What the picture-making examples share: pictures that are written whole or not at all.

use std::fs;
use std::path::Path;

use image::{ImageFormat, RgbImage};

/// A colour in [0, 1] as a byte.
pub(crate) fn byte(value: f32) -> u8 {
    (value.clamp(0.0, 1.0) * 255.0).round() as u8
}

/// Interleaved colours in [0, 1], row 0 on top, as a picture.
pub(crate) fn picture(width: usize, height: usize, colours: &[f32]) -> RgbImage {
    RgbImage::from_fn(width as u32, height as u32, |x, y| {
        let at = (y as usize * width + x as usize) * 3;
        image::Rgb([
            byte(colours[at]),
            byte(colours[at + 1]),
            byte(colours[at + 2]),
        ])
    })
}

/// Creates `folder` if need be and checks that files can be written there, before any work is done.
pub(crate) fn writable_folder(folder: &Path) -> Result<(), String> {
    let fail = |error| format!("{}: cannot be written to: {error}", folder.display());
    fs::create_dir_all(folder).map_err(fail)?;
    let probe = tempfile::tempfile_in(folder);
    probe.map(drop).map_err(fail)
}

/// Writes a PNG under a temporary name beside `path`, then renames it: whoever looks sees the old file or the new one.
pub(crate) fn write_png(path: &Path, picture: &RgbImage) -> Result<(), String> {
    let partial = path.with_extension("png.partial");
    picture
        .save_with_format(&partial, ImageFormat::Png)
        .map_err(|error| format!("{}: cannot be written: {error}", partial.display()))?;
    fs::rename(&partial, path)
        .map_err(|error| format!("{}: cannot be written: {error}", path.display()))
}
