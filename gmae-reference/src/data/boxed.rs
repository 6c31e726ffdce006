//! Images with the box of their object, as a data set for training and evaluation.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::annotated::{Annotated, AnnotatedImage, Truth};
use super::dataset::{Dataset, Sample};
use super::error::DataError;
use super::image::Image;

/// Some images of an annotated set, each with the box of its object.
///
/// The whole image is resized to a square. Its ratio of width to height is not kept, so that the
/// box has the same fractions of the sides before and after. If the annotation is a mask, the box
/// is the smallest one around its pixels.
#[derive(Clone, Debug)]
pub struct BoxedImages<'a> {
    set: &'a Annotated,
    items: Vec<usize>,
    size: usize,
    mirrors: bool,
}

impl<'a> BoxedImages<'a> {
    /// Creates the data set of some items of `set`, in pictures of `size` x `size` pixels, without
    /// augmentation.
    pub fn new(set: &'a Annotated, items: Vec<usize>, size: usize) -> Self {
        Self {
            set,
            items,
            size,
            mirrors: false,
        }
    }

    /// Returns the same images for training: picture and box are mirrored with probability 1/2.
    /// There are no crops, which could cut off a part of the object.
    #[must_use]
    pub fn for_training(self) -> Self {
        Self {
            mirrors: true,
            ..self
        }
    }

    /// Reads the box of the object of every image, not mirrored: left, top, right and bottom, as
    /// fractions of the sides of the image. The images are not decoded.
    ///
    /// # Errors
    ///
    /// The errors of [`Annotated::truth`]. [`DataError::Annotation`] if an object has no pixel.
    pub fn truths(&self) -> Result<Vec<[f64; 4]>, DataError> {
        let truth = |&item: &usize| self.corners(item, &self.set.truth(item)?.0);
        self.items.par_iter().map(truth).collect()
    }

    fn corners(&self, item: usize, truth: &Truth) -> Result<[f64; 4], DataError> {
        truth.corners().ok_or_else(|| DataError::Annotation {
            what: "annotated image",
            path: self.set.name(item).unwrap_or_default().into(),
            expected: "an object of at least one pixel".to_owned(),
            got: "none".to_owned(),
        })
    }
}

impl Dataset for BoxedImages<'_> {
    fn len(&self) -> usize {
        self.items.len()
    }

    fn image(&self, index: usize, rng: &mut ChaCha8Rng) -> Result<Image, DataError> {
        Ok(self.sample(index, rng)?.image)
    }

    fn sample(&self, index: usize, rng: &mut ChaCha8Rng) -> Result<Sample, DataError> {
        let len = self.len();
        let item = *self
            .items
            .get(index)
            .ok_or(DataError::Index { index, len })?;
        let AnnotatedImage { image, truth, .. } = self.set.item(item)?;
        let [left, top, right, bottom] = self.corners(item, &truth)?;
        let image = image.resized(self.size)?;
        let mirrored = self.mirrors && rng.random_bool(0.5);
        let (image, corners) = if mirrored {
            (image.flipped(), [1.0 - right, top, 1.0 - left, bottom])
        } else {
            (image, [left, top, right, bottom])
        };
        Ok(Sample {
            image,
            label: None,
            corners: Some(corners.map(|side| side as f32)),
        })
    }

    /// The text has the number of images, and a checksum of their names, of boxes from tables, and
    /// of the sizes of their files.
    fn fingerprint(&self) -> String {
        let mut hash = crc32fast::Hasher::new();
        for &item in &self.items {
            hash.update(self.set.identity(item).as_bytes());
            hash.update(&[0]);
        }
        format!("{} annotated images, {:08x}", self.len(), hash.finalize())
    }
}

#[cfg(test)]
mod tests {
    use image::{GrayImage, Luma, Rgb, RgbImage};
    use rand::SeedableRng;

    use super::*;
    use crate::data::{AnnotatedOptions, PixelMask, Shapes};

    fn scenes() -> Annotated {
        Annotated::shapes(Shapes::new(7, 12, 40).expect("a size"))
    }

    fn rng(seed: u64) -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(seed)
    }

    #[test]
    fn a_mask_has_the_box_around_its_pixels() {
        let mask = PixelMask::from_fn(8, 4, |x, y| [(2, 1), (5, 2)].contains(&(x, y)));
        let truth = |foreground| Truth {
            foreground,
            undecided: None,
            rectangle: None,
        };
        assert_eq!(truth(mask).corners(), Some([0.25, 0.25, 0.75, 0.75]));
        let empty = PixelMask::from_fn(8, 4, |_, _| false);
        assert_eq!(truth(empty).corners(), None);
    }

    /// The scenes are squares of 40 px, the pictures squares of 16 px.
    #[test]
    fn fractions_are_kept_by_the_resizing() {
        let set = scenes();
        let images = BoxedImages::new(&set, vec![3, 11], 16);
        assert_eq!(images.len(), 2);
        for (index, item) in [(0, 3), (1, 11)] {
            let sample = images.sample(index, &mut rng(0)).expect("a scene");
            assert_eq!((sample.image.width, sample.image.height), (16, 16));
            let whole = set.item(item).expect("a scene");
            assert_eq!(sample.image, whole.image.resized(16).expect("a side"));
            let corners = whole.truth.corners().expect("an object");
            assert_eq!(sample.corners, Some(corners.map(|side| side as f32)));
            assert_eq!(images.truths().expect("scenes")[index], corners);
        }
        let error = images.sample(2, &mut rng(0)).expect_err("two images");
        assert!(matches!(error, DataError::Index { index: 2, len: 2 }));
    }

    /// A picture of 40 x 10 px whose object is a bright box of 20 x 2 px.
    #[test]
    fn fractions_are_kept_in_pictures_that_are_no_squares() {
        let inside = |x: u32, y: u32| (10..30).contains(&x) && (4..6).contains(&y);
        let dir = tempfile::tempdir().expect("a temporary folder");
        let [pictures, masks] = ["rgb", "figure_ground"].map(|name| dir.path().join(name));
        for folder in [&pictures, &masks] {
            std::fs::create_dir(folder).expect("a folder");
        }
        let colour = |x, y| Rgb([if inside(x, y) { 255 } else { 0 }; 3]);
        let picture = RgbImage::from_fn(40, 10, colour);
        picture.save(pictures.join("bar.png")).expect("writing");
        let value = |x, y| Luma([if inside(x, y) { 255 } else { 0 }]);
        let mask = GrayImage::from_fn(40, 10, value);
        mask.save(masks.join("bar.png")).expect("writing");

        let set = Annotated::open(dir.path(), &AnnotatedOptions::default()).expect("a pair");
        let images = BoxedImages::new(&set, vec![0], 20);
        let truth = [0.25, 0.4, 0.75, 0.6];
        assert_eq!(images.truths().expect("a box"), [truth]);
        let sample = images.sample(0, &mut rng(0)).expect("a picture");
        assert_eq!(sample.corners, Some(truth.map(|side| side as f32)));
        assert_eq!((sample.image.width, sample.image.height), (20, 20));
        // The picture is bright where the box says so, up to the blur of resizing.
        let bright = |x: usize, y: usize| sample.image.pixels[(y * 20 + x) * 3] > 0.5;
        let found: Vec<usize> = (0..400).filter(|i| bright(i % 20, i / 20)).collect();
        let expected: Vec<usize> = (0..400)
            .filter(|i| (5..15).contains(&(i % 20)) && (8..12).contains(&(i / 20)))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn the_box_is_mirrored_with_the_picture() {
        let set = scenes();
        let all = BoxedImages::new(&set, (0..set.len()).collect(), 16);
        // A mirrored central box would be the same box.
        let sides = all.truths().expect("scenes");
        let lopsided = sides.iter().position(|c| (c[0] + c[2] - 1.0).abs() > 0.1);
        let plain = BoxedImages::new(&set, vec![lopsided.expect("a scene")], 16);
        let training = plain.clone().for_training();
        let original = plain.sample(0, &mut rng(0)).expect("a scene");
        let [left, top, right, bottom] = plain.truths().expect("a scene")[0];
        let mirrored = [1.0 - right, top, 1.0 - left, bottom].map(|side| side as f32);
        let mut count = 0;
        for seed in 0..200 {
            let sample = training.sample(0, &mut rng(seed)).expect("a scene");
            if sample.image == original.image {
                assert_eq!(sample.corners, original.corners);
            } else {
                assert_eq!(sample.image, original.image.flipped());
                assert_eq!(sample.corners, Some(mirrored));
                count += 1;
            }
        }
        assert!((75..125).contains(&count), "{count} of 200");
    }

    #[test]
    fn other_images_have_another_fingerprint() {
        let set = scenes();
        let of = |items: &[usize]| BoxedImages::new(&set, items.to_vec(), 16).fingerprint();
        assert_eq!(of(&[1, 2]), of(&[1, 2]));
        assert_ne!(of(&[1, 2]), of(&[1, 3]));
        assert!(of(&[1, 2]).starts_with("2 annotated images, "));
    }
}
