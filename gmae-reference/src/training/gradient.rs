//! The gradient with respect to all parameters of a model: its sum over the pieces of a batch, its
//! norm, and its conversion to and from one flat buffer.

use burn::module::{AutodiffModule, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::backend::AutodiffBackend;
use burn::tensor::{Tensor, TensorData};

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

    /// The gradient of one parameter, if there is one.
    pub fn get<B: Operations, const D: usize>(&self, id: ParamId) -> Option<Tensor<B, D>> {
        self.0.get::<B, D>(id)
    }

    /// Takes the gradient of one parameter.
    pub(super) fn take<B: Operations, const D: usize>(
        &mut self,
        id: ParamId,
    ) -> Option<Tensor<B, D>> {
        self.0.remove::<B, D>(id)
    }

    /// Appends the values of all parameters of `model` to `values`, parameter by parameter. A
    /// missing gradient is zero.
    pub(super) fn flatten<B: Operations, M: AutodiffModule<Training<B>>>(
        &self,
        model: &M,
        values: &mut Vec<f32>,
    ) {
        model.visit(&mut Flatten {
            gradients: &self.0,
            values,
        });
    }

    /// Creates a gradient from the values that [`Gradient::flatten`] appended.
    pub(super) fn unflatten<B: Operations, M: AutodiffModule<Training<B>>>(
        model: &M,
        values: &[f32],
        device: &B::Device,
    ) -> Self {
        let mut unflatten = Unflatten::<B> {
            gradients: GradientsParams::new(),
            values,
            device,
        };
        model.visit(&mut unflatten);
        Self(unflatten.gradients)
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

struct Flatten<'a> {
    gradients: &'a GradientsParams,
    values: &'a mut Vec<f32>,
}

impl<B: Operations> ModuleVisitor<Training<B>> for Flatten<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<Training<B>, D>>) {
        let end = self.values.len() + param.val().shape().num_elements();
        if let Some(gradient) = self.gradients.get::<B, D>(param.id) {
            let data = gradient.into_data().convert::<f32>();
            self.values
                .extend(data.as_slice::<f32>().unwrap_or_default());
        }
        self.values.resize(end, 0.0);
    }
}

struct Unflatten<'a, B: Operations> {
    gradients: GradientsParams,
    values: &'a [f32],
    device: &'a B::Device,
}

impl<B: Operations> ModuleVisitor<Training<B>> for Unflatten<'_, B> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<Training<B>, D>>) {
        let shape = param.val().shape();
        let len = shape.num_elements().min(self.values.len());
        let (values, rest) = self.values.split_at(len);
        self.values = rest;
        let data = TensorData::new(values.to_vec(), shape);
        self.gradients
            .register(param.id, Tensor::<B, D>::from_data(data, self.device));
    }
}
