//! Mean squared errors on masked patches, for renders and for the mean-colour baseline.

use burn::module::AutodiffModule;

use super::quality::{masked_mse, mean_colour_fill};
use crate::backend::Training;
use crate::config::Config;
use crate::error::{Error, check_len};
use crate::model::{Autoencoder, Batch, Mask, check_batch, predict};
use crate::ops::Operations;

/// Computes the mean squared error on masked patches, averaged over the images of `batch`. The
/// result is `None` if nothing is masked.
///
/// # Errors
///
/// All errors of [`predict`].
pub(crate) fn held_out_loss<B: Operations>(
    config: &Config,
    model: &Autoencoder<Training<B>>,
    batch: &Batch,
) -> Result<Option<f64>, Error> {
    let prediction = predict(config, &model.valid(), batch)?;
    let losses = image_losses(config, batch, &prediction.pixels)?;
    Ok(mean(&losses))
}

/// Computes [`masked_mse`] of every image. `prediction` has the shape `[B, H, W, 3]`.
pub(crate) fn image_losses(
    config: &Config,
    batch: &Batch,
    prediction: &[f32],
) -> Result<Vec<Option<f64>>, Error> {
    check_len(
        "pixels of a prediction",
        batch.pixels.len(),
        prediction.len(),
    )?;
    let images = batch.images(config)?;
    let losses = images
        .zip(prediction.chunks(config.image_len()))
        .map(|((image, mask), render)| masked_mse(config, image, render, mask));
    losses.collect()
}

/// Computes [`mean_colour_mse`], averaged over the images of `batch`. The result is `None` if no
/// image has both masked and visible patches.
pub(crate) fn mean_colour_loss(config: &Config, batch: &Batch) -> Result<Option<f64>, Error> {
    let images = batch.images(config)?;
    let losses: Vec<Option<f64>> = images
        .map(|(image, mask)| mean_colour_mse(config, image, mask))
        .collect::<Result<_, _>>()?;
    Ok(mean(&losses))
}

/// Returns the mean over the images that have an error.
fn mean(values: &[Option<f64>]) -> Option<f64> {
    let count = values.iter().flatten().count();
    (count > 0).then(|| values.iter().flatten().sum::<f64>() / count as f64)
}

/// Computes the error of the mean-colour baseline: [`masked_mse`] of an image whose masked patches
/// are painted with the mean colour of its visible patches.
///
/// `image` has the shape `[H, W, 3]`. The result is `None` if no patch is masked or no patch is
/// visible.
///
/// # Errors
///
/// [`Error::Setting`] if `config` is invalid. [`Error::Length`] if `image` does not have the
/// configured size. [`Error::Argument`] if `mask` does not split the patches of the image.
pub fn mean_colour_mse(config: &Config, image: &[f32], mask: &Mask) -> Result<Option<f64>, Error> {
    check_batch(config, image, std::slice::from_ref(mask))?;
    if mask.visible.is_empty() {
        return Ok(None);
    }
    let filled = mean_colour_fill(config, image, mask)?;
    masked_mse(config, image, &filled, mask)
}
