//! Initial weights. They depend only on the seed, not on the backend or the number of threads.

use burn::module::{Param, ParamId};
use burn::nn::{LayerNorm, LayerNormConfig, Linear};
use burn::tensor::backend::Backend;
use burn::tensor::{Shape, Tensor, TensorData};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::config::Config;
use crate::ops::LAYER_NORM_EPSILON;

/// Standard deviation of the initial weights of the linear map of a head. The map begins close to
/// zero, so that the first steps do not disturb a trained encoder.
const HEAD_DEVIATION: f64 = 1e-3;
/// Added to the seed of the encoder for the weights of a head.
const HEAD_SEED: u64 = 1 << 40;

/// Draws all parameters in sequence from one random stream.
#[derive(Debug)]
pub struct Initializer<'a, B: Backend> {
    rng: ChaCha8Rng,
    device: &'a B::Device,
}

impl<'a, B: Backend> Initializer<'a, B> {
    /// Starts the random stream of `seed`.
    pub fn new(seed: u64, device: &'a B::Device) -> Self {
        let rng = ChaCha8Rng::seed_from_u64(seed);
        Self { rng, device }
    }

    /// The device on which parameters are created.
    pub fn device(&self) -> &B::Device {
        self.device
    }

    /// Creates a parameter whose values are all drawn by `draw`.
    fn filled<const D: usize>(
        &mut self,
        shape: [usize; D],
        mut draw: impl FnMut(&mut ChaCha8Rng) -> f64,
    ) -> Param<Tensor<B, D>> {
        let shape = Shape::from(shape);
        let len = shape.num_elements();
        let values: Vec<f32> = (0..len).map(|_| draw(&mut self.rng) as f32).collect();
        let tensor = Tensor::from_data(TensorData::new(values, shape), self.device);
        Param::initialized(ParamId::new(), tensor.require_grad())
    }

    /// Creates a parameter that is uniform over `[low, high)`.
    pub fn uniform<const D: usize>(
        &mut self,
        shape: [usize; D],
        low: f64,
        high: f64,
    ) -> Param<Tensor<B, D>> {
        self.filled(shape, |rng| low + (high - low) * rng.random::<f64>())
    }

    /// Creates a normally distributed parameter with mean 0 and standard deviation `deviation`, by
    /// the Box-Muller method.
    pub fn normal<const D: usize>(
        &mut self,
        shape: [usize; D],
        deviation: f64,
    ) -> Param<Tensor<B, D>> {
        self.filled(shape, |rng| {
            let radius = (-2.0 * (1.0 - rng.random::<f64>()).ln()).sqrt();
            deviation * radius * (std::f64::consts::TAU * rng.random::<f64>()).cos()
        })
    }

    /// Creates a linear layer `[rows, input]` -> `[rows, output]` with a Xavier-uniform weight and
    /// a zero bias.
    pub fn linear(&mut self, input: usize, output: usize) -> Linear<B> {
        self.linear_of_fan(input, output, output)
    }

    /// Creates a linear layer that is a part of a stacked matrix with `fan_out` outputs. The Xavier
    /// bound is computed from `fan_out`. The bias is zero.
    pub fn linear_of_fan(&mut self, input: usize, output: usize, fan_out: usize) -> Linear<B> {
        let bound = (6.0 / (input + fan_out) as f64).sqrt();
        let bias = self.filled([output], |_| 0.0);
        Linear {
            weight: self.uniform([input, output], -bound, bound),
            bias: Some(bias),
        }
    }

    /// Creates a linear layer without bias. The weight is uniform between `-1 / sqrt(input)` and
    /// `1 / sqrt(input)`.
    pub fn linear_without_bias(&mut self, input: usize, output: usize) -> Linear<B> {
        let bound = (1.0 / input as f64).sqrt();
        Linear {
            weight: self.uniform([input, output], -bound, bound),
            bias: None,
        }
    }

    /// Creates a `LayerNorm` over a last axis of `width` channels, with gain 1 and shift 0.
    pub fn layer_norm(&self, width: usize) -> LayerNorm<B> {
        LayerNormConfig::new(width)
            .with_epsilon(LAYER_NORM_EPSILON)
            .init(self.device)
    }
}

/// Creates the head of a model that is trained from an encoder: a norm of tokens, and a linear map
/// to `outputs` numbers. The weights depend on the seed of `config` alone.
pub(super) fn head<B: Backend>(
    config: &Config,
    outputs: usize,
    device: &B::Device,
) -> (LayerNorm<B>, Linear<B>) {
    let mut init = Initializer::new(config.seed.wrapping_add(HEAD_SEED), device);
    let width = config.encoder_width;
    let mut linear = init.linear(width, outputs);
    linear.weight = init.normal([width, outputs], HEAD_DEVIATION);
    (init.layer_norm(width), linear)
}
