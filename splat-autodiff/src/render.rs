//! The entry points: with and without gradient, with and without a tensor of poses.

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

/// Rendered images: the tensors of [`splat::Image`].
#[derive(Debug, Clone)]
pub struct Rendered<B: Backend> {
    /// `[V, H, W, C]`: sum of weight times features, plus transmittance times background.
    pub features: Tensor<B, 4>,
    /// `[V, H, W]`: the transmittance left; alpha is `1 - T`. Present if asked for.
    pub transmittance: Option<Tensor<B, 3>>,
    /// `[V, H, W]`: sum of weight times camera z, not divided by alpha. Present if asked for.
    pub depth: Option<Tensor<B, 3>>,
    /// `[V, L, H, W, C]`: the images of the nearest `config.layers[l]` visible splats over the
    /// background. Present if any layer is asked for; without gradient.
    pub layers: Option<Tensor<B, 5>>,
}

/// Renders every view of `gaussians` over `background` `[V, C]`, differentiably.
///
/// A gradient reaches every tensor that tracks one; the others cost nothing in the backward pass.
/// May be differentiated once, see the [crate's documentation](crate).
///
/// # Errors
/// Shapes, element types or devices that do not fit, what [`splat::render()`] refuses, and a
/// backend below `Autodiff` that is differentiable itself.
///
/// # Panics
/// Not this function, but the backward pass through it panics where memory runs out: Burn has no
/// errors there.
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

/// [`render`] with `camera_from_world` of every view in `poses` `[V, 3, 4]`, rows `[R | t]`; those
/// of `views` are not read.
///
/// The gradient by `poses` takes the twelve numbers as free: to stay on rotations, compute them
/// from a tensor that cannot leave them. A pose that is not finite culls everything its view sees.
///
/// # Errors
/// As [`render`].
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

/// [`render`] on any backend, without gradient: on a differentiable one, the result is a constant.
///
/// # Errors
/// As [`render`].
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

/// [`render_with_poses`] on any backend, without gradient.
///
/// # Errors
/// As [`render_with_poses`].
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
        layout,
        tape,
    } = engine::record(inputs.inner(), views, config)?;
    let mut rendered = separate(attach(inputs, tape, joined), layout);
    rendered.layers = layers.map(|images| Tensor::from_inner(tensor(images)));
    Ok(rendered)
}

/// The parts of the operation's output, as tensors of their own.
///
/// They are views, so that nobody but the graph holds the operation's node. Then Burn knows after a
/// backward pass that whatever else was computed from them cannot be differentiated, and says so;
/// otherwise it would return no gradients.
fn separate<B: Backend>(output: FloatTensor<B>, layout: Layout) -> Rendered<B> {
    let joined: Tensor<B, 1> = tensor(output);
    let [v, h, w, _] = layout.shape;
    let mut start = 0;
    let mut part = |len: usize| {
        let range = start..start + len;
        start = range.end;
        // A slice of everything would leave the graph where everything is nothing.
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
    }
}
