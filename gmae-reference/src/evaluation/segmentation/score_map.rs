//! The prediction for an image: a score for every pixel.

use crate::data::PixelMask;
use crate::error::{Error, check_len};

/// Scores from which a pixel belongs to the object.
const HALF: f32 = 0.5;

/// A score for every pixel of an image: 0 for the background, 1 for the object.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoreMap {
    width: usize,
    height: usize,
    values: Vec<f32>,
}

impl ScoreMap {
    /// Creates a map of `width` x `height` pixels from one score per pixel, row by row.
    ///
    /// # Errors
    ///
    /// [`Error::Length`] if the number of scores is not `width * height`.
    pub fn new(width: usize, height: usize, values: Vec<f32>) -> Result<Self, Error> {
        let expected = width.saturating_mul(height);
        check_len("scores of pixels", expected, values.len())?;
        Ok(Self {
            width,
            height,
            values,
        })
    }

    /// Width and height in pixels.
    pub fn size(&self) -> [usize; 2] {
        [self.width, self.height]
    }

    /// The scores, row by row.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// Returns the pixels with a score of at least one half. NaN is below every score.
    pub fn mask(&self) -> PixelMask {
        PixelMask::from_fn(self.width, self.height, |x, y| {
            self.values[y * self.width + x] >= HALF
        })
    }
}

impl From<&PixelMask> for ScoreMap {
    fn from(mask: &PixelMask) -> Self {
        let values = mask.values().iter().map(|&v| f32::from(u8::from(v)));
        Self {
            width: mask.width(),
            height: mask.height(),
            values: values.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_half_belongs_to_the_object() {
        let values = vec![0.0, 0.499, 0.5, 2.0, f32::NAN, -1.0];
        let map = ScoreMap::new(3, 2, values).expect("six scores");
        assert_eq!(
            map.mask().values(),
            [false, false, true, true, false, false]
        );
        assert_eq!(ScoreMap::from(&map.mask()).mask(), map.mask());
    }

    #[test]
    fn the_number_of_scores_must_fit() {
        let error = ScoreMap::new(3, 2, vec![0.0; 5]).expect_err("a score is missing");
        assert_eq!(error.to_string(), "scores of pixels: expected 6, got 5");
        assert!(ScoreMap::new(usize::MAX, 2, Vec::new()).is_err());
        assert_eq!(
            ScoreMap::new(0, 9, Vec::new())
                .expect("none")
                .mask()
                .count(),
            0
        );
    }
}
