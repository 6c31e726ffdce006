//! The training loop.

use std::thread;
use std::time::Instant;

use super::checkpoint::Writer;
use super::gradient::Gradient;
use super::loader::{Loader, Share};
use super::log::{Log, StepNumbers};
use super::plan::{Outcome, Plan};
use super::ranks::Ranks;
use super::sampling::Sampler;
use super::task::Task;
use super::trainer::{Part, Trainer};
use crate::backend::Trains;
use crate::data::Dataset;
use crate::error::Error;

/// A function that is called after every step.
pub type Watch<'a, B, T> = &'a mut dyn FnMut(&Trainer<B, T>) -> Result<(), Error>;

/// Trains until `plan.last_step`, until `plan.deadline`, or until an interruption. In each case a
/// checkpoint is saved after the last step. `watch` is called after every step.
///
/// # Errors
///
/// [`Error::NotFinite`] if the loss or the norm of the gradient is not finite. [`Error::Ranks`] if
/// another process fails. [`Error::Threads`] if threads cannot be started. Any error of reading
/// data, of [`Trainer::step`], of writing files, or of `watch`. The last checkpoint stays usable.
pub fn train<B: Trains, T: Task<B>>(
    trainer: &mut Trainer<B, T>,
    data: &dyn Dataset,
    plan: &Plan,
    watch: Watch<B, T>,
) -> Result<Outcome, Error> {
    let config = trainer.config;
    let images = Sampler::new(config, data.len()).images_per_step();
    let share = Share {
        steps: trainer.step..plan.last_step,
        images: plan.ranks.part(images),
    };
    let loader = Loader::new(config, data, share, &plan.loader);
    let mut log = Log::open(trainer, data, plan)?;
    // Set to false after an error that is not reported to the other processes.
    let mut together = true;
    let outcome = thread::scope(|scope| {
        let running = loader.start(scope)?;
        let writer = Writer::start(scope);
        let mut steps = || {
            while trainer.step < plan.last_step {
                let begun = Instant::now();
                let learning_rate = plan.schedule.learning_rate(trainer.step);
                let done = &mut |count| log.piece(count, images);
                let part = trainer.accumulate(images, loader.pieces(), done);
                let whole = sum(trainer, &plan.ranks, part, loader.images())?;
                let Some((gradient, loss)) = whole else {
                    return Ok(Outcome::Interrupted);
                };
                let gradient_norm = trainer.apply(gradient, loss, learning_rate)?;
                let numbers = StepNumbers {
                    loss,
                    learning_rate,
                    gradient_norm,
                    images,
                };
                let logged = log.step(trainer, numbers, &loader, &writer, begun);
                logged
                    .and_then(|()| watch(trainer))
                    .inspect_err(|_| together = false)?;
                if plan.is_over() {
                    break;
                }
            }
            Ok(Outcome::Finished)
        };
        let outcome = steps();
        drop(running);
        log.close(trainer, &loader, writer, outcome)
    });
    if together {
        // The end of one process with an error ends all others, even one that still writes.
        plan.ranks.wait_for_all()?;
    }
    outcome
}

/// Sums the contributions of all processes. The result is `None` if a process was interrupted
/// before its contribution was complete: the step is taken again when the run is resumed.
///
/// # Errors
///
/// The error in `part`. [`Error::Ranks`] if another process has an error. All processes then leave
/// the run at the same step.
fn sum<B: Trains, T: Task<B>>(
    trainer: &Trainer<B, T>,
    ranks: &Ranks,
    part: Result<Part, Error>,
    expected: usize,
) -> Result<Option<(Gradient, f64)>, Error> {
    let stop = part.as_ref().is_ok_and(|part| part.images < expected);
    if ranks.count() == 1 {
        let part = part?;
        return Ok((!stop).then_some((part.gradient, part.loss)));
    }
    let failed = part.is_err();
    let (part, error) = match part {
        Ok(part) => (part, None),
        Err(error) => (Part::none(), Some(error)),
    };
    let mut values = Vec::new();
    part.gradient.flatten(&trainer.model, &mut values);
    let loss = part.loss;
    drop(part);
    // One `f32` does not hold all digits of the `f64` loss.
    let high = loss as f32;
    let low = (loss - f64::from(high)) as f32;
    let [stop, failed] = [stop, failed].map(|flag| f32::from(u8::from(flag)));
    let len = values.len();
    values.extend([high, low, stop, failed]);
    ranks.sum(&mut values)?;
    if let Some(error) = error {
        return Err(error);
    }
    if values[len + 3] > 0.0 {
        return Err(Error::Ranks(
            "another process has failed, see its message".to_owned(),
        ));
    }
    let loss = f64::from(values[len]) + f64::from(values[len + 1]);
    let gradient = Gradient::unflatten(&trainer.model, &values[..len], trainer.device());
    Ok((values[len + 2] == 0.0).then_some((gradient, loss)))
}
