//! A classifier: the encoder with all patches visible, the mean of its patch tokens, and a linear
//! map.

use std::collections::HashMap;

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::nn::{LayerNorm, Linear};
use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};

use super::autoencoder::Autoencoder;
use super::block::Drops;
use super::encoder::{Encoder, mean_of_patches};
use super::init::Initializer;
use super::patches::Visible;
use super::stored::Stored;
use crate::config::{Config, Finetuning};
use crate::ops::{self, Operations};

/// Standard deviation of the initial weights of the linear map. The map begins close to zero, so
/// that the first steps do not disturb a trained encoder.
const HEAD_DEVIATION: f64 = 1e-3;
/// Added to the seed of the encoder for the weights of the linear map.
const HEAD_SEED: u64 = 1 << 40;

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
        let device = model.device();
        let mut init = Initializer::new(config.seed.wrapping_add(HEAD_SEED), &device);
        let width = config.encoder_width;
        let mut linear = init.linear(width, classes);
        linear.weight = init.normal([width, classes], HEAD_DEVIATION);
        Self {
            encoder: model.into_encoder(),
            pooled_norm: init.layer_norm(width),
            classes: linear,
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

    /// Returns the factor on the learning rate of every parameter: `decay` to the power of the
    /// number of layers above it. The layers are the patch embedding with the CLS token, each
    /// block, and the rest (as in `BEiT`, arXiv 2106.08254).
    pub fn rates(&self, finetuning: &Finetuning) -> HashMap<ParamId, f64> {
        let depth = self.encoder.blocks().len();
        let mut rates = HashMap::new();
        let mut visit = |layers_above: usize, module: &dyn Fn(&mut Ids)| {
            let mut ids = Ids(Vec::new());
            module(&mut ids);
            let factor = finetuning
                .layer_decay
                .powi(i32::try_from(layers_above).unwrap_or(i32::MAX));
            rates.extend(ids.0.into_iter().map(|id| (id, factor)));
        };
        // The embedding first: the blocks inside the encoder replace their entries below.
        visit(depth + 1, &|ids| self.encoder.visit(ids));
        for (i, block) in self.encoder.blocks().iter().enumerate() {
            visit(depth - i, &|ids| block.visit(ids));
        }
        visit(0, &|ids| self.pooled_norm.visit(ids));
        visit(0, &|ids| self.classes.visit(ids));
        rates
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

/// Collects the ids of parameters.
struct Ids(Vec<ParamId>);

impl<B: Backend> ModuleVisitor<B> for Ids {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
        self.0.push(param.id);
    }
}
