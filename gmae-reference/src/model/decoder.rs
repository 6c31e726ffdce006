//! The decoder of both methods: a transformer over the encoder's latents and the tokens whose
//! outputs it predicts. GMAE has k learned queries, one for each Gaussian. MAE has a mask token in
//! the place of each hidden patch.

use burn::module::{Module, Param};
use burn::nn::Linear;
use burn::tensor::backend::Backend;
use burn::tensor::{Int, Tensor};

use super::block::Block;
use super::encoder::table;
use super::init::Initializer;
use super::patches::Visible;
use crate::config::{Config, Method};
use crate::ops::{self, Operations};

/// Transformer decoder over the token sequence `[CLS, n latents, k queries]` (GMAE) or
/// `[CLS, N patches]` (MAE).
#[derive(Debug, Module)]
pub struct Decoder<B: Backend> {
    embed: Linear<B>,
    mask_token: Param<Tensor<B, 2>>,
    /// One row per Gaussian, added to the mask token. MAE has none.
    queries: Option<Param<Tensor<B, 2>>>,
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
            queries: (config.method == Method::Gmae)
                .then(|| init.uniform([config.gaussians, width], 0.0, 1.0)),
            positions: table(config, width, init.device()),
        }
    }

    /// The position table `[1 + N, d]` of the latents, with the row of the CLS token first.
    pub(super) fn positions(&self) -> &Tensor<B, 2> {
        &self.positions
    }

    /// Returns the decoder with another position table, if one is given.
    pub(super) fn with_positions(self, positions: Option<Tensor<B, 2>>) -> Self {
        Self {
            positions: positions.unwrap_or(self.positions),
            ..self
        }
    }

    /// Computes the outputs from the encoder's tokens, `[B (1 + n), D]`: those at the queries,
    /// `[B k, d]` (GMAE), or those of all patches, `[B N, d]` (MAE).
    pub fn forward(&self, latents: Tensor<B, 2>, input: &Visible<B>) -> Tensor<B, 2> {
        let images = input.images;
        let latents = ops::linear(&self.embed, latents);
        let (mut x, outputs) = match &self.queries {
            Some(queries) => (
                self.before_queries(latents, queries.val(), input),
                queries.dims()[0],
            ),
            None => (self.in_place(latents, input), self.positions.dims()[0] - 1),
        };
        for block in &self.blocks {
            x = block.forward(x, images);
        }
        let [rows, width] = x.dims();
        let tokens = rows / images;
        x.reshape([images, tokens, width])
            .narrow(1, tokens - outputs, outputs)
            .reshape([images * outputs, width])
    }

    /// Adds the position codes to the latents and appends the queries of each image.
    fn before_queries(
        &self,
        latents: Tensor<B, 2>,
        queries: Tensor<B, 2>,
        input: &Visible<B>,
    ) -> Tensor<B, 2> {
        let images = input.images;
        let [gaussians, width] = queries.dims();
        let projected = latents + self.latent_positions(input);
        let seen = projected.dims()[0] / images;
        let queries = (queries + self.mask_token.val())
            .reshape([1, gaussians, width])
            .expand([images, gaussians, width]);
        Tensor::cat(vec![projected.reshape([images, seen, width]), queries], 1)
            .reshape([images * (seen + gaussians), width])
    }

    /// Puts the latents in the places of their patches and the mask token in all other places. Adds
    /// the position codes.
    fn in_place(&self, latents: Tensor<B, 2>, input: &Visible<B>) -> Tensor<B, 2> {
        let images = input.images;
        let [tokens, width] = self.positions.dims();
        let positions = self.positions.clone().reshape([1, tokens, width]);
        let placed = Tensor::cat(vec![latents, self.mask_token.val()], 0)
            .select(0, input.places.clone())
            .reshape([images, tokens, width]);
        (placed + positions).reshape([images * tokens, width])
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
