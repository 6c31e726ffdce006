//! Differentiable Gaussian splatting.
//!
//! A scene of [`Gaussians`] is seen by [`Views`] and becomes an [`Image`]; the gradient of any loss
//! with respect to the image becomes gradients with respect to every input. Forward and backward
//! are exact to the pixel rules of docs/CONVENTIONS.md, the same bits on any number of threads, and
//! checked against finite differences in `f64`.
//!
//! ```
//! use splat::{Camera, Cpu, Gaussians, Image, RenderConfig, Scene, Views, Wanted, render, render_vjp};
//!
//! // One red Gaussian, two units in front of a 32 x 32 camera.
//! let gaussians = Gaussians {
//!     means: &[0.0f32, 0.0, 2.0][..],
//!     scales: &[0.2, 0.2, 0.2],
//!     quaternions: &[1.0, 0.0, 0.0, 0.0],
//!     opacities: &[0.8],
//!     features: &[1.0, 0.0, 0.0],
//!     count: 1,
//!     channels: 3,
//! };
//! let views = Views::single(32, 32, Camera::pinhole(32.0, 32.0, 16.0, 16.0), gaussians.count);
//! let scene = Scene { gaussians, views: &views, backgrounds: &[0.0, 0.0, 0.0] };
//!
//! let backend = Cpu::<f32>::new();
//! let (image, saved) = render(&backend, &scene, &RenderConfig::default())?;
//! assert!(image.features[(16 * 32 + 16) * 3] > 0.7);
//!
//! // The loss is the sum of all pixels: its gradient with respect to the image is one everywhere.
//! let v_image = Image::from_features(vec![1.0; image.features.len()]);
//! let gradients = render_vjp(&backend, &scene, &saved, &v_image.as_slices(), Wanted::ALL)?;
//! assert!(gradients.gaussians.opacities[0] > 0.0);
//! # Ok::<(), splat::RenderError>(())
//! ```
//!
//! The stages may be called one by one, and entered or left between any two: see [`Backend`],
//! [`Splats`] and [`Cpu::splats`].

#![cfg_attr(
    feature = "gpu",
    expect(missing_docs, reason = "the types that CubeType derives have no docs")
)]

pub mod activation;
pub mod formulas;
#[doc(hidden)]
pub mod measure;
pub mod oracle;

mod backend;
mod backends;
mod binning;
mod camera;
mod composite;
mod config;
#[cfg(feature = "gpu")]
mod device;
mod error;
mod gaussians;
mod gradients;
mod harmonics;
mod host;
mod image;
mod math;
mod number;
mod project;
mod render;
mod scalar;
mod sort;
mod splats;

pub use backend::Backend;
pub use backends::cpu::Cpu;
pub use backends::stages::CpuScalar;
pub use binning::grid::TileSize;
pub use camera::{Camera, Projection, Views};
pub use config::{Outputs, RenderConfig};
#[cfg(feature = "cuda")]
pub use cubecl_cuda::{CudaDevice, CudaRuntime};
#[cfg(feature = "wgpu")]
pub use cubecl_wgpu::{WgpuDevice, WgpuRuntime};
#[cfg(feature = "gpu")]
pub use device::buffer::GpuBuffer;
#[cfg(feature = "gpu")]
pub use device::support::Support;
#[cfg(feature = "gpu")]
pub use device::{Gpu, Regime};
pub use error::RenderError;
pub use gaussians::Gaussians;
pub use gradients::{Gradients, Wanted};
pub use host::simd::Simd;
pub use host::workspace::Workspace;
pub use image::Image;
pub use render::{Saved, Scene, render, render_vjp};
pub use splats::Splats;

/// Spherical harmonics: view-dependent features, a differentiable function of their own before the
/// render.
pub mod sh {
    pub use crate::backends::harmonics::{features, features_vjp};
    pub use crate::harmonics::{Harmonics, HarmonicsGradient};
}

/// What passes between the stages: the types that [`Backend`] names but a whole render does not
/// show.
pub mod stages {
    pub use crate::binning::grid::Hits;
    pub use crate::composite::cpu::composited::Composited;
    pub use crate::gradients::ProjectGradients;
    pub use crate::host::workspace::Recycle;
    pub use crate::image::ImageSize;
    pub use crate::sort::cpu::lists::SortedHits;

    /// The same on a device.
    #[cfg(feature = "gpu")]
    pub mod gpu {
        pub use crate::binning::gpu::hits::Hits;
        pub use crate::composite::gpu::forward::Composited;
        pub use crate::sort::gpu::lists::SortedHits;
    }
}

/// The examples of the README and of docs/ARCHITECTURE.md, compiled and run as tests.
#[cfg(doctest)]
mod examples_in_documents {
    #[doc = include_str!("../../README.md")]
    struct Readme;
    #[doc = include_str!("../../docs/ARCHITECTURE.md")]
    struct Architecture;
}
