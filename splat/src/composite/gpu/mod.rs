//! The compositor on a device.

pub(crate) mod backward;
mod chunks;
pub(crate) mod forward;
mod forward_kernel;
pub(crate) mod list;
mod moments;
mod pack;
mod packed;
mod partial_row;
mod partials;
mod pass;
mod pixel;
mod replay;
pub(crate) mod replay_planes;
mod state;
pub(crate) mod statistics;
mod sums;
mod tile;
mod weigh;
