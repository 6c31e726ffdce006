//! A transformer block.
//!
//! The tokens of all images are the rows of one matrix `[B T, D]`, image by image. Backends are
//! fastest on plain matrices, and only attention depends on the boundaries between images.

use burn::module::Module;
use burn::nn::{LayerNorm, Linear};
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use super::init::Initializer;
use crate::ops::{self, Operations, Projections};

/// Pre-norm block: `x + attention(norm(x))`, then `x + mlp(norm(x))`.
#[derive(Debug, Module)]
pub struct Block<B: Backend> {
    attention_norm: LayerNorm<B>,
    attention: Attention<B>,
    mlp_norm: LayerNorm<B>,
    mlp: Mlp<B>,
}

impl<B: Operations> Block<B> {
    /// Creates a block of `width` channels with `heads` attention heads. The MLP has
    /// `width * mlp_ratio` hidden channels.
    pub fn new(init: &mut Initializer<B>, width: usize, heads: usize, mlp_ratio: usize) -> Self {
        Self {
            attention_norm: init.layer_norm(width),
            attention: Attention::new(init, width, heads),
            mlp_norm: init.layer_norm(width),
            mlp: Mlp::new(init, width, width * mlp_ratio),
        }
    }

    /// Computes `[B T, D]` -> `[B T, D]` for `images` images of T tokens each.
    pub fn forward(&self, x: Tensor<B, 2>, images: usize) -> Tensor<B, 2> {
        self.forward_dropped(x, images, None)
    }

    /// Computes [`Block::forward`], with factors on the branches of each image if they are given.
    pub fn forward_dropped(
        &self,
        x: Tensor<B, 2>,
        images: usize,
        drops: Option<&Drops<B>>,
    ) -> Tensor<B, 2> {
        let [rows, width] = x.dims();
        let scaled = |branch: Tensor<B, 2>, factor: Option<&Tensor<B, 3>>| match factor {
            None => branch,
            Some(factor) => (branch.reshape([images, rows / images, width]) * factor.clone())
                .reshape([rows, width]),
        };
        let attended = self
            .attention
            .forward(ops::layer_norm(&self.attention_norm, x.clone()), images);
        let x = x + scaled(attended, drops.map(|drops| &drops.attention));
        let mlp = self.mlp.forward(ops::layer_norm(&self.mlp_norm, x.clone()));
        x + scaled(mlp, drops.map(|drops| &drops.mlp))
    }
}

/// Factors on the branches of a block for each image, `[B, 1, 1]`: 0 for a dropped branch, and
/// `1 / (1 - p)` for a kept one, where p is the probability of dropping.
#[derive(Clone, Debug)]
pub struct Drops<B: Backend> {
    /// Factor on the attention.
    pub attention: Tensor<B, 3>,
    /// Factor on the MLP.
    pub mlp: Tensor<B, 3>,
}

/// Multi-head self-attention with biases on query, key and value.
#[derive(Debug, Module)]
struct Attention<B: Backend> {
    query: Linear<B>,
    key: Linear<B>,
    value: Linear<B>,
    output: Linear<B>,
    heads: usize,
}

impl<B: Operations> Attention<B> {
    fn new(init: &mut Initializer<B>, width: usize, heads: usize) -> Self {
        // The Xavier bound is computed for one matrix of query, key and value.
        Self {
            query: init.linear_of_fan(width, width, 3 * width),
            key: init.linear_of_fan(width, width, 3 * width),
            value: init.linear_of_fan(width, width, 3 * width),
            output: init.linear(width, width),
            heads,
        }
    }

    fn forward(&self, x: Tensor<B, 2>, images: usize) -> Tensor<B, 2> {
        let mixed = ops::attention(Projections {
            query: ops::linear(&self.query, x.clone()),
            key: ops::linear(&self.key, x.clone()),
            value: ops::linear(&self.value, x),
            images,
            heads: self.heads,
        });
        ops::linear(&self.output, mixed)
    }
}

/// Two linear layers with an exact GELU between them.
#[derive(Debug, Module)]
struct Mlp<B: Backend> {
    expand: Linear<B>,
    contract: Linear<B>,
}

impl<B: Operations> Mlp<B> {
    fn new(init: &mut Initializer<B>, width: usize, hidden: usize) -> Self {
        Self {
            expand: init.linear(width, hidden),
            contract: init.linear(hidden, width),
        }
    }

    fn forward(&self, x: Tensor<B, 2>) -> Tensor<B, 2> {
        let hidden = ops::gelu(ops::linear(&self.expand, x));
        ops::linear(&self.contract, hidden)
    }
}
