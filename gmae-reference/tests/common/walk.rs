//! A small move of all parameters of a model, and the slope of the loss that a gradient predicts.

use burn::module::{ModuleMapper, Param};
use burn::tensor::{ElementConversion, Tensor, TensorData};
use gmae_reference::backend::{Cpu, Training};
use gmae_reference::training::Gradient;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Moves every parameter by `length` times a random sign. `slope` sums the products of gradient and
/// sign, the predicted slope of the loss.
pub(crate) struct Walk<'a> {
    length: f64,
    gradient: &'a Gradient,
    rng: ChaCha8Rng,
    pub(crate) slope: f64,
}

impl<'a> Walk<'a> {
    /// Creates the move by `length` in direction number `seed`.
    pub(crate) fn new(length: f64, gradient: &'a Gradient, seed: u64) -> Self {
        Self {
            length,
            gradient,
            rng: ChaCha8Rng::seed_from_u64(seed),
            slope: 0.0,
        }
    }
}

impl ModuleMapper<Training> for Walk<'_> {
    fn map_float<const D: usize>(
        &mut self,
        param: Param<Tensor<Training, D>>,
    ) -> Param<Tensor<Training, D>> {
        let id = param.id;
        let inner = param.val().inner();
        let signs: Vec<f32> = (0..inner.shape().num_elements())
            .map(|_| if self.rng.random() { 1.0 } else { -1.0 })
            .collect();
        let data = TensorData::new(signs, inner.shape());
        let signs = Tensor::<Cpu, D>::from_data(data, &inner.device());
        if let Some(gradient) = self.gradient.get::<Cpu, D>(id) {
            let slope = (gradient * signs.clone()).sum().into_scalar();
            self.slope += slope.elem::<f64>();
        }
        let moved = Tensor::from_inner(inner + signs * self.length).require_grad();
        Param::initialized(id, moved)
    }
}
