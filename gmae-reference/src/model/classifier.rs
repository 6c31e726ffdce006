//! A classifier: the encoder with all patches visible, the mean of its patch tokens, and a linear
//! map.

use std::collections::HashMap;

use burn::module::{Module, ParamId};
use burn::nn::{LayerNorm, Linear};
use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};

use super::autoencoder::Autoencoder;
use super::block::Drops;
use super::encoder::{Encoder, mean_of_patches};
use super::init;
use super::patches::Visible;
use super::stored::Stored;
use crate::config::Config;
use crate::ops::{self, Operations};

/// Vision Transformer for classification. The mean over the patch tokens replaces the CLS token.
#[derive(Debug, Module)]
pub struct Classifier<B: Backend> {
    encoder: Encoder<B>,
    /// The norm of the mean. The last norm of the encoder is not used.
    pooled_norm: LayerNorm<B>,
    classes: Linear<B>,
}

impl<B: Operations> Classifier<B> {
    /// Creates a classifier with the encoder of `model`. The linear map has initial weights, which
    /// depend on the seed of `config` alone.
    pub fn new(config: &Config, classes: usize, model: Autoencoder<B>) -> Self {
        let (pooled_norm, classes) = init::head(config, classes, &model.device());
        Self {
            encoder: model.into_encoder(),
            pooled_norm,
            classes,
        }
    }

    /// The device of the weights.
    pub fn device(&self) -> B::Device {
        self.encoder.device()
    }

    /// Computes the scores of the classes before softmax, `[B, classes]`.
    pub fn forward(&self, input: &Visible<B>) -> Tensor<B, 2> {
        self.forward_dropped(input, None)
    }

    /// Computes [`Classifier::forward`], with factors on the branches of each block if they are
    /// given.
    pub fn forward_dropped(&self, input: &Visible<B>, drops: Option<&[Drops<B>]>) -> Tensor<B, 2> {
        let tokens = self.encoder.through_blocks(input, drops, |_| {});
        let pooled = mean_of_patches(tokens, input.images);
        ops::linear(&self.classes, ops::layer_norm(&self.pooled_norm, pooled))
    }

    /// Returns the factors on the learning rates for a layer decay of `decay`. The norm of the mean
    /// and the linear map have the whole rate.
    pub fn rates(&self, decay: f64) -> HashMap<ParamId, f64> {
        self.encoder.rates(decay)
    }
}

impl<B: Backend> Drops<B> {
    /// Creates the factors of one block from those of each image: attention and MLP.
    pub fn of(factors: &[[f32; 2]], device: &B::Device) -> Self {
        let tensor = |branch: usize| {
            let values = factors.iter().map(|factors| factors[branch]).collect();
            Tensor::from_data(TensorData::new(values, [factors.len(), 1, 1]), device)
        };
        Self {
            attention: tensor(0),
            mlp: tensor(1),
        }
    }
}

impl<B: Operations> Stored<B> for Classifier<B> {
    fn positions(&self) -> Vec<&Tensor<B, 2>> {
        vec![self.encoder.positions()]
    }

    fn with_positions(self, tables: Vec<Tensor<B, 2>>) -> Self {
        Self {
            encoder: self.encoder.with_positions(tables.into_iter().next()),
            ..self
        }
    }
}
