//! The training of a classifier: mixed images, dropped branches, cross-entropy.

use std::collections::HashMap;

use burn::module::ParamId;
use burn::tensor::activation::log_softmax;
use burn::tensor::backend::Backend;
use burn::tensor::{ElementConversion, Tensor, TensorData};
use rand::Rng;

use super::gradient::Gradient;
use super::mixing::mixed;
use super::sampling::{Piece, Stream, stream};
use super::task::Task;
use crate::backend::{Training, Trains};
use crate::config::{Config, Finetuning};
use crate::error::Error;
use crate::model::{Autoencoder, Classifier, Drops, Visible};

/// The training of a classifier, in one process: the parts of several processes can separate the
/// two images of a pair.
#[derive(Clone, Copy, Debug)]
pub struct Classification(Finetuning);

impl<B: Trains> Task<B> for Classification {
    type Model = Classifier<Training<B>>;
    type Inner = Classifier<B>;

    fn new(config: &Config, finetuning: Option<Finetuning>) -> Result<Self, Error> {
        let Some(finetuning) = finetuning else {
            return Err(Error::Setting {
                name: "the model".to_owned(),
                expected: "a classifier".to_owned(),
                got: "a masked autoencoder".to_owned(),
            });
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

    fn finetuning(&self) -> Option<Finetuning> {
        Some(self.0)
    }

    fn model(&self, config: &Config, device: &B::Device) -> Self::Model {
        Classifier::new(config, self.0.classes, Autoencoder::new(config, device))
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
        model.rates(&self.0)
    }
}

/// Computes the cross-entropy of `scores`, `[B, classes]`, and `targets`, the probabilities of the
/// classes: a mean over the images.
fn cross_entropy<B: Backend>(scores: Tensor<B, 2>, targets: Tensor<B, 2>) -> Tensor<B, 1> {
    let images = scores.dims()[0] as f64;
    (log_softmax(scores, 1) * targets).sum() / -images
}

/// Draws the factors on the branches of every block for each image of `piece`.
fn drops<B: Backend>(
    config: &Config,
    drop_path: f64,
    piece: &Piece,
    device: &B::Device,
) -> Vec<Drops<B>> {
    let depth = config.encoder_depth;
    let mut factors = vec![Vec::with_capacity(piece.positions.len()); depth];
    for &position in &piece.positions {
        let mut rng = stream(config.seed, Stream::Branches, position);
        for (i, block) in factors.iter_mut().enumerate() {
            let probability = drop_path * i as f64 / (depth - 1).max(1) as f64;
            let mut factor = || {
                let dropped = rng.random::<f64>() < probability;
                if dropped {
                    0.0
                } else {
                    (1.0 / (1.0 - probability)) as f32
                }
            };
            block.push([factor(), factor()]);
        }
    }
    let blocks = factors.iter();
    blocks.map(|factors| Drops::of(factors, device)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::{Cpu, Device};
    use crate::config::Preset;

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

    #[test]
    fn branches_are_dropped_with_the_stated_probability() {
        let config = Config {
            encoder_depth: 3,
            ..Preset::Nano.config()
        };
        let piece = Piece {
            positions: (0..4000).collect(),
            ..Piece::default()
        };
        let drops = drops::<Cpu>(&config, 0.4, &piece, &Device::default());
        assert_eq!(drops.len(), 3);
        for (i, block) in drops.into_iter().enumerate() {
            let probability = 0.2 * i as f64;
            for branch in [block.attention, block.mlp] {
                let values: Vec<f32> = branch.into_data().into_vec().expect("f32");
                let dropped = values.iter().filter(|&&v| v == 0.0).count() as f64 / 4000.0;
                // Four standard deviations of 4000 draws are 0.031.
                assert!((dropped - probability).abs() < 0.031, "{i}: {dropped}");
                let kept = (1.0 / (1.0 - probability)) as f32;
                assert!(values.iter().all(|&v| v == 0.0 || v == kept));
            }
        }
    }
}
