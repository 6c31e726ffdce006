//! The scene of the tests, as tensors of any backend.

use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};
use splat::{Camera, Outputs, RenderConfig, Views};
use splat_autodiff::GaussianTensors;

/// Numbers of Gaussians (N), channels (C) and views (V).
pub(crate) const N: usize = 24;
pub(crate) const C: usize = 3;
pub(crate) const V: usize = 2;

/// Quasi-random values in (-1, 1).
pub(crate) fn numbers(len: usize, seed: usize) -> Vec<f32> {
    let number = |i: usize| ((i + 97 * seed) as f32 * 0.618_034).fract() * 2.0 - 1.0;
    (1..=len).map(number).collect()
}

pub(crate) fn views() -> Views {
    let camera = Camera::pinhole(24.0, 24.0, 12.0, 10.0);
    Views {
        width: 24,
        height: 20,
        cameras: vec![camera; V],
        ranges: vec![0..N, 4..N],
    }
}

pub(crate) fn config() -> RenderConfig {
    let outputs = Outputs::ALL;
    RenderConfig::default()
        .with_outputs(outputs)
        .with_layers(vec![2])
}

/// The seven inputs of a render. [`inputs`] creates the means as a tensor that is not contiguous.
pub(crate) struct Inputs<B: Backend> {
    pub(crate) gaussians: GaussianTensors<B>,
    pub(crate) background: Tensor<B, 2>,
    pub(crate) poses: Tensor<B, 3>,
}

pub(crate) fn inputs<B: Backend>(device: &B::Device) -> Inputs<B> {
    let tensor = |values: Vec<f32>| Tensor::<B, 1>::from_data(TensorData::from(&*values), device);
    let means = tensor(numbers(3 * N, 1)).reshape([3, N]).transpose();
    let depth = Tensor::<B, 1>::from_floats([0.0, 0.0, 3.0], device).reshape([1, 3]);
    let pose = [
        1.0, 0.0, 0.0, 0.1, 0.0, 1.0, 0.0, -0.1, 0.0, 0.0, 1.0, 0.5f32,
    ];
    let gaussians = GaussianTensors {
        means: means + depth,
        scales: tensor(numbers(3 * N, 2)).reshape([N, 3]).abs() * 0.3 + 0.05,
        quaternions: tensor(numbers(4 * N, 3)).reshape([N, 4]),
        opacities: tensor(numbers(N, 4)).abs() * 0.8 + 0.1,
        features: tensor(numbers(C * N, 5)).reshape([N, C]),
    };
    Inputs {
        gaussians,
        background: tensor(numbers(V * C, 6)).reshape([V, C]),
        poses: tensor(pose.repeat(V)).reshape([V, 3, 4]),
    }
}
