//! Renders Gaussians to images. All renders go through this file, which warns if a render shows
//! nothing.

use std::sync::atomic::{AtomicBool, Ordering};

use burn::backend::Autodiff;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use splat::{Cpu, Image, RenderConfig, Saved, Scene, Views};
use splat_autodiff::{GaussianTensors, Rendered, Renderer};

use super::camera;
use super::culled::warn_if_all;
use super::head::Gaussians;
use crate::config::Config;
use crate::error::Error;
use crate::numbers::numbers;

/// Renders the Gaussians of every image over a white background, `[B, H, W, 3]`.
///
/// The result is differentiable with respect to the Gaussians. `settings` is usually the result of
/// [`settings()`].
///
/// Warns on standard error if an image shows none of its Gaussians. On a device, only the first
/// render of the process is checked, because the check waits for the device.
///
/// # Errors
///
/// [`Error::Render`] if [`splat_autodiff::render()`] returns an error or memory runs out.
pub fn render<B: Backend, C: CheckpointStrategy>(
    config: &Config,
    settings: &RenderConfig,
    gaussians: Gaussians<Autodiff<B, C>>,
) -> Result<Tensor<Autodiff<B, C>, 4>, Error> {
    static CHECKED: AtomicBool = AtomicBool::new(false);
    let views = camera::views(config, gaussians.images)?;
    let background = white(gaussians.images, &gaussians.means.device());
    let first = !CHECKED.swap(true, Ordering::Relaxed);
    let renderer = Renderer::new().with_culled_on_device(first);
    let rendered = renderer.render(&tensors(gaussians), &views, background, settings);
    shown(rendered, &views)
}

/// Renders like [`render()`] with the settings of `config`, but without gradients. Every render is
/// checked.
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
    let renderer = Renderer::new().with_culled_on_device(true);
    let rendered =
        renderer.render_forward(&tensors(gaussians), &views, background, &settings(config));
    shown(rendered, &views)
}

/// The images and the saved state of a render on the host.
pub(crate) type OnHost = (Image<Vec<f32>>, Saved<Cpu<f32>>);

/// Renders Gaussians on the host, without Burn. Warns as [`render()`] does.
///
/// # Errors
///
/// [`Error::Render`] if [`splat::render()`] returns an error.
pub(crate) fn render_on_host(
    scene: &Scene<'_, &[f32]>,
    settings: &RenderConfig,
) -> Result<OnHost, Error> {
    let (image, saved) = splat::render(&Cpu::<f32>::new(), scene, settings).map_err(refused)?;
    warn_if_all(&saved.splats.culled(), &scene.views.ranges);
    Ok((image, saved))
}

/// Returns the images of a render and warns if one shows nothing.
fn shown<B: Backend>(
    rendered: Result<Rendered<B>, splat_autodiff::Error>,
    views: &Views,
) -> Result<Tensor<B, 4>, Error> {
    let rendered = rendered.map_err(refused)?;
    warn_if_all(&rendered.culled.unwrap_or_default(), &views.ranges);
    Ok(rendered.features)
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
