//! Weight decay by the rank of a parameter, and the norm of the whole gradient.

mod common;

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use gmae_reference::backend::{Device, Training};
use gmae_reference::model::{Autoencoder, Mask, Visible};
use gmae_reference::training::{Gradient, Optimizer};

/// Rank and values of every parameter.
#[derive(Default)]
struct Values(Vec<(usize, Vec<f32>)>);

impl<B: Backend> ModuleVisitor<B> for Values {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
        self.0
            .push((D, param.val().into_data().into_vec().expect("f32")));
    }
}

fn values(model: &Autoencoder<Training>) -> Vec<(usize, Vec<f32>)> {
    let mut values = Values::default();
    model.visit(&mut values);
    values.0
}

/// Returns a model and the gradient of `factor` times the sum of all its outputs for one image.
fn model_and_gradient(factor: f64) -> (Autoencoder<Training>, Gradient) {
    let config = common::config();
    let device = Device::default();
    let model = Autoencoder::<Training>::new(&config, &device);
    let pixels = vec![0.3; 8 * 8 * 3];
    let visible = Visible::new(&config, &pixels, &[Mask::none(4)], &device).expect("one image");
    let g = model.forward(&visible).into_gaussians().expect("Gaussians");
    let sum =
        g.means.sum() + g.scales.sum() + g.quaternions.sum() + g.colours.sum() + g.opacities.sum();
    let gradients = (sum * factor).backward();
    let gradient = Gradient::of(gradients, &model);
    (model, gradient)
}

#[test]
fn only_parameters_with_two_dimensions_decay() {
    let config = common::config();
    let (model, gradient) = model_and_gradient(0.0);
    let before = values(&model);
    let after = values(&Optimizer::new(&config).step(0.1, model, gradient, 0.0));
    let kept = 1.0 - 0.1 * config.weight_decay as f32;
    let (mut matrices, mut vectors) = (0, 0);
    for ((rank, before), (_, after)) in before.into_iter().zip(after) {
        let factor = if rank == 1 { 1.0 } else { kept };
        if rank == 1 {
            vectors += 1;
        } else {
            matrices += 1;
        }
        for (b, a) in before.iter().zip(&after) {
            assert!(
                (b * factor - a).abs() <= 1e-6 * b.abs(),
                "{b} became {a} at rank {rank}"
            );
        }
    }
    // Each block: 6 matrices, 6 biases, 2 norms of 2 vectors. Other matrices: 2 embeddings, CLS,
    // mask token, queries, head. Other vectors: 2 biases, 2 norms of 2 vectors.
    assert_eq!((matrices, vectors), (2 * 6 + 6, 2 * 10 + 2 + 4));
}

#[test]
fn the_norm_is_that_of_all_parameters_and_halves_with_the_gradient() {
    let (model, gradient) = model_and_gradient(1.0);
    let norm = gradient.norm(&model);
    assert!(norm > 0.0);
    let half = Gradient::zero().plus(gradient, 0.5, &model);
    assert!((half.norm(&model) - norm / 2.0).abs() < 1e-6 * norm);
    let (_, again) = model_and_gradient(1.0);
    // The parameters of another model have other ids, so that `norm` finds no gradient for them.
    assert_eq!(again.norm(&model), 0.0);
}
