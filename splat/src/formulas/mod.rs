//! The formulas of the renderer, for tests and other renderers. **Unstable**: names and types here
//! may change in any release.
//!
//! Every formula is one plain function in a file `formula.rs` or `math/*.rs`, over a scalar named
//! `Real`. This module compiles those files once for each precision: [`single`] at `f32` and
//! [`double`] at `f64`. The GPU kernels use the functions of [`single`]. Each function is followed
//! by its vjp. docs/MATH.md has the equations that the functions cite.

pub use crate::config::{
    COMPENSATION_FLOOR, DEPTH_RANGE, FOOTPRINT_SLACK, HARMONICS_OFFSET, MAX_SIDE_PX, TANGENT_MARGIN,
};
pub use crate::math::{Mat3, Quaternion, Sym2, Vec2, Vec3};
pub use crate::number::Number;

pub use crate::composite::{Moments, RowMoments, SigmaGradient};
pub use crate::project::CameraParams;
pub use crate::project::{
    CameraGradient, Footprint, GaussianShape, Intrinsics, ProjectConstants, ProjectGradient, Rows,
    Splat,
};

/// The formulas at `f32`.
#[path = ".."]
pub mod single {
    /// The scalar of the formulas in this module.
    pub type Real = f32;
    /// An unsigned integer with the width of [`Real`].
    #[cfg(feature = "gpu")]
    pub(crate) type Bits = u32;
    /// Mask of the exponent bits.
    #[cfg(feature = "gpu")]
    pub(crate) const EXPONENT: Bits = 0x7f80_0000;
    #[path = "binning/formula.rs"]
    pub mod binning;
    #[path = "composite/formula.rs"]
    pub mod composite;
    #[path = "math/finite.rs"]
    pub mod finite;
    #[path = "math/fused.rs"]
    pub mod fused;
    #[path = "project/formula.rs"]
    pub mod project;
    #[path = "math/quat.rs"]
    pub mod quat;
    #[path = "harmonics/formula.rs"]
    pub mod sh;
    #[path = "math/sym2.rs"]
    pub mod sym2;
    #[path = "math/vec3.rs"]
    pub mod vec3;
}

/// The formulas at `f64`, compiled from the same files.
#[path = ".."]
#[expect(clippy::duplicate_mod, reason = "the same files at two precisions")]
pub mod double {
    /// The scalar of the formulas in this module.
    pub type Real = f64;
    /// An unsigned integer with the width of [`Real`].
    #[cfg(feature = "gpu")]
    pub(crate) type Bits = u64;
    /// Mask of the exponent bits.
    #[cfg(feature = "gpu")]
    pub(crate) const EXPONENT: Bits = 0x7ff0_0000_0000_0000;
    #[path = "binning/formula.rs"]
    pub mod binning;
    #[path = "composite/formula.rs"]
    pub mod composite;
    #[path = "math/finite.rs"]
    pub mod finite;
    #[path = "math/fused.rs"]
    pub mod fused;
    #[path = "project/formula.rs"]
    pub mod project;
    #[path = "math/quat.rs"]
    pub mod quat;
    #[path = "harmonics/formula.rs"]
    pub mod sh;
    #[path = "math/sym2.rs"]
    pub mod sym2;
    #[path = "math/vec3.rs"]
    pub mod vec3;
}

/// The formulas of a (splat, pixel) pair at `f32` with fused multiply-add, for machines that
/// support it.
#[path = ".."]
#[expect(clippy::duplicate_mod, reason = "the same file at two roundings")]
pub(crate) mod single_fused {
    #[cfg(feature = "gpu")]
    use super::single as separate;
    pub(crate) type Real = f32;
    #[path = "composite/formula.rs"]
    #[cfg_attr(
        not(feature = "gpu"),
        expect(dead_code, reason = "only kernels use the functions of single pixels")
    )]
    pub(crate) mod composite;
    #[path = "math/fused_once.rs"]
    pub(crate) mod fused;
}

/// The formulas of a (splat, pixel) pair at `f64` with fused multiply-add.
#[path = ".."]
#[expect(
    clippy::duplicate_mod,
    reason = "the same file at two roundings and two precisions"
)]
pub(crate) mod double_fused {
    #[cfg(feature = "gpu")]
    use super::double as separate;
    pub(crate) type Real = f64;
    #[path = "composite/formula.rs"]
    #[cfg_attr(
        not(feature = "gpu"),
        expect(dead_code, reason = "only kernels use the functions of single pixels")
    )]
    pub(crate) mod composite;
    #[path = "math/fused_once.rs"]
    pub(crate) mod fused;
}
