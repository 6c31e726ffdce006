//! The error type of the crate.

use splat::RenderError;

/// The reason why a call failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An error of [`splat::render()`]: invalid views or settings, a failing device, or a size
    /// beyond capacity.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// A tensor's shape is inconsistent with the other tensors or with the number of views.
    #[error("{argument}: expected shape {expected}, got {got}")]
    Shape {
        /// The name of the tensor in the call, such as `gaussians.scales`.
        argument: &'static str,
        /// The expected shape, in symbols and in numbers.
        expected: String,
        /// The shape of the tensor.
        got: String,
    },
    /// A tensor's element type is not a supported float type, or differs from the element type of
    /// the means. The supported types are `f64`, `f32`, `flex32`, `f16` and `bf16`.
    #[error("{argument}: expected elements of type {expected}, got {got}")]
    DType {
        /// The name of the tensor in the call.
        argument: &'static str,
        /// The expected element type.
        expected: String,
        /// The element type of the tensor.
        got: String,
    },
    /// A tensor is not on the device of the means.
    #[error("{argument}: expected on device {expected}, got {got}")]
    Device {
        /// The name of the tensor in the call.
        argument: &'static str,
        /// The device of the means.
        expected: String,
        /// The device of the tensor.
        got: String,
    },
    /// A number is outside its domain: intrinsics of
    /// [`CameraTensors`](crate::CameraTensors::intrinsics), or the last offset of
    /// [`EllipseViews`](crate::EllipseViews::offsets). Numbers in other tensors are never errors.
    #[error("{argument}: expected {expected}, got {got}")]
    Value {
        /// The name of the argument, such as `cameras.intrinsics`.
        argument: &'static str,
        /// The domain of the number.
        expected: String,
        /// The number.
        got: String,
    },
    /// The data of a tensor could not be accessed.
    #[error("reading {argument}: {reason}")]
    Read {
        /// The name of the tensor in the call, or `the tensors` if all were read together.
        argument: &'static str,
        /// Burn's message, or the reason found by this crate.
        reason: String,
    },
    /// The backend is differentiable, but not by Burn's `Autodiff`. The operation can only be added
    /// to the graph of [`burn::backend::Autodiff`].
    #[error(
        "render on {backend}: its gradients are not those of Autodiff, use Autodiff around a plain backend"
    )]
    UnsupportedAutodiff {
        /// Burn's name of the backend.
        backend: String,
    },
    /// The tensors are on a device that this crate can render on, but this build cannot, because a
    /// feature of the crate is off. A build with neither `wgpu` nor `cuda` renders all tensors on
    /// the CPU and does not return this error.
    #[error(
        "render on {backend}: build splat-autodiff with feature `{feature}`, or move the tensors to a CPU backend"
    )]
    MissingFeature {
        /// Burn's name of the backend.
        backend: String,
        /// The feature of this crate: `wgpu`, `cuda` or `fusion`.
        feature: &'static str,
    },
    /// The backend below `Autodiff` is itself differentiable. The gradient of a render is not
    /// differentiable, so second derivatives would be silently wrong.
    #[error(
        "render on {backend}: second derivatives are not supported, use Autodiff around a plain backend"
    )]
    NestedAutodiff {
        /// Burn's name of the backend.
        backend: String,
    },
}

impl Error {
    pub(crate) fn shape(argument: &'static str, expected: String, got: &[usize]) -> Self {
        Self::Shape {
            argument,
            expected,
            got: format!("{got:?}"),
        }
    }

    pub(crate) fn read(argument: &'static str, reason: &impl ToString) -> Self {
        Self::Read {
            argument,
            reason: reason.to_string(),
        }
    }
}
