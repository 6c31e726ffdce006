//! The files and the output of a run: metrics, progress, checkpoints, remarks on the data.

use std::time::{Duration, Instant};

use super::checkpoint::{DataId, FILES, Snapshot, Writer};
use super::loader::Loader;
use super::metrics::{self, Metrics, Record};
use super::plan::{Outcome, Plan};
use super::sampling::steps_per_epoch;
use super::task::Task;
use super::trainer::Trainer;
use crate::backend::Trains;
use crate::data::Dataset;
use crate::error::Error;
use crate::files::{create_folder, current};
use crate::terminal::{self, Progress, StepSummary, interrupt};

/// Number of repaired faults in the metrics that are reported one by one.
const REPAIRS: usize = 3;
/// Time after which an interrupted run ends although a read still hangs.
const HANGING: Duration = Duration::from_secs(5);

/// The numbers of a step.
#[derive(Clone, Copy, Debug)]
pub(super) struct StepNumbers {
    /// The loss before the step.
    pub(super) loss: f64,
    /// The learning rate.
    pub(super) learning_rate: f64,
    /// The norm of the gradient before clipping.
    pub(super) gradient_norm: f64,
    /// Number of images of the step.
    pub(super) images: usize,
}

/// Writes the files and the output of a run. In a process that does not write, only the remarks on
/// the data are printed.
pub(super) struct Log<'a> {
    plan: &'a Plan,
    data: &'a dyn Dataset,
    id: DataId,
    steps_per_epoch: usize,
    /// `None` in a process that does not write.
    metrics: Option<Metrics>,
    progress: Progress,
    /// Sum and number of the losses of the current epoch, as far as the metrics have them.
    losses: (f64, usize),
    /// Time of the last checkpoint.
    saved: Instant,
    begun: Instant,
    /// Time that the steps have waited for images so far.
    waited: Duration,
}

impl<'a> Log<'a> {
    /// Saves the state, opens the metrics file and shows the progress at the current step.
    ///
    /// The state is saved before the first step, so that a folder without room is noticed early. It
    /// is saved before the metrics file is created, so that a run that is killed here can be
    /// resumed.
    pub(super) fn open<B: Trains, T: Task<B>>(
        trainer: &Trainer<B, T>,
        data: &'a dyn Dataset,
        plan: &'a Plan,
    ) -> Result<Self, Error> {
        let id = DataId::of(data);
        let steps_per_epoch = steps_per_epoch(&trainer.config, data.len());
        let (mut metrics, mut losses) = (None, (0.0, 0));
        if plan.ranks.writes() {
            let snapshot = trainer.snapshot(plan.schedule, id.clone());
            // Later checkpoints are written while their predecessor is still there, which takes the
            // room of two.
            let first = !current(&plan.folder, FILES[0]).exists();
            snapshot.replace(&plan.folder)?;
            if first {
                snapshot.replace(&plan.folder)?;
            }
            let path = plan.metrics();
            let opened = Metrics::resume(&path, trainer.name(), trainer.step)?;
            let repairs = opened.repairs();
            for repair in repairs.iter().take(REPAIRS) {
                terminal::note(format_args!("warning: {repair}"));
            }
            if repairs.len() > REPAIRS {
                let more = repairs.len() - REPAIRS;
                terminal::note(format_args!("warning: {more} more faults in the metrics"));
            }
            metrics = Some(opened);
            let epoch = trainer.step / steps_per_epoch;
            let records = metrics::read(&path)?;
            let current = records.iter().filter(|record| record.epoch == epoch);
            losses = current.fold(losses, |(sum, count), record| {
                (sum + record.loss, count + 1)
            });
        }
        Ok(Self {
            plan,
            data,
            id,
            steps_per_epoch,
            metrics,
            progress: Progress::new(trainer.step, plan.last_step, plan.ranks.writes()),
            losses,
            saved: Instant::now(),
            begun: Instant::now(),
            waited: Duration::ZERO,
        })
    }

    /// Shows the progress within a step.
    pub(super) fn piece(&mut self, count: usize, images: usize) {
        self.progress
            .within_step(count * self.plan.ranks.count(), images);
    }

    /// Records a step: metrics, progress, remarks, and a checkpoint or snapshot if it is due.
    pub(super) fn step<B: Trains, T: Task<B>>(
        &mut self,
        trainer: &mut Trainer<B, T>,
        numbers: StepNumbers,
        loader: &Loader,
        writer: &Writer<B, T::Inner>,
        begun: Instant,
    ) -> Result<(), Error> {
        self.remark();
        let Some(metrics) = &mut self.metrics else {
            return Ok(());
        };
        let seconds = begun.elapsed().as_secs_f64();
        let waited = loader.waited();
        let record = Record {
            step: trainer.step,
            epoch: (trainer.step - 1) / self.steps_per_epoch,
            loss: numbers.loss,
            learning_rate: numbers.learning_rate,
            gradient_norm: numbers.gradient_norm,
            images_per_second: numbers.images as f64 / seconds,
            waiting: waited.saturating_sub(self.waited).as_secs_f64() / seconds,
        };
        self.waited = waited;
        metrics.append(&record)?;
        let shown = StepSummary {
            loss: record.loss,
            images_per_second: record.images_per_second,
            seconds,
            waiting: record.waiting,
        };
        self.progress.show(record.step, shown);
        self.losses.0 += numbers.loss;
        self.losses.1 += 1;
        if trainer.step.is_multiple_of(self.steps_per_epoch) {
            self.end_epoch(trainer, writer)?;
        }
        if self.saved.elapsed() >= self.plan.save_interval
            && writer.offer(|| self.snapshot(trainer), &self.plan.folder)?
        {
            self.saved = Instant::now();
            // After a loss of power, the metrics must have the lines of the saved steps.
            self.sync()?;
        }
        Ok(())
    }

    /// Keeps a snapshot of the epoch that has just ended, if it is due.
    fn end_epoch<B: Trains, T: Task<B>>(
        &mut self,
        trainer: &mut Trainer<B, T>,
        writer: &Writer<B, T::Inner>,
    ) -> Result<(), Error> {
        let (sum, count) = std::mem::take(&mut self.losses);
        let epoch = trainer.step / self.steps_per_epoch;
        let due = self.plan.snapshot_epochs > 0
            && (epoch.is_multiple_of(self.plan.snapshot_epochs)
                || trainer.step == self.plan.schedule.total_steps);
        if !due {
            return Ok(());
        }
        if count != self.steps_per_epoch {
            self.progress.note(format_args!(
                "warning: epoch {epoch} is not compared with the best one: some of its metrics are lost"
            ));
        }
        let mean = (count == self.steps_per_epoch).then(|| sum / count as f64);
        let best = mean.is_some_and(|mean| trainer.best.is_none_or(|best| mean < best));
        if best {
            trainer.best = mean;
        }
        let folders = self.plan.snapshots(epoch, best);
        folders
            .iter()
            .try_for_each(|folder| create_folder(folder))?;
        writer.insist(self.snapshot(trainer), folders)
    }

    /// Saves the last state and waits until it is written.
    ///
    /// The state is also saved after an error, such as data that cannot be read. If the loss is not
    /// finite, the last checkpoint remains.
    pub(super) fn close<B: Trains, T: Task<B>>(
        self,
        trainer: &Trainer<B, T>,
        loader: &Loader,
        writer: Writer<B, T::Inner>,
        outcome: Result<Outcome, Error>,
    ) -> Result<Outcome, Error> {
        self.remark();
        let diverged = matches!(
            outcome,
            Err(Error::NotFinite { .. } | Error::NotSaved { .. })
        );
        let saved = if self.metrics.is_some() && !diverged {
            let folders = vec![self.plan.folder.clone()];
            self.sync()
                .and_then(|()| writer.insist(self.snapshot(trainer), folders))
        } else {
            Ok(())
        };
        let saved = saved.and(writer.finish());
        if self.metrics.is_some() {
            self.report_loader(loader);
        }
        // All is saved. A loader thread can still hang in a read.
        if interrupt::requested() {
            interrupt::exit_within(HANGING);
        }
        match (outcome, saved) {
            (Err(error), Err(other)) => {
                // The error that ended the writing thread is reported already.
                if !matches!(other, Error::Threads(_)) {
                    terminal::note(format_args!(
                        "warning: the last state is not saved: {other}"
                    ));
                }
                Err(error)
            }
            (outcome, saved) => saved.and(outcome),
        }
    }

    /// States how long the steps waited for images, and how busy the loader was.
    fn report_loader(&self, loader: &Loader) {
        let seconds = self.begun.elapsed().as_secs_f64();
        let (threads, busy) = loader.busy();
        terminal::note(format_args!(
            "data: steps waited for images {:.1} % of the time; {threads} loader threads were busy \
             {:.0} %",
            100.0 * loader.waited().as_secs_f64() / seconds,
            100.0 * busy.as_secs_f64() / (seconds * threads as f64)
        ));
    }

    /// Flushes the metrics to disk.
    fn sync(&self) -> Result<(), Error> {
        self.metrics.as_ref().map_or(Ok(()), Metrics::sync)
    }

    fn remark(&self) {
        for remark in self.data.remarks() {
            self.progress.note(format_args!("warning: {remark}"));
        }
    }

    fn snapshot<B: Trains, T: Task<B>>(&self, trainer: &Trainer<B, T>) -> Snapshot<B, T::Inner> {
        trainer.snapshot(self.plan.schedule, self.id.clone())
    }
}
