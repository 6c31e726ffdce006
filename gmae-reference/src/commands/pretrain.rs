//! `pretrain`: trains on a folder of images.

use std::path::PathBuf;

use crate::backend::Trains;
use crate::config::Config;
use crate::data::{Dataset, Folder, FolderOptions, Transform};
use crate::error::Error;
use crate::files::{create_folder, expect_free};
use crate::terminal;
use crate::training::{
    CHECKPOINT, Checkpoint, METRICS, Outcome, Plan, Trainer, metrics, plan, train,
};

/// The data, the output folder and the end of a run.
#[derive(Clone, Debug)]
pub(super) struct Options {
    /// Folder of images.
    pub data: PathBuf,
    /// Folder for checkpoint and metrics.
    pub output: PathBuf,
    /// Whether to continue from the checkpoint in `output`.
    pub resume: bool,
    /// Number of steps after which the run stops and saves. The schedule does not depend on it.
    pub stop_at: Option<usize>,
}

/// Trains a model of `config` on `device`, or continues its training.
///
/// # Errors
///
/// An error that names the argument, setting or file at fault. No file is written before all inputs
/// have been checked.
pub(super) fn pretrain<B: Trains>(
    config: Config,
    options: &Options,
    device: B::Device,
) -> Result<Outcome, Error> {
    config.validate()?;
    let transform = Transform::training(config.image_size)?.with_scale(config.crop_scale, 1.0)?;
    let options_of_folder = FolderOptions {
        min_side: config.patch_size,
        ..FolderOptions::new(transform)
    };
    let data = Folder::open(&options.data, options_of_folder)?;
    for warning in data.warnings() {
        terminal::note(format_args!("warning: {warning}"));
    }
    let mut trainer = trainer::<B>(config, options, data.len(), device)?;
    create_folder(&options.output)?;
    let plan = plan(&config, &options.output, data.len(), options.stop_at);
    terminal::note(format_args!(
        "{} images, {} steps, from step {}; writing to {}",
        data.len(),
        plan.schedule.total_steps,
        trainer.step,
        options.output.display()
    ));
    // The first checkpoint is written before the first step, so that an unwritable output folder is
    // reported before training.
    trainer.checkpoint(data.len())?.save(&plan.checkpoint)?;
    let outcome = train(&mut trainer, &data, &plan, &mut |_| Ok(()));
    // Also after an error: an unusable image may explain it.
    for remark in data.remarks().into_iter().chain(data.summary()) {
        terminal::note(format_args!("warning: {remark}"));
    }
    let outcome = outcome?;
    summarise(&plan, outcome, &trainer)?;
    Ok(outcome)
}

/// Creates a new run, or restores the run of the checkpoint in the output folder.
fn trainer<B: Trains>(
    config: Config,
    options: &Options,
    images: usize,
    device: B::Device,
) -> Result<Trainer<B>, Error> {
    let path = options.output.join(CHECKPOINT);
    if !options.resume {
        let remedy = "or --resume to continue from that checkpoint";
        expect_free(&options.output, &[CHECKPOINT, METRICS], remedy)?;
        return Trainer::new_on(config, device);
    }
    let checkpoint = Checkpoint::load(&path)?;
    checkpoint.expect(&config, &path)?;
    if checkpoint.header.images != images {
        return Err(Error::Argument {
            argument: "--data",
            expected: format!(
                "the {} images of the original run",
                checkpoint.header.images
            ),
            got: format!("{images} images"),
        });
    }
    Trainer::resume_on(&checkpoint, &path, device)
}

fn summarise<B: Trains>(plan: &Plan, outcome: Outcome, trainer: &Trainer<B>) -> Result<(), Error> {
    let records = metrics::read(&plan.metrics)?;
    let word = match outcome {
        Outcome::Finished => "finished",
        Outcome::Interrupted => "interrupted",
    };
    let (Some(first), Some(last)) = (records.first(), records.last()) else {
        let step = trainer.step;
        return terminal::line(format_args!(
            "nothing to do: the run is at step {step} already"
        ));
    };
    terminal::line(format_args!(
        "{word} at step {} of {}: loss {:.4} at step {}, {:.4} at step {}; checkpoint {}",
        trainer.step,
        plan.schedule.total_steps,
        first.loss,
        first.step,
        last.loss,
        last.step,
        plan.checkpoint.display()
    ))
}
