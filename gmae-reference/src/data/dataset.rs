//! The interface of a data set.

use rand_chacha::ChaCha8Rng;

use super::error::DataError;
use super::image::Image;

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
}
