//! Operations that dominate a training step: the linear layer, layer normalisation, GELU and
//! attention of the transformer, and the step of the optimiser.
//!
//! On the CPU each is one node of the autodiff graph with a hand-written backward pass (`cpu/`).
//! On GPU backends Burn's own operations are used, which are fused there. The trait has both forms
//! of every operation, so that the model calls the same function on every backend:
//!
//! | form | tensors | gradient |
//! |---|---|---|
//! | `apply_gelu` | of the backend itself | none |
//! | `tracked_gelu` | of the backend below `Autodiff` | recorded in the graph |

pub mod burn_ops;
pub mod cpu;
mod flex;
mod graph;
mod update;

use burn::backend::Autodiff;
use burn::nn::{LayerNorm, Linear};
use burn::tensor::backend::Backend;
use burn::tensor::{ElementConversion, Tensor};

pub use burn_ops::{LAYER_NORM_EPSILON, Projections};
use cpu::adam::AdamStep;
pub use update::Moments;

use flex::Cpu;

/// Computes `x w + b`, `[R, in]` -> `[R, out]`.
pub fn linear<B: Operations>(layer: &Linear<B>, x: Tensor<B, 2>) -> Tensor<B, 2> {
    B::apply_linear(layer, x)
}

/// Normalises every row of `x`, `[R, D]`, to mean 0 and variance 1, then applies the gain and the
/// shift of `layer`.
pub fn layer_norm<B: Operations>(layer: &LayerNorm<B>, x: Tensor<B, 2>) -> Tensor<B, 2> {
    B::apply_layer_norm(layer, x)
}

/// Computes `x Phi(x)` for every element. `Phi` is the distribution function of the standard normal
/// distribution.
pub fn gelu<B: Operations>(x: Tensor<B, 2>) -> Tensor<B, 2> {
    B::apply_gelu(x)
}

/// Computes `softmax(q k^T / sqrt(d)) v` for every image and head, `[B T, D]`.
pub fn attention<B: Operations>(of: Projections<B>) -> Tensor<B, 2> {
    B::apply_attention(of)
}

/// A backend with the operations of a transformer. By default they are Burn's.
pub trait Operations: Backend {
    /// See [`linear`].
    fn apply_linear(layer: &Linear<Self>, x: Tensor<Self, 2>) -> Tensor<Self, 2> {
        layer.forward(x)
    }

    /// See [`layer_norm`]. On the CPU the epsilon is [`LAYER_NORM_EPSILON`]; the epsilon of `layer`
    /// has no effect.
    fn apply_layer_norm(layer: &LayerNorm<Self>, x: Tensor<Self, 2>) -> Tensor<Self, 2> {
        layer.forward(x)
    }

    /// See [`gelu`].
    fn apply_gelu(x: Tensor<Self, 2>) -> Tensor<Self, 2> {
        burn::tensor::activation::gelu(x)
    }

    /// See [`attention`].
    fn apply_attention(of: Projections<Self>) -> Tensor<Self, 2> {
        burn_ops::attention(of)
    }

    /// Takes one step of `AdamW` for the parameter `x` with gradient `g`. Returns the parameter and
    /// the moments after the step.
    fn adam<const D: usize>(
        x: Tensor<Self, D>,
        g: Tensor<Self, D>,
        moments: Moments<Tensor<Self, D>>,
        step: &AdamStep,
    ) -> (Tensor<Self, D>, Moments<Tensor<Self, D>>) {
        update::adam_in_burn(x, g, moments, step)
    }

    /// Computes `sum + weight g`. Without a sum it is zero.
    fn add_scaled<const D: usize>(
        sum: Option<Tensor<Self, D>>,
        g: Tensor<Self, D>,
        weight: f64,
    ) -> Tensor<Self, D> {
        let g = g * weight;
        match sum {
            Some(sum) => sum + g,
            None => g,
        }
    }

    /// Computes the sum of the squares of all values.
    fn sum_squares<const D: usize>(g: Tensor<Self, D>) -> f64 {
        g.square().sum().into_scalar().elem()
    }

    /// [`Operations::apply_linear`], recorded in the graph.
    fn tracked_linear(layer: &Linear<Autodiff<Self>>, x: Tracked<Self>) -> Tracked<Self> {
        layer.forward(x)
    }

    /// [`Operations::apply_layer_norm`], recorded in the graph.
    fn tracked_layer_norm(layer: &LayerNorm<Autodiff<Self>>, x: Tracked<Self>) -> Tracked<Self> {
        layer.forward(x)
    }

    /// [`Operations::apply_gelu`], recorded in the graph.
    fn tracked_gelu(x: Tracked<Self>) -> Tracked<Self> {
        burn::tensor::activation::gelu(x)
    }

    /// [`Operations::apply_attention`], recorded in the graph.
    fn tracked_attention(of: Projections<Autodiff<Self>>) -> Tracked<Self> {
        burn_ops::attention(of)
    }
}

/// A matrix in the autodiff graph above `B`.
type Tracked<B> = Tensor<Autodiff<B>, 2>;

impl<B: Operations> Operations for Autodiff<B> {
    fn apply_linear(layer: &Linear<Self>, x: Tensor<Self, 2>) -> Tensor<Self, 2> {
        B::tracked_linear(layer, x)
    }

    fn apply_layer_norm(layer: &LayerNorm<Self>, x: Tensor<Self, 2>) -> Tensor<Self, 2> {
        B::tracked_layer_norm(layer, x)
    }

    fn apply_gelu(x: Tensor<Self, 2>) -> Tensor<Self, 2> {
        B::tracked_gelu(x)
    }

    fn apply_attention(of: Projections<Self>) -> Tensor<Self, 2> {
        B::tracked_attention(of)
    }
}

impl Operations for Cpu {
    fn apply_linear(layer: &Linear<Self>, x: Tensor<Self, 2>) -> Tensor<Self, 2> {
        graph::linear(layer, x)
    }

    fn apply_layer_norm(layer: &LayerNorm<Self>, x: Tensor<Self, 2>) -> Tensor<Self, 2> {
        graph::layer_norm(layer, x)
    }

    fn apply_gelu(x: Tensor<Self, 2>) -> Tensor<Self, 2> {
        graph::gelu(x)
    }

    fn apply_attention(of: Projections<Self>) -> Tensor<Self, 2> {
        graph::attention(of)
    }

    fn adam<const D: usize>(
        x: Tensor<Self, D>,
        g: Tensor<Self, D>,
        moments: Moments<Tensor<Self, D>>,
        step: &AdamStep,
    ) -> (Tensor<Self, D>, Moments<Tensor<Self, D>>) {
        update::adam_on_cpu(x, g, moments, step)
    }

    fn add_scaled<const D: usize>(
        sum: Option<Tensor<Self, D>>,
        g: Tensor<Self, D>,
        weight: f64,
    ) -> Tensor<Self, D> {
        update::add_scaled_on_cpu(sum, g, weight)
    }

    fn sum_squares<const D: usize>(g: Tensor<Self, D>) -> f64 {
        update::sum_squares_on_cpu(g)
    }

    fn tracked_linear(layer: &Linear<Autodiff<Self>>, x: Tracked<Self>) -> Tracked<Self> {
        graph::tracked_linear(layer, x)
    }

    fn tracked_layer_norm(layer: &LayerNorm<Autodiff<Self>>, x: Tracked<Self>) -> Tracked<Self> {
        graph::tracked_layer_norm(layer, x)
    }

    fn tracked_gelu(x: Tracked<Self>) -> Tracked<Self> {
        graph::tracked_gelu(x)
    }

    fn tracked_attention(of: Projections<Autodiff<Self>>) -> Tracked<Self> {
        graph::tracked_attention(of)
    }
}
