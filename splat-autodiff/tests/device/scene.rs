//! The scene of the tests, as tensors of any backend.

use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};
use splat::ellipses::Shapes;
use splat::{Camera, Outputs, RenderConfig, Views};
use splat_autodiff::{CameraTensors, EllipseTensors, EllipseViews, GaussianTensors};

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

/// The eight inputs of a render. [`inputs`] creates the means as a tensor that is not contiguous.
pub(crate) struct Inputs<B: Backend> {
    pub(crate) gaussians: GaussianTensors<B>,
    pub(crate) background: Tensor<B, 2>,
    pub(crate) poses: Tensor<B, 3>,
    pub(crate) intrinsics: Tensor<B, 2>,
}

impl<B: Backend> Inputs<B> {
    /// The tensors of the cameras.
    pub(crate) fn cameras(&self) -> CameraTensors<B> {
        CameraTensors::new()
            .with_poses(self.poses.clone())
            .with_intrinsics(self.intrinsics.clone())
    }
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
        // Another camera than that of `views` for each view.
        intrinsics: tensor(vec![25.0, 23.0, 11.5, 10.5, 22.0, 24.0, 12.5, 9.0]).reshape([V, 4]),
    }
}

/// Images of the size of [`views`]. The first shows all but four ellipses, the second shows those.
pub(crate) fn ellipse_views() -> EllipseViews {
    EllipseViews {
        width: 24,
        height: 20,
        offsets: vec![0, N - 4, N],
    }
}

/// Ellipses with covariances, and their backgrounds. The means are not contiguous.
pub(crate) fn ellipses<B: Backend>(device: &B::Device) -> (EllipseTensors<B>, Tensor<B, 2>) {
    let tensor = |values: Vec<f32>| Tensor::<B, 1>::from_data(TensorData::from(&*values), device);
    let centre = Tensor::<B, 1>::from_floats([12.0, 10.0], device).reshape([1, 2]);
    let middle = Tensor::<B, 1>::from_floats([9.0, 0.0, 8.0], device).reshape([1, 3]);
    let ellipses = EllipseTensors {
        means: tensor(numbers(2 * N, 1)).reshape([2, N]).transpose() * 9.0 + centre,
        shapes: tensor(numbers(3 * N, 2)).reshape([N, 3]) * 4.0 + middle,
        kind: Shapes::Covariances,
        opacities: tensor(numbers(N, 4)).abs() * 0.8 + 0.1,
        depths: tensor(numbers(N, 3)),
        features: tensor(numbers(C * N, 5)).reshape([N, C]),
    };
    (ellipses, tensor(numbers(V * C, 6)).reshape([V, C]))
}
