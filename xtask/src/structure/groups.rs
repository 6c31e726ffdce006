//! The groups of files of `splat` that the rules name.

/// The crate root. The use of a re-export counts as an import of the defining file, so no file
/// imports the root.
pub(super) const ROOT: &[&str] = &["splat/src/lib.rs"];
/// The module that compiles the formulas. Other files import its aliases `Real`.
pub(super) const COMPILED: &[&str] = &["splat/src/formulas/mod.rs"];
/// The files that do not depend on splatting.
pub(super) const GROUND: &[&str] = &[
    "splat/src/number.rs",
    "splat/src/error.rs",
    "splat/src/config.rs",
    "splat/src/math/*.rs",
];
/// The structs that the trait `Backend` uses.
pub(super) const STRUCTS: &[&str] = &[
    "splat/src/ellipse.rs",
    "splat/src/encoding.rs",
    "splat/src/gaussians.rs",
    "splat/src/splats.rs",
    "splat/src/image.rs",
    "splat/src/camera.rs",
    "splat/src/views.rs",
    "splat/src/contributors.rs",
    "splat/src/gradients.rs",
    "splat/src/statistics.rs",
];
pub(super) const FORMULAS: &[&str] = &["splat/src/*/formula.rs"];
/// The value types of the formulas.
pub(super) const VALUES: &[&str] = &[
    "splat/src/project/mod.rs",
    "splat/src/binning/mod.rs",
    "splat/src/sort/mod.rs",
    "splat/src/composite/mod.rs",
    "splat/src/harmonics/mod.rs",
];
pub(super) const SCALAR: &[&str] = &["splat/src/scalar/*.rs"];
/// The files that every stage may import: `GROUND`, `STRUCTS` and `SCALAR`.
pub(super) const BASIS: &[&str] = &[
    "splat/src/number.rs",
    "splat/src/error.rs",
    "splat/src/config.rs",
    "splat/src/math/*.rs",
    "splat/src/ellipse.rs",
    "splat/src/encoding.rs",
    "splat/src/gaussians.rs",
    "splat/src/splats.rs",
    "splat/src/image.rs",
    "splat/src/camera.rs",
    "splat/src/views.rs",
    "splat/src/contributors.rs",
    "splat/src/gradients.rs",
    "splat/src/statistics.rs",
    "splat/src/scalar/*.rs",
];
pub(super) const HOST: &[&str] = &["splat/src/host/*.rs"];
pub(super) const DEVICE: &[&str] = &["splat/src/device/*.rs"];
/// The pixels of an image, on the host.
pub(super) const PACK: &[&str] = &["splat/src/pack/*.rs"];
/// The pixels of an image, on the device.
pub(super) const PACK_GPU: &[&str] = &["splat/src/pack/gpu/*.rs"];
/// A device that the caller shares, behind the feature `wgpu`.
pub(super) const INTEROP: &[&str] = &["splat/src/wgpu_interop/*.rs"];
/// The trait `Backend` and the generic functions on it.
pub(super) const FACE: &[&str] = &[
    "splat/src/backend.rs",
    "splat/src/planar.rs",
    "splat/src/render.rs",
];
/// The specification of the renderer.
pub(super) const ORACLE: &[&str] = &["splat/src/oracle/*.rs"];
/// The checks for tests, behind the feature `check`.
pub(super) const CHECK: &[&str] = &["splat/src/check/**/*.rs"];
/// What a scene of a file needs to become Gaussians in a good order.
pub(super) const FEATURES: &[&str] = &["splat/src/spatial.rs", "splat/src/activation.rs"];
/// The loss of photographs, on the host.
pub(super) const LOSS: &[&str] = &["splat/src/loss/*.rs"];
/// The operations by which training changes the list of Gaussians.
pub(super) const DENSITY: &[&str] = &["splat/src/density/*.rs"];
/// The readers of scene files, behind the feature `io`.
pub(super) const IO: &[&str] = &["splat/src/io/**/*.rs"];
pub(super) const ALL: &[&str] = &["splat/src/**/*.rs"];

pub(super) const PROJECT: &[&str] = &["splat/src/project/*.rs"];
pub(super) const PROJECT_CPU: &[&str] = &["splat/src/project/cpu/**/*.rs"];
pub(super) const PROJECT_GPU: &[&str] = &["splat/src/project/gpu/**/*.rs"];
/// The files of stage 2 that stage 1 may import.
pub(super) const BOUNDS: &[&str] = &[
    "splat/src/binning/bounds.rs",
    "splat/src/binning/formula.rs",
];
/// The grid of tiles, and the files that both engines of stage 2 share.
pub(super) const BINNING: &[&str] = &[
    "splat/src/binning/mod.rs",
    "splat/src/binning/formula.rs",
    "splat/src/binning/grid.rs",
    "splat/src/binning/bounds.rs",
];
pub(super) const BINNING_CPU: &[&str] = &["splat/src/binning/cpu/**/*.rs"];
pub(super) const BINNING_GPU: &[&str] = &["splat/src/binning/gpu/**/*.rs"];
pub(super) const SORT: &[&str] = &["splat/src/sort/*.rs"];
pub(super) const SORT_CPU: &[&str] = &["splat/src/sort/cpu/**/*.rs"];
pub(super) const SORT_GPU: &[&str] = &["splat/src/sort/gpu/**/*.rs"];
pub(super) const COMPOSITE: &[&str] = &["splat/src/composite/*.rs"];
pub(super) const COMPOSITE_CPU: &[&str] = &["splat/src/composite/cpu/**/*.rs"];
pub(super) const COMPOSITE_GPU: &[&str] = &["splat/src/composite/gpu/**/*.rs"];
/// The spherical harmonics, and the vector from a camera to a Gaussian on which they depend.
pub(super) const HARMONICS: &[&str] = &["splat/src/harmonics/**/*.rs"];
/// The basis functions, which stage 1 evaluates too.
pub(super) const HARMONICS_BASIS: &[&str] = &["splat/src/harmonics/cpu/basis.rs"];
