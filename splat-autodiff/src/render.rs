//! The entry points: with and without gradients, of Gaussians with and without tensors of cameras, and
//! of ellipses.

use burn::tensor::Tensor;
use burn::tensor::backend::{AutodiffBackend, Backend};
use splat::{RenderConfig, Views};

use crate::cameras::CameraTensors;
use crate::ellipses::{EllipseTensors, EllipseViews};
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

/// Renders like [`render`], with camera poses, intrinsics or both given by tensors.
///
/// The backward pass also computes the gradients with respect to the tensors of `cameras`
/// (docs/MATH.md, section 2).
///
/// # Errors
/// The same as for [`render`]. The checks of shape, element type and device include the tensors of
/// `cameras`. [`Error::Value`] if a focal length is not finite and positive, or a coordinate of a
/// principal point is not finite.
///
/// # Panics
/// The same as for [`render`].
pub fn render_with_cameras<B: AutodiffBackend>(
    gaussians: &GaussianTensors<B>,
    views: &Views,
    background: Tensor<B, 2>,
    cameras: CameraTensors<B>,
    config: &RenderConfig,
) -> Result<Rendered<B>, Error> {
    Renderer::new().render_with_cameras(gaussians, views, background, cameras, config)
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

/// Renders like [`render_with_cameras`] on any backend, without gradients.
///
/// [`render_forward`] describes the behaviour on a differentiable backend.
///
/// # Errors
/// The same as for [`render_with_cameras`], except [`Error::UnsupportedAutodiff`] and
/// [`Error::NestedAutodiff`].
pub fn render_forward_with_cameras<B: Backend>(
    gaussians: &GaussianTensors<B>,
    views: &Views,
    background: Tensor<B, 2>,
    cameras: CameraTensors<B>,
    config: &RenderConfig,
) -> Result<Rendered<B>, Error> {
    Renderer::new().render_forward_with_cameras(gaussians, views, background, cameras, config)
}

/// Renders ellipses in the image over a background for each of the V images, differentiably:
/// [`splat::ellipses::render_ellipses`] as a Burn operation.
///
/// `background` is `[V, C]`. The backward pass computes gradients with respect to the ellipses'
/// tensors and `background` (docs/MATH.md, eq. 10' and 13' to 17). Only tracked tensors receive a
/// gradient. Copies, precision and the one backward pass per forward pass are those of [`render`].
///
/// ```
/// use burn::backend::Autodiff;
/// use burn::tensor::Tensor;
/// use burn_flex::Flex;
/// use splat::RenderConfig;
/// use splat::ellipses::Shapes;
/// use splat_autodiff::{EllipseTensors, EllipseViews, render_ellipses};
///
/// // One red ellipse in an image of 32 x 24 px. Only its centre is learned.
/// type B = Autodiff<Flex>;
/// let device = Default::default();
/// let ellipses = EllipseTensors::<B> {
///     means: Tensor::from_floats([[16.0, 12.0]], &device).require_grad(),
///     shapes: Tensor::from_floats([[9.0, 2.0, 4.0]], &device),
///     kind: Shapes::Covariances,
///     opacities: Tensor::from_floats([0.8], &device),
///     depths: Tensor::zeros([1], &device),
///     features: Tensor::from_floats([[1.0, 0.0, 0.0]], &device),
/// };
/// let views = EllipseViews::single(32, 24, 1);
/// let background = Tensor::zeros([1, 3], &device);
///
/// // The shape of the images is [1, 24, 32, 3].
/// let config = RenderConfig::default();
/// let image = render_ellipses(&ellipses, &views, background, &config)?.features;
/// // The right half is brighter if the centre is further right.
/// let gradients = image.slice([0..1, 0..24, 16..32]).mean().backward();
/// let gradient = ellipses.means.grad(&gradients).expect("a tracked tensor");
/// assert!(gradient.into_data().iter::<f32>().next() > Some(0.0));
/// # Ok::<(), splat_autodiff::Error>(())
/// ```
///
/// # Errors
/// - [`Error::Shape`] if a tensor does not have the documented shape.
/// - [`Error::Value`] if the last offset of `views` is not the number of ellipses.
/// - [`Error::DType`] and [`Error::Device`] if an element type or a device differs from that of
///   `ellipses.means`, or the element type is not a supported float type.
/// - [`Error::Read`], [`Error::UnsupportedAutodiff`], [`Error::NestedAutodiff`] and
///   [`Error::MissingFeature`] as for [`render`].
/// - [`Error::Render`] if [`splat::ellipses::render_ellipses`] returns an error, for example for
///   offsets that descend.
///
/// # Panics
/// The same as for [`render`].
pub fn render_ellipses<B: AutodiffBackend>(
    ellipses: &EllipseTensors<B>,
    views: &EllipseViews,
    background: Tensor<B, 2>,
    config: &RenderConfig,
) -> Result<Rendered<B>, Error> {
    Renderer::new().render_ellipses(ellipses, views, background, config)
}

/// Renders like [`render_ellipses`] on any backend, without gradients.
///
/// [`render_forward`] describes the behaviour on a differentiable backend.
///
/// # Errors
/// The same as for [`render_ellipses`], except [`Error::UnsupportedAutodiff`] and
/// [`Error::NestedAutodiff`].
pub fn render_ellipses_forward<B: Backend>(
    ellipses: &EllipseTensors<B>,
    views: &EllipseViews,
    background: Tensor<B, 2>,
    config: &RenderConfig,
) -> Result<Rendered<B>, Error> {
    Renderer::new().render_ellipses_forward(ellipses, views, background, config)
}
