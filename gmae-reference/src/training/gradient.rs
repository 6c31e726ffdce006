//! The gradient with respect to all parameters of a model: the sum over pieces of a batch, the
//! norm, and the two parts for the optimiser.

use burn::module::{AutodiffModule, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use burn::tensor::backend::AutodiffBackend;

use crate::backend::Training;
use crate::ops::Operations;

/// One gradient tensor per parameter, indexed by the id of the parameter.
#[derive(Debug)]
pub struct Gradient(GradientsParams);

impl Gradient {
    /// Collects the gradients of one backward pass with respect to the parameters of `model`.
    pub fn of<B: AutodiffBackend, M: AutodiffModule<B>>(
        gradients: B::Gradients,
        model: &M,
    ) -> Self {
        Self(GradientsParams::from_grads(gradients, model))
    }

    /// Computes `self + weight * other` for the parameters of `model`.
    #[must_use]
    pub fn plus<B: Operations, M: AutodiffModule<Training<B>>>(
        self,
        other: Self,
        weight: f64,
        model: &M,
    ) -> Self {
        let mut sum = Add {
            sum: self.0,
            other: other.0,
            weight,
        };
        model.visit(&mut sum);
        Self(sum.sum)
    }

    /// Creates a zero gradient without tensors, the neutral element of [`Gradient::plus`].
    pub fn zero() -> Self {
        Self(GradientsParams::new())
    }

    /// Computes the Euclidean norm over all parameters of `model`.
    pub fn norm<B: Operations, M: AutodiffModule<Training<B>>>(&self, model: &M) -> f64 {
        let mut norm = Norm {
            gradients: &self.0,
            squares: 0.0,
        };
        model.visit(&mut norm);
        norm.squares.sqrt()
    }

    /// Computes `scale * self` in two parts. The first holds the parameters with at least two
    /// dimensions, the second the other parameters.
    pub fn split<B: Operations, M: AutodiffModule<Training<B>>>(
        self,
        model: &M,
        scale: f64,
    ) -> (GradientsParams, GradientsParams) {
        let mut split = Split {
            gradients: self.0,
            scale,
            matrices: GradientsParams::new(),
            vectors: GradientsParams::new(),
        };
        model.visit(&mut split);
        (split.matrices, split.vectors)
    }
}

struct Add {
    sum: GradientsParams,
    other: GradientsParams,
    weight: f64,
}

impl<B: Operations> ModuleVisitor<Training<B>> for Add {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<Training<B>, D>>) {
        let Some(other) = self.other.remove::<B, D>(param.id) else {
            return;
        };
        let sum = self.sum.remove::<B, D>(param.id);
        let sum = B::add_scaled(sum, other, self.weight);
        self.sum.register(param.id, sum);
    }
}

struct Norm<'a> {
    gradients: &'a GradientsParams,
    squares: f64,
}

impl<B: Operations> ModuleVisitor<Training<B>> for Norm<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<Training<B>, D>>) {
        if let Some(gradient) = self.gradients.get::<B, D>(param.id) {
            self.squares += B::sum_squares(gradient);
        }
    }
}

struct Split {
    gradients: GradientsParams,
    scale: f64,
    matrices: GradientsParams,
    vectors: GradientsParams,
}

impl<B: Operations> ModuleVisitor<Training<B>> for Split {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<Training<B>, D>>) {
        let Some(mut gradient) = self.gradients.remove::<B, D>(param.id) else {
            return;
        };
        if self.scale != 1.0 {
            gradient = B::add_scaled(None, gradient, self.scale);
        }
        let half = if D > 1 {
            &mut self.matrices
        } else {
            &mut self.vectors
        };
        half.register(param.id, gradient);
    }
}
