//! Stage 3, *sort*: the hits of every tile in depth order. Ordering only, no gradient.
//!
//! `cpu/` has one depth sort per view, and the way of its splats into the tiles' lists. `gpu/` has
//! a sort in shared memory for small views, and a radix sort (`device/radix.rs`) for large ones.

pub(crate) mod cpu;
#[cfg(feature = "gpu")]
pub(crate) mod gpu;
