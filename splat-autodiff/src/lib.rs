//! Gaussian splatting as a differentiable [Burn](burn) operation.
//!
//! [`render`] takes and gives Burn tensors on any `Autodiff<B>`; the pixels and their gradients are
//! those of [`splat::render()`] and [`splat::render_vjp`] on the CPU, bit for bit. With the
//! features `wgpu` and `cuda`, tensors of Burn's `Wgpu` and `Cuda` are rendered where they are, by
//! `splat::Gpu`.
//!
//! ```
//! use burn::backend::Autodiff;
//! use burn::tensor::Tensor;
//! use burn_flex::Flex;
//! use splat::{Camera, RenderConfig, Views};
//! use splat_autodiff::{GaussianTensors, render};
//!
//! type B = Autodiff<Flex>;
//! let device = Default::default();
//!
//! // One red Gaussian, two units in front of a 32 x 32 camera. Only its feature is to be learned.
//! let gaussians = GaussianTensors::<B> {
//!     means: Tensor::from_floats([[0.0, 0.0, 2.0]], &device),
//!     scales: Tensor::from_floats([[0.2, 0.2, 0.2]], &device),
//!     quaternions: Tensor::from_floats([[1.0, 0.0, 0.0, 0.0]], &device),
//!     opacities: Tensor::from_floats([0.8], &device),
//!     features: Tensor::from_floats([[1.0, 0.0, 0.0]], &device).require_grad(),
//! };
//! let views = Views::single(32, 32, Camera::pinhole(32.0, 32.0, 16.0, 16.0), 1);
//! let background = Tensor::zeros([1, 3], &device);
//!
//! let image = render(&gaussians, &views, background, &RenderConfig::default())?.features; // [1, 32, 32, 3]
//! let gradients = image.mean().backward();
//! assert!(gaussians.features.grad(&gradients).is_some());
//! assert!(gaussians.means.grad(&gradients).is_none());
//! # Ok::<(), splat_autodiff::Error>(())
//! ```
//!
//! # One backward pass per forward pass
//!
//! Burn consumes the graph in `backward()`, and cannot keep it. A second `backward()`, of the same
//! loss or of another that was computed from the same [`Rendered`], panics in Burn with *Node
//! should have a step registered*. Only a loss that is computed after the first `backward()`, from
//! a rendered tensor kept until then, is not caught: its gradients end at that tensor, and `grad`
//! of what was rendered gives `None`. Add up the losses and call `backward()` once, or render
//! again; one [`Rendered`] may be used any number of times within one loss. Second derivatives do
//! not exist: see [`Error::NestedAutodiff`].
//!
//! # Precision
//!
//! All tensors of a call have the same element type. `f64` tensors are rendered in `f64`, `f32` in
//! `f32`; `f16`, `bf16` and `flex32` are widened to `f32`, and the results rounded back.
//!
//! # Copies
//!
//! On a device with kernels (features `wgpu`, `cuda`; `fusion` for Burn's fused backends) the
//! tensors' own buffers are rendered, what is saved stays there, and outputs and gradients are the
//! buffers that the kernels wrote. Only poses are read, twelve numbers per view. `f64` tensors, and
//! backends without kernels, are rendered on the CPU:
//!
//! Tensors are read once, and Burn's own bytes are kept for the backward pass. Reading copies on a
//! device, and on a CPU backend where something else still holds the tensor. Outputs and gradients
//! become tensors without a copy, but for one case: an operation of Burn has one output, so that
//! with [`splat::Outputs`] asked for, the planes are appended to the feature images, and what is
//! returned are slices of that.

mod data;
#[cfg(any(feature = "wgpu", feature = "cuda"))]
mod device;
mod engine;
mod error;
mod gaussians;
mod host;
mod inputs;
mod layout;
mod op;
mod poses;
#[cfg(feature = "gpu")]
mod primitive;
mod render;
mod tape;

pub use error::Error;
pub use gaussians::{GaussianBatch, GaussianTensors};
pub use render::{Rendered, render, render_forward, render_forward_with_poses, render_with_poses};

/// The way between tensors and buffers, for tests: not part of the interface.
#[cfg(feature = "gpu")]
#[doc(hidden)]
pub mod measure {
    pub use crate::primitive::{give, lies_on, take};
}
