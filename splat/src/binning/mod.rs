//! Stage 2, *bin*: which tiles each splat touches. Ordering only, no gradient.
//!
//! A *hit* is one (splat, tile) pair. `formula.rs` has the bounds of a splat, `cpu.rs` the loops.

pub(crate) mod cpu;
#[cfg(feature = "gpu")]
pub(crate) mod gpu;
