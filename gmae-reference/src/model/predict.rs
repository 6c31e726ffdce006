//! The forward pass of a batch, from visible patches to pixels.

use burn::tensor::backend::Backend;

use super::autoencoder::Autoencoder;
use super::batch::Batch;
use super::decoded::Decoded;
use super::head::Gaussians;
use super::patches::Visible;
use super::pixels::pixels;
use crate::backend::Cpu;
use crate::config::Config;
use crate::error::Error;
use crate::ops::Operations;

/// The prediction for a batch.
#[derive(Clone, Debug)]
pub struct Prediction<B: Backend = Cpu> {
    /// The Gaussians of all images. MAE predicts none.
    pub gaussians: Option<Gaussians<B>>,
    /// The predicted pixels `[B, H, W, 3]`, in `[0, 1]`.
    pub pixels: Vec<f32>,
}

/// Encodes the visible patches of `batch`, and predicts the pixels of all patches. The batch is
/// processed in pieces of [`Config::images_per_piece`] images.
///
/// With [`Config::norm_pix`], a patch is predicted without its mean and deviation. These are taken
/// from the true patch.
///
/// # Errors
///
/// All errors of [`Batch::check`]. [`Error::Length`] if the masks of a piece have different numbers
/// of visible patches. [`Error::Render`] if the renderer fails.
pub fn predict<B: Operations>(
    config: &Config,
    model: &Autoencoder<B>,
    batch: &Batch,
) -> Result<Prediction<B>, Error> {
    let (mut gaussians, mut values) = (Vec::new(), Vec::new());
    for piece in batch.pieces(config)? {
        let visible = Visible::new(config, &piece.pixels, &piece.masks, &model.device())?;
        let decoded = model.forward(&visible);
        if let Decoded::Gaussians(scene) = &decoded {
            gaussians.push(scene.clone());
        }
        values.extend(pixels(config, decoded, &piece)?);
    }
    Ok(Prediction {
        gaussians: (!gaussians.is_empty()).then(|| Gaussians::cat(&gaussians)),
        pixels: values,
    })
}
