//! Transforms a stored picture of any size to the square input of the model.

use image::imageops::{self, FilterType};
use image::{GenericImageView, RgbImage};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::error::DataError;
use super::image::Image;

/// Bicubic filter with a = -1/2. The filter is widened when shrinking, so that the result does not
/// alias.
const FILTER: FilterType = FilterType::CatmullRom;
/// Ratio of the shorter side of a picture to the side of its central crop: 256 to 224.
const EVALUATION_MARGIN: f64 = 256.0 / 224.0;
/// Number of random crops that are tried before the central crop is used.
const CROP_TRIES: usize = 10;

/// The conversion of a stored picture to `size` x `size` pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Transform {
    size: u32,
    /// `None` for evaluation.
    augment: Option<Augment>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Augment {
    /// Smallest and largest area of the crop, as fractions of the area of the picture.
    scale: (f64, f64),
    /// Smallest and largest ratio of width to height of the crop.
    ratio: (f64, f64),
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

    /// Applies the transform. Only a transform for training draws from `rng`. The same `rng` gives
    /// the same picture.
    ///
    /// # Errors
    ///
    /// [`DataError::Option`] if the picture has no pixels.
    pub fn apply(&self, stored: &RgbImage, rng: &mut ChaCha8Rng) -> Result<Image, DataError> {
        let (width, height) = stored.dimensions();
        if width == 0 || height == 0 {
            return Err(DataError::Option {
                argument: "picture",
                expected: "at least one pixel",
                got: format!("{width} x {height}"),
            });
        }
        let Some(augment) = self.augment else {
            return Ok(Image::from_rgb8(&self.central(stored)));
        };
        let [x, y, w, h] = augment.window(width, height, rng);
        let image = Image::from_rgb8(&self.resized(stored, [x, y, w, h]));
        Ok(if rng.random_bool(0.5) {
            image.flipped()
        } else {
            image
        })
    }

    fn resized(&self, stored: &RgbImage, [x, y, w, h]: [u32; 4]) -> RgbImage {
        let crop = stored.view(x, y, w, h);
        imageops::resize(&*crop, self.size, self.size, FILTER)
    }

    fn central(&self, stored: &RgbImage) -> RgbImage {
        let (width, height) = stored.dimensions();
        if (width, height) == (self.size, self.size) {
            return stored.clone();
        }
        // Cropping before resizing gives the same crop without resizing discarded pixels.
        let side = f64::from(width.min(height)) / EVALUATION_MARGIN;
        let side = (side.round() as u32).max(1);
        self.resized(
            stored,
            [(width - side) / 2, (height - side) / 2, side, side],
        )
    }
}

impl Augment {
    /// Returns left, top, width and height of a random window inside `width` x `height` pixels.
    /// `width` and `height` must be at least 1.
    fn window(&self, width: u32, height: u32, rng: &mut ChaCha8Rng) -> [u32; 4] {
        let area = f64::from(width) * f64::from(height);
        for _ in 0..CROP_TRIES {
            let target = area * rng.random_range(self.scale.0..=self.scale.1);
            let ratio = rng
                .random_range(self.ratio.0.ln()..=self.ratio.1.ln())
                .exp();
            let w = (target * ratio).sqrt().round() as u32;
            let h = (target / ratio).sqrt().round() as u32;
            if (1..=width).contains(&w) && (1..=height).contains(&h) {
                let x = rng.random_range(0..=width - w);
                let y = rng.random_range(0..=height - h);
                return [x, y, w, h];
            }
        }
        self.largest_central(width, height)
    }

    /// Returns the largest central window with an allowed ratio of width to height.
    fn largest_central(&self, width: u32, height: u32) -> [u32; 4] {
        let (full_w, full_h) = (f64::from(width), f64::from(height));
        let w = full_w.min(full_h * self.ratio.1).round().max(1.0) as u32;
        let h = full_h.min(full_w / self.ratio.0).round().max(1.0) as u32;
        [(width - w) / 2, (height - h) / 2, w, h]
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
        let mirrored = (0..200)
            .filter(|&seed| {
                let image = training.apply(&ramp(64, 64), &mut rng(seed)).unwrap();
                image.pixel(0, 4).unwrap()[0] > image.pixel(7, 4).unwrap()[0]
            })
            .count();
        assert!((70..130).contains(&mirrored), "{mirrored} of 200");
    }

    #[test]
    fn windows_keep_to_scale_and_ratio() {
        let training = Transform::training(8)
            .unwrap()
            .with_scale(0.5, 0.6)
            .unwrap();
        let augment = training.augment.unwrap();
        for seed in 0..300 {
            let [x, y, w, h] = augment.window(400, 300, &mut rng(seed));
            assert!(x + w <= 400 && y + h <= 300);
            let scale = f64::from(w * h) / 120_000.0;
            assert!((0.495..0.605).contains(&scale), "{scale}");
            let ratio = f64::from(w) / f64::from(h);
            assert!((0.745..1.345).contains(&ratio), "{ratio}");
        }
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
