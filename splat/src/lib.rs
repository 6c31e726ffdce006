//! Differentiable Gaussian splatting.
//!
//! [`render`] draws a [`Scene`] of [`Gaussians`], seen by [`Views`], to an [`Image`].
//! [`render_vjp`] takes the gradient of a loss with respect to that image. It returns the gradient
//! with respect to every input: means, scales, quaternions, opacities, features, backgrounds, and
//! poses and intrinsics of cameras. Both functions are generic over a [`Backend`]: [`Cpu`] in `f32`
//! or `f64`, or `Gpu` with a feature of the table below.
//!
//! [`encoding::Encoding`] states what the numbers of the Gaussians mean: spherical harmonics or
//! features, logarithms of scales or scales.
//!
//! [`loss`] compares images with photographs. [`density`] adds, splits, removes and moves Gaussians between
//! two steps of training.
//!
//! ```
//! use splat::encoding::Encoding;
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
//!     encoding: Encoding::PLAIN,
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
//! # Pages
//!
//! - [`guide::conventions`] is the contract: shapes, units, frames, the rules of a pixel, culling,
//!   determinism, precision and errors.
//! - [`guide::math`] has every formula and the derivation of every gradient.
//!
//! # Features
//!
//! | feature | adds | extra dependencies |
//! |---|---|---|
//! | none (default) | [`Cpu`], on any platform, `wasm32` included | none |
//! | `gpu` | `Gpu<R>`, generic over [CubeCL](https://docs.rs/cubecl)'s runtimes, without a runtime | `cubecl` |
//! | `wgpu` | `gpu`, `WgpuRuntime` and `WgpuDevice`: Vulkan, Metal, DirectX 12, WebGPU | `cubecl-wgpu` |
//! | `check` | `check`: random scenes, and checks of gradients, losses and backends | `proptest` |
//! | `io` | `io`: scenes from PLY, SPZ and `.splat` files and `NumPy` archives, and to PLY and SPZ files | `flate2`, `ruzstd`, `tempfile`, `zip` |
//! | `cuda` | `gpu`, `CudaRuntime` and `CudaDevice`; the program needs NVIDIA's driver and NVRTC when it runs | `cubecl-cuda` |
//!
//! With a feature the crate also re-exports the crates that its functions name: `splat::cubecl`
//! (`gpu`), `splat::cubecl_wgpu` and `splat::wgpu` (`wgpu`), `splat::cubecl_cuda` (`cuda`). A
//! caller that uses these paths has the versions that this crate uses.
//!
//! # Single stages
//!
//! A render is four stages: project, bin, sort and composite. A caller can run them one by one with
//! the methods of [`Backend`]. [`ellipses::render_ellipses`] starts after the projection, with
//! ellipses from another source.

#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    feature = "gpu",
    expect(missing_docs, reason = "the types that CubeType derives have no docs")
)]

pub mod activation;
#[cfg(feature = "check")]
pub mod check;
pub mod density;
pub mod encoding;
pub mod formulas;
#[cfg(doc)]
pub mod guide;
#[cfg(feature = "io")]
pub mod io;
pub mod loss;
#[doc(hidden)]
pub mod measure;
pub mod oracle;
pub mod pack;
#[cfg(feature = "wgpu")]
pub mod wgpu_interop;

mod backend;
mod backends;
mod binning;
mod camera;
mod composite;
mod config;
mod contributors;
#[cfg(feature = "gpu")]
mod device;
mod ellipse;
mod error;
mod gaussians;
mod gradients;
mod harmonics;
mod host;
mod image;
mod math;
mod number;
mod planar;
mod pose;
mod project;
mod render;
mod scalar;
mod sort;
mod spatial;
mod splats;
mod statistics;
mod views;

pub use backend::Backend;
pub use backends::cpu::Cpu;
pub use backends::stages::CpuScalar;
pub use binning::grid::TileSize;
pub use camera::{Camera, Projection};
pub use config::{Outputs, RenderConfig};
pub use contributors::{Contributors, NO_CONTRIBUTOR};
#[cfg(feature = "gpu")]
pub use cubecl;
#[cfg(feature = "cuda")]
pub use cubecl_cuda::{self, CudaDevice, CudaRuntime};
#[cfg(feature = "wgpu")]
pub use cubecl_wgpu::{self, WgpuDevice, WgpuRuntime};
#[cfg(feature = "gpu")]
pub use device::buffer::{GpuBuffer, GpuIndices};
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
pub use spatial::SpatialOrder;
pub use splats::Splats;
pub use views::Views;
#[cfg(feature = "wgpu")]
pub use wgpu;

/// Renders without cameras: Gaussian ellipses in the image, as in a fit to one picture.
pub mod ellipses {
    pub use crate::ellipse::{Ellipses, EllipsesGradient, Shapes};
    pub use crate::planar::{EllipseScene, SavedEllipses, render_ellipses, render_ellipses_vjp};
}

/// Spherical harmonics: features that depend on the view. A render evaluates them itself if
/// [`Encoding::features`](crate::encoding::Encoding::features) says so. These functions evaluate
/// them alone.
pub mod sh {
    pub use crate::backends::harmonics::{features, features_vjp};
    pub use crate::harmonics::{Harmonics, HarmonicsGradient};
}

/// Types of the values that pass from one stage to the next, as in the methods of [`Backend`].
pub mod stages {
    pub use crate::binning::grid::Hits;
    pub use crate::composite::cpu::composited::Composited;
    pub use crate::gradients::ProjectGradients;
    pub use crate::host::workspace::Recycle;
    pub use crate::image::ImageSize;
    pub use crate::sort::cpu::lists::SortedHits;
    pub use crate::statistics::{SplatStatistics, Statistics};

    /// The types of `Gpu` that pass between the stages.
    #[cfg(feature = "gpu")]
    pub mod gpu {
        pub use crate::binning::gpu::hits::Hits;
        pub use crate::composite::gpu::forward::Composited;
        pub use crate::sort::gpu::lists::SortedHits;
    }
}

/// Compiles and runs the examples of this package's README as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmeExamples;
