//! Stage 3, *sort*: the hits of every tile in depth order. Ordering only, no gradient.
//!
//! `cpu.rs` has the stage, `depth.rs` the order of one view's splats, `deal.rs` their way into the tiles' lists, and
//! `counting.rs` what both are made of. On the device: `cube_scan.rs` has running counts, `cube_radix.rs` the sort by digits.

pub(crate) mod counting;
pub(crate) mod cpu;
#[cfg(feature = "cube")]
pub(crate) mod cube;
#[cfg(feature = "cube")]
pub(crate) mod cube_large;
#[cfg(feature = "cube")]
pub(crate) mod cube_radix;
#[cfg(feature = "cube")]
pub(crate) mod cube_scan;
#[cfg(feature = "cube")]
pub(crate) mod cube_small;
pub(crate) mod deal;
pub(crate) mod depth;
#[cfg(test)]
mod tests;
