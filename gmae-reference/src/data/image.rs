//! One picture in memory.

use image::{Rgb, RgbImage};

use super::error::DataError;
use super::resize::resize_fraction;

/// One colour picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Image {
    /// Width W in pixels.
    pub width: usize,
    /// Height H in pixels.
    pub height: usize,
    /// Red, green and blue of every pixel, `[H, W, 3]`, row by row, each in `[0, 1]`.
    pub pixels: Vec<f32>,
}

impl Image {
    /// Creates a picture of `width` x `height` pixels of the same `colour`.
    pub fn filled(width: usize, height: usize, colour: [f32; 3]) -> Self {
        Self {
            width,
            height,
            pixels: colour.repeat(width * height),
        }
    }

    /// Returns the colour of the pixel in column `x` and row `y`, or `None` outside the picture.
    pub fn pixel(&self, x: usize, y: usize) -> Option<[f32; 3]> {
        if x >= self.width || y >= self.height {
            return None;
        }
        let at = (y * self.width + x) * 3;
        self.pixels.get(at..at + 3)?.try_into().ok()
    }

    /// Returns the picture mirrored left to right.
    #[must_use]
    pub fn flipped(&self) -> Self {
        let row_len = (self.width * 3).max(1);
        let pixels = self
            .pixels
            .chunks(row_len)
            .flat_map(|row| row.chunks(3).rev().flatten().copied())
            .collect();
        Self { pixels, ..*self }
    }

    /// Resizes to `side` x `side` pixels with the bicubic filter of the crate. The ratio of width
    /// to height is not kept. The colours are rounded to eight bits, except if the size is
    /// unchanged.
    ///
    /// # Errors
    ///
    /// [`DataError::Option`] if `side` is not in 1..=4096, or the picture has no pixels or
    /// not three values for each of them.
    pub fn resized(&self, side: usize) -> Result<Self, DataError> {
        if !(1..=4096).contains(&side) {
            return Err(DataError::Option {
                argument: "side of a resized picture",
                expected: "1 to 4096 pixels",
                got: side.to_string(),
            });
        }
        let values = self.width.checked_mul(self.height);
        let values = values.and_then(|pixels| pixels.checked_mul(3));
        if self.pixels.is_empty() || values != Some(self.pixels.len()) {
            let (width, height, got) = (self.width, self.height, self.pixels.len());
            return Err(DataError::Option {
                argument: "picture to resize",
                expected: "at least one pixel, and three values for each",
                got: format!("{got} values for {width} x {height} pixels"),
            });
        }
        if (self.width, self.height) == (side, side) {
            return Ok(self.clone());
        }
        let whole = [0.0, 0.0, self.width as f64, self.height as f64];
        let resized = resize_fraction(&self.to_rgb8(), whole, side as u32)?;
        Ok(Self::from_rgb8(&resized))
    }

    /// Converts from eight-bit sRGB: 0 becomes 0.0 and 255 becomes 1.0.
    pub fn from_rgb8(image: &RgbImage) -> Self {
        Self {
            width: image.width() as usize,
            height: image.height() as usize,
            pixels: image
                .as_raw()
                .iter()
                .map(|&v| f32::from(v) / 255.0)
                .collect(),
        }
    }

    /// Converts to eight-bit sRGB, rounded to nearest. Values outside `[0, 1]` are clamped, and NaN
    /// becomes 0.
    ///
    /// Pixels beyond the end of `pixels` are black.
    pub fn to_rgb8(&self) -> RgbImage {
        RgbImage::from_fn(self.width as u32, self.height as u32, |x, y| {
            let colour = self.pixel(x as usize, y as usize).unwrap_or_default();
            Rgb(colour.map(|v| (v.clamp(0.0, 1.0) * 255.0).round() as u8))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_bits_survive_the_way_there_and_back() {
        let stored = RgbImage::from_fn(16, 16, |x, y| Rgb([(y * 16 + x) as u8, x as u8, y as u8]));
        assert_eq!(Image::from_rgb8(&stored).to_rgb8(), stored);
    }

    #[test]
    fn values_out_of_range_are_clamped() {
        let image = Image {
            width: 2,
            height: 1,
            pixels: vec![-1.0, 2.0, f32::NAN, f32::INFINITY],
        };
        let stored = image.to_rgb8();
        assert_eq!(stored.get_pixel(0, 0).0, [0, 255, 0]);
        // The second pixel is incomplete.
        assert_eq!(stored.get_pixel(1, 0).0, [0, 0, 0]);
        assert_eq!(image.pixel(2, 0), None);
    }

    #[test]
    fn resizing_does_not_keep_the_ratio() {
        let colour = [0.2, 0.4, 0.6];
        let resized = Image::filled(9, 4, colour)
            .resized(5)
            .expect("a valid side");
        assert_eq!((resized.width, resized.height), (5, 5));
        assert_eq!(resized, Image::filled(5, 5, colour));
        // Not a number of 255ths: the colours of an unchanged size are not rounded.
        let fine = Image::filled(3, 3, [0.123; 3]);
        assert_eq!(fine.resized(3).expect("a valid side"), fine);
        for side in [0, 4097, usize::MAX] {
            assert!(fine.resized(side).is_err(), "{side}");
        }
        assert!(Image::filled(0, 0, colour).resized(2).is_err());
        let short = Image {
            width: usize::MAX,
            ..fine
        };
        assert!(short.resized(2).is_err());
    }

    #[test]
    fn mirroring_swaps_columns() {
        let image = Image {
            width: 2,
            height: 2,
            pixels: (0..12).map(|v| v as f32).collect(),
        };
        let mirrored = image.flipped();
        assert_eq!(mirrored.pixel(0, 1), image.pixel(1, 1));
        assert_eq!(mirrored.pixel(1, 0), image.pixel(0, 0));
        assert_eq!(mirrored.flipped(), image);
    }
}
