//! Stage 2, *bin*: finds the tiles that each splat touches. This stage has no gradient.
//!
//! A *hit* is one (splat, tile) pair. `formula.rs` contains the formulas of a splat's bounds, and
//! `bounds.rs` computes the pixels within them. `grid.rs` defines the tile grid of an image.
//! `cpu/` and `gpu/` find the tiles of every splat and count the hits.

pub(crate) mod bounds;
pub(crate) mod cpu;
#[cfg(feature = "gpu")]
pub(crate) mod gpu;
pub(crate) mod grid;
