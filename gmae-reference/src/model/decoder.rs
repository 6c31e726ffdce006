//! The decoder: a transformer over the encoder's latents and k learned queries, one for each
//! Gaussian.

use burn::module::{Module, Param};
use burn::nn::Linear;
use burn::tensor::backend::Backend;
use burn::tensor::{Int, Tensor};

use super::block::Block;
use super::encoder::table;
use super::init::Initializer;
use super::patches::Visible;
use crate::config::Config;
use crate::ops::{self, Operations};

/// Transformer decoder over the token sequence `[CLS, n latents, k queries]`.
#[derive(Debug, Module)]
pub struct Decoder<B: Backend> {
    embed: Linear<B>,
    mask_token: Param<Tensor<B, 2>>,
    queries: Param<Tensor<B, 2>>,
    positions: Tensor<B, 2>,
    blocks: Vec<Block<B>>,
}

impl<B: Operations> Decoder<B> {
    /// Creates the decoder of `config` with initial weights.
    pub fn new(init: &mut Initializer<B>, config: &Config) -> Self {
        let width = config.decoder_width;
        let block = |_| Block::new(init, width, config.decoder_heads, config.mlp_ratio);
        let blocks = (0..config.decoder_depth).map(block).collect();
        Self {
            blocks,
            embed: init.linear(config.encoder_width, width),
            mask_token: init.normal([1, width], 0.02),
            queries: init.uniform([config.gaussians, width], 0.0, 1.0),
            positions: table(config, width, init.device()),
        }
    }

    /// The position table `[1 + N, d]` of the latents, with the row of the CLS token first.
    pub(super) fn positions(&self) -> &Tensor<B, 2> {
        &self.positions
    }

    /// Returns the decoder with another position table.
    pub(super) fn with_positions(self, positions: Tensor<B, 2>) -> Self {
        Self { positions, ..self }
    }

    /// Computes the outputs at the queries, `[B k, d]`, from the encoder's tokens,
    /// `[B (1 + n), D]`.
    pub fn forward(&self, latents: Tensor<B, 2>, input: &Visible<B>) -> Tensor<B, 2> {
        let images = input.images;
        let [gaussians, width] = self.queries.dims();
        let projected = ops::linear(&self.embed, latents) + self.latent_positions(input);
        let seen = projected.dims()[0] / images;
        let queries = (self.queries.val() + self.mask_token.val())
            .reshape([1, gaussians, width])
            .expand([images, gaussians, width]);
        let tokens = seen + gaussians;
        let mut x = Tensor::cat(vec![projected.reshape([images, seen, width]), queries], 1)
            .reshape([images * tokens, width]);
        for block in &self.blocks {
            x = block.forward(x, images);
        }
        x.reshape([images, tokens, width])
            .narrow(1, seen, gaussians)
            .reshape([images * gaussians, width])
    }

    /// Returns the position codes of the CLS token and of the visible patches,
    /// `[B (1 + n), d]`.
    fn latent_positions(&self, input: &Visible<B>) -> Tensor<B, 2> {
        let images = input.images;
        let visible = input.rows.dims()[0] / images;
        let cls = Tensor::<B, 2, Int>::zeros([images, 1], &input.rows.device());
        let rows = Tensor::cat(vec![cls, input.rows.clone().reshape([images, visible])], 1);
        self.positions
            .clone()
            .select(0, rows.reshape([images * (1 + visible)]))
    }
}
