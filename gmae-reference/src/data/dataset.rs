//! The interface of a data set.

use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::error::DataError;
use super::image::Image;

/// A picture with its class, or with the box of its object.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// The picture.
    pub image: Image,
    /// The class, a number below the number of classes. `None` if the picture has no class.
    pub label: Option<usize>,
    /// Left, top, right and bottom of the box of the object, as fractions of the sides of the
    /// picture. `None` if the object is not annotated.
    pub corners: Option<[f32; 4]>,
}

/// A finite, indexable set of square pictures of one size.
pub trait Dataset: Sync {
    /// The number of pictures.
    fn len(&self) -> usize;

    /// Returns true if the set has no pictures.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the picture at `index`: square, with the side for which the set was opened.
    ///
    /// A set opened for training draws its augmentation from `rng`, a generator for this sample
    /// alone. A set opened for evaluation does not use `rng`.
    ///
    /// # Errors
    ///
    /// [`DataError::Index`] if `index` is not below `len()`. Any other [`DataError`] if the picture
    /// cannot be read.
    fn image(&self, index: usize, rng: &mut ChaCha8Rng) -> Result<Image, DataError>;

    /// Returns the picture at `index` with its class or its box. By default, pictures have neither.
    ///
    /// # Errors
    ///
    /// All errors of [`Dataset::image`].
    fn sample(&self, index: usize, rng: &mut ChaCha8Rng) -> Result<Sample, DataError> {
        Ok(Sample {
            image: self.image(index, rng)?,
            label: None,
            corners: None,
        })
    }

    /// Returns the order of the pictures in an epoch: every index below `len()` once. `rng` is a
    /// generator for this epoch alone.
    ///
    /// The default is a uniformly random order. A set that is read faster in sequence can have
    /// another order.
    fn order(&self, rng: &mut ChaCha8Rng) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.len()).collect();
        order.shuffle(rng);
        order
    }

    /// Returns a short text that identifies the pictures. A resumed run compares it with the text
    /// of the original run. The text does not depend on the location of the set on this machine.
    fn fingerprint(&self) -> String;

    /// Returns remarks for the user on the pictures read since the last call, one line each, such
    /// as the name of a file that could not be read.
    fn remarks(&self) -> Vec<String> {
        Vec::new()
    }
}
