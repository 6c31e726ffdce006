//! Stage 2, *bin*: which tiles each splat touches. Ordering only, no gradient.
//!
//! A *hit* is one (splat, tile) pair. `formula.rs` has the formulas of a splat's bounds and
//! `bounds.rs` the pixels within them; `grid.rs` has the tiles of an image; `cpu.rs` and `gpu/`
//! count the hits.

pub(crate) mod bounds;
pub(crate) mod cpu;
#[cfg(feature = "gpu")]
pub(crate) mod gpu;
pub(crate) mod grid;
