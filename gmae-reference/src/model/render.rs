//! Renders Gaussians to images. All renders of training and prediction go through this file. Only
//! the depth layers of the report and the readings call the `splat` crate directly.

use burn::backend::Autodiff;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use splat::RenderConfig;
use splat_autodiff::GaussianTensors;

use super::camera;
use super::head::Gaussians;
use crate::config::Config;
use crate::error::Error;
use crate::numbers::numbers;

/// Renders the Gaussians of every image over a white background, `[B, H, W, 3]`.
///
/// The result is differentiable with respect to the Gaussians. `settings` is usually the result of
/// [`settings()`].
///
/// # Errors
///
/// [`Error::Render`] if [`splat_autodiff::render()`] returns an error or memory runs out.
pub fn render<B: Backend, C: CheckpointStrategy>(
    config: &Config,
    settings: &RenderConfig,
    gaussians: Gaussians<Autodiff<B, C>>,
) -> Result<Tensor<Autodiff<B, C>, 4>, Error> {
    let views = camera::views(config, gaussians.images)?;
    let background = white(gaussians.images, &gaussians.means.device());
    let rendered = splat_autodiff::render(&tensors(gaussians), &views, background, settings);
    rendered.map(|image| image.features).map_err(refused)
}

/// Renders like [`render()`] with the settings of `config`, but without gradients.
///
/// # Errors
///
/// [`Error::Render`] if [`splat_autodiff::render_forward()`] returns an error or memory runs out.
pub fn render_forward<B: Backend>(
    config: &Config,
    gaussians: Gaussians<B>,
) -> Result<Tensor<B, 4>, Error> {
    let views = camera::views(config, gaussians.images)?;
    let background = white(gaussians.images, &gaussians.means.device());
    let rendered =
        splat_autodiff::render_forward(&tensors(gaussians), &views, background, &settings(config));
    rendered.map(|image| image.features).map_err(refused)
}

/// Returns the settings of the renderer: the defaults with the blur of `config`.
pub fn settings(config: &Config) -> RenderConfig {
    RenderConfig::default().with_blur(config.blur)
}

/// Copies the Gaussians to host buffers, for calls of the `splat` crate without Burn.
///
/// # Errors
///
/// [`Error::Render`] if a tensor does not hold `f32`.
pub fn buffers<B: Backend>(gaussians: Gaussians<B>) -> Result<splat::Gaussians<Vec<f32>>, Error> {
    let [count, channels] = gaussians.colours.dims();
    Ok(splat::Gaussians {
        means: numbers(gaussians.means)?,
        scales: numbers(gaussians.scales)?,
        quaternions: numbers(gaussians.quaternions)?,
        opacities: numbers(gaussians.opacities)?,
        features: numbers(gaussians.colours)?,
        count,
        channels,
        encoding: splat::encoding::Encoding::PLAIN,
    })
}

fn tensors<B: Backend>(gaussians: Gaussians<B>) -> GaussianTensors<B> {
    GaussianTensors {
        means: gaussians.means,
        scales: gaussians.scales,
        quaternions: gaussians.quaternions,
        opacities: gaussians.opacities,
        features: gaussians.colours,
    }
}

fn white<B: Backend>(images: usize, device: &B::Device) -> Tensor<B, 2> {
    Tensor::ones([images, 3], device)
}

fn refused(error: impl std::fmt::Display) -> Error {
    Error::Render(error.to_string())
}
