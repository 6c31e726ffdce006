//! Gaussian splatting as a differentiable [Burn](burn) operation.
//!
//! [`render`] computes images from Burn tensors on any `Autodiff<B>`. Code that is generic over
//! `AutodiffBackend` can call it. [`Renderer`] does the same and keeps memory from step to step of
//! a training loop. [`render_with_cameras`] also takes poses and intrinsics as tensors
//! ([`CameraTensors`]). [`render_ellipses`] renders ellipses in the image, without cameras
//! ([`EllipseTensors`]). On the CPU, images and
//! gradients equal those of [`splat::render()`] and [`splat::render_vjp`] bit for bit. With the
//! features `wgpu` and `cuda`, `splat::Gpu` renders tensors of Burn's `Wgpu` and `Cuda` backends on
//! their own device.
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
//! // One red Gaussian, two units in front of a 32 x 32 camera. Only its features are learned.
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
//! // The shape of the images is [1, 32, 32, 3].
//! let image = render(&gaussians, &views, background, &RenderConfig::default())?.features;
//! let gradients = image.mean().backward();
//! assert!(gaussians.features.grad(&gradients).is_some());
//! assert!(gaussians.means.grad(&gradients).is_none());
//! # Ok::<(), splat_autodiff::Error>(())
//! ```
//!
//! # One backward pass per forward pass
//!
//! Burn consumes its graph in `backward()` and has no option to keep it. A second `backward()`
//! panics in Burn with *Node should have a step registered*. This holds for the same loss, and for
//! a second loss that was computed from the same [`Rendered`].
//!
//! One case is not detected: a loss that is computed after the first `backward()`, from a rendered
//! tensor that was kept. Its gradients end at that tensor. `grad` of the render's inputs then
//! returns `None`.
//!
//! Instead, add the losses and call `backward()` once, or render again. One [`Rendered`] can be
//! used any number of times within one loss. Second derivatives are not supported: see
//! [`Error::NestedAutodiff`].
//!
//! # Precision
//!
//! All tensors of a call have the same element type. `f64` tensors are rendered in `f64`, and `f32`
//! tensors in `f32`. `f16`, `bf16` and `flex32` tensors are converted to `f32`, and the results are
//! rounded to the element type of the inputs.
//!
//! # Copies
//!
//! With the features `wgpu` and `cuda`, tensors of these runtimes are rendered on their device.
//! Burn's fused backends also need the feature `fusion`. In a build with one of these features,
//! tensors on a device that another of them would render on are an error
//! ([`Error::MissingFeature`]). Without any of them, such tensors are rendered on the CPU. The
//! kernels read the tensors' buffers, and
//! the saved state stays on the device. Only poses and intrinsics that are tensors are copied to the
//! host, sixteen values per view.
//! Tensors that are not contiguous or not `f32` are copied on the device.
//!
//! Three kinds of tensors are rendered on the CPU in every build: `f64` tensors, tensors of all
//! other backends, and the tensors of a differentiable backend in [`render_forward`]. Each tensor
//! is read once, and the backward pass uses the bytes that Burn returned. Reading a tensor from a
//! device copies it. Reading a tensor of a CPU backend copies it only if the tensor is shared.
//!
//! Outputs and gradients become tensors without a copy. The exception is a conversion to `f16` or
//! `bf16`. Their memory then belongs to Burn. The saved state belongs to this crate. The free
//! functions free it after the backward pass, and a [`Renderer`] keeps it for the next render.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod cameras;
mod cast;
mod data;
#[cfg(any(feature = "wgpu", feature = "cuda"))]
mod device;
mod ellipses;
mod engine;
mod error;
mod gaussians;
mod host;
mod inputs;
mod memory;
mod op;
#[cfg(feature = "gpu")]
mod primitive;
mod render;
mod rendered;
mod renderer;
mod runtime;
mod tape;

pub use cameras::CameraTensors;
pub use ellipses::{EllipseTensors, EllipseViews};
pub use error::Error;
pub use gaussians::{GaussianBatch, GaussianTensors};
pub use render::{
    render, render_ellipses, render_ellipses_forward, render_forward, render_forward_with_cameras,
    render_with_cameras,
};
pub use rendered::Rendered;
pub use renderer::Renderer;

/// Conversions between tensors and device buffers, for tests. Not part of the public interface.
#[cfg(feature = "gpu")]
#[doc(hidden)]
pub mod measure {
    pub use crate::primitive::{give, lies_on, take};
    pub use crate::runtime::{Features, missing_feature};
}

/// Compiles and runs the examples of this package's README as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmeExamples;
