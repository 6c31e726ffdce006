//! The operation in Burn's graph: seven parents, one output.

use std::marker::PhantomData;
use std::sync::Arc;

use burn::backend::Autodiff;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients as BurnGradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::tensor::backend::Backend;
use burn::tensor::ops::FloatTensor;
use burn::tensor::{Tensor, TensorPrimitive};
use splat::{Gradients, Wanted};

use crate::data::{Precision, tensor_from_vec};
use crate::inputs::{Inputs, read_one};
use crate::tape::Tape;

/// The backward step of a render in the precision `T`.
///
/// Parents: means, scales, quaternions, opacities, features, background, poses.
#[derive(Debug, Clone, Copy)]
struct RenderBackward<T>(PhantomData<T>);

/// Puts `output`, computed from `inputs` and recorded on `tape`, into the graph.
pub(crate) fn attach<B: Backend, C: CheckpointStrategy, T: Precision>(
    inputs: Inputs<Autodiff<B, C>>,
    tape: Tape<T>,
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
    // They live until the output is registered: Burn frees the steps of tensors that nobody holds.
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
    let operation = RenderBackward::<T>(PhantomData);
    match Backward::<B, 7>::prepare::<C>(operation, nodes)
        .compute_bound()
        .stateful()
    {
        OpsKind::Tracked(prep) => prep.finish(Arc::new(tape), output),
        OpsKind::UnTracked(prep) => prep.finish(output),
    }
}

impl<B: Backend, T: Precision> Backward<B, 7> for RenderBackward<T> {
    type State = Arc<Tape<T>>;

    /// # Panics
    /// Where the incoming gradient cannot be read, or the memory for the outgoing ones is refused: Burn's graph has no way
    /// to hand an error to the caller of `backward()`.
    fn backward(self, ops: Ops<Self::State, 7>, grads: &mut BurnGradients, _: &mut Checkpointer) {
        let tape = ops.state;
        let v_output = grads.consume::<B>(&ops.node);
        let device = B::float_device(&v_output);
        let parents = ops.parents.map(|parent| parent.map(|node| node.id));
        let wanted = Wanted {
            geometry: parents[..4].iter().any(Option::is_some),
            features: parents[4].is_some(),
            backgrounds: parents[5].is_some(),
            cameras: parents[6].is_some(),
        };
        let gradients = read_one("gradient of the rendered tensor", tensor::<B, 1>(v_output))
            .and_then(|v_output| Ok(tape.vjp(v_output.as_slice(), wanted)?))
            .unwrap_or_else(|error| panic!("backward of splat_autodiff::render: {error}"));
        let outgoing = parents
            .into_iter()
            .zip(in_order(gradients))
            .zip(tape.input_shapes());
        for ((parent, values), shape) in outgoing {
            if let Some(id) = parent {
                let gradient = tensor_from_vec::<B, T>(values, &shape, tape.dtype, &device);
                grads.register::<B>(id, gradient);
            }
        }
    }
}

/// The gradients in the order of the parents.
fn in_order<T>(gradients: Gradients<Vec<T>>) -> [Vec<T>; 7] {
    let gaussians = gradients.gaussians;
    [
        gaussians.means,
        gaussians.scales,
        gaussians.quaternions,
        gaussians.opacities,
        gaussians.features,
        gradients.backgrounds,
        gradients.camera_from_world,
    ]
}

/// The backend's own form of a float tensor.
fn primitive<B: Backend, const D: usize>(tensor: Tensor<B, D>) -> FloatTensor<B> {
    tensor.into_primitive().tensor()
}

/// A tensor of the backend's own form.
pub(crate) fn tensor<B: Backend, const D: usize>(primitive: FloatTensor<B>) -> Tensor<B, D> {
    Tensor::from_primitive(TensorPrimitive::Float(primitive))
}
