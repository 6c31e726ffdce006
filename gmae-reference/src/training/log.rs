//! The files and the output of a run, beside its steps: metrics, progress, checkpoints, remarks on
//! the data.

use std::time::{Duration, Instant};

use super::checkpoint::{DataId, Snapshot, Writer};
use super::loader::Loader;
use super::metrics::{self, Metrics, Record};
use super::plan::{Outcome, Plan};
use super::sampling::steps_per_epoch;
use super::trainer::Trainer;
use crate::backend::Trains;
use crate::data::Dataset;
use crate::error::Error;
use crate::terminal::{self, Progress, StepSummary};

/// The numbers of a step.
#[derive(Clone, Copy, Debug)]
pub(super) struct Numbers {
    /// The loss before the step.
    pub(super) loss: f64,
    /// The learning rate.
    pub(super) learning_rate: f64,
    /// The norm of the gradient before clipping.
    pub(super) gradient_norm: f64,
    /// Number of images of the step.
    pub(super) images: usize,
}

/// Writes what a run leaves behind. In a process that does not write, it does nothing.
pub(super) struct Log<'a> {
    plan: &'a Plan,
    data: &'a dyn Dataset,
    id: DataId,
    steps_per_epoch: usize,
    /// `None` in a process that does not write.
    metrics: Option<Metrics>,
    progress: Progress,
    /// Sum of the losses of the current epoch.
    losses: f64,
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
    pub(super) fn open<B: Trains>(
        trainer: &Trainer<B>,
        data: &'a dyn Dataset,
        plan: &'a Plan,
    ) -> Result<Self, Error> {
        let id = DataId::of(data);
        let steps_per_epoch = steps_per_epoch(&trainer.config, data.len());
        let (mut metrics, mut losses) = (None, 0.0);
        if plan.ranks.writes() {
            let snapshot = trainer.snapshot(plan.schedule, id.clone());
            // Later checkpoints are written while their predecessor is still there, which takes the
            // room of two.
            snapshot.replace(&plan.folder)?;
            snapshot.replace(&plan.folder)?;
            let path = plan.metrics();
            let opened = Metrics::resume(&path, trainer.name(), trainer.step)?;
            for repair in opened.repairs() {
                terminal::note(format_args!("warning: {repair}"));
            }
            metrics = Some(opened);
            let epoch = trainer.step / steps_per_epoch;
            let records = metrics::read(&path)?;
            let current = records.iter().filter(|record| record.epoch == epoch);
            losses = current.map(|record| record.loss).sum();
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
    pub(super) fn step<B: Trains>(
        &mut self,
        trainer: &mut Trainer<B>,
        numbers: Numbers,
        loader: &Loader,
        writer: &Writer<B>,
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
        self.losses += numbers.loss;
        if trainer.step.is_multiple_of(self.steps_per_epoch) {
            self.end_epoch(trainer, writer)?;
        }
        if self.saved.elapsed() >= self.plan.save_interval
            && writer.offer(|| self.snapshot(trainer), &self.plan.folder)?
        {
            self.saved = Instant::now();
        }
        Ok(())
    }

    /// Keeps a snapshot of the epoch that has just ended, if it is due.
    fn end_epoch<B: Trains>(
        &mut self,
        trainer: &mut Trainer<B>,
        writer: &Writer<B>,
    ) -> Result<(), Error> {
        let mean = self.losses / self.steps_per_epoch as f64;
        self.losses = 0.0;
        let epoch = trainer.step / self.steps_per_epoch;
        let due = self.plan.snapshot_epochs > 0
            && (epoch.is_multiple_of(self.plan.snapshot_epochs)
                || trainer.step == self.plan.schedule.total_steps);
        if !due {
            return Ok(());
        }
        let best = trainer.best.is_none_or(|best| mean < best);
        if best {
            trainer.best = Some(mean);
        }
        let folders = self.plan.snapshots(epoch, best);
        writer.insist(self.snapshot(trainer), folders)
    }

    /// Saves the last state and waits until it is written.
    ///
    /// The state is also saved if the data could not be read. If the loss is not finite, the last
    /// checkpoint remains.
    pub(super) fn close<B: Trains>(
        self,
        trainer: &Trainer<B>,
        loader: &Loader,
        writer: Writer<B>,
        outcome: Result<Outcome, Error>,
    ) -> Result<Outcome, Error> {
        self.remark();
        let save = matches!(outcome, Ok(_) | Err(Error::Data(_))) && self.metrics.is_some();
        let saved = if save {
            writer.insist(self.snapshot(trainer), vec![self.plan.folder.clone()])
        } else {
            Ok(())
        };
        let saved = saved.and(writer.finish());
        if self.metrics.is_some() {
            self.report_loader(loader);
        }
        match (outcome, saved) {
            (Err(error), Err(other)) => {
                terminal::note(format_args!("error: {other}"));
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

    fn remark(&self) {
        for remark in self.data.remarks() {
            terminal::note(format_args!("warning: {remark}"));
        }
    }

    fn snapshot<B: Trains>(&self, trainer: &Trainer<B>) -> Snapshot<B> {
        trainer.snapshot(self.plan.schedule, self.id.clone())
    }
}
