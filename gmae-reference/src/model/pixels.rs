//! From the decoded image to pixels: the render of Gaussians, or patches put side by side.

use burn::backend::Autodiff;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};
use splat::RenderConfig;

use super::batch::Batch;
use super::decoded::{Decoded, Patches};
use super::patches::{IMAGENET_DEVIATION, IMAGENET_MEAN, patch_rows, standardisation};
use super::render::{render, render_forward};
use crate::config::Config;
use crate::error::Error;
use crate::numbers::numbers;

/// Computes the images that the loss compares with its target, `[B, H, W, 3]`: renders, or patches
/// in their places. The colours lie in the units of `[0, 1]`, but with [`Config::norm_pix`] they
/// are standardised.
///
/// # Errors
///
/// [`Error::Render`] if the renderer fails.
pub fn images<B: Backend, C: CheckpointStrategy>(
    config: &Config,
    settings: &RenderConfig,
    decoded: Decoded<Autodiff<B, C>>,
) -> Result<Tensor<Autodiff<B, C>, 4>, Error> {
    match decoded {
        Decoded::Gaussians(gaussians) => render(config, settings, gaussians),
        Decoded::Patches(patches) => Ok(joined(config, patches)),
    }
}

/// Computes the pixels `[B, H, W, 3]` of a decoded batch in `[0, 1]`, without gradients. Predicted
/// patches that leave the range are clamped: no image has such colours.
///
/// With [`Config::norm_pix`], a patch is scaled with the mean and the deviation of the true patch,
/// which `batch` contains. The result then knows more than the visible patches.
///
/// # Errors
///
/// [`Error::Render`] if the renderer fails.
pub(super) fn pixels<B: Backend>(
    config: &Config,
    decoded: Decoded<B>,
    batch: &Batch,
) -> Result<Vec<f32>, Error> {
    let patches = match decoded {
        Decoded::Gaussians(gaussians) => return numbers(render_forward(config, gaussians)?),
        Decoded::Patches(patches) => patches,
    };
    let mut pixels = numbers(joined(config, patches))?;
    if config.norm_pix {
        let len = config.image_len();
        for (image, pixels) in batch.pixels.chunks(len).zip(pixels.chunks_mut(len)) {
            for patch in 0..config.patches() {
                let (mean, deviation) = standardisation(config, image, patch);
                for value in patch_rows(config, patch).flatten() {
                    pixels[value] = (f64::from(pixels[value]) * deviation + mean) as f32;
                }
            }
        }
    }
    for value in &mut pixels {
        *value = value.clamp(0.0, 1.0);
    }
    Ok(pixels)
}

/// Puts patches side by side, `[B, H, W, 3]`.
fn joined<B: Backend>(config: &Config, patches: Patches<B>) -> Tensor<B, 4> {
    let (images, grid, side, size) = (
        patches.images,
        config.grid(),
        config.patch_size,
        config.image_size,
    );
    let device = patches.values.device();
    let image = patches
        .values
        .reshape([images * grid, grid, side, side * 3])
        .swap_dims(1, 2)
        .reshape([images, size, size, 3]);
    if config.norm_pix {
        return image;
    }
    let colour = |values: [f32; 3]| {
        Tensor::<B, 4>::from_data(TensorData::new(values.to_vec(), [1, 1, 1, 3]), &device)
    };
    image * colour(IMAGENET_DEVIATION) + colour(IMAGENET_MEAN)
}
