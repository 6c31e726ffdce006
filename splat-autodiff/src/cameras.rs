//! Poses and intrinsics of cameras as tensors.

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use splat::Views;
use splat::formulas::Number;

use crate::data::Precision;
use crate::error::Error;

/// Parts of the cameras of V views as tensors.
///
/// A tensor replaces the same numbers of the cameras in `views`. Numbers without a tensor are those
/// of `views`: without any tensor a render uses the cameras of `views` and computes no gradient with
/// respect to them.
///
/// The struct is non-exhaustive: start from [`CameraTensors::new`].
///
/// ```
/// use burn::backend::Autodiff;
/// use burn::tensor::Tensor;
/// use burn_flex::Flex;
/// use splat::{Camera, RenderConfig, Views};
/// use splat_autodiff::{CameraTensors, GaussianTensors, render_with_cameras};
///
/// type B = Autodiff<Flex>;
/// let device = Default::default();
/// let gaussians = GaussianTensors::<B> {
///     means: Tensor::from_floats([[0.3, 0.0, 2.0]], &device),
///     scales: Tensor::from_floats([[0.2, 0.2, 0.2]], &device),
///     quaternions: Tensor::from_floats([[1.0, 0.0, 0.0, 0.0]], &device),
///     opacities: Tensor::from_floats([0.8], &device),
///     features: Tensor::from_floats([[1.0, 0.0, 0.0]], &device),
/// };
/// let views = Views::single(32, 32, Camera::pinhole(32.0, 32.0, 16.0, 16.0), 1);
/// let background = Tensor::zeros([1, 3], &device);
///
/// // fx, fy, cx, cy of the only view, px.
/// let intrinsics = Tensor::from_floats([[40.0, 40.0, 16.0, 16.0]], &device).require_grad();
/// let cameras = CameraTensors::new().with_intrinsics(intrinsics.clone());
/// let config = RenderConfig::default();
/// let image = render_with_cameras(&gaussians, &views, background, cameras, &config)?.features;
/// let gradients = image.slice([0..1, 0..32, 20..32]).mean().backward();
/// // A longer focal length moves the Gaussian to the right.
/// let gradient = intrinsics.grad(&gradients).expect("a tracked tensor");
/// assert!(gradient.into_data().iter::<f32>().next() > Some(0.0));
/// # Ok::<(), splat_autodiff::Error>(())
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct CameraTensors<B: Backend> {
    /// Poses `[V, 3, 4]`: `camera_from_world` of every view as rows `[R | t]`, t in world units.
    ///
    /// A pose that is not finite culls all Gaussians of its view. The gradient treats the twelve
    /// entries as independent. To keep R a rotation, compute the poses from a parametrisation of
    /// rotations.
    pub poses: Option<Tensor<B, 3>>,
    /// Intrinsics `[V, 4]`: fx, fy, cx, cy of every view, with the units of [`splat::Camera`]. fx
    /// and fy are finite and positive, cx and cy are finite.
    ///
    /// The limits of the tangent clamp move with them, also in the gradient (docs/MATH.md, eq. 6).
    pub intrinsics: Option<Tensor<B, 2>>,
}

// The derived implementation would need `B: Default`.
impl<B: Backend> Default for CameraTensors<B> {
    fn default() -> Self {
        Self {
            poses: None,
            intrinsics: None,
        }
    }
}

impl<B: Backend> CameraTensors<B> {
    /// Returns no tensors.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the tensors with [`poses`](Self::poses) replaced.
    #[must_use]
    pub fn with_poses(self, poses: impl Into<Option<Tensor<B, 3>>>) -> Self {
        let poses = poses.into();
        Self { poses, ..self }
    }

    /// Returns the tensors with [`intrinsics`](Self::intrinsics) replaced.
    #[must_use]
    pub fn with_intrinsics(self, intrinsics: impl Into<Option<Tensor<B, 2>>>) -> Self {
        let intrinsics = intrinsics.into();
        Self { intrinsics, ..self }
    }
}

/// Sets `camera_from_world` of every camera to the matrix of its view in `poses`, `[V, 3, 4]`.
pub(crate) fn set_poses<T: Precision>(views: &mut Views, poses: &[T]) {
    for (camera, pose) in views.cameras.iter_mut().zip(poses.as_chunks::<12>().0) {
        let entries = camera.camera_from_world.as_flattened_mut().iter_mut();
        for (to, &from) in entries.zip(pose) {
            *to = from.to_f64();
        }
    }
}

/// Sets the intrinsics of every camera to those of its view in `intrinsics`, `[V, 4]`.
///
/// # Errors
/// [`Error::Value`] if a focal length is not finite and positive, or a coordinate of a principal
/// point is not finite.
pub(crate) fn set_intrinsics<T: Precision>(
    views: &mut Views,
    intrinsics: &[T],
) -> Result<(), Error> {
    let rows = intrinsics.as_chunks::<4>().0;
    for (view, (camera, row)) in views.cameras.iter_mut().zip(rows).enumerate() {
        let [fx, fy, cx, cy] = row.map(Number::to_f64);
        for (name, value, positive) in [
            ("fx", fx, true),
            ("fy", fy, true),
            ("cx", cx, false),
            ("cy", cy, false),
        ] {
            if !value.is_finite() || (positive && value <= 0.0) {
                let domain = if positive {
                    "finite number > 0"
                } else {
                    "finite number"
                };
                return Err(Error::Value {
                    argument: "cameras.intrinsics",
                    expected: format!("a {domain} as {name} of view {view}"),
                    got: value.to_string(),
                });
            }
        }
        (camera.fx, camera.fy, camera.cx, camera.cy) = (fx, fy, cx, cy);
    }
    Ok(())
}
