//! The render as an operation of Burn's graph, with seven parents and one output.

use std::sync::Arc;

use burn::backend::Autodiff;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients as BurnGradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::tensor::backend::Backend;
use burn::tensor::ops::FloatTensor;
use burn::tensor::{Tensor, TensorPrimitive};

use crate::inputs::Inputs;
use crate::tape::Tape;

/// The backward step of a render.
///
/// Parents: means, scales, quaternions, opacities, features, background, poses.
#[derive(Debug, Clone, Copy)]
struct RenderBackward;

/// Adds `output`, computed from `inputs` and recorded on `tape`, to the graph.
pub(crate) fn attach<B: Backend, C: CheckpointStrategy>(
    inputs: Inputs<Autodiff<B, C>>,
    tape: Arc<dyn Tape<B>>,
    output: FloatTensor<B>,
) -> FloatTensor<Autodiff<B, C>> {
    let Inputs {
        gaussians,
        background,
        poses,
    } = inputs;
    let untracked = || {
        primitive(Tensor::<Autodiff<B, C>, 2>::from_inner(
            background.clone().inner(),
        ))
    };
    let poses = poses.map_or_else(untracked, primitive);
    // Burn frees the steps of tensors without owners. The parents must outlive the registration.
    let parents: [FloatTensor<Autodiff<B, C>>; 7] = [
        primitive(gaussians.means),
        primitive(gaussians.scales),
        primitive(gaussians.quaternions),
        primitive(gaussians.opacities),
        primitive(gaussians.features),
        primitive(background),
        poses,
    ];
    let nodes = parents.each_ref().map(|parent| parent.node.clone());
    match Backward::<B, 7>::prepare::<C>(RenderBackward, nodes)
        .compute_bound()
        .stateful()
    {
        OpsKind::Tracked(prep) => prep.finish(tape, output),
        OpsKind::UnTracked(prep) => prep.finish(output),
    }
}

impl<B: Backend> Backward<B, 7> for RenderBackward {
    type State = Arc<dyn Tape<B>>;

    /// # Panics
    /// Panics if the incoming gradient cannot be read, or if the vjp fails, for example without
    /// enough memory. Burn's `backward()` cannot return an error.
    fn backward(self, ops: Ops<Self::State, 7>, grads: &mut BurnGradients, _: &mut Checkpointer) {
        let tape = ops.state;
        let v_output = grads.consume::<B>(&ops.node);
        let parents = ops.parents.map(|parent| parent.map(|node| node.id));
        let tracked = parents.each_ref().map(Option::is_some);
        let gradients = tape
            .vjp(v_output, tracked)
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
