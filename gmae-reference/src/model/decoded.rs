//! What the decoder and the head predict.

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use super::head::Gaussians;

/// The decoded image: what the method predicts.
#[derive(Clone, Debug)]
pub enum Decoded<B: Backend> {
    /// The Gaussians of GMAE.
    Gaussians(Gaussians<B>),
    /// The patches of MAE.
    Patches(Patches<B>),
}

impl<B: Backend> Decoded<B> {
    /// Returns the Gaussians, or `None` for MAE.
    pub fn into_gaussians(self) -> Option<Gaussians<B>> {
        match self {
            Self::Gaussians(gaussians) => Some(gaussians),
            Self::Patches(_) => None,
        }
    }
}

/// The predicted patches of B images, N per image, stored image by image.
#[derive(Clone, Debug)]
pub struct Patches<B: Backend> {
    /// Standardised pixels, `[B N, 3 P^2]`: with the mean and the deviation of each patch if
    /// [`norm_pix`](crate::config::Config::norm_pix) is on, else with those of `ImageNet`. A patch
    /// holds its pixels row by row, with three colour values per pixel.
    pub values: Tensor<B, 2>,
    /// The number of images, B.
    pub images: usize,
}
