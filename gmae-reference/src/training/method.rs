//! The whole method, from the pixels of a few images to the loss and its gradient.

use burn::tensor::ElementConversion;
use splat::RenderConfig;

use super::gradient::Gradient;
use super::loss::Target;
use crate::backend::{Training, Trains};
use crate::config::Config;
use crate::error::Error;
use crate::model::pixels::images;
use crate::model::{Autoencoder, Mask, Visible};

/// Computes the gradient and the loss of one piece of a batch.
pub(super) fn piece_gradient<B: Trains>(
    config: &Config,
    settings: &RenderConfig,
    model: &Autoencoder<Training<B>>,
    pixels: &[f32],
    masks: &[Mask],
    device: &B::Device,
) -> Result<(Gradient, f64), Error> {
    let visible = Visible::new(config, pixels, masks, device)?;
    let decoded = model.forward(&visible);
    let images = images(config, settings, decoded)?;
    let loss = Target::new(config, config.loss, pixels, masks)?.loss(images)?;
    let value = loss.clone().into_scalar().elem::<f64>();
    Ok((Gradient::of(loss.backward(), model), value))
}
