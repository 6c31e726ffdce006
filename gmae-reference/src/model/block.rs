//! A transformer block.
//!
//! The tokens of all images are the rows of one matrix `[B T, D]`, image by image. Backends are
//! fastest on plain matrices, and only attention depends on the boundaries between images.

use burn::module::Module;
use burn::nn::{LayerNorm, Linear};
use burn::tensor::Tensor;
use burn::tensor::activation::{gelu, softmax};
use burn::tensor::backend::Backend;

use super::init::Initializer;

/// Pre-norm block: `x + attention(norm(x))`, then `x + mlp(norm(x))`.
#[derive(Debug, Module)]
pub struct Block<B: Backend> {
    attention_norm: LayerNorm<B>,
    attention: Attention<B>,
    mlp_norm: LayerNorm<B>,
    mlp: Mlp<B>,
}

impl<B: Backend> Block<B> {
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
        let attended = self
            .attention
            .forward(self.attention_norm.forward(x.clone()), images);
        let x = x + attended;
        x.clone() + self.mlp.forward(self.mlp_norm.forward(x))
    }
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

impl<B: Backend> Attention<B> {
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
        let [rows, width] = x.dims();
        let head_width = width / self.heads;
        // [B T, D] -> [B, heads, T, D / heads]
        let split = |t: Tensor<B, 2>| {
            t.reshape([images, rows / images, self.heads, head_width])
                .swap_dims(1, 2)
        };
        let query = split(self.query.forward(x.clone()) / (head_width as f64).sqrt());
        let key = split(self.key.forward(x.clone()));
        let value = split(self.value.forward(x));
        let weights = softmax(query.matmul(key.swap_dims(2, 3)), 3); // [B, heads, T, T]
        let mixed = weights.matmul(value).swap_dims(1, 2).reshape([rows, width]);
        self.output.forward(mixed)
    }
}

/// Two linear layers with an exact GELU between them.
#[derive(Debug, Module)]
struct Mlp<B: Backend> {
    expand: Linear<B>,
    contract: Linear<B>,
}

impl<B: Backend> Mlp<B> {
    fn new(init: &mut Initializer<B>, width: usize, hidden: usize) -> Self {
        Self {
            expand: init.linear(width, hidden),
            contract: init.linear(hidden, width),
        }
    }

    fn forward(&self, x: Tensor<B, 2>) -> Tensor<B, 2> {
        self.contract.forward(gelu(self.expand.forward(x)))
    }
}
