//! A set of pixels of an image, such as the pixels of an object.

use super::error::DataError;
use super::rectangle::Rectangle;

/// A set of pixels of an image.
///
/// The masks of patches in [`crate::model`] are another thing: they hide parts of the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PixelMask {
    width: usize,
    height: usize,
    values: Vec<bool>,
}

impl PixelMask {
    /// Creates a mask of `width` x `height` pixels from one value per pixel, row by row.
    ///
    /// # Errors
    ///
    /// [`DataError::Option`] if the number of values is not `width * height`.
    pub fn new(width: usize, height: usize, values: Vec<bool>) -> Result<Self, DataError> {
        if width.checked_mul(height) == Some(values.len()) {
            return Ok(Self {
                width,
                height,
                values,
            });
        }
        Err(DataError::Option {
            argument: "pixels of a mask",
            expected: "width x height values",
            got: format!("{} values for {width} x {height} pixels", values.len()),
        })
    }

    /// Creates a mask from a function of column and row.
    pub fn from_fn(
        width: usize,
        height: usize,
        mut value: impl FnMut(usize, usize) -> bool,
    ) -> Self {
        let mut values = Vec::new();
        for y in 0..height {
            values.extend((0..width).map(|x| value(x, y)));
        }
        Self {
            width,
            height,
            values,
        }
    }

    /// Creates a mask of `width` x `height` pixels whose pixels are those of `rectangle`. Parts
    /// outside the image have no effect.
    pub fn filled(width: usize, height: usize, rectangle: Rectangle) -> Self {
        Self::from_fn(width, height, |x, y| rectangle.contains(x, y))
    }

    /// Width in pixels.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Height in pixels.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Width and height in pixels.
    pub fn size(&self) -> [usize; 2] {
        [self.width, self.height]
    }

    /// One value per pixel, row by row.
    pub fn values(&self) -> &[bool] {
        &self.values
    }

    /// Returns true if the pixel in column `x` and row `y` belongs to the set. Pixels outside the
    /// image do not.
    pub fn contains(&self, x: usize, y: usize) -> bool {
        x < self.width && y < self.height && self.values[y * self.width + x]
    }

    /// Number of pixels in the set.
    pub fn count(&self) -> usize {
        self.values.iter().filter(|&&value| value).count()
    }

    /// Returns the smallest rectangle that contains the set, or `None` if the set is empty.
    pub fn bounds(&self) -> Option<Rectangle> {
        let mut bounds: Option<Rectangle> = None;
        let inside = self.values.iter().enumerate().filter(|(_, value)| **value);
        for (at, _) in inside {
            let pixel = Rectangle::pixel(at % self.width, at / self.width);
            bounds = Some(bounds.map_or(pixel, |bounds| bounds.around(pixel)));
        }
        bounds
    }

    /// Returns the mask with `width` x `height` pixels. Each pixel has the value of the pixel at
    /// its centre. The ratio of width to height is not kept.
    #[must_use]
    pub fn resized(&self, width: usize, height: usize) -> Self {
        if [width, height] == self.size() {
            return self.clone();
        }
        let columns: Vec<usize> = (0..width).map(|x| nearest(x, width, self.width)).collect();
        Self::from_fn(width, height, |x, y| {
            self.contains(columns[x], nearest(y, height, self.height))
        })
    }
}

/// Returns the index among `from` cells that contains the centre of cell `at` of `to` cells.
fn nearest(at: usize, to: usize, from: usize) -> usize {
    // In `u128`, because products of sizes can exceed `usize`.
    let (at, to, from) = (at as u128, to as u128, from as u128);
    ((2 * at + 1) * from / (2 * to)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Draws a mask from rows of `#` and `.`.
    fn drawn(rows: &[&str]) -> PixelMask {
        let width = rows.first().map_or(0, |row| row.len());
        PixelMask::from_fn(width, rows.len(), |x, y| rows[y].as_bytes()[x] == b'#')
    }

    #[test]
    fn the_number_of_values_must_fit() {
        assert!(PixelMask::new(2, 3, vec![true; 6]).is_ok());
        let error = PixelMask::new(2, 3, vec![true; 5]).expect_err("a value is missing");
        assert_eq!(
            error.to_string(),
            "pixels of a mask: expected width x height values, got 5 values for 2 x 3 pixels"
        );
        assert!(PixelMask::new(usize::MAX, 2, Vec::new()).is_err());
    }

    #[test]
    fn the_bounds_touch_the_outermost_pixels() {
        let mask = drawn(&[".....", "..#..", ".#...", "....."]);
        let bounds = mask.bounds().expect("two pixels");
        assert_eq!(
            bounds,
            Rectangle::new(1, 1, 3, 3).expect("corners in order")
        );
        assert_eq!(drawn(&["...", "..."]).bounds(), None);
        assert_eq!(drawn(&[]).bounds(), None);
        assert_eq!(mask.count(), 2);
        assert!(mask.contains(2, 1) && !mask.contains(1, 1) && !mask.contains(5, 1));
    }

    #[test]
    fn resizing_takes_the_pixel_at_the_centre() {
        let mask = drawn(&["#.", ".#"]);
        assert_eq!(mask.resized(4, 4), drawn(&["##..", "##..", "..##", "..##"]));
        assert_eq!(mask.resized(4, 4).resized(2, 2), mask);
        assert_eq!(mask.resized(2, 2), mask);
        // The centre of the only column lies on the border of two: the second one has it.
        assert_eq!(mask.resized(1, 2), drawn(&[".", "#"]));
        assert_eq!(drawn(&["#..#."]).resized(3, 1), drawn(&["#.."]));
        assert_eq!(mask.resized(0, 3).count(), 0);
        assert_eq!(drawn(&[]).resized(2, 2).count(), 0);
    }
}
