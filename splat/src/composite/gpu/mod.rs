//! The compositor on a device.

pub(crate) mod backward;
pub(crate) mod forward;
mod forward_kernel;
pub(crate) mod list;
mod moments;
mod pack;
mod packed;
mod partial_row;
mod partials;
mod pixel;
mod replay;
pub(crate) mod replay_planes;
mod state;
mod sums;
mod tile;
