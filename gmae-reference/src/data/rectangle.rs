//! Rectangles of whole pixels.

/// A rectangle of at least one pixel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rectangle {
    left: usize,
    top: usize,
    right: usize,
    bottom: usize,
}

impl Rectangle {
    /// Creates the rectangle of the columns `left..right` and the rows `top..bottom`. The result is
    /// `None` if it has no pixel.
    pub fn new(left: usize, top: usize, right: usize, bottom: usize) -> Option<Self> {
        (left < right && top < bottom).then_some(Self {
            left,
            top,
            right,
            bottom,
        })
    }

    /// The rectangle of the pixel in column `x` and row `y`.
    pub(super) fn pixel(x: usize, y: usize) -> Self {
        Self {
            left: x,
            top: y,
            right: x + 1,
            bottom: y + 1,
        }
    }

    /// The first column and the first row.
    pub fn start(&self) -> [usize; 2] {
        [self.left, self.top]
    }

    /// The column after the last and the row after the last.
    pub fn end(&self) -> [usize; 2] {
        [self.right, self.bottom]
    }

    /// Returns true if the pixel in column `x` and row `y` lies in the rectangle.
    pub fn contains(&self, x: usize, y: usize) -> bool {
        (self.left..self.right).contains(&x) && (self.top..self.bottom).contains(&y)
    }

    /// Returns the smallest rectangle that contains both rectangles.
    #[must_use]
    pub fn around(&self, other: Self) -> Self {
        Self {
            left: self.left.min(other.left),
            top: self.top.min(other.top),
            right: self.right.max(other.right),
            bottom: self.bottom.max(other.bottom),
        }
    }

    /// Returns left, top, right and bottom as fractions of the sides of an image. The right and the
    /// bottom side are those of the last column and the last row.
    pub fn fractions(&self, [width, height]: [usize; 2]) -> [f64; 4] {
        let across = [self.left, self.right].map(|x| x as f64 / width as f64);
        let down = [self.top, self.bottom].map(|y| y as f64 / height as f64);
        [across[0], down[0], across[1], down[1]]
    }

    /// Returns the part of the pixels of an image that the rectangle covers, above 0. The result is
    /// at most 1 if the rectangle lies in the image.
    pub fn share(&self, [width, height]: [usize; 2]) -> f64 {
        let across = (self.right - self.left) as f64 / width as f64;
        across * (self.bottom - self.top) as f64 / height as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rectangle_has_pixels() {
        assert_eq!(Rectangle::new(2, 0, 2, 5), None);
        assert_eq!(Rectangle::new(0, 3, 2, 2), None);
        let one = Rectangle::new(2, 3, 3, 4).expect("a pixel");
        assert_eq!(one, Rectangle::pixel(2, 3));
        assert!(one.contains(2, 3));
        assert!(!one.contains(3, 3) && !one.contains(2, 4) && !one.contains(1, 3));
    }

    #[test]
    fn fractions_are_those_of_the_sides() {
        let one = Rectangle::new(2, 3, 5, 4).expect("pixels");
        assert_eq!(one.fractions([8, 4]), [0.25, 0.75, 0.625, 1.0]);
    }

    #[test]
    fn the_share_is_a_ratio_of_areas() {
        let quarter = Rectangle::new(0, 0, 4, 3).expect("pixels");
        assert_eq!(quarter.share([8, 6]), 0.25);
        assert_eq!(quarter.share([4, 3]), 1.0);
        let both = quarter.around(Rectangle::pixel(7, 5));
        assert_eq!(both.share([8, 6]), 1.0);
    }
}
