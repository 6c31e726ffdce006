//! The training of one model from an encoder, in a folder, from the beginning or from where it
//! stopped.

use std::path::Path;

use burn::module::AutodiffModule;

use super::continued::continued;
use crate::backend::Trains;
use crate::config::{Config, Tuning};
use crate::data::Dataset;
use crate::error::Error;
use crate::training::{Checkpoint, Decay, LoaderOptions, Outcome, Plan, Task, Trainer, train};

/// The weights with which the training begins.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Start<'a> {
    /// The encoder of a checkpoint.
    Encoder(&'a Checkpoint),
    /// Initial weights.
    Scratch,
}

/// Trains a model with the settings `tuning` and returns it. A run in `folder` is continued. The
/// learning rate falls linearly after the warm-up.
///
/// The result is `None` if the run was interrupted.
///
/// # Errors
///
/// [`Error::Setting`] if a setting is out of range, or if patches are masked.
/// [`Error::OtherConfig`] or [`Error::Checkpoint`] if the run in `folder` has another kind of
/// model, other settings, other data or other initial weights. [`Error::OtherConfig`] if the
/// encoder has another shape. Any error of training or of files.
pub(super) fn tuned<B: Trains, T: Task<B>>(
    start: Start,
    config: Config,
    tuning: Tuning,
    data: &dyn Dataset,
    folder: &Path,
    loader: LoaderOptions,
    device: &B::Device,
) -> Result<Option<T::Inner>, Error> {
    config.validate()?;
    tuning.validate()?;
    if config.mask_ratio != 0.0 {
        return Err(Error::Setting {
            name: "mask-ratio".to_owned(),
            expected: format!(
                "0 for {}, which sees every patch",
                Tuning::kind_of(Some(tuning))
            ),
            got: config.mask_ratio.to_string(),
        });
    }
    let tuning = tuning.starting_from(match start {
        Start::Encoder(checkpoint) => checkpoint.fingerprint(),
        Start::Scratch => None,
    });
    let mut plan = Plan::new(&config, folder, data.len())?;
    plan.schedule.decay = Decay::Linear;
    plan.loader = loader;
    let old = continued(folder, &config, Some(tuning), data)?;
    let device = device.clone();
    let mut trainer = match (old, start) {
        (Some(checkpoint), _) => Trainer::<B, T>::resume_on(&checkpoint, device)?,
        (None, Start::Encoder(checkpoint)) => {
            Trainer::finetune(checkpoint, config, tuning, device)?
        }
        (None, Start::Scratch) => Trainer::of(config, Some(tuning), device)?,
    };
    let outcome = train(&mut trainer, data, &plan, &mut |_| Ok(()))?;
    Ok((outcome == Outcome::Finished).then(|| trainer.model.valid()))
}
