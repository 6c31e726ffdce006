//! The operations of `cpu/` on Burn's tensors, without and with a node in the autodiff graph.

use burn::backend::Autodiff;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::NoCheckpointing;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::nn::{LayerNorm, Linear};
use burn::tensor::backend::Backend;
use burn::tensor::ops::FloatTensor;
use burn::tensor::{Tensor, TensorMetadata};
use burn_flex::FlexTensor;

use super::burn_ops::{LAYER_NORM_EPSILON, Projections};
use super::cpu::attention::{Qkv, Shape, attention as attend, attention_vjp};
use super::cpu::real::Real;
use super::cpu::{gelu as elements, linear as dense, norm};
use super::flex::{Cpu, flex, owned, primitive, slice, tensor, with_scalar_of};

type Graph = Autodiff<Cpu>;

/// Computes `x w + b` on the CPU.
pub(super) fn linear(layer: &Linear<Cpu>, x: Tensor<Cpu, 2>) -> Tensor<Cpu, 2> {
    let w = primitive(layer.weight.val());
    let b = layer.bias.as_ref().map(|b| primitive(b.val()));
    tensor(linear_forward(&primitive(x), &w, b.as_ref()))
}

/// Computes `x w + b` on the CPU, recorded in the graph.
pub(super) fn tracked_linear(layer: &Linear<Graph>, x: Tensor<Graph, 2>) -> Tensor<Graph, 2> {
    let (x, w) = (primitive(x), primitive(layer.weight.val()));
    let Some(b) = layer.bias.as_ref().map(|b| primitive(b.val())) else {
        let y = linear_forward(&x.primitive, &w.primitive, None);
        let saved = [x.primitive.clone(), w.primitive.clone()];
        let prep = LinearNode.prepare::<NoCheckpointing>([x.node.clone(), w.node.clone()]);
        return tensor(match prep.compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(saved, y),
            OpsKind::UnTracked(prep) => prep.finish(y),
        });
    };
    let y = linear_forward(&x.primitive, &w.primitive, Some(&b.primitive));
    let saved = [x.primitive.clone(), w.primitive.clone()];
    let nodes = [x.node.clone(), w.node.clone(), b.node.clone()];
    let prep = LinearNode.prepare::<NoCheckpointing>(nodes);
    tensor(match prep.compute_bound().stateful() {
        OpsKind::Tracked(prep) => prep.finish(saved, y),
        OpsKind::UnTracked(prep) => prep.finish(y),
    })
}

/// The backward step of a linear layer. Parents: input, weight and, if there is one, bias. State:
/// input and weight.
#[derive(Clone, Copy, Debug)]
struct LinearNode;

impl<const PARENTS: usize> Backward<Cpu, PARENTS> for LinearNode {
    type State = [FlexTensor; 2];

    fn backward(
        self,
        ops: Ops<Self::State, PARENTS>,
        gradients: &mut Gradients,
        _: &mut Checkpointer,
    ) {
        let [x, w] = ops.state;
        let v = gradients.consume::<Cpu>(&ops.node).to_contiguous();
        let parents = ops.parents.map(|parent| parent.map(|node| node.id));
        for (index, id) in parents.into_iter().enumerate() {
            let Some(id) = id else { continue };
            let gradient = with_scalar_of!(v, linear_backward(index, &x, &w, &v));
            gradients.register::<Cpu>(id, gradient);
        }
    }
}

fn linear_forward(x: &FlexTensor, w: &FlexTensor, b: Option<&FlexTensor>) -> FlexTensor {
    fn run<T: Real>(x: &FlexTensor, w: &FlexTensor, b: Option<&FlexTensor>) -> FlexTensor {
        let (x, w) = (x.to_contiguous(), w.to_contiguous());
        let b = b.map(FlexTensor::to_contiguous);
        let shape = [x.shape()[0], w.shape()[1]];
        let y = dense::linear::<T>(slice(&x), slice(&w), b.as_ref().map(slice), shape);
        flex(y, shape)
    }
    with_scalar_of!(x, run(x, w, b))
}

/// The gradient with respect to parent `index`.
fn linear_backward<T: Real>(
    index: usize,
    x: &FlexTensor,
    w: &FlexTensor,
    v: &FlexTensor,
) -> FlexTensor {
    let [rows, out] = v.shape().dims();
    let [inputs, _] = w.shape().dims();
    match index {
        0 => {
            let v_x = dense::linear_vjp_x::<T>(slice(&w.to_contiguous()), slice(v), [rows, out]);
            flex(v_x, [rows, inputs])
        }
        1 => {
            let v_w = dense::linear_vjp_w::<T>(slice(&x.to_contiguous()), slice(v), [inputs, out]);
            flex(v_w, [inputs, out])
        }
        _ => flex(dense::linear_vjp_b::<T>(slice(v), out), [out]),
    }
}

/// Normalises rows on the CPU.
pub(super) fn layer_norm(layer: &LayerNorm<Cpu>, x: Tensor<Cpu, 2>) -> Tensor<Cpu, 2> {
    let (gain, shift) = gain_and_shift(layer);
    let x = primitive(x);
    tensor(with_scalar_of!(x, norm_forward(&x, &gain, &shift)).0)
}

/// Normalises rows on the CPU, recorded in the graph.
pub(super) fn tracked_layer_norm(
    layer: &LayerNorm<Graph>,
    x: Tensor<Graph, 2>,
) -> Tensor<Graph, 2> {
    let (gain, shift) = gain_and_shift(layer);
    let x = primitive(x);
    let (input, gain_values) = (x.primitive.clone(), gain.primitive.clone());
    let (y, statistics) =
        with_scalar_of!(input, norm_forward(&input, &gain_values, &shift.primitive));
    let nodes = [x.node.clone(), gain.node.clone(), shift.node.clone()];
    let prep = NormNode.prepare::<NoCheckpointing>(nodes);
    tensor(match prep.compute_bound().stateful() {
        OpsKind::Tracked(prep) => prep.finish([input, gain_values, statistics], y),
        OpsKind::UnTracked(prep) => prep.finish(y),
    })
}

/// The backward step of a layer normalisation. Parents: input, gain, shift. State: input, gain, and
/// the statistics of the rows, `[R, 2]`.
#[derive(Clone, Copy, Debug)]
struct NormNode;

impl Backward<Cpu, 3> for NormNode {
    type State = [FlexTensor; 3];

    fn backward(self, ops: Ops<Self::State, 3>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let v = gradients.consume::<Cpu>(&ops.node);
        let parents = ops.parents.map(|parent| parent.map(|node| node.id));
        let found = with_scalar_of!(v, norm_backward(&ops.state, v));
        for (parent, gradient) in parents.into_iter().zip(found) {
            if let Some(id) = parent {
                gradients.register::<Cpu>(id, gradient);
            }
        }
    }
}

/// The normalised rows and their statistics.
fn norm_forward<T: Real>(
    x: &FlexTensor,
    gain: &FlexTensor,
    shift: &FlexTensor,
) -> (FlexTensor, FlexTensor) {
    let (x, gain, shift) = (
        x.to_contiguous(),
        gain.to_contiguous(),
        shift.to_contiguous(),
    );
    let epsilon = T::of(LAYER_NORM_EPSILON);
    let normalised = norm::layer_norm::<T>(slice(&x), slice(&gain), slice(&shift), epsilon);
    let [rows, width] = x.shape().dims();
    (
        flex(normalised.y, [rows, width]),
        flex(normalised.statistics.into_flattened(), [rows, 2]),
    )
}

fn norm_backward<T: Real>(
    [x, gain, statistics]: &[FlexTensor; 3],
    v: FlexTensor,
) -> [FlexTensor; 3] {
    let [rows, width] = x.shape().dims();
    let (x, gain) = (x.to_contiguous(), gain.to_contiguous());
    let v = norm::layer_norm_vjp::<T>(slice(&x), slice(&gain), pairs(statistics), owned(v));
    [
        flex(v.x, [rows, width]),
        flex(v.gain, [width]),
        flex(v.shift, [width]),
    ]
}

/// Computes GELU on the CPU.
pub(super) fn gelu(x: Tensor<Cpu, 2>) -> Tensor<Cpu, 2> {
    let x = primitive(x);
    tensor(with_scalar_of!(x, gelu_forward(&x)))
}

/// Computes GELU on the CPU, recorded in the graph.
pub(super) fn tracked_gelu(x: Tensor<Graph, 2>) -> Tensor<Graph, 2> {
    let x = primitive(x);
    let y = with_scalar_of!(x.primitive, gelu_forward(&x.primitive));
    let prep = GeluNode.prepare::<NoCheckpointing>([x.node.clone()]);
    tensor(match prep.compute_bound().stateful() {
        OpsKind::Tracked(prep) => prep.finish(x.primitive.clone(), y),
        OpsKind::UnTracked(prep) => prep.finish(y),
    })
}

/// The backward step of GELU. Parent and state: the input.
#[derive(Clone, Copy, Debug)]
struct GeluNode;

impl Backward<Cpu, 1> for GeluNode {
    type State = FlexTensor;

    fn backward(self, ops: Ops<Self::State, 1>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let v = gradients.consume::<Cpu>(&ops.node);
        let [parent] = ops.parents;
        if let Some(parent) = parent {
            let gradient = with_scalar_of!(v, gelu_backward(&ops.state, v));
            gradients.register::<Cpu>(parent.id, gradient);
        }
    }
}

fn gelu_forward<T: Real>(x: &FlexTensor) -> FlexTensor {
    let x = x.to_contiguous();
    flex(elements::gelu::<T>(slice(&x)), x.shape().dims::<2>())
}

fn gelu_backward<T: Real>(x: &FlexTensor, v: FlexTensor) -> FlexTensor {
    let x = x.to_contiguous();
    let mut v = owned::<T>(v);
    elements::gelu_vjp(slice(&x), &mut v);
    flex(v, x.shape().dims::<2>())
}

/// Computes attention on the CPU.
pub(super) fn attention(of: Projections<Cpu>) -> Tensor<Cpu, 2> {
    let shape = shape_of(&of);
    let of = [of.query, of.key, of.value].map(primitive);
    tensor(with_scalar_of!(of[0], attention_forward(&of, shape)))
}

/// Computes attention on the CPU, recorded in the graph.
pub(super) fn tracked_attention(of: Projections<Graph>) -> Tensor<Graph, 2> {
    let shape = shape_of(&of);
    let of = [of.query, of.key, of.value].map(primitive);
    let values = of.each_ref().map(|tensor| tensor.primitive.clone());
    let y = with_scalar_of!(values[0], attention_forward(&values, shape));
    let nodes = of.each_ref().map(|tensor| tensor.node.clone());
    let prep = AttentionNode.prepare::<NoCheckpointing>(nodes);
    tensor(match prep.compute_bound().stateful() {
        OpsKind::Tracked(prep) => prep.finish((values, shape), y),
        OpsKind::UnTracked(prep) => prep.finish(y),
    })
}

/// The backward step of an attention. Parents and state: queries, keys and values.
#[derive(Clone, Copy, Debug)]
struct AttentionNode;

impl Backward<Cpu, 3> for AttentionNode {
    type State = ([FlexTensor; 3], Shape);

    fn backward(self, ops: Ops<Self::State, 3>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let v = gradients.consume::<Cpu>(&ops.node).to_contiguous();
        let (of, shape) = ops.state;
        let parents = ops.parents.map(|parent| parent.map(|node| node.id));
        let found = with_scalar_of!(v, attention_backward(&of, &v, shape));
        for (parent, gradient) in parents.into_iter().zip(found) {
            if let Some(id) = parent {
                gradients.register::<Cpu>(id, gradient);
            }
        }
    }
}

fn shape_of<B: Backend>(of: &Projections<B>) -> Shape {
    let [rows, width] = of.query.dims();
    assert!(
        of.images > 0 && rows.is_multiple_of(of.images),
        "{rows} tokens of {} images",
        of.images
    );
    Shape {
        tokens: rows / of.images,
        width,
        heads: of.heads,
    }
}

fn attention_forward<T: Real>(of: &[FlexTensor; 3], shape: Shape) -> FlexTensor {
    let of = of.each_ref().map(FlexTensor::to_contiguous);
    flex(attend::<T>(slices(&of), shape), of[0].shape().dims::<2>())
}

fn attention_backward<T: Real>(
    of: &[FlexTensor; 3],
    v: &FlexTensor,
    shape: Shape,
) -> [FlexTensor; 3] {
    let of = of.each_ref().map(FlexTensor::to_contiguous);
    let found = attention_vjp::<T>(slices(&of), slice(v), shape);
    [found.q, found.k, found.v].map(|gradient| flex(gradient, v.shape().dims::<2>()))
}

fn slices<T: Real>([q, k, v]: &[FlexTensor; 3]) -> Qkv<&[T]> {
    Qkv {
        q: slice(q),
        k: slice(k),
        v: slice(v),
    }
}

fn gain_and_shift<B: Backend>(layer: &LayerNorm<B>) -> (FloatTensor<B>, FloatTensor<B>) {
    let gain = layer.gamma.val();
    let shift = match &layer.beta {
        Some(shift) => shift.val(),
        None => gain.zeros_like(),
    };
    (primitive(gain), primitive(shift))
}

/// The rows of a contiguous tensor `[R, 2]`.
fn pairs<T: Real>(tensor: &FlexTensor) -> &[[T; 2]] {
    slice(tensor).as_chunks().0
}
