//! The projection's loops on the CPU.

pub(crate) mod backward;
mod columns;
pub(crate) mod complete;
pub(crate) mod forward;
