//! A backend of `plotters` that draws into a picture. Letters come from a font of pictures, so that
//! the machine need not have a font.

use std::convert::Infallible;

use image::{Rgb, RgbImage};
use noto_sans_mono_bitmap::{FontWeight, RasterHeight, get_raster, get_raster_width};
use plotters_backend::text_anchor::{HPos, VPos};
use plotters_backend::{
    BackendColor, BackendCoord, BackendTextStyle, DrawingBackend, DrawingErrorKind,
};

const WEIGHT: FontWeight = FontWeight::Regular;
const HEIGHT: RasterHeight = RasterHeight::Size16;
/// Replaces letters that the font does not have.
const UNKNOWN: char = '?';

/// A picture that `plotters` draws into. Letters come from a font of pictures, so that the machine
/// need not have a font. All text has the size of that font, 16 px.
#[derive(Debug)]
pub struct Raster<'a> {
    image: &'a mut RgbImage,
}

impl<'a> Raster<'a> {
    /// Draws into `image`, over what it shows.
    pub fn new(image: &'a mut RgbImage) -> Self {
        Self { image }
    }
}

type Outcome = Result<(), DrawingErrorKind<Infallible>>;

impl DrawingBackend for Raster<'_> {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        self.image.dimensions()
    }

    fn ensure_prepared(&mut self) -> Outcome {
        Ok(())
    }

    fn present(&mut self) -> Outcome {
        Ok(())
    }

    /// Mixes a colour into a pixel. Pixels outside the picture are ignored.
    fn draw_pixel(&mut self, (x, y): BackendCoord, colour: BackendColor) -> Outcome {
        let (Ok(x), Ok(y)) = (u32::try_from(x), u32::try_from(y)) else {
            return Ok(());
        };
        if let Some(Rgb(pixel)) = self.image.get_pixel_mut_checked(x, y) {
            let (red, green, blue) = colour.rgb;
            for (old, new) in pixel.iter_mut().zip([red, green, blue]) {
                let mixed = f64::from(*old) + colour.alpha * (f64::from(new) - f64::from(*old));
                *old = mixed.round() as u8;
            }
        }
        Ok(())
    }

    fn draw_text<S: BackendTextStyle>(
        &mut self,
        text: &str,
        style: &S,
        (x, y): BackendCoord,
    ) -> Outcome {
        let (width, height) = size(text);
        let left = match style.anchor().h_pos {
            HPos::Left => 0,
            HPos::Center => -width / 2,
            HPos::Right => -width,
        };
        let top = match style.anchor().v_pos {
            VPos::Top => 0,
            VPos::Center => -height / 2,
            VPos::Bottom => -height,
        };
        let colour = style.color();
        for (index, letter) in text.chars().enumerate() {
            let known = get_raster(letter, WEIGHT, HEIGHT);
            let Some(raster) = known.or_else(|| get_raster(UNKNOWN, WEIGHT, HEIGHT)) else {
                continue;
            };
            let start = left + (index * get_raster_width(WEIGHT, HEIGHT)) as i32;
            for (row, pixels) in raster.rows().enumerate() {
                for (column, &strength) in pixels.iter().enumerate() {
                    let at = (start + column as i32, top + row as i32);
                    let (dx, dy) = style.transform().transform(at.0, at.1);
                    let alpha = colour.alpha * f64::from(strength) / 255.0;
                    self.draw_pixel((x + dx, y + dy), BackendColor { alpha, ..colour })?;
                }
            }
        }
        Ok(())
    }

    fn estimate_text_size<S: BackendTextStyle>(
        &self,
        text: &str,
        _: &S,
    ) -> Result<(u32, u32), DrawingErrorKind<Infallible>> {
        let (width, height) = size(text);
        Ok((width as u32, height as u32))
    }
}

/// Width and height of a line of text in pixels.
fn size(text: &str) -> (i32, i32) {
    let width = text.chars().count() * get_raster_width(WEIGHT, HEIGHT);
    (width as i32, HEIGHT.val() as i32)
}
