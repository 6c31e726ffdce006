//! The projection's kernels and their launches.

pub(crate) mod backward;
pub(crate) mod forward;
pub(crate) mod kernels;
