//! The projection's loops on the CPU.

pub(crate) mod backward;
mod columns;
pub(crate) mod complete;
mod directions;
pub(crate) mod forward;
mod pass;
pub(crate) mod statistics;
