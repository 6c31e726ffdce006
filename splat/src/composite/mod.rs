//! Stage 4, *composite*: blends sorted splats into pixels, front to back (MATH section 3).
//!
//! `formula.rs` has the mathematics of one (splat, pixel) pair. This file has the structs that the
//! formulas use. In `cpu/` and `gpu/`, `forward.rs` and `backward.rs` walk the tiles and their
//! hits. The other files there handle the pixels of a hit.

use crate::math::{Sym2, Vec2};
use crate::number::Number;

pub(crate) mod cpu;
#[cfg(feature = "gpu")]
pub(crate) mod gpu;

/// Gradients with respect to the inputs of `sigma`.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(feature = "gpu", derive(cubecl::CubeType))]
pub struct SigmaGradient<F: Number> {
    /// Gradient with respect to the splat's centre.
    pub mean: Vec2<F>,
    /// Gradient with respect to the conic.
    pub conic: Sym2<F>,
}

/// Moments of one row of pixels: sums of `v_sigma x^k`, with `x` the x of `pixel - mean`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[cfg_attr(feature = "gpu", derive(cubecl::CubeType))]
pub struct RowMoments<F: Number> {
    /// Sum of `v_sigma`.
    pub one: F,
    /// Sum of `v_sigma x`.
    pub x: F,
    /// Sum of `v_sigma x^2`.
    pub xx: F,
}

/// Moments of the pixels of a splat: sums of `v_sigma` times the powers of `(x, y) = pixel - mean`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[cfg_attr(feature = "gpu", derive(cubecl::CubeType))]
pub struct Moments<F: Number> {
    /// Sum of `v_sigma`.
    pub one: F,
    /// Sum of `v_sigma x`.
    pub x: F,
    /// Sum of `v_sigma y`.
    pub y: F,
    /// Sum of `v_sigma x^2`.
    pub xx: F,
    /// Sum of `v_sigma x y`.
    pub xy: F,
    /// Sum of `v_sigma y^2`.
    pub yy: F,
}
