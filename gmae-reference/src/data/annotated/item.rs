//! One image with its annotation.

use crate::data::image::Image;
use crate::data::pixel_mask::PixelMask;
use crate::data::rectangle::Rectangle;

/// The pixels of an object, by annotation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Truth {
    /// The pixels of the object. Where the annotation is a box, all pixels of the box.
    ///
    /// The mask can have another size than the image, but the same ratio of width to height.
    pub foreground: PixelMask,
    /// The pixels that the annotators left undecided, if there are any. They are not in
    /// `foreground`. The mask has the size of `foreground`.
    pub undecided: Option<PixelMask>,
    /// The box of the object, in pixels of the image, if the annotation is a box.
    pub rectangle: Option<Rectangle>,
}

impl Truth {
    /// Returns the truth of a mask without undecided pixels.
    pub(super) fn mask(foreground: PixelMask) -> Self {
        Self {
            foreground,
            undecided: None,
            rectangle: None,
        }
    }

    /// Returns the smallest box around the pixels of the object: left, top, right and bottom, as
    /// fractions of the sides of the image. The result is `None` if the object has no pixel.
    pub fn corners(&self) -> Option<[f64; 4]> {
        let bounds = self.foreground.bounds()?;
        Some(bounds.fractions(self.foreground.size()))
    }

    /// Returns the truth of a box in an image of `width` x `height` pixels.
    pub(super) fn boxed([width, height]: [usize; 2], rectangle: Rectangle) -> Self {
        Self {
            foreground: PixelMask::filled(width, height, rectangle),
            undecided: None,
            rectangle: Some(rectangle),
        }
    }
}

/// One image with its annotation.
#[derive(Clone, Debug, PartialEq)]
pub struct AnnotatedImage {
    /// The name of the item, for tables and messages.
    pub name: String,
    /// The image at its own size, turned according to its EXIF orientation.
    pub image: Image,
    /// The annotation.
    pub truth: Truth,
}
