//! Attention in Burn's own operations: for GPU backends, and the reference for the CPU's. Here are
//! also the values that all backends share.

use burn::tensor::Tensor;
use burn::tensor::activation::softmax;
use burn::tensor::backend::Backend;

/// The epsilon of every layer normalisation of the model.
pub const LAYER_NORM_EPSILON: f64 = 1e-6;

/// The queries, keys and values of B images of T tokens, each `[B T, D]`, image by image. The D
/// channels of a row belong to the heads in order, D / heads channels each.
#[derive(Clone, Debug)]
pub struct Projections<B: Backend> {
    /// Queries, `[B T, D]`.
    pub query: Tensor<B, 2>,
    /// Keys, `[B T, D]`.
    pub key: Tensor<B, 2>,
    /// Values, `[B T, D]`.
    pub value: Tensor<B, 2>,
    /// The number of images, B.
    pub images: usize,
    /// The number of heads.
    pub heads: usize,
}

/// Computes `softmax(q k^T / sqrt(d)) v` for every image and head, `[B T, D]`.
pub fn attention<B: Backend>(of: Projections<B>) -> Tensor<B, 2> {
    let [rows, width] = of.query.dims();
    let head_width = width / of.heads;
    // [B T, D] -> [B, heads, T, D / heads]
    let split = |t: Tensor<B, 2>| {
        t.reshape([of.images, rows / of.images, of.heads, head_width])
            .swap_dims(1, 2)
    };
    let query = split(of.query / (head_width as f64).sqrt());
    let weights = softmax(query.matmul(split(of.key).swap_dims(2, 3)), 3); // [B, heads, T, T]
    let mixed = weights.matmul(split(of.value));
    mixed.swap_dims(1, 2).reshape([rows, width])
}
