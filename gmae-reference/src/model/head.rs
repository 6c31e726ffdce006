//! The head, which maps decoder outputs to Gaussians or pixels, and the activations that keep every
//! attribute of a Gaussian in its range.

use burn::module::Module;
use burn::nn::{LayerNorm, Linear};
use burn::tensor::activation::{log_sigmoid, sigmoid};
use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::camera;
use super::init::Initializer;
use crate::config::{Config, Method};
use crate::ops::{self, Operations};

/// Raw values per Gaussian: centre 3, scale 3, quaternion 4, colour 3, opacity 1.
pub const ATTRIBUTES: usize = 14;
/// Bound of the random z of [`Config::random_depth_order`], in world units. Thousands of evenly
/// spaced values differ in `f32` at the distance of the camera. Sizes change by 1/800 at most.
const RANDOM_DEPTH: f64 = 0.01;

/// The Gaussians of B images, k per image, stored image by image.
#[derive(Clone, Debug)]
pub struct Gaussians<B: Backend> {
    /// Centres, `[B k, 3]`, world units.
    pub means: Tensor<B, 2>,
    /// Standard deviations along the local axes of each Gaussian, `[B k, 3]`, world units.
    pub scales: Tensor<B, 2>,
    /// Unit quaternions `w x y z`, `[B k, 4]`.
    pub quaternions: Tensor<B, 2>,
    /// Red, green and blue in (0, 1), `[B k, 3]`.
    pub colours: Tensor<B, 2>,
    /// Opacities in (0, 1), `[B k]`.
    pub opacities: Tensor<B, 1>,
    /// The number of images, B.
    pub images: usize,
}

impl<B: Backend> Gaussians<B> {
    /// Concatenates the images of all `parts` in order. `parts` must not be empty.
    pub(crate) fn cat(parts: &[Self]) -> Self {
        fn joined<B: Backend, const D: usize>(
            parts: &[Gaussians<B>],
            field: impl Fn(&Gaussians<B>) -> &Tensor<B, D>,
        ) -> Tensor<B, D> {
            Tensor::cat(parts.iter().map(|part| field(part).clone()).collect(), 0)
        }
        Self {
            means: joined(parts, |g| &g.means),
            scales: joined(parts, |g| &g.scales),
            quaternions: joined(parts, |g| &g.quaternions),
            colours: joined(parts, |g| &g.colours),
            opacities: joined(parts, |g| &g.opacities),
            images: parts.iter().map(|part| part.images).sum(),
        }
    }
}

/// A `LayerNorm` and a linear map: to 14 raw values per Gaussian (GMAE), or to the `3 P^2` values
/// of a patch (MAE).
#[derive(Debug, Module)]
pub struct Head<B: Backend> {
    norm: LayerNorm<B>,
    linear: Linear<B>,
    gaussian_scale: f64,
    centre_range: f64,
    freeze_z: bool,
    random_depth_order: bool,
}

impl<B: Operations> Head<B> {
    /// Creates the head of `config` with initial weights.
    pub fn new(init: &mut Initializer<B>, config: &Config) -> Self {
        let width = config.decoder_width;
        Self {
            norm: init.layer_norm(width),
            linear: match config.method {
                Method::Gmae => init.linear_without_bias(width, ATTRIBUTES),
                Method::Mae => init.linear(width, config.patch_len()),
            },
            gaussian_scale: config.gaussian_scale * camera::scale_factor(config.camera),
            centre_range: camera::centre_range(config.camera),
            freeze_z: config.freeze_z,
            random_depth_order: config.random_depth_order,
        }
    }

    /// Computes the raw values from the decoder outputs: `[B k, d]` -> `[B k, 14]`, or
    /// `[B N, d]` -> `[B N, 3 P^2]`.
    pub fn linear(&self, outputs: Tensor<B, 2>) -> Tensor<B, 2> {
        ops::linear(&self.linear, ops::layer_norm(&self.norm, outputs))
    }

    /// Computes the Gaussians of `seeds.len()` images from the decoder outputs `[B k, d]`.
    ///
    /// With [`Config::freeze_z`], no gradient reaches z. With [`Config::random_depth_order`], the
    /// values of z are small, evenly spaced and in random order. The order depends only on the seed
    /// of the image.
    pub fn gaussians(&self, outputs: Tensor<B, 2>, seeds: &[u64]) -> Gaussians<B> {
        let raw = self.linear(outputs);
        let activated = activate(&raw, self.centre_range, self.gaussian_scale, seeds.len());
        let means = activated.means;
        let means = if self.random_depth_order {
            let z = random_depths(means.dims()[0], seeds, &means.device());
            with_z(means, z)
        } else if self.freeze_z {
            let z = means.clone().narrow(1, 2, 1).detach();
            with_z(means, z)
        } else {
            means
        };
        Gaussians { means, ..activated }
    }
}

/// Replaces z, the last column of `means`, `[B k, 3]`.
fn with_z<B: Backend>(means: Tensor<B, 2>, z: Tensor<B, 2>) -> Tensor<B, 2> {
    Tensor::cat(vec![means.narrow(1, 0, 2), z], 1)
}

/// Draws the order of the Gaussians of each image and returns a small z for each of all `count`
/// Gaussians, `[B k, 1]`.
fn random_depths<B: Backend>(count: usize, seeds: &[u64], device: &B::Device) -> Tensor<B, 2> {
    let per_image = count / seeds.len().max(1);
    let mut values = Vec::with_capacity(count);
    for &seed in seeds {
        let mut ranks: Vec<usize> = (0..per_image).collect();
        ranks.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
        let place = |rank: usize| (2 * rank + 1) as f64 / per_image as f64 - 1.0;
        values.extend(
            ranks
                .into_iter()
                .map(|rank| (RANDOM_DEPTH * place(rank)) as f32),
        );
    }
    Tensor::from_data(TensorData::new(values, [count, 1]), device)
}

/// Maps raw values `[B k, 14]` to Gaussians.
///
/// The raw values `a` are in the order of [`ATTRIBUTES`]:
/// - centre: `centre_range * tanh(a / 2)`,
/// - scale: `gaussian_scale * sigmoid(a)`,
/// - quaternion: `uniform_quaternion` of the first three raw values, the fourth is unused,
/// - colour and opacity: `sigmoid(a)`.
///
/// Every gradient is finite for every finite input.
pub fn activate<B: Backend>(
    raw: &Tensor<B, 2>,
    centre_range: f64,
    gaussian_scale: f64,
    images: usize,
) -> Gaussians<B> {
    let rows = raw.dims()[0];
    let part = |from: usize, len: usize| raw.clone().narrow(1, from, len);
    Gaussians {
        means: (part(0, 3) * 0.5).tanh() * centre_range,
        scales: sigmoid(part(3, 3)) * gaussian_scale,
        quaternions: uniform_quaternion(part(6, 3)),
        colours: sigmoid(part(10, 3)),
        opacities: sigmoid(part(13, 1)).reshape([rows]),
        images,
    }
}

/// Maps three raw values per row, `[R, 3]`, to unit quaternions `[R, 4]`.
///
/// Let `u, v, w` be the sigmoids of the raw values. The quaternion is
/// `(sqrt(1 - u) sin 2 pi v, sqrt(1 - u) cos 2 pi v, sqrt(u) sin 2 pi w, sqrt(u) cos 2 pi w)`. If
/// `u, v, w` are uniform in (0, 1), the rotations are uniform (Shoemake 1992).
fn uniform_quaternion<B: Backend>(a: Tensor<B, 2>) -> Tensor<B, 2> {
    let turns = sigmoid(a.clone().narrow(1, 1, 2)) * std::f64::consts::TAU;
    let (sin, cos) = (turns.clone().sin(), turns.cos());
    let a = a.narrow(1, 0, 1);
    let (low, high) = (sqrt_sigmoid(-a.clone()), sqrt_sigmoid(a));
    let columns = vec![
        low.clone() * sin.clone().narrow(1, 0, 1),
        low * cos.clone().narrow(1, 0, 1),
        high.clone() * sin.narrow(1, 1, 1),
        high * cos.narrow(1, 1, 1),
    ];
    Tensor::cat(columns, 1)
}

/// Computes `sqrt(sigmoid(a))` without differentiating a square root. The derivative
/// `sqrt(sigmoid(a)) (1 - sigmoid(a)) / 2` is finite even if the sigmoid is zero.
fn sqrt_sigmoid<B: Backend>(a: Tensor<B, 2>) -> Tensor<B, 2> {
    (log_sigmoid(a) * 0.5).exp()
}
