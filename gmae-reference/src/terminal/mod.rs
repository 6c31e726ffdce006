//! What a run shows while it goes on, and how it is asked to stop.

pub mod interrupt;
mod lines;
pub mod progress;

pub use lines::{line, note};
