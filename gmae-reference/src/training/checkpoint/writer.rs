//! Writes checkpoints on a separate thread, beside the steps of the run.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, SyncSender, TrySendError, channel, sync_channel};
use std::thread::{Scope, ScopedJoinHandle};

use super::snapshot::Snapshot;
use crate::error::Error;
use crate::model::Stored;
use crate::ops::Operations;

/// A snapshot and the folders to which it is written.
struct Job<B: Operations, M: Stored<B>> {
    snapshot: Snapshot<B, M>,
    folders: Vec<PathBuf>,
}

/// The writing thread.
pub(in crate::training) struct Writer<'scope, B: Operations, M: Stored<B>> {
    jobs: SyncSender<Job<B, M>>,
    outcomes: Receiver<Result<(), Error>>,
    thread: ScopedJoinHandle<'scope, ()>,
}

impl<'scope, B: Operations, M: Stored<B> + 'static> Writer<'scope, B, M> {
    /// Starts the thread. The caller holds the lock of the folder of the run.
    pub(in crate::training) fn start<'env>(scope: &'scope Scope<'scope, 'env>) -> Self
    where
        B: 'scope,
    {
        let (jobs, waiting) = sync_channel::<Job<B, M>>(0);
        let (report, outcomes) = channel();
        let thread = scope.spawn(move || write_all(&waiting, &report));
        Self {
            jobs,
            outcomes,
            thread,
        }
    }

    /// Passes a snapshot to the thread, if the thread is idle. Returns whether it was.
    ///
    /// # Errors
    ///
    /// The error of an earlier snapshot. [`Error::Threads`] if the thread has ended.
    pub(in crate::training) fn offer(
        &self,
        snapshot: impl FnOnce() -> Snapshot<B, M>,
        folder: &Path,
    ) -> Result<bool, Error> {
        self.check()?;
        let folders = vec![folder.to_owned()];
        let job = Job {
            snapshot: snapshot(),
            folders,
        };
        match self.jobs.try_send(job) {
            Ok(()) => Ok(true),
            Err(TrySendError::Full(_)) => Ok(false),
            Err(TrySendError::Disconnected(_)) => Err(self.ended()),
        }
    }

    /// Waits until the earlier snapshots are written, and passes a snapshot to the thread.
    ///
    /// # Errors
    ///
    /// The error of an earlier snapshot. [`Error::Threads`] if the thread has ended.
    pub(in crate::training) fn insist(
        &self,
        snapshot: Snapshot<B, M>,
        folders: Vec<PathBuf>,
    ) -> Result<(), Error> {
        self.check()?;
        let sent = self.jobs.send(Job { snapshot, folders });
        sent.map_err(|_| self.ended())
    }

    /// Waits until every snapshot is written.
    ///
    /// # Errors
    ///
    /// The error of a snapshot.
    ///
    /// # Panics
    ///
    /// Panics if the thread has panicked.
    pub(in crate::training) fn finish(self) -> Result<(), Error> {
        drop(self.jobs);
        let joined = self.thread.join();
        if let Err(panic) = joined {
            std::panic::resume_unwind(panic);
        }
        self.outcomes.into_iter().collect()
    }

    /// Returns the reason why the thread has ended: the error of a snapshot, or a panic.
    fn ended(&self) -> Error {
        let early = || Error::Threads("the thread that writes checkpoints has ended".to_owned());
        self.check().err().unwrap_or_else(early)
    }

    /// Returns the error of an earlier snapshot that could not be written, if there is one.
    fn check(&self) -> Result<(), Error> {
        self.outcomes.try_iter().collect()
    }
}

fn write_all<B: Operations, M: Stored<B>>(
    jobs: &Receiver<Job<B, M>>,
    report: &Sender<Result<(), Error>>,
) {
    for Job { snapshot, folders } in jobs {
        for folder in folders {
            let written = snapshot.replace(&folder);
            let failed = written.is_err();
            // The receiver lives until this thread has ended.
            let _ = report.send(written);
            if failed {
                return;
            }
        }
    }
}
