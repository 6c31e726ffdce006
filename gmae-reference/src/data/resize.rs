//! Bicubic resizing with a = -1/2, the filter that Pillow calls `BICUBIC`.
//!
//! The filter is widened when shrinking, so that the result does not alias. The sums are integers,
//! so the result is bitwise the same with every instruction set.

use fast_image_resize::images::{CroppedImage, Image, ImageRef};
use fast_image_resize::{
    FilterType, IntoImageView, PixelType, ResizeAlg, ResizeError, ResizeOptions, Resizer,
};
use image::RgbImage;

use super::error::DataError;
use super::window::Window;

/// Resizes a window of `stored` to `side` x `side` pixels. Pixels outside the window have no
/// influence.
pub(super) fn resize_window(
    stored: &RgbImage,
    window: Window,
    side: u32,
) -> Result<RgbImage, DataError> {
    let Window {
        left,
        top,
        width,
        height,
        ..
    } = window;
    let outside = |_| DataError::Option {
        argument: "window",
        expected: "a window inside the picture",
        got: format!("{window:?} of {} x {}", stored.width(), stored.height()),
    };
    let whole = view(stored)?;
    let part = CroppedImage::new(&whole, left, top, width, height).map_err(outside)?;
    resize(&part, side, ResizeOptions::new())
}

/// Resizes a window of `stored`, given by left, top, width and height in fractions of pixels, to
/// `side` x `side` pixels. Pixels beside the window have a small influence on its margin.
pub(super) fn resize_fraction(
    stored: &RgbImage,
    [left, top, width, height]: [f64; 4],
    side: u32,
) -> Result<RgbImage, DataError> {
    let options = ResizeOptions::new().crop(left, top, width, height);
    resize(&view(stored)?, side, options)
}

fn view(stored: &RgbImage) -> Result<ImageRef<'_>, DataError> {
    ImageRef::new(
        stored.width(),
        stored.height(),
        stored.as_raw(),
        PixelType::U8x3,
    )
    .map_err(|error| unexpected(&error))
}

fn resize(
    from: &impl IntoImageView,
    side: u32,
    options: ResizeOptions,
) -> Result<RgbImage, DataError> {
    let options = options.resize_alg(ResizeAlg::Convolution(FilterType::CatmullRom));
    let mut to = Image::new(side, side, PixelType::U8x3);
    let done: Result<(), ResizeError> = Resizer::new().resize(from, &mut to, &options);
    done.map_err(|error| unexpected(&error))?;
    RgbImage::from_raw(side, side, to.into_vec()).ok_or_else(|| unexpected(&"too few pixels"))
}

fn unexpected(error: &dyn std::fmt::Display) -> DataError {
    DataError::Option {
        argument: "resizing",
        expected: "a picture with a window inside it",
        got: error.to_string(),
    }
}
