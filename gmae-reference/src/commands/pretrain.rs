//! `pretrain`: trains on a folder of images.

use std::path::PathBuf;
use std::time::Duration;

use crate::backend::Trains;
use crate::config::Config;
use crate::data::{Dataset, Folder, FolderOptions, Transform};
use crate::error::Error;
use crate::files::expect_free;
use crate::terminal;
use crate::training::{
    Checkpoint, DataId, FILES, LoaderOptions, METRICS, Outcome, Plan, Ranks, Trainer, metrics,
    train,
};

/// The data, the output folder and the end of a run.
#[derive(Clone, Debug)]
pub(super) struct Options {
    /// Folder of images.
    pub data: PathBuf,
    /// Folder for the checkpoint and the metrics.
    pub output: PathBuf,
    /// The state from which the run starts.
    pub start: Start,
    /// Number of steps after which the run stops and saves. The schedule does not depend on it.
    pub stop_at: Option<usize>,
    /// Time between two checkpoints.
    pub save_interval: Duration,
    /// Number of epochs between two snapshots that are kept, or 0 for none.
    pub snapshot_epochs: usize,
    /// Threads and memory for reading images.
    pub loader: LoaderOptions,
    /// Number of images that are used, or `None` for all.
    pub images: Option<usize>,
    /// Whether large JPEG files are decoded at a fraction of their size.
    pub reduced_jpeg: bool,
}

/// The state from which a run starts.
#[derive(Clone, Debug)]
pub(super) enum Start {
    /// Initial weights.
    New,
    /// The weights of another run or of an imported model.
    Weights(PathBuf),
    /// The checkpoint in the output folder.
    Resume {
        /// Whether the data can differ from those of the original run.
        other_data: bool,
    },
}

/// Trains a model of `config` on `device`, or continues its training.
///
/// # Errors
///
/// An error that names the argument, setting or file at fault. Besides the folder and its lock, no
/// file is written before all inputs have been checked.
pub(super) fn pretrain<B: Trains>(
    config: Config,
    options: &Options,
    ranks: &Ranks,
    device: B::Device,
) -> Result<Outcome, Error> {
    config.validate()?;
    let data = open(config, options, ranks)?;
    if !matches!(options.start, Start::Resume { .. }) {
        let remedy = "or --resume to continue from that checkpoint";
        expect_free(&options.output, &[&FILES[..], &[METRICS]].concat(), remedy)?;
    } else if !options.output.is_dir() {
        // Reports the missing folder, and does not create it.
        Checkpoint::load(&options.output)?;
    }
    if let Start::Weights(path) = &options.start {
        Checkpoint::load(path)?.expect_shape(&config)?;
    }
    let mut plan = Plan::of(&config, &options.output, data.len(), ranks.clone())?;
    if ranks.writes() {
        // The folder is repaired. The other processes wait for this before they read it.
        ranks.wait_for_all()?;
    }
    let mut trainer = trainer::<B>(config, options, &data, &plan, device)?;
    if ranks.count() > 1 {
        ranks.expect_same(&trainer.digest(&DataId::of(&data)))?;
    }
    plan = plan.stop_at(options.stop_at.unwrap_or(usize::MAX));
    plan.save_interval = options.save_interval;
    plan.snapshot_epochs = options.snapshot_epochs;
    plan.loader = options.loader;
    if ranks.writes() {
        terminal::note(format_args!(
            "{} images, {} steps, from step {}; writing to {}",
            data.len(),
            plan.schedule.total_steps,
            trainer.step,
            options.output.display()
        ));
    }
    let outcome = train(&mut trainer, &data, &plan, &mut |_| Ok(()));
    // Also after an error: an unusable image may explain it.
    for summary in data.summary() {
        terminal::note(format_args!("warning: {summary}"));
    }
    let outcome = outcome?;
    if ranks.writes() {
        summarise(&plan, outcome, &trainer)?;
    }
    Ok(outcome)
}

/// Opens the folder of images and warns of skipped content and doubtful settings.
fn open(config: Config, options: &Options, ranks: &Ranks) -> Result<Folder, Error> {
    let transform = Transform::training(config.image_size)?.with_scale(config.crop_scale, 1.0)?;
    let options_of_folder = FolderOptions {
        min_side: config.patch_size,
        reduced_jpeg: options.reduced_jpeg,
        images: options.images,
        ..FolderOptions::new(transform)
    };
    let data = Folder::open(&options.data, options_of_folder)?;
    if ranks.writes() {
        for warning in data
            .warnings()
            .into_iter()
            .chain(doubts(&config, data.len()))
        {
            terminal::note(format_args!("warning: {warning}"));
        }
    }
    Ok(data)
}

/// Describes settings that are valid but probably a mistake for a run over `images` images.
fn doubts(config: &Config, images: usize) -> Vec<String> {
    let Config {
        batch_size,
        epochs,
        warmup_epochs,
        ..
    } = config;
    let mut doubts = Vec::new();
    if images < *batch_size {
        doubts.push(format!(
            "{images} images do not fill a batch of {batch_size}: each step has all images, at the \
             learning rate of the whole batch"
        ));
    }
    if *warmup_epochs > *epochs as f64 {
        doubts.push(format!(
            "the warm-up of {warmup_epochs} epochs is longer than the run of {epochs}: the learning \
             rate does not reach its peak"
        ));
    }
    doubts
}

/// Creates a new run, or restores the run of the checkpoint in the output folder.
fn trainer<B: Trains>(
    config: Config,
    options: &Options,
    data: &Folder,
    plan: &Plan,
    device: B::Device,
) -> Result<Trainer<B>, Error> {
    let other_data = match &options.start {
        Start::New => return Trainer::new_on(config, device),
        Start::Weights(path) => {
            return Trainer::start_from(&Checkpoint::load(path)?, config, device);
        }
        Start::Resume { other_data } => *other_data,
    };
    let checkpoint = Checkpoint::load(&options.output)?;
    checkpoint.expect(&config)?;
    let state = checkpoint.expect_state()?;
    let got = DataId::of(data);
    if state.data != got {
        let expected = &state.data;
        let refused = Error::Argument {
            argument: "--data",
            expected: format!("the data of the original run, {expected}, or --accept-other-data"),
            got: got.to_string(),
        };
        if !other_data {
            return Err(refused);
        }
        let (old, new) = (state.schedule.total_steps, plan.schedule.total_steps);
        if state.step > new {
            return Err(Error::Argument {
                argument: "--data",
                expected: format!("data for a run of at least {} steps", state.step),
                got: format!("{got}, for {new} steps"),
            });
        }
        terminal::note(format_args!("warning: {refused}"));
        terminal::note(format_args!(
            "warning: the learning rate follows a schedule of {new} steps, instead of {old}"
        ));
    }
    Trainer::resume_on(&checkpoint, device)
}

fn summarise<B: Trains>(plan: &Plan, outcome: Outcome, trainer: &Trainer<B>) -> Result<(), Error> {
    let records = metrics::read(&plan.metrics())?;
    let word = match outcome {
        Outcome::Finished => "finished",
        Outcome::Interrupted => "interrupted",
    };
    let (Some(first), Some(last)) = (records.first(), records.last()) else {
        let step = trainer.step;
        return terminal::line(format_args!("{word} at step {step}: no step was taken"));
    };
    terminal::line(format_args!(
        "{word} at step {} of {}: loss {:.4} at step {}, {:.4} at step {}; checkpoint {}",
        trainer.step,
        plan.schedule.total_steps,
        first.loss,
        first.step,
        last.loss,
        last.step,
        plan.folder.display()
    ))
}
