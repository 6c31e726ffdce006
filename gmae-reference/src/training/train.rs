//! The training loop.

use std::thread;
use std::time::Instant;

use super::checkpoint::Writer;
use super::gradient::Gradient;
use super::loader::{Loader, Part};
use super::log::{Log, Numbers};
use super::plan::{Outcome, Plan};
use super::ranks::Ranks;
use super::sampling::Sampler;
use super::trainer::Trainer;
use crate::backend::Trains;
use crate::data::Dataset;
use crate::error::Error;
use crate::terminal::interrupt;

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
    let config = trainer.config;
    let images = Sampler::new(config, data.len()).images_per_step();
    let part = Part {
        steps: trainer.step..plan.last_step,
        images: plan.ranks.part(images),
    };
    let loader = Loader::new(config, data, part, &plan.loader);
    let mut log = Log::open(trainer, data, plan)?;
    thread::scope(|scope| {
        loader.start(scope);
        let writer = Writer::start(scope);
        let mut steps = || {
            while trainer.step < plan.last_step {
                let begun = Instant::now();
                let learning_rate = plan.schedule.learning_rate(trainer.step);
                let done = &mut |count| log.piece(count, images);
                let (gradient, loss) = trainer.accumulate(images, loader.pieces(), done)?;
                let Some((gradient, loss)) = sum(trainer, &plan.ranks, gradient, loss)? else {
                    return Ok(Outcome::Interrupted);
                };
                let gradient_norm = trainer.apply(gradient, loss, learning_rate)?;
                let numbers = Numbers {
                    loss,
                    learning_rate,
                    gradient_norm,
                    images,
                };
                log.step(trainer, numbers, &loader, &writer, begun)?;
                watch(trainer)?;
                if plan.deadline.is_some_and(|end| Instant::now() >= end) {
                    break;
                }
            }
            Ok(Outcome::Finished)
        };
        let outcome = steps();
        loader.stop();
        log.close(trainer, &loader, writer, outcome)
    })
}

/// Sums gradient and loss over all processes. The result is `None` if one of them is to stop: the
/// step is then not complete, and is taken again when the run is resumed.
fn sum<B: Trains>(
    trainer: &Trainer<B>,
    ranks: &Ranks,
    gradient: Gradient,
    loss: f64,
) -> Result<Option<(Gradient, f64)>, Error> {
    let stop = interrupt::requested();
    if ranks.count() == 1 {
        return Ok((!stop).then_some((gradient, loss)));
    }
    let mut values = Vec::new();
    gradient.flatten(&trainer.model, &mut values);
    // The loss has more digits than one `f32` holds.
    let high = loss as f32;
    let low = (loss - f64::from(high)) as f32;
    let len = values.len();
    values.extend([high, low, f32::from(u8::from(stop))]);
    ranks.sum(&mut values)?;
    let loss = f64::from(values[len]) + f64::from(values[len + 1]);
    let gradient = Gradient::unflatten(&trainer.model, &values[..len], trainer.device());
    Ok((values[len + 2] == 0.0).then_some((gradient, loss)))
}
