//! The terminal: output lines, progress, and signals such as Ctrl-C.

pub(crate) mod interrupt;
mod lines;
mod progress;

pub(crate) use lines::{line, note};
pub(crate) use progress::{Progress, StepSummary};
