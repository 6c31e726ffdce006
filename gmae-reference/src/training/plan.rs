//! The schedule, the end and the files of a run, and its outcome.

use std::path::{Path, PathBuf};
use std::time::Instant;

use super::sampling::Sampler;
use super::schedule::Schedule;
use crate::config::Config;

/// The name of the checkpoint inside an output folder.
pub(crate) const CHECKPOINT: &str = "checkpoint.gmae";
/// The name of the metrics file inside an output folder.
pub(crate) const METRICS: &str = "metrics.jsonl";

/// The way in which a run ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// The run reached its last step or its deadline.
    Finished,
    /// The run was interrupted and saved a checkpoint.
    Interrupted,
}

/// The schedule, the end and the files of a run.
#[derive(Debug)]
pub struct Plan {
    /// The learning rate of every step.
    pub schedule: Schedule,
    /// Number of steps after which the run stops, at most `schedule.total_steps`.
    pub last_step: usize,
    /// Time after which the run takes no further step, even if `last_step` is not reached.
    pub deadline: Option<Instant>,
    /// The checkpoint file.
    pub checkpoint: PathBuf,
    /// The metrics file.
    pub metrics: PathBuf,
}

/// Creates the plan of a run of `config` over `images` images with its files in `output`. The run
/// stops at step `stop_at` if the schedule is longer.
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
