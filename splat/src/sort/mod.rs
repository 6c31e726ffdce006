//! Stage 3, *sort*: lists the hits of every tile in depth order. This stage has no gradient.
//!
//! `cpu/` sorts the splats of each view by depth and appends them to the lists of their tiles in
//! this order. `gpu/` sorts in shared memory in the small regime, and with the radix sort of
//! `device/radix.rs` in the large regime.

pub(crate) mod cpu;
#[cfg(feature = "gpu")]
pub(crate) mod gpu;
