//! The one error type of the crate.

use splat::RenderError;

/// Why a call was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// What [`splat::render()`] refuses: views, settings, sizes.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// A tensor's shape does not fit the others.
    #[error("{argument}: expected shape {expected}, got {got}")]
    Shape {
        /// The tensor as the caller knows it, such as `gaussians.scales`.
        argument: &'static str,
        /// The shape that would have fitted.
        expected: String,
        /// The shape that came.
        got: String,
    },
    /// A tensor's element type is not a float, or differs from that of the means.
    #[error("{argument}: expected elements of type {expected}, got {got}")]
    DType {
        /// The tensor as the caller knows it.
        argument: &'static str,
        /// The element type that would have fitted.
        expected: String,
        /// The element type that came.
        got: String,
    },
    /// A tensor lies on another device than the means.
    #[error("{argument}: expected on device {expected}, got {got}")]
    Device {
        /// The tensor as the caller knows it.
        argument: &'static str,
        /// The device of the means.
        expected: String,
        /// The device of the tensor.
        got: String,
    },
    /// A tensor could not be read from its device.
    #[error("reading {argument}: {reason}")]
    Read {
        /// The tensor as the caller knows it, or all of them.
        argument: &'static str,
        /// Burn's own message.
        reason: String,
    },
    /// The backend below `Autodiff` is itself differentiable. The gradient of a render is not, so second derivatives would
    /// be silently wrong.
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
