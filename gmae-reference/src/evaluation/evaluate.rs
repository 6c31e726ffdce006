//! Looking at what a model makes of images: renders, Gaussians, losses.

use burn::module::AutodiffModule;
use burn::tensor::backend::{AutodiffBackend, Backend};

use crate::Error;
use crate::backend::Cpu;
use crate::config::Config;
use crate::model::patches::check_pixels;
use crate::model::render::render_forward;
use crate::model::{Gaussians, Gmae, Visible};
use crate::numbers::numbers;
use crate::training::loss::{masked_mse, mean_colour_mse};
use crate::training::sampling::Batch;

/// What a model makes of a batch.
#[derive(Clone, Debug)]
pub struct Prediction<B: Backend = Cpu> {
    /// The Gaussians.
    pub gaussians: Gaussians<B>,
    /// The render `[B, H, W, 3]`.
    pub pixels: Vec<f32>,
}

/// Encodes the visible patches of `batch`, decodes Gaussians, renders them, piece by piece.
///
/// # Errors
///
/// [`Error::Length`] for a batch of the wrong size or none at all, [`Error::Render`].
pub fn predict<B: Backend>(
    config: &Config,
    model: &Gmae<B>,
    batch: &Batch,
) -> Result<Prediction<B>, Error> {
    let (mut gaussians, mut pixels) = (Vec::new(), Vec::new());
    check_pixels(config, &batch.pixels, batch.masks.len())?;
    for (piece, masks) in batch.pieces(config) {
        let visible = Visible::new(config, piece, masks, &model.device())?;
        let scene = model.forward(&visible);
        pixels.extend(numbers(render_forward(config, scene.clone())?)?);
        gaussians.push(scene);
    }
    Ok(Prediction {
        gaussians: Gaussians::cat(&gaussians),
        pixels,
    })
}

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
