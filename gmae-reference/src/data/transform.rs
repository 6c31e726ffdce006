//! Transforms a stored picture of any size to the square input of the model.

use image::RgbImage;
use rand_chacha::ChaCha8Rng;

use super::error::DataError;
use super::image::Image;
use super::resize::{resize_fraction, resize_window};
use super::window::{Augment, Window};

/// The conversion of a stored picture to `size` x `size` pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Transform {
    size: u32,
    /// `None` for evaluation.
    augment: Option<Augment>,
}

impl Transform {
    /// Creates the transform for training. The transform takes a random crop with 8 % to 100 % of
    /// the area and a ratio of width to height from 3:4 to 4:3. The crop is resized bicubically and
    /// mirrored with probability 1/2.
    ///
    /// # Errors
    ///
    /// [`DataError::Option`] unless `size` lies in 1..=4096.
    pub fn training(size: usize) -> Result<Self, DataError> {
        let augment = Augment {
            scale: (0.08, 1.0),
            ratio: (3.0 / 4.0, 4.0 / 3.0),
        };
        Ok(Self {
            augment: Some(augment),
            ..Self::evaluation(size)?
        })
    }

    /// Creates the transform for evaluation. The transform cuts out the central square with 224/256
    /// of the shorter side and resizes it bicubically. A picture of `size` x `size` pixels is left
    /// unchanged.
    ///
    /// # Errors
    ///
    /// [`DataError::Option`] unless `size` lies in 1..=4096.
    pub fn evaluation(size: usize) -> Result<Self, DataError> {
        if !(1..=4096).contains(&size) {
            return Err(DataError::Option {
                argument: "image size",
                expected: "1 to 4096 pixels",
                got: size.to_string(),
            });
        }
        Ok(Self {
            size: size as u32,
            augment: None,
        })
    }

    /// Returns the transform with crops of `smallest` to `largest` of the area of the picture.
    /// Small pictures need a range such as 0.5 to 1, because 8 % of 32 x 32 is 9 x 9 pixels. The
    /// range has no effect on a transform for evaluation.
    ///
    /// # Errors
    ///
    /// [`DataError::Option`] unless 0 < `smallest` <= `largest` <= 1.
    pub fn with_scale(self, smallest: f64, largest: f64) -> Result<Self, DataError> {
        if !(smallest > 0.0 && smallest <= largest && largest <= 1.0) {
            return Err(DataError::Option {
                argument: "crop scale",
                expected: "0 < smallest <= largest <= 1",
                got: format!("{smallest} to {largest}"),
            });
        }
        let scale = (smallest, largest);
        Ok(Self {
            augment: self.augment.map(|augment| Augment { scale, ..augment }),
            ..self
        })
    }

    /// The side of the result, in pixels.
    pub fn size(&self) -> usize {
        self.size as usize
    }

    /// Chooses the window of a picture of `width` x `height` pixels. Only a transform for training
    /// draws from `rng`. The same `rng` gives the same window.
    ///
    /// # Errors
    ///
    /// [`DataError::Option`] if the picture has no pixels.
    pub fn window(
        &self,
        width: u32,
        height: u32,
        rng: &mut ChaCha8Rng,
    ) -> Result<Window, DataError> {
        if width == 0 || height == 0 {
            return Err(DataError::Option {
                argument: "picture",
                expected: "at least one pixel",
                got: format!("{width} x {height}"),
            });
        }
        Ok(match self.augment {
            Some(augment) => augment.window(width, height, rng),
            None => Window::central(width, height, self.size),
        })
    }

    /// Resizes a window of `stored` to the size of the result. Pixels outside the window have no
    /// influence.
    ///
    /// # Errors
    ///
    /// [`DataError::Option`] if the window does not lie inside the picture or has no pixels.
    pub fn cut(&self, stored: &RgbImage, window: Window) -> Result<Image, DataError> {
        Ok(oriented(resize_window(stored, window, self.size)?, window))
    }

    /// Resizes `part` (left, top, width and height) of a reduced copy of the picture, in which it
    /// stands for `window`.
    pub(super) fn cut_fraction(
        &self,
        reduced: &RgbImage,
        part: [f64; 4],
        window: Window,
    ) -> Result<Image, DataError> {
        Ok(oriented(resize_fraction(reduced, part, self.size)?, window))
    }

    /// Chooses a window of `stored` and cuts it out.
    ///
    /// # Errors
    ///
    /// [`DataError::Option`] if the picture has no pixels.
    pub fn apply(&self, stored: &RgbImage, rng: &mut ChaCha8Rng) -> Result<Image, DataError> {
        let (width, height) = stored.dimensions();
        self.cut(stored, self.window(width, height, rng)?)
    }
}

/// Mirrors the picture if the window is mirrored.
fn oriented(image: RgbImage, window: Window) -> Image {
    let image = Image::from_rgb8(&image);
    if window.mirrored {
        image.flipped()
    } else {
        image
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgb;
    use rand::SeedableRng;

    fn rng(seed: u64) -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(seed)
    }

    /// Red grows to the right, green downwards.
    fn ramp(width: u32, height: u32) -> RgbImage {
        RgbImage::from_fn(width, height, |x, y| {
            Rgb([(x * 255 / width) as u8, (y * 255 / height) as u8, 128])
        })
    }

    #[test]
    fn results_have_the_size_and_stay_in_range() {
        for (width, height) in [(1, 1), (1, 90), (90, 1), (37, 53), (32, 32), (200, 40)] {
            for seed in 0..20 {
                let stored = ramp(width, height);
                for transform in [
                    Transform::training(24).unwrap(),
                    Transform::evaluation(24).unwrap(),
                ] {
                    let image = transform.apply(&stored, &mut rng(seed)).unwrap();
                    assert_eq!(
                        (image.width, image.height, image.pixels.len()),
                        (24, 24, 24 * 24 * 3)
                    );
                    assert!(image.pixels.iter().all(|v| (0.0..=1.0).contains(v)));
                }
            }
        }
    }

    #[test]
    fn the_generator_decides_alone() {
        let stored = ramp(50, 40);
        let training = Transform::training(16).unwrap();
        let draw = |seed| training.apply(&stored, &mut rng(seed)).unwrap();
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
        let evaluation = Transform::evaluation(16).unwrap();
        let centre = |seed| evaluation.apply(&stored, &mut rng(seed)).unwrap();
        assert_eq!(centre(1), centre(2));
    }

    #[test]
    fn half_of_the_training_pictures_are_mirrored() {
        let training = Transform::training(8).unwrap();
        let mirrored = (0..2000)
            .filter(|&seed| {
                let image = training.apply(&ramp(64, 64), &mut rng(seed)).unwrap();
                image.pixel(0, 4).unwrap()[0] > image.pixel(7, 4).unwrap()[0]
            })
            .count();
        assert!((930..1070).contains(&mirrored), "{mirrored} of 2000");
    }

    #[test]
    fn the_centre_is_7_eighths_of_the_shorter_side() {
        // The crop of an 80 x 64 picture is 56 x 56 from (12, 4): its mean colour is the ramp's
        // middle.
        let image = Transform::evaluation(28)
            .unwrap()
            .apply(&ramp(80, 64), &mut rng(0))
            .unwrap();
        let left = image.pixel(0, 14).unwrap()[0];
        let right = image.pixel(27, 14).unwrap()[0];
        assert!((left - 12.5 / 80.0).abs() < 0.01, "{left}");
        assert!((right - 66.5 / 80.0).abs() < 0.01, "{right}");
        let same = ramp(28, 28);
        let kept = Transform::evaluation(28)
            .unwrap()
            .apply(&same, &mut rng(0))
            .unwrap();
        assert_eq!(kept, Image::from_rgb8(&same));
    }

    #[test]
    fn bad_options_and_empty_pictures_are_named() {
        let text = |error: DataError| error.to_string();
        assert!(
            text(Transform::training(0).unwrap_err()).contains("image size: expected 1 to 4096")
        );
        let training = Transform::training(8).unwrap();
        for (low, high) in [(0.0, 1.0), (0.5, 0.4), (0.5, 1.5), (f64::NAN, 1.0)] {
            assert!(text(training.with_scale(low, high).unwrap_err()).contains("crop scale"));
        }
        let error = training
            .apply(&RgbImage::new(0, 3), &mut rng(0))
            .unwrap_err();
        assert!(text(error).contains("got 0 x 3"));
    }
}
