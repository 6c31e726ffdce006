//! The entry points: with and without gradients, with and without a tensor of poses.

use burn::backend::Autodiff;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use burn::tensor::ops::FloatTensor;
use splat::{RenderConfig, Views};

use crate::engine;
use crate::error::Error;
use crate::gaussians::GaussianTensors;
use crate::inputs::Inputs;
use crate::layout::Layout;
use crate::op::{attach, tensor};
use crate::tape::Recording;

/// The rendered images of V views: [`splat::Image`] as Burn tensors.
///
/// H and W are the height and width of `views` in pixels, C is the number of feature channels, and
/// L the length of `config.layers`. The element type is the element type of the inputs. Equation
/// numbers refer to docs/MATH.md.
#[derive(Debug, Clone)]
pub struct Rendered<B: Backend> {
    /// Feature images `[V, H, W, C]`: the sum of weight times features, plus the remaining
    /// transmittance times the background (eq. 15). The unit is the unit of the features.
    pub features: Tensor<B, 4>,
    /// Remaining transmittance T `[V, H, W]` in [0, 1] (eq. 15); alpha is `1 - T`. `Some` if
    /// [`splat::Outputs::transmittance`] is set.
    pub transmittance: Option<Tensor<B, 3>>,
    /// Depth images `[V, H, W]` in world units: the sum of weight times camera z (eq. 15), not
    /// divided by alpha. `Some` if [`splat::Outputs::depth`] is set.
    pub depth: Option<Tensor<B, 3>>,
    /// Layer images `[V, L, H, W, C]`: image `l` contains only the nearest `config.layers[l]`
    /// visible splats, over the background. `Some` if `config.layers` is not empty. Layer images
    /// carry no gradient.
    pub layers: Option<Tensor<B, 5>>,
    /// Transmittance of the layer images `[V, L, H, W]`. `Some` if `config.layers` is not empty and
    /// [`splat::Outputs::transmittance`] is set. It carries no gradient.
    pub layer_transmittance: Option<Tensor<B, 4>>,
}

/// Renders every view of `gaussians` over its background, differentiably.
///
/// `background` is `[V, C]`: one row for each of the V views, in the unit of the features. The
/// backward pass computes gradients with respect to the Gaussians' tensors and `background`
/// (docs/MATH.md, eq. 1' to 17). Only tracked tensors receive a gradient. `backward()` can be
/// called once per render, see the [crate's documentation](crate).
/// [`splat::Outputs::contributors`] has no effect.
///
/// # Errors
/// - [`Error::Shape`] if a tensor does not have the documented shape.
/// - [`Error::DType`] if an element type differs from that of `gaussians.means`, or is not a
///   supported float type.
/// - [`Error::Device`] if a tensor is not on the device of `gaussians.means`.
/// - [`Error::Read`] if a tensor cannot be read from its device.
/// - [`Error::NestedAutodiff`] if `B` is itself differentiable.
/// - [`Error::Render`] if [`splat::render()`] returns an error.
///
/// # Panics
/// The function itself does not panic. The backward pass panics on any error, for example if
/// memory runs out, because Burn's `backward()` cannot return an error.
pub fn render<B: Backend, C: CheckpointStrategy>(
    gaussians: &GaussianTensors<Autodiff<B, C>>,
    views: &Views,
    background: Tensor<Autodiff<B, C>, 2>,
    config: &RenderConfig,
) -> Result<Rendered<Autodiff<B, C>>, Error> {
    let gaussians = gaussians.clone();
    differentiable(
        Inputs {
            gaussians,
            background,
            poses: None,
        },
        views,
        config,
    )
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
pub fn render_with_poses<B: Backend, C: CheckpointStrategy>(
    gaussians: &GaussianTensors<Autodiff<B, C>>,
    views: &Views,
    background: Tensor<Autodiff<B, C>, 2>,
    poses: Tensor<Autodiff<B, C>, 3>,
    config: &RenderConfig,
) -> Result<Rendered<Autodiff<B, C>>, Error> {
    let (gaussians, poses) = (gaussians.clone(), Some(poses));
    differentiable(
        Inputs {
            gaussians,
            background,
            poses,
        },
        views,
        config,
    )
}

/// Renders like [`render`] on any backend, without gradients.
///
/// On a differentiable backend the result is a constant, and the render runs on the CPU. To render
/// on the device, pass the inner tensors.
///
/// # Errors
/// The same as for [`render`], except [`Error::NestedAutodiff`].
pub fn render_forward<B: Backend>(
    gaussians: &GaussianTensors<B>,
    views: &Views,
    background: Tensor<B, 2>,
    config: &RenderConfig,
) -> Result<Rendered<B>, Error> {
    let gaussians = gaussians.clone();
    forward(
        Inputs {
            gaussians,
            background,
            poses: None,
        },
        views,
        config,
    )
}

/// Renders like [`render_with_poses`] on any backend, without gradients.
///
/// [`render_forward`] describes the behaviour on a differentiable backend.
///
/// # Errors
/// The same as for [`render_with_poses`], except [`Error::NestedAutodiff`].
pub fn render_forward_with_poses<B: Backend>(
    gaussians: &GaussianTensors<B>,
    views: &Views,
    background: Tensor<B, 2>,
    poses: Tensor<B, 3>,
    config: &RenderConfig,
) -> Result<Rendered<B>, Error> {
    let (gaussians, poses) = (gaussians.clone(), Some(poses));
    forward(
        Inputs {
            gaussians,
            background,
            poses,
        },
        views,
        config,
    )
}

fn forward<B: Backend>(
    inputs: Inputs<B>,
    views: &Views,
    config: &RenderConfig,
) -> Result<Rendered<B>, Error> {
    inputs.check(views)?;
    let image = engine::forward(inputs, views, config)?;
    Ok(Rendered {
        features: tensor(image.features),
        transmittance: image.transmittance.map(tensor),
        depth: image.depth.map(tensor),
        layers: image.layers.map(tensor),
        layer_transmittance: image.layer_transmittance.map(tensor),
    })
}

fn differentiable<B: Backend, C: CheckpointStrategy>(
    inputs: Inputs<Autodiff<B, C>>,
    views: &Views,
    config: &RenderConfig,
) -> Result<Rendered<Autodiff<B, C>>, Error> {
    inputs.check(views)?;
    let device = inputs.device();
    if B::ad_enabled(&device) {
        return Err(Error::NestedAutodiff {
            backend: B::name(&device),
        });
    }
    let Recording {
        joined,
        layers,
        layer_transmittance,
        layout,
        tape,
    } = engine::record(inputs.inner(), views, config)?;
    let mut rendered = separate(attach(inputs, tape, joined), layout);
    rendered.layers = layers.map(|images| Tensor::from_inner(tensor(images)));
    rendered.layer_transmittance =
        layer_transmittance.map(|planes| Tensor::from_inner(tensor(planes)));
    Ok(rendered)
}

/// Splits the operation's output into the rendered tensors.
///
/// Each part is a view of the output, so that only the graph holds the operation's node. Then the
/// second `backward()` of two losses that share the parts panics in Burn. If the parts held the
/// node, that `backward()` would silently return no gradients.
fn separate<B: Backend>(output: FloatTensor<B>, layout: Layout) -> Rendered<B> {
    let joined: Tensor<B, 1> = tensor(output);
    let [v, h, w, _] = layout.shape;
    let mut start = 0;
    let mut part = |len: usize| {
        let range = start..start + len;
        start = range.end;
        // In Burn an empty slice is a new tensor outside the graph.
        if len == layout.elements() {
            joined.clone()
        } else {
            joined.clone().slice([range])
        }
    };
    let features = part(layout.features()).reshape(layout.shape);
    let mut plane = |present: bool| present.then(|| part(layout.plane()).reshape([v, h, w]));
    Rendered {
        features,
        transmittance: plane(layout.transmittance),
        depth: plane(layout.depth),
        layers: None,
        layer_transmittance: None,
    }
}
