//! The projection on a device.

pub(crate) mod backward;
pub(crate) mod camera_row;
pub(crate) mod complete;
pub(crate) mod features;
pub(crate) mod forward;
pub(crate) mod gaussian_rows;
pub(crate) mod gradient_row;
pub(crate) mod harmonics_kernels;
pub(crate) mod kernels;
pub(crate) mod splat_rows;
pub(crate) mod statistics;
pub(crate) mod view_table;
