//! The training of a classifier: mixed images, dropped branches, cross-entropy.

use std::collections::HashMap;

use burn::module::ParamId;
use burn::tensor::activation::log_softmax;
use burn::tensor::backend::Backend;
use burn::tensor::{ElementConversion, Tensor, TensorData};

use super::drop_path::drops;
use super::gradient::Gradient;
use super::mixing::mixed;
use super::sampling::Piece;
use super::task::{Task, other_kind};
use crate::backend::{Training, Trains};
use crate::config::{Config, Finetuning, Tuning};
use crate::error::Error;
use crate::model::{Autoencoder, Classifier, Visible};

/// The training of a classifier, in one process: the parts of several processes can separate the
/// two images of a pair.
#[derive(Clone, Copy, Debug)]
pub struct Classification(Finetuning);

impl<B: Trains> Task<B> for Classification {
    type Model = Classifier<Training<B>>;
    type Inner = Classifier<B>;

    fn new(config: &Config, finetuning: Option<Tuning>) -> Result<Self, Error> {
        let Some(Tuning::Classes(finetuning)) = finetuning else {
            return Err(other_kind("a classifier", finetuning));
        };
        finetuning.validate()?;
        let mixes = finetuning.mixup > 0.0 || finetuning.cutmix > 0.0;
        // A size that is not given is even.
        if mixes && !config.micro_batch.is_multiple_of(2) {
            return Err(Error::Setting {
                name: "micro-batch".to_owned(),
                expected: "an even number with mixup or cutmix, which mix pairs of images"
                    .to_owned(),
                got: config.micro_batch.to_string(),
            });
        }
        Ok(Self(finetuning))
    }

    fn finetuning(&self) -> Option<Tuning> {
        Some(self.0.into())
    }

    fn model(&self, config: &Config, start: Autoencoder<Training<B>>) -> Self::Model {
        Classifier::new(config, self.0.classes, start)
    }

    fn gradient(
        &self,
        config: &Config,
        model: &Self::Model,
        piece: &Piece,
        device: &B::Device,
    ) -> Result<(Gradient, f64), Error> {
        let (pixels, targets) = mixed(config, &self.0, piece)?;
        let visible = Visible::new(config, &pixels, &piece.batch.masks, device)?;
        let drops = drops(config, self.0.drop_path, piece, device);
        let scores = model.forward_dropped(&visible, Some(&drops));
        let targets = TensorData::new(targets, scores.dims());
        let loss = cross_entropy(scores, Tensor::from_data(targets, device));
        let value = loss.clone().into_scalar().elem::<f64>();
        Ok((Gradient::of(loss.backward(), model), value))
    }

    fn rates(&self, model: &Self::Model) -> HashMap<ParamId, f64> {
        model.rates(self.0.layer_decay)
    }
}

/// Computes the cross-entropy of `scores`, `[B, classes]`, and `targets`, the probabilities of the
/// classes: a mean over the images.
fn cross_entropy<B: Backend>(scores: Tensor<B, 2>, targets: Tensor<B, 2>) -> Tensor<B, 1> {
    let images = scores.dims()[0] as f64;
    (log_softmax(scores, 1) * targets).sum() / -images
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::{Cpu, Device};

    #[test]
    fn the_cross_entropy_is_that_of_the_softmax() {
        let device = Device::default();
        let scores = Tensor::<Cpu, 2>::from_floats([[1.0, 2.0, 0.5], [0.0, -1.0, 3.0]], &device);
        let targets = Tensor::<Cpu, 2>::from_floats([[0.1, 0.8, 0.1], [1.0, 0.0, 0.0]], &device);
        let rows = [
            ([1.0_f64, 2.0, 0.5], [0.1, 0.8, 0.1]),
            ([0.0, -1.0, 3.0], [1.0, 0.0, 0.0]),
        ];
        let expected = rows.map(|(scores, targets)| {
            let sum: f64 = scores.iter().map(|s| s.exp()).sum();
            let terms = scores
                .iter()
                .zip(targets)
                .map(|(s, t)| -t * (s.exp() / sum).ln());
            terms.sum::<f64>()
        });
        let got = f64::from(cross_entropy(scores, targets).into_scalar());
        assert!(
            (got - f64::midpoint(expected[0], expected[1])).abs() < 1e-6,
            "{got}"
        );
    }
}
