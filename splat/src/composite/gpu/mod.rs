//! The compositor's kernels and their launches.

pub(crate) mod backward;
pub(crate) mod forward;
pub(crate) mod pack;
pub(crate) mod partials;
pub(crate) mod pixel;
pub(crate) mod replay;
pub(crate) mod replay_planes;
pub(crate) mod sums;
pub(crate) mod tile;
