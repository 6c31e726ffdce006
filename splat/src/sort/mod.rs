//! Stage 3, *sort*: the hits of every tile in depth order. Ordering only, no gradient.
//!
//! `cpu.rs` has the stage, `depth.rs` the order of one view's splats, `deal.rs` their way into the tiles' lists, and
//! `counting.rs` what both are made of. On the device: `cube_scan.rs` has running counts, `cube_radix.rs` the sort by digits.

pub(crate) mod cpu;
#[cfg(feature = "gpu")]
pub(crate) mod gpu;
