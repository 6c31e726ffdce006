//! Differentiable Gaussian splatting.
//!
//! A scene of [`Gaussians`] is seen by [`Views`] and becomes an [`Image`]; the gradient of any loss by the image becomes
//! gradients by everything that went in. Forward and backward are exact to the pixel rules of docs/CONVENTIONS.md, the same
//! bits on any number of threads, and checked against finite differences in `f64`.
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
//! // The loss is the sum of all pixels: its gradient by the image is one everywhere.
//! let v_image = Image { features: vec![1.0; image.features.len()], ..Image::default() };
//! let gradients = render_vjp(&backend, &scene, &saved, &v_image.as_slices(), Wanted::ALL)?;
//! assert!(gradients.gaussians.opacities[0] > 0.0);
//! # Ok::<(), splat::RenderError>(())
//! ```
//!
//! The stages may be called one by one, and entered or left between any two: see [`Backend`], [`Splats`] and
//! [`Cpu::splats`].

#![cfg_attr(
    feature = "cube",
    expect(missing_docs, reason = "the types that CubeType derives have no docs")
)]

pub mod activation;
pub mod backend;
pub mod camera;
pub mod config;
pub mod cpu;
mod cpu_stages;
#[cfg(feature = "cube")]
pub mod cube;
#[cfg(feature = "cube")]
mod cube_host;
#[cfg(feature = "cube")]
mod cube_launch;
#[cfg(feature = "cube")]
#[doc(hidden)]
pub mod cube_measure;
#[cfg(feature = "cube")]
mod cube_support;
pub mod error;
pub mod gaussians;
pub mod math;
#[doc(hidden)]
pub mod measure;
pub mod oracle;
pub mod render;
pub mod sh;

mod arithmetic;
mod binning;
mod composite;
mod kernels;
mod lanes;
mod project;
mod scalar;
mod simd;
mod sort;
mod workspace;

/// The formulas at `f32`.
#[path = "."]
pub mod single {
    /// The scalar of the formulas in this module.
    pub type Real = f32;
    #[path = "binning/formula.rs"]
    pub mod binning;
    #[path = "composite/formula.rs"]
    pub mod composite;
    #[path = "math/fused.rs"]
    pub mod fused;
    #[path = "project/formula.rs"]
    pub mod project;
    #[path = "math/quat.rs"]
    pub mod quat;
    #[path = "sh/formula.rs"]
    pub mod sh;
    #[path = "math/sym2.rs"]
    pub mod sym2;
    #[path = "math/vec3.rs"]
    pub mod vec3;
}

/// The formulas at `f64`: the same files.
#[path = "."]
#[expect(clippy::duplicate_mod, reason = "one text, two precisions")]
pub mod double {
    /// The scalar of the formulas in this module.
    pub type Real = f64;
    #[path = "binning/formula.rs"]
    pub mod binning;
    #[path = "composite/formula.rs"]
    pub mod composite;
    #[path = "math/fused.rs"]
    pub mod fused;
    #[path = "project/formula.rs"]
    pub mod project;
    #[path = "math/quat.rs"]
    pub mod quat;
    #[path = "sh/formula.rs"]
    pub mod sh;
    #[path = "math/sym2.rs"]
    pub mod sym2;
    #[path = "math/vec3.rs"]
    pub mod vec3;
}

/// The formulas of a (splat, pixel) pair at `f32`, with fused multiply-add: for machines that have it.
#[path = "."]
#[expect(clippy::duplicate_mod, reason = "one text, two roundings")]
mod single_fused {
    #[cfg(feature = "cube")]
    use crate::single as separate;
    pub(crate) type Real = f32;
    #[path = "composite/formula.rs"]
    #[cfg_attr(
        not(feature = "cube"),
        expect(dead_code, reason = "a device takes pixels one by one, lanes by rows")
    )]
    pub(crate) mod composite;
    #[path = "math/fused_once.rs"]
    pub(crate) mod fused;
}

/// The same at `f64`.
#[path = "."]
#[expect(
    clippy::duplicate_mod,
    reason = "one text, two roundings, two precisions"
)]
mod double_fused {
    #[cfg(feature = "cube")]
    use crate::double as separate;
    pub(crate) type Real = f64;
    #[path = "composite/formula.rs"]
    #[cfg_attr(
        not(feature = "cube"),
        expect(dead_code, reason = "a device takes pixels one by one, lanes by rows")
    )]
    pub(crate) mod composite;
    #[path = "math/fused_once.rs"]
    pub(crate) mod fused;
}

pub use backend::{Backend, ProjectGradients, Wanted};
pub use binning::cpu::Hits;
pub use camera::{Camera, CameraParams, Projection, Views};
pub use composite::cpu::Composited;
pub use composite::{Image, ImageSize, Moments, RowMoments, SigmaGradient};
pub use config::{Outputs, RenderConfig};
pub use cpu::{Cpu, TileSize};
#[cfg(feature = "cube")]
pub use cube::{Cube, CubeBuffer, Regime, Support};
#[cfg(feature = "cuda")]
pub use cubecl_cuda::{CudaDevice, CudaRuntime};
#[cfg(feature = "wgpu")]
pub use cubecl_wgpu::{WgpuDevice, WgpuRuntime};
pub use error::RenderError;
pub use gaussians::Gaussians;
pub use project::{
    CameraGradient, Footprint, GaussianShape, ProjectConstants, ProjectGradient, Rows, Splat,
    Splats,
};
pub use render::{Gradients, Saved, Scene, render, render_vjp};
pub use scalar::Scalar;
pub use simd::{SIMD_VARIABLE, Simd};
pub use sort::cpu::SortedHits;
pub use workspace::{Recycle, Workspace};

/// The examples of the README and of docs/ARCHITECTURE.md, compiled and run as tests.
#[cfg(doctest)]
mod examples_in_documents {
    #[doc = include_str!("../../README.md")]
    struct Readme;
    #[doc = include_str!("../../docs/ARCHITECTURE.md")]
    struct Architecture;
}
