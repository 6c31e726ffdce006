//! What a run shows while it goes on, and how it is asked to stop.

pub(crate) mod interrupt;
mod lines;
mod progress;

pub(crate) use lines::{line, note};
pub(crate) use progress::Progress;
