//! Random scenes on the host, and their tensors.

use burn::backend::Autodiff;
use burn::tensor::backend::Backend;
use burn::tensor::{Element, Tensor, TensorData};
use burn_flex::Flex;
use splat::{Camera, CpuScalar, Gaussians, Outputs, RenderConfig, Scene, Views};
use splat_autodiff::GaussianTensors;

/// The backend without gradients.
pub(crate) type Plain = Flex;
/// The backend with gradients.
pub(crate) type Diff = Autodiff<Flex>;

/// `f32` and `f64`.
pub(crate) trait Number: CpuScalar + Element {}
impl<T: CpuScalar + Element> Number for T {}

/// The `SplitMix64` generator of uniform numbers. The field is its state, initially the seed.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// Returns a number in `[low, high)`.
    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        low + (high - low) * (z >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Returns `count` numbers in `[low, high)`.
    pub(crate) fn vec<T: Number>(&mut self, count: usize, low: f64, high: f64) -> Vec<T> {
        (0..count)
            .map(|_| T::from_f64(self.between(low, high)))
            .collect()
    }
}

/// A scene on the host.
#[derive(Clone)]
pub(crate) struct Host<T> {
    pub(crate) gaussians: Gaussians<Vec<T>>,
    pub(crate) backgrounds: Vec<T>,
    pub(crate) views: Views,
}

/// Returns `count` Gaussians in front of a camera at the origin that looks along `+z`.
pub(crate) fn gaussians<T: Number>(
    random: &mut Random,
    count: usize,
    channels: usize,
) -> Gaussians<Vec<T>> {
    let means = (0..count)
        .flat_map(|_| {
            let (x, y) = (random.between(-0.9, 0.9), random.between(-0.9, 0.9));
            [x, y, random.between(2.0, 4.0)].map(T::from_f64)
        })
        .collect();
    Gaussians {
        means,
        scales: random.vec(3 * count, 0.1, 0.5),
        quaternions: random.vec(4 * count, -1.0, 1.0),
        opacities: random.vec(count, 0.3, 0.9),
        features: random.vec(channels * count, -1.0, 1.0),
        count,
        channels,
    }
}

/// Returns a pose near the identity.
pub(crate) fn pose(random: &mut Random) -> [[f64; 4]; 3] {
    let (sin, cos) = random.between(-0.1, 0.1).sin_cos();
    let mut shift = || random.between(-0.2, 0.2);
    [
        [cos, 0.0, sin, shift()],
        [0.0, 1.0, 0.0, shift()],
        [-sin, 0.0, cos, shift()],
    ]
}

/// Returns a scene of twelve Gaussians with five channels, in three views of 37 x 21 px. Two views
/// share some of the Gaussians, and one view is empty.
pub(crate) fn ragged<T: Number>(seed: u64) -> Host<T> {
    let mut random = Random(seed);
    let camera = Camera::pinhole(30.0, 28.0, 18.5, 10.5);
    let views = Views {
        width: 37,
        height: 21,
        cameras: (0..3)
            .map(|_| camera.with_pose(pose(&mut random)))
            .collect(),
        ranges: vec![0..8, 8..8, 3..12],
    };
    Host {
        gaussians: gaussians(&mut random, 12, 5),
        backgrounds: random.vec(3 * 5, 0.0, 1.0),
        views,
    }
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
