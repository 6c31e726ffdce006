//! Random scenes on the host, and their tensors.

use burn::backend::Autodiff;
use burn::tensor::backend::Backend;
use burn::tensor::{Element, Tensor, TensorData};
use burn_flex::Flex;
use splat::check::{Rounded, crowd, with_channels};
use splat::{CpuScalar, Gaussians, Outputs, Projection, RenderConfig, Scene, Views};
use splat_autodiff::GaussianTensors;

/// The backend without gradients.
pub(crate) type Plain = Flex;
/// The backend with gradients.
pub(crate) type Diff = Autodiff<Flex>;

/// `f32` and `f64`.
pub(crate) trait Number: CpuScalar + Element {}
impl<T: CpuScalar + Element> Number for T {}

/// A scene on the host.
#[derive(Clone)]
pub(crate) struct Host<T> {
    pub(crate) gaussians: Gaussians<Vec<T>>,
    pub(crate) backgrounds: Vec<T>,
    pub(crate) views: Views,
}

/// Rounds numbers to `T`.
pub(crate) fn rounded<T: Number>(numbers: &[f64]) -> Vec<T> {
    numbers.iter().map(|&x| T::from_f64(x)).collect()
}

/// Returns a scene of twelve Gaussians with five channels, in three views of 37 x 21 px. Two views
/// share some of the Gaussians, and one view is empty.
pub(crate) fn ragged<T: Number>(seed: u64) -> Host<T> {
    let mut scene = with_channels(crowd(seed, 3, 4, [37, 21], Projection::Pinhole), 5);
    scene.views.ranges = vec![0..8, 8..8, 3..12];
    Host::from(scene.rounded())
}

/// Settings with every optional output and two layers.
pub(crate) fn all_outputs() -> RenderConfig {
    RenderConfig::default()
        .with_outputs(Outputs::ALL)
        .with_layers(vec![1, 4])
}

/// Creates a tensor with elements of type `T`.
pub(crate) fn tensor<B: Backend, T: Number, const D: usize>(
    values: &[T],
    shape: [usize; D],
) -> Tensor<B, D> {
    let device = B::Device::default();
    Tensor::from_data(
        TensorData::new(values.to_vec(), shape),
        (&device, T::dtype()),
    )
}

/// Returns the elements of a tensor, row-major.
pub(crate) fn numbers<B: Backend, T: Number, const D: usize>(tensor: Tensor<B, D>) -> Vec<T> {
    tensor
        .into_data()
        .into_vec()
        .expect("the precision of the scene")
}

impl<T: Number> From<Rounded<T>> for Host<T> {
    /// Rounds the intrinsics too, so that a tensor can have those of the views.
    fn from(scene: Rounded<T>) -> Self {
        let mut views = scene.views;
        let round = |x: f64| T::from_f64(x).to_f64();
        for camera in &mut views.cameras {
            (camera.fx, camera.fy) = (round(camera.fx), round(camera.fy));
            (camera.cx, camera.cy) = (round(camera.cx), round(camera.cy));
        }
        Self {
            gaussians: scene.gaussians,
            backgrounds: scene.backgrounds,
            views,
        }
    }
}

impl<T: Number> Host<T> {
    pub(crate) fn scene(&self) -> Scene<'_, &[T]> {
        Scene {
            gaussians: self.gaussians.as_slices(),
            views: &self.views,
            backgrounds: &self.backgrounds,
        }
    }

    pub(crate) fn tensors<B: Backend>(&self) -> GaussianTensors<B> {
        let Gaussians {
            count: n,
            channels: c,
            ..
        } = self.gaussians;
        GaussianTensors {
            means: tensor(&self.gaussians.means, [n, 3]),
            scales: tensor(&self.gaussians.scales, [n, 3]),
            quaternions: tensor(&self.gaussians.quaternions, [n, 4]),
            opacities: tensor(&self.gaussians.opacities, [n]),
            features: tensor(&self.gaussians.features, [n, c]),
        }
    }

    pub(crate) fn background<B: Backend>(&self) -> Tensor<B, 2> {
        tensor(
            &self.backgrounds,
            [self.views.len(), self.gaussians.channels],
        )
    }

    /// The poses of the views as a tensor `[V, 3, 4]`.
    pub(crate) fn poses<B: Backend>(&self) -> Tensor<B, 3> {
        let rows = self
            .views
            .cameras
            .iter()
            .flat_map(|camera| camera.camera_from_world);
        let values: Vec<T> = rows.flatten().map(T::from_f64).collect();
        tensor(&values, [self.views.len(), 3, 4])
    }

    /// The intrinsics of the views as a tensor `[V, 4]`.
    pub(crate) fn intrinsics<B: Backend>(&self) -> Tensor<B, 2> {
        let cameras = self.views.cameras.iter();
        let values = cameras.flat_map(|camera| [camera.fx, camera.fy, camera.cx, camera.cy]);
        let values: Vec<T> = values.map(T::from_f64).collect();
        tensor(&values, [self.views.len(), 4])
    }
}

/// Marks every tensor as tracked.
pub(crate) fn track(gaussians: GaussianTensors<Diff>) -> GaussianTensors<Diff> {
    GaussianTensors {
        means: gaussians.means.require_grad(),
        scales: gaussians.scales.require_grad(),
        quaternions: gaussians.quaternions.require_grad(),
        opacities: gaussians.opacities.require_grad(),
        features: gaussians.features.require_grad(),
    }
}
