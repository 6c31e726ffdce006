//! Mean squared errors on masked patches, for renders and for the mean-colour baseline.

use burn::module::AutodiffModule;

use crate::backend::Training;
use crate::config::Config;
use crate::error::{Error, check_len};
use crate::model::{Autoencoder, Batch, Mask, check_batch, patch_rows, predict};
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

/// Computes the mean squared error of `prediction` on the masked patches of one image.
///
/// `image` and `prediction` have the shape `[H, W, 3]`. The result is `None` if no patch is masked.
///
/// # Errors
///
/// [`Error::Length`] if `image` does not have the configured size or `prediction` has another
/// length. [`Error::Argument`] if `mask` does not split the patches of the image.
pub fn masked_mse(
    config: &Config,
    image: &[f32],
    prediction: &[f32],
    mask: &Mask,
) -> Result<Option<f64>, Error> {
    check_batch(config, image, std::slice::from_ref(mask))?;
    check_len("pixels of a prediction", image.len(), prediction.len())?;
    let runs = mask
        .masked
        .iter()
        .flat_map(|&patch| patch_rows(config, patch));
    let squares = runs.flat_map(|run| image[run.clone()].iter().zip(&prediction[run]));
    let sum: f64 = squares.map(|(a, b)| f64::from(a - b).powi(2)).sum();
    let count = mask.masked.len() * config.patch_len();
    Ok((count > 0).then(|| sum / count as f64))
}

/// Computes the error of the mean-colour baseline: [`masked_mse`] of an image whose masked patches
/// are painted with the mean colour of its visible patches.
///
/// `image` has the shape `[H, W, 3]`. The result is `None` if no patch is masked or no patch is
/// visible.
///
/// # Errors
///
/// [`Error::Length`] if `image` does not have the configured size. [`Error::Argument`] if `mask`
/// does not split the patches of the image.
pub fn mean_colour_mse(config: &Config, image: &[f32], mask: &Mask) -> Result<Option<f64>, Error> {
    check_batch(config, image, std::slice::from_ref(mask))?;
    if mask.visible.is_empty() {
        return Ok(None);
    }
    let mut sum = [0.0_f64; 3];
    for run in mask
        .visible
        .iter()
        .flat_map(|&patch| patch_rows(config, patch))
    {
        for pixel in image[run].chunks(3) {
            sum.iter_mut()
                .zip(pixel)
                .for_each(|(s, &v)| *s += f64::from(v));
        }
    }
    let pixels = mask.visible.len() * config.patch_size * config.patch_size;
    let colour = sum.map(|s| (s / pixels as f64) as f32);
    let filled = colour.repeat(config.image_size * config.image_size);
    masked_mse(config, image, &filled, mask)
}
