//! The forward pass of a batch, from patches to Gaussians to pixels.

use burn::tensor::backend::Backend;

use super::batch::Batch;
use super::gmae::Gmae;
use super::head::Gaussians;
use super::patches::Visible;
use super::render::render_forward;
use crate::backend::Cpu;
use crate::config::Config;
use crate::error::Error;
use crate::numbers::numbers;
use crate::ops::Operations;

/// The Gaussians and the render of a batch.
#[derive(Clone, Debug)]
pub struct Prediction<B: Backend = Cpu> {
    /// The Gaussians of all images.
    pub gaussians: Gaussians<B>,
    /// The rendered pixels `[B, H, W, 3]`.
    pub pixels: Vec<f32>,
}

/// Encodes the visible patches of `batch`, decodes the Gaussians, and renders them. The batch is
/// processed in pieces of [`Config::images_per_piece`] images.
///
/// # Errors
///
/// All errors of [`Batch::check`]. [`Error::Length`] if the masks of a piece have different numbers
/// of visible patches. [`Error::Render`] if the renderer fails.
pub fn predict<B: Operations>(
    config: &Config,
    model: &Gmae<B>,
    batch: &Batch,
) -> Result<Prediction<B>, Error> {
    let (mut gaussians, mut pixels) = (Vec::new(), Vec::new());
    for piece in batch.pieces(config)? {
        let visible = Visible::new(config, &piece.pixels, &piece.masks, &model.device())?;
        let scene = model.forward(&visible);
        pixels.extend(numbers(render_forward(config, scene.clone())?)?);
        gaussians.push(scene);
    }
    Ok(Prediction {
        gaussians: Gaussians::cat(&gaussians),
        pixels,
    })
}
