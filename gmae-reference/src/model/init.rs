//! Initial weights: a function of the seed alone, the same on every backend and any number of
//! threads.

use burn::module::{Param, ParamId};
use burn::nn::{LayerNorm, LayerNormConfig, Linear};
use burn::tensor::backend::Backend;
use burn::tensor::{Shape, Tensor, TensorData};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// `LayerNorm` epsilon of every normalisation in the model.
const LAYER_NORM_EPSILON: f64 = 1e-6;

/// Draws parameters one after the other from one stream of random numbers.
#[derive(Debug)]
pub struct Initializer<'a, B: Backend> {
    rng: ChaCha8Rng,
    device: &'a B::Device,
}

impl<'a, B: Backend> Initializer<'a, B> {
    /// A fresh stream for `seed`.
    pub fn new(seed: u64, device: &'a B::Device) -> Self {
        let rng = ChaCha8Rng::seed_from_u64(seed);
        Self { rng, device }
    }

    /// The device on which parameters are made.
    pub fn device(&self) -> &B::Device {
        self.device
    }

    /// A parameter whose every value comes from `draw`.
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

    /// Uniform over `[low, high)`.
    pub fn uniform<const D: usize>(
        &mut self,
        shape: [usize; D],
        low: f64,
        high: f64,
    ) -> Param<Tensor<B, D>> {
        self.filled(shape, |rng| low + (high - low) * rng.random::<f64>())
    }

    /// Normal with mean 0, by the method of Box and Muller.
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

    /// A linear layer `[rows, input]` -> `[rows, output]`: Xavier-uniform weight, bias 0.
    pub fn linear(&mut self, input: usize, output: usize) -> Linear<B> {
        self.linear_of_fan(input, output, output)
    }

    /// A linear layer that is one of several stacked side by side into a matrix with `fan_out`
    /// outputs, initialised as a part of that matrix.
    pub fn linear_of_fan(&mut self, input: usize, output: usize, fan_out: usize) -> Linear<B> {
        let bound = (6.0 / (input + fan_out) as f64).sqrt();
        let bias = self.filled([output], |_| 0.0);
        Linear {
            weight: self.uniform([input, output], -bound, bound),
            bias: Some(bias),
        }
    }

    /// A linear layer without bias, uniform within `1 / sqrt(input)`.
    pub fn linear_without_bias(&mut self, input: usize, output: usize) -> Linear<B> {
        let bound = (1.0 / input as f64).sqrt();
        Linear {
            weight: self.uniform([input, output], -bound, bound),
            bias: None,
        }
    }

    /// A normalisation over the last axis, of `width` channels: gain 1, shift 0.
    pub fn layer_norm(&self, width: usize) -> LayerNorm<B> {
        LayerNormConfig::new(width)
            .with_epsilon(LAYER_NORM_EPSILON)
            .init(self.device)
    }
}
