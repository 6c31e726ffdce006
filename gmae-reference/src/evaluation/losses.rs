//! Errors on masked patches, of renders and of the baseline.

use burn::module::AutodiffModule;
use burn::tensor::backend::AutodiffBackend;

use crate::config::Config;
use crate::error::Error;
use crate::model::{Batch, Gmae, Mask, patch_rows, predict};

/// Mean squared error on masked patches, averaged over the images of `batch`.
///
/// # Errors
///
/// As [`predict`].
pub fn held_out_loss<B: AutodiffBackend>(
    config: &Config,
    model: &Gmae<B>,
    batch: &Batch,
) -> Result<f64, Error> {
    let prediction = predict(config, &model.valid(), batch)?;
    let losses = image_losses(config, batch, &prediction.pixels);
    Ok(mean(&losses))
}

/// [`masked_mse`] of every image.
pub fn image_losses(config: &Config, batch: &Batch, prediction: &[f32]) -> Vec<f64> {
    let len = config.image_size * config.image_size * 3;
    let pairs = batch.pixels.chunks(len).zip(prediction.chunks(len));
    let losses = pairs
        .zip(&batch.masks)
        .map(|((image, render), mask)| masked_mse(config, image, render, mask));
    losses.collect()
}

/// What painting masked patches in the mean colour of the visible ones costs, averaged over the images.
pub fn mean_colour_loss(config: &Config, batch: &Batch) -> f64 {
    let len = config.image_size * config.image_size * 3;
    let images = batch.pixels.chunks(len).zip(&batch.masks);
    let losses: Vec<f64> = images
        .map(|(image, mask)| mean_colour_mse(config, image, mask))
        .collect();
    mean(&losses)
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// Mean squared error of `prediction` on the masked patches of one image, both `[H, W, 3]`; 0 if none is masked.
pub fn masked_mse(config: &Config, image: &[f32], prediction: &[f32], mask: &Mask) -> f64 {
    let runs = mask
        .masked
        .iter()
        .flat_map(|&patch| patch_rows(config, patch));
    let squares = runs.flat_map(|run| image[run.clone()].iter().zip(&prediction[run]));
    let sum: f64 = squares.map(|(a, b)| f64::from(a - b).powi(2)).sum();
    sum / (mask.masked.len() * config.patch_len()).max(1) as f64
}

/// What [`masked_mse`] charges for painting every masked patch in the mean colour of the visible ones.
pub fn mean_colour_mse(config: &Config, image: &[f32], mask: &Mask) -> f64 {
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
    let pixels = (mask.visible.len() * config.patch_size * config.patch_size).max(1);
    let colour = sum.map(|s| (s / pixels as f64) as f32);
    let painted = colour.repeat(config.image_size * config.image_size);
    masked_mse(config, image, &painted, mask)
}
