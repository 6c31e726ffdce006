//! The projection on a device.

pub(crate) mod backward;
pub(crate) mod forward;
pub(crate) mod gaussian_rows;
pub(crate) mod gradient_row;
pub(crate) mod kernels;
pub(crate) mod pose_row;
pub(crate) mod splat_rows;
pub(crate) mod view_table;
