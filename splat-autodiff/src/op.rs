//! The render as operations of Burn's graph.
//!
//! An operation of Burn has one output, and a render has up to three that carry a gradient. The
//! graph therefore has one step for the render and one step for each of its images. The step of an
//! image only stores its gradient. The step of the render runs after the steps of its images and
//! reads their gradients. The images are not copied into one tensor, and neither are their
//! gradients. An image that the loss does not depend on costs nothing in the backward pass.

use std::sync::{Arc, Mutex, PoisonError};

use burn::backend::Autodiff;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::NoCheckpointing;
use burn::backend::autodiff::grads::Gradients as BurnGradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::tensor::backend::{AutodiffBackend, Backend};
use burn::tensor::ops::FloatTensor;
use burn::tensor::{Tensor, TensorPrimitive};
use splat::Image;

use crate::cast::cast;
use crate::error::Error;
use crate::tape::{ImageGradients, Tape};

/// A tensor of Burn's graph over the plain backend `B`. The checkpointing strategy does not change
/// the type. It only concerns operations that are cheap enough to be repeated in the backward pass,
/// and a render is not.
pub(crate) type Tracked<B> = FloatTensor<Autodiff<B, NoCheckpointing>>;

/// The input tensors of a differentiable backend as tensors of Burn's graph, in the order of the
/// inputs.
pub(crate) type Parents<B, const N: usize> = [Tracked<B>; N];

/// Returns `tensor` as a tensor of Burn's graph.
///
/// # Errors
/// [`Error::UnsupportedAutodiff`] if the backend is differentiable by another graph than Burn's.
pub(crate) fn tracked<B: AutodiffBackend, const D: usize>(
    tensor: Tensor<B, D>,
) -> Result<Tracked<B::InnerBackend>, Error> {
    let device = tensor.device();
    cast(primitive(tensor)).ok_or_else(|| unsupported::<B>(&device))
}

/// Returns a tensor of Burn's graph as a tensor of its backend. Inverse of [`tracked`].
///
/// # Errors
/// The same as for [`tracked`].
pub(crate) fn untyped<B: AutodiffBackend, const D: usize>(
    tracked: Tracked<B::InnerBackend>,
    device: &B::Device,
) -> Result<Tensor<B, D>, Error> {
    let tensor: Option<FloatTensor<B>> = cast(tracked);
    tensor
        .map(self::tensor)
        .ok_or_else(|| unsupported::<B>(device))
}

fn unsupported<B: AutodiffBackend>(device: &B::Device) -> Error {
    Error::UnsupportedAutodiff {
        backend: B::name(device),
    }
}

/// The gradients with respect to the images of one render. The steps of the images fill it, and the
/// step of the render empties it.
type Collected<B> = Arc<Mutex<ImageGradients<FloatTensor<B>>>>;

/// The backward step of a render. Its parents are the inputs, in their order.
#[derive(Debug, Clone, Copy)]
struct RenderBackward;

/// The backward step of one image of a render. Its parent is the render.
#[derive(Debug, Clone, Copy)]
enum ImageBackward {
    Features,
    Transmittance,
    Depth,
}

/// Adds `images`, rendered from `parents` and recorded on `tape`, to the graph.
///
/// The images hold nodes of their own, so that only the graph holds the node of the render. Then
/// the second `backward()` of two losses of one render panics in Burn. If the images held the node
/// of the render, that `backward()` would silently return no gradients.
pub(crate) fn attach<B: Backend, const N: usize>(
    parents: &Parents<B, N>,
    tape: Arc<dyn Tape<B, N>>,
    images: Image<FloatTensor<B>>,
) -> Image<Tracked<B>> {
    let nodes = parents.each_ref().map(|parent| parent.node.clone());
    let collected = Collected::<B>::default();
    let prepared = Backward::<B, N>::prepare::<NoCheckpointing>(RenderBackward, nodes);
    // Burn wants a value of the render's node. Nothing reads it, so any tensor will do.
    let value = images.features.clone();
    let render = match prepared.compute_bound().stateful() {
        OpsKind::Tracked(prepared) => prepared.finish((tape, Arc::clone(&collected)), value),
        OpsKind::UnTracked(_) => {
            let constant = <Autodiff<B> as AutodiffBackend>::from_inner;
            return Image::from_features(constant(images.features))
                .with_transmittance(images.transmittance.map(constant))
                .with_depth(images.depth.map(constant));
        }
    };
    let image = |step: ImageBackward, value: FloatTensor<B>| {
        let prepared = Backward::<B, 1>::prepare::<NoCheckpointing>(step, [render.node.clone()]);
        match prepared.compute_bound().stateful() {
            OpsKind::Tracked(prepared) => prepared.finish(Arc::clone(&collected), value),
            OpsKind::UnTracked(prepared) => prepared.finish(value),
        }
    };
    let [transmittance, depth] = [
        (ImageBackward::Transmittance, images.transmittance),
        (ImageBackward::Depth, images.depth),
    ]
    .map(|(step, plane)| plane.map(|plane| image(step, plane)));
    Image::from_features(image(ImageBackward::Features, images.features))
        .with_transmittance(transmittance)
        .with_depth(depth)
}

impl<B: Backend> Backward<B, 1> for ImageBackward {
    type State = Collected<B>;

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut BurnGradients, _: &mut Checkpointer) {
        let gradient = grads.consume::<B>(&ops.node);
        let mut collected = ops.state.lock().unwrap_or_else(PoisonError::into_inner);
        let place = match self {
            Self::Features => &mut collected.features,
            Self::Transmittance => &mut collected.transmittance,
            Self::Depth => &mut collected.depth,
        };
        *place = Some(gradient);
    }
}

impl<B: Backend, const N: usize> Backward<B, N> for RenderBackward {
    type State = (Arc<dyn Tape<B, N>>, Collected<B>);

    /// # Panics
    /// Panics if an incoming gradient cannot be read, or if the vjp fails, for example without
    /// enough memory. Burn's `backward()` cannot return an error.
    fn backward(self, ops: Ops<Self::State, N>, grads: &mut BurnGradients, _: &mut Checkpointer) {
        let (tape, collected) = ops.state;
        let v_images =
            std::mem::take(&mut *collected.lock().unwrap_or_else(PoisonError::into_inner));
        let parents = ops.parents.map(|parent| parent.map(|node| node.id));
        let tracked = parents.each_ref().map(Option::is_some);
        let gradients = tape
            .vjp(v_images, tracked)
            .unwrap_or_else(|error| panic!("backward of splat_autodiff::render: {error}"));
        for (parent, gradient) in parents.into_iter().zip(gradients) {
            if let (Some(id), Some(gradient)) = (parent, gradient) {
                grads.register::<B>(id, gradient);
            }
        }
    }
}

/// Unwraps a float tensor to the primitive of its backend.
pub(crate) fn primitive<B: Backend, const D: usize>(tensor: Tensor<B, D>) -> FloatTensor<B> {
    tensor.into_primitive().tensor()
}

/// Wraps a float primitive of the backend as a tensor.
pub(crate) fn tensor<B: Backend, const D: usize>(primitive: FloatTensor<B>) -> Tensor<B, D> {
    Tensor::from_primitive(TensorPrimitive::Float(primitive))
}
