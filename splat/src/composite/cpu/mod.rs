//! The loops of the compositor on the CPU.

pub(crate) mod backward;
pub(crate) mod blend;
pub(crate) mod composited;
pub(crate) mod coverage;
pub(crate) mod forward;
pub(crate) mod hits;
mod pass;
mod read;
pub(crate) mod replay;
pub(crate) mod strip;
mod sums;
mod tasks;
pub(crate) mod tile;
mod walk;
pub(crate) mod weigh;
mod write;
