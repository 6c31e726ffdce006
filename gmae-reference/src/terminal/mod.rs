//! The terminal: output lines, progress, and signals such as Ctrl-C.

mod bar;
pub(crate) mod interrupt;
mod lines;
mod progress;

pub(crate) use bar::Bar;
pub(crate) use lines::{line, note};
pub(crate) use progress::{Progress, StepSummary};
