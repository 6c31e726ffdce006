//! Small linear algebra. This file has the value types, and the other files have the functions on
//! them, each followed by its vjp.
//!
//! The types are generic over the scalar. The functions name their scalar `Real` and are compiled
//! once for `f32` and once for `f64` (see [`crate::formulas::single`] and
//! [`crate::formulas::double`]).

use crate::number::Number;

pub(crate) mod exp;

/// A vector or point in the image plane.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[cfg_attr(feature = "gpu", derive(cubecl::CubeType))]
pub struct Vec2<F: Number> {
    /// Component to the right.
    pub x: F,
    /// Downward component.
    pub y: F,
}

/// A vector or point in space.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[cfg_attr(feature = "gpu", derive(cubecl::CubeType))]
pub struct Vec3<F: Number> {
    /// Along x.
    pub x: F,
    /// Along y.
    pub y: F,
    /// Along z.
    pub z: F,
}

/// A 3 x 3 matrix, stored by rows.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[cfg_attr(feature = "gpu", derive(cubecl::CubeType))]
pub struct Mat3<F: Number> {
    /// First row.
    pub r0: Vec3<F>,
    /// Second row.
    pub r1: Vec3<F>,
    /// Third row.
    pub r2: Vec3<F>,
}

/// A quaternion `w + x i + y j + z k`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[cfg_attr(feature = "gpu", derive(cubecl::CubeType))]
pub struct Quaternion<F: Number> {
    /// Real part.
    pub w: F,
    /// Coefficient of i.
    pub x: F,
    /// Coefficient of j.
    pub y: F,
    /// Coefficient of k.
    pub z: F,
}

/// A symmetric 2 x 2 matrix `[[xx, xy], [xy, yy]]`. In a gradient, `xy` is the derivative with
/// respect to the one value in both off-diagonal entries.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[cfg_attr(feature = "gpu", derive(cubecl::CubeType))]
pub struct Sym2<F: Number> {
    /// Upper left entry.
    pub xx: F,
    /// Both off-diagonal entries.
    pub xy: F,
    /// Lower right entry.
    pub yy: F,
}
