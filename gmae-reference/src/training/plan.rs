//! The end of a run, its files, and its outcome.

use std::path::{Path, PathBuf};
use std::time::Instant;

use super::sampling::Sampler;
use super::schedule::Schedule;
use crate::config::Config;

/// The name of the checkpoint inside an output folder.
pub(crate) const CHECKPOINT: &str = "checkpoint.gmae";
/// The name of the metrics file inside an output folder.
pub(crate) const METRICS: &str = "metrics.jsonl";

/// Whether a run went through.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// It went to its last step.
    Finished,
    /// It was asked to stop, and saved.
    Interrupted,
}

/// The files of a run, and its end.
#[derive(Debug)]
pub struct Plan {
    /// The learning rate of every step.
    pub schedule: Schedule,
    /// Steps after which to stop, at most the schedule's.
    pub last_step: usize,
    /// When to stop in any case.
    pub deadline: Option<Instant>,
    /// The checkpoint file.
    pub checkpoint: PathBuf,
    /// The metrics file.
    pub metrics: PathBuf,
}

/// The plan of a run of `config` over `images` images that writes into `output`.
pub fn plan(config: &Config, output: &Path, images: usize, stop_at: Option<usize>) -> Plan {
    let schedule = Schedule::new(config, Sampler::new(*config, images).steps_per_epoch());
    Plan {
        schedule,
        last_step: stop_at.unwrap_or(usize::MAX).min(schedule.total_steps),
        deadline: None,
        checkpoint: output.join(CHECKPOINT),
        metrics: output.join(METRICS),
    }
}
