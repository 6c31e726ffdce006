//! The training loop.

use std::time::{Duration, Instant};

use super::metrics::{Metrics, Record};
use super::plan::{Outcome, Plan};
use super::sampling::Sampler;
use super::trainer::Trainer;
use crate::backend::Trains;
use crate::data::Dataset;
use crate::error::Error;
use crate::terminal::{Progress, interrupt};

/// Time between two checkpoints of an uninterrupted run.
const CHECKPOINT_INTERVAL: Duration = Duration::from_mins(1);

/// Trains until `plan.last_step`, until `plan.deadline`, or until an interruption. In each case a
/// checkpoint is saved after the last step. `watch` is called after every step.
///
/// # Errors
///
/// [`Error::NotFinite`] if the loss or the norm of the gradient is not finite. Any error of reading
/// data, of [`Trainer::step`], of writing files, or of `watch`. The last checkpoint stays usable.
pub fn train<B: Trains>(
    trainer: &mut Trainer<B>,
    data: &dyn Dataset,
    plan: &Plan,
    watch: &mut dyn FnMut(&Trainer<B>) -> Result<(), Error>,
) -> Result<Outcome, Error> {
    let mut sampler = Sampler::new(trainer.config, data.len());
    let mut metrics = Metrics::resume(&plan.metrics, trainer.step)?;
    let mut progress = Progress::new(trainer.step, plan.last_step);
    let mut saved = Instant::now();
    while trainer.step < plan.last_step {
        let started = Instant::now();
        let batch = sampler.batch(data, trainer.step)?;
        let learning_rate = plan.schedule.learning_rate(trainer.step);
        let (loss, gradient_norm) = trainer.step(&batch, learning_rate)?;
        let record = Record {
            step: trainer.step,
            epoch: (trainer.step - 1) / sampler.steps_per_epoch(),
            loss,
            learning_rate,
            gradient_norm,
            images_per_second: batch.masks.len() as f64 / started.elapsed().as_secs_f64(),
        };
        metrics.append(&record)?;
        progress.show(record.step, record.loss, record.images_per_second);
        watch(trainer)?;
        let interrupted = interrupt::requested();
        let over = trainer.step == plan.last_step
            || plan.deadline.is_some_and(|end| Instant::now() >= end);
        if interrupted || over || saved.elapsed() > CHECKPOINT_INTERVAL {
            trainer.checkpoint(data.len())?.save(&plan.checkpoint)?;
            saved = Instant::now();
        }
        if interrupted {
            return Ok(Outcome::Interrupted);
        }
        if over {
            break;
        }
    }
    Ok(Outcome::Finished)
}
