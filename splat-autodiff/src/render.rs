//! The entry points: with and without gradients, with and without a tensor of poses.

use burn::tensor::Tensor;
use burn::tensor::backend::{AutodiffBackend, Backend};
use splat::{RenderConfig, Views};

use crate::error::Error;
use crate::gaussians::GaussianTensors;
use crate::rendered::Rendered;
use crate::renderer::Renderer;

/// Renders every view of `gaussians` over its background, differentiably.
///
/// `background` is `[V, C]`: one row for each of the V views, in the unit of the features. The
/// backward pass computes gradients with respect to the Gaussians' tensors and `background`
/// (docs/MATH.md, eq. 1' to 17). Only tracked tensors receive a gradient. `backward()` can be
/// called once per render, see the [crate's documentation](crate).
/// [`splat::Outputs::contributors`] has no effect. A loop is faster with a [`Renderer`], which
/// keeps memory from step to step.
///
/// # Errors
/// - [`Error::Shape`] if a tensor does not have the documented shape.
/// - [`Error::DType`] if an element type differs from that of `gaussians.means`, or is not a
///   supported float type.
/// - [`Error::Device`] if a tensor is not on the device of `gaussians.means`.
/// - [`Error::Read`] if a tensor cannot be read from its device.
/// - [`Error::UnsupportedAutodiff`] if `B` is not [`Autodiff`](burn::backend::Autodiff) around
///   another backend. The checkpointing strategy does not matter.
/// - [`Error::NestedAutodiff`] if the backend inside `B` is itself differentiable.
/// - [`Error::MissingFeature`] if the tensors are on a device and a feature for it is off.
/// - [`Error::Render`] if [`splat::render()`] returns an error.
///
/// # Panics
/// The function itself does not panic. The backward pass panics on any error, for example if
/// memory runs out, because Burn's `backward()` cannot return an error.
pub fn render<B: AutodiffBackend>(
    gaussians: &GaussianTensors<B>,
    views: &Views,
    background: Tensor<B, 2>,
    config: &RenderConfig,
) -> Result<Rendered<B>, Error> {
    Renderer::new().render(gaussians, views, background, config)
}

/// Renders like [`render`], with the camera poses given by a tensor.
///
/// `poses` is `[V, 3, 4]`: `camera_from_world` of every view as rows `[R | t]`, t in world units.
/// The poses in `views` are ignored. A pose that is not finite culls all Gaussians of its view.
///
/// The gradient with respect to `poses` treats the twelve entries as independent. To keep R a
/// rotation, compute `poses` from a parametrisation of rotations.
///
/// # Errors
/// The same as for [`render`]. The checks of shape, element type and device include `poses`.
///
/// # Panics
/// The same as for [`render`].
pub fn render_with_poses<B: AutodiffBackend>(
    gaussians: &GaussianTensors<B>,
    views: &Views,
    background: Tensor<B, 2>,
    poses: Tensor<B, 3>,
    config: &RenderConfig,
) -> Result<Rendered<B>, Error> {
    Renderer::new().render_with_poses(gaussians, views, background, poses, config)
}

/// Renders like [`render`] on any backend, without gradients.
///
/// On a differentiable backend the result is a constant, and the render runs on the CPU. To render
/// on the device, pass the inner tensors.
///
/// # Errors
/// The same as for [`render`], except [`Error::UnsupportedAutodiff`] and
/// [`Error::NestedAutodiff`].
pub fn render_forward<B: Backend>(
    gaussians: &GaussianTensors<B>,
    views: &Views,
    background: Tensor<B, 2>,
    config: &RenderConfig,
) -> Result<Rendered<B>, Error> {
    Renderer::new().render_forward(gaussians, views, background, config)
}

/// Renders like [`render_with_poses`] on any backend, without gradients.
///
/// [`render_forward`] describes the behaviour on a differentiable backend.
///
/// # Errors
/// The same as for [`render_with_poses`], except [`Error::UnsupportedAutodiff`] and
/// [`Error::NestedAutodiff`].
pub fn render_forward_with_poses<B: Backend>(
    gaussians: &GaussianTensors<B>,
    views: &Views,
    background: Tensor<B, 2>,
    poses: Tensor<B, 3>,
    config: &RenderConfig,
) -> Result<Rendered<B>, Error> {
    Renderer::new().render_forward_with_poses(gaussians, views, background, poses, config)
}
