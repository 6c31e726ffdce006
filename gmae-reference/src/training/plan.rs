//! The schedule, the end and the files of a run, and its outcome.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::loader::LoaderOptions;
use super::ranks::Ranks;
use super::sampling::Sampler;
use super::schedule::Schedule;
use crate::config::Config;
use crate::error::Error;
use crate::files::{Lock, create_folder};

/// The name of the metrics file inside an output folder.
pub(crate) const METRICS: &str = "metrics.jsonl";
/// The folder of the snapshots inside an output folder.
const SNAPSHOTS: &str = "snapshots";
/// Default time between two checkpoints.
const SAVE_INTERVAL: Duration = Duration::from_mins(1);

/// The way in which a run ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// The run reached its last step or its deadline.
    Finished,
    /// The run was interrupted and saved a checkpoint.
    Interrupted,
}

/// The schedule, the end and the files of a run. It holds the lock of the output folder.
pub struct Plan {
    /// The learning rate of every step.
    pub schedule: Schedule,
    /// Number of steps after which the run stops, at most `schedule.total_steps`.
    pub last_step: usize,
    /// Time after which the run takes no further step, even if `last_step` is not reached. The
    /// deadline has no effect on several processes, because their clocks differ.
    pub deadline: Option<Instant>,
    /// The output folder.
    pub folder: PathBuf,
    /// Time between two checkpoints of an uninterrupted run.
    pub save_interval: Duration,
    /// Number of epochs between two snapshots that are kept, or 0 for none.
    pub snapshot_epochs: usize,
    /// Threads and memory for reading images.
    pub loader: LoaderOptions,
    /// The processes that train together.
    pub ranks: Ranks,
    /// Held by the process that writes.
    _lock: Option<Lock>,
}

impl Plan {
    /// Creates the plan of a run of `config` over `images` images with its files in `folder`. The
    /// folder is created, and no other process can write to it as long as the plan exists.
    ///
    /// # Errors
    ///
    /// [`Error::File`] if the folder cannot be created or written. [`Error::Argument`] if another
    /// process writes to it.
    pub fn new(config: &Config, folder: &Path, images: usize) -> Result<Self, Error> {
        Self::of(config, folder, images, Ranks::alone())
    }

    /// Creates the plan of a run of several processes, like [`Plan::new`]. Only the process that
    /// writes creates and locks the folder.
    ///
    /// # Errors
    ///
    /// All errors of [`Plan::new`].
    pub fn of(config: &Config, folder: &Path, images: usize, ranks: Ranks) -> Result<Self, Error> {
        let lock = if ranks.writes() {
            create_folder(folder)?;
            Some(Lock::take(folder)?)
        } else {
            None
        };
        let schedule = Schedule::new(config, Sampler::new(*config, images).steps_per_epoch());
        Ok(Self {
            schedule,
            last_step: schedule.total_steps,
            deadline: None,
            folder: folder.to_owned(),
            save_interval: SAVE_INTERVAL,
            snapshot_epochs: 0,
            loader: LoaderOptions::default(),
            ranks,
            _lock: lock,
        })
    }

    /// Returns the plan of a run that stops after step `step`, if the schedule is longer.
    #[must_use]
    pub fn stop_at(self, step: usize) -> Self {
        let last_step = step.min(self.schedule.total_steps);
        Self { last_step, ..self }
    }

    /// Returns whether the deadline has passed.
    pub(super) fn is_over(&self) -> bool {
        self.ranks.count() == 1 && self.deadline.is_some_and(|end| Instant::now() >= end)
    }

    /// The metrics file.
    pub fn metrics(&self) -> PathBuf {
        self.folder.join(METRICS)
    }

    /// The folders of the snapshot at the end of an epoch. `best` tells whether its mean loss is
    /// the lowest.
    pub(super) fn snapshots(&self, epoch: usize, best: bool) -> Vec<PathBuf> {
        let folder = self.folder.join(SNAPSHOTS);
        let mut folders = vec![folder.join(format!("epoch-{epoch:04}"))];
        if best {
            folders.push(folder.join("best"));
        }
        folders
    }
}
