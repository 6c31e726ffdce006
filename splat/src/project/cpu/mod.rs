//! The projection's loops on the CPU.

pub(crate) mod backward;
pub(crate) mod forward;
