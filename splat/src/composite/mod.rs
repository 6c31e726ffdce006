//! Stage 4, *composite*: sorted splats become pixels, front to back (MATH section 3).
//!
//! `formula.rs` has the mathematics of one (splat, pixel) pair, and this file the values it speaks
//! of. In `cpu/` and `gpu/`, `forward.rs` and `backward.rs` walk the tiles and their hits, the
//! files beside them the pixels of a hit.

use crate::math::{Sym2, Vec2};
use crate::number::Number;

pub(crate) mod cpu;
#[cfg(feature = "gpu")]
pub(crate) mod gpu;

/// Gradients of `sigma`.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(feature = "gpu", derive(cubecl::CubeType))]
pub struct SigmaGradient<F: Number> {
    /// By the splat's centre.
    pub mean: Vec2<F>,
    /// By the conic.
    pub conic: Sym2<F>,
}

/// Sums over pixels of one row of the gradient by `sigma` times the powers of `x = pixel - mean`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[cfg_attr(feature = "gpu", derive(cubecl::CubeType))]
pub struct RowMoments<F: Number> {
    /// Of 1.
    pub one: F,
    /// Of `x`.
    pub x: F,
    /// Of `x^2`.
    pub xx: F,
}

/// Sums over pixels of the gradient by `sigma` times the powers of `d = pixel - mean`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[cfg_attr(feature = "gpu", derive(cubecl::CubeType))]
pub struct Moments<F: Number> {
    /// Of 1.
    pub one: F,
    /// Of `x`.
    pub x: F,
    /// Of `y`.
    pub y: F,
    /// Of `x^2`.
    pub xx: F,
    /// Of `x y`.
    pub xy: F,
    /// Of `y^2`.
    pub yy: F,
}
