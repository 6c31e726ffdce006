//! The training of one classifier in a folder, from the beginning or from where it stopped.

use std::path::Path;

use burn::module::AutodiffModule;

use super::continued::continued;
use super::labelled::LabelledImages;
use crate::backend::Trains;
use crate::config::{Config, Finetuning};
use crate::data::Dataset;
use crate::error::Error;
use crate::evaluation::classify::top1;
use crate::evaluation::probe::Accuracy;
use crate::terminal::Bar;
use crate::training::{
    Checkpoint, Classification, Decay, LoaderOptions, Outcome, Plan, Trainer, train,
};

/// The weights with which the training of a classifier begins.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Start<'a> {
    /// The encoder of a checkpoint.
    Encoder(&'a Checkpoint),
    /// Initial weights.
    Scratch,
}

/// Trains a classifier and measures its accuracy on the test images. A run in `folder` is
/// continued. The learning rate falls linearly after the warm-up.
///
/// The result is `None` if the run was interrupted.
///
/// # Errors
///
/// [`Error::Setting`] if a setting is out of range, or if patches are masked.
/// [`Error::OtherConfig`] or [`Error::Checkpoint`] if the run in `folder` has other settings, other
/// data or other initial weights. [`Error::OtherConfig`] if the encoder has another shape. Any
/// error of training or of files.
pub(crate) fn train_classifier<B: Trains>(
    start: Start,
    config: Config,
    finetuning: Finetuning,
    images: &LabelledImages,
    folder: &Path,
    loader: LoaderOptions,
    device: &B::Device,
) -> Result<Option<Accuracy>, Error> {
    config.validate()?;
    finetuning.validate()?;
    if config.mask_ratio != 0.0 {
        return Err(Error::Setting {
            name: "mask-ratio".to_owned(),
            expected: "0 for a classifier, which sees every patch".to_owned(),
            got: config.mask_ratio.to_string(),
        });
    }
    let finetuning = Finetuning {
        start: match start {
            Start::Encoder(checkpoint) => checkpoint.fingerprint(),
            Start::Scratch => None,
        },
        ..finetuning
    };
    let mut plan = Plan::new(&config, folder, images.train.len())?;
    plan.schedule.decay = Decay::Linear;
    plan.loader = loader;
    let old = continued(folder, &config, Some(finetuning), &images.train)?;
    let device = device.clone();
    let mut trainer: Trainer<B, Classification> = match (old, start) {
        (Some(checkpoint), _) => Trainer::resume_on(&checkpoint, device)?,
        (None, Start::Encoder(checkpoint)) => {
            Trainer::finetune(checkpoint, config, finetuning, device)?
        }
        (None, Start::Scratch) => Trainer::of(config, Some(finetuning), device)?,
    };
    let outcome = train(&mut trainer, &images.train, &plan, &mut |_| Ok(()))?;
    if outcome == Outcome::Interrupted {
        return Ok(None);
    }
    let mut bar = Bar::new("testing");
    top1(
        &config,
        &trainer.model.valid(),
        &images.test,
        &mut |done, total| bar.show(done, total),
    )
}
