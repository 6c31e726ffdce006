//! The interface of a data set.

use rand_chacha::ChaCha8Rng;

use super::error::DataError;
use super::image::Image;

/// A finite, indexable set of square pictures of one size.
pub trait Dataset: Sync {
    /// The number of pictures.
    fn len(&self) -> usize;

    /// True if there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The picture at `index`, square, at the size the set was opened with.
    ///
    /// A set opened for training draws its augmentation from `rng`, which belongs to this one
    /// sample; a set opened for evaluation leaves `rng` untouched.
    ///
    /// # Errors
    ///
    /// [`DataError::Index`] when `index` is not below `len()`, and whatever reading the picture can
    /// bring.
    fn image(&self, index: usize, rng: &mut ChaCha8Rng) -> Result<Image, DataError>;
}
