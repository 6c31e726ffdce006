//! The operations of the optimiser on parameters of any shape: one step of `AdamW`, and sums of
//! gradients.

use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorMetadata};
use burn_flex::FlexTensor;

use super::cpu::adam::{AdamStep, adam, add_scaled as add_values, scale, sum_squares};
use super::cpu::real::Real;
use super::flex::{Cpu, flex, owned, primitive, slice, tensor, with_scalar_of};

/// The moments of a parameter.
#[derive(Clone, Debug)]
pub struct Moments<T> {
    /// Mean of the gradients.
    pub first: T,
    /// Mean of the squared gradients.
    pub second: T,
}

/// The step in Burn's operations. See [`adam`].
pub(super) fn adam_in_burn<B: Backend, const D: usize>(
    x: Tensor<B, D>,
    g: Tensor<B, D>,
    moments: Moments<Tensor<B, D>>,
    step: &AdamStep,
) -> (Tensor<B, D>, Moments<Tensor<B, D>>) {
    let first = moments.first * step.beta1 + g.clone() * (1.0 - step.beta1);
    let second = moments.second * step.beta2 + g.square() * (1.0 - step.beta2);
    let mean = first.clone() / (1.0 - step.beta1.powi(step.time));
    let square = second.clone() / (1.0 - step.beta2.powi(step.time));
    let update = mean / (square.sqrt() + step.epsilon);
    let x = x * (1.0 - step.rate * step.decay) - update * step.rate;
    (x, Moments { first, second })
}

/// The step on the CPU: one pass over memory, on all threads.
pub(super) fn adam_on_cpu<const D: usize>(
    x: Tensor<Cpu, D>,
    g: Tensor<Cpu, D>,
    moments: Moments<Tensor<Cpu, D>>,
    step: &AdamStep,
) -> (Tensor<Cpu, D>, Moments<Tensor<Cpu, D>>) {
    fn run<T: Real>(
        x: FlexTensor,
        g: FlexTensor,
        [first, second]: [FlexTensor; 2],
        step: &AdamStep,
    ) -> [FlexTensor; 3] {
        let shape = x.shape();
        let (x, g) = (x.to_contiguous(), g.to_contiguous());
        let (mut first, mut second) = (owned::<T>(first), owned::<T>(second));
        let x = adam(slice(&x), slice(&g), &mut first, &mut second, step);
        [x, first, second].map(|values| flex(values, shape.clone()))
    }
    let (x, g) = (primitive(x), primitive(g));
    let moments = [primitive(moments.first), primitive(moments.second)];
    let [x, first, second] = with_scalar_of!(x, run(x, g, moments, step));
    let moments = Moments {
        first: tensor(first),
        second: tensor(second),
    };
    (tensor(x), moments)
}

/// `sum + weight g` on the CPU, in the memory of `sum` or, without a sum, of `g`.
pub(super) fn add_scaled_on_cpu<const D: usize>(
    sum: Option<Tensor<Cpu, D>>,
    g: Tensor<Cpu, D>,
    weight: f64,
) -> Tensor<Cpu, D> {
    fn run<T: Real>(sum: Option<FlexTensor>, g: FlexTensor, weight: f64) -> FlexTensor {
        let shape = g.shape();
        let Some(sum) = sum else {
            let mut scaled = owned::<T>(g);
            scale(&mut scaled, weight);
            return flex(scaled, shape);
        };
        let mut sum = owned::<T>(sum);
        add_values(&mut sum, slice(&g.to_contiguous()), weight);
        flex(sum, shape)
    }
    let (sum, g) = (sum.map(primitive), primitive(g));
    tensor(with_scalar_of!(g, run(sum, g, weight)))
}

/// The sum of the squares of a tensor on the CPU.
pub(super) fn sum_squares_on_cpu<const D: usize>(g: Tensor<Cpu, D>) -> f64 {
    fn run<T: Real>(g: FlexTensor) -> f64 {
        sum_squares(slice::<T>(&g.to_contiguous()))
    }
    let g = primitive(g);
    with_scalar_of!(g, run(g))
}
