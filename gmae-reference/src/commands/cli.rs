//! The command line.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use super::{demo, pretrain, reconstruct};
#[cfg(any(feature = "wgpu", feature = "cuda"))]
use crate::backend;
use crate::backend::{Cpu, Device, Place, Trains};
use crate::config::{Config, Overrides, Preset};
use crate::error::Error;
use crate::terminal::{self, interrupt};
use crate::training::{CHECKPOINT, Checkpoint, Outcome};

/// The exit code of a failed command.
const FAILED: u8 = 2;

/// Runs the program: parses the command line, runs the command, and reports an error in one line.
pub fn main() -> ExitCode {
    let outcome = interrupt::install().and_then(|()| Cli::parse().run());
    match outcome {
        Ok(Outcome::Finished) => ExitCode::SUCCESS,
        Ok(Outcome::Interrupted) => ExitCode::from(interrupt::EXIT_CODE),
        Err(error) => {
            terminal::note(format_args!("error: {error}"));
            ExitCode::from(FAILED)
        }
    }
}

/// Train Gaussian masked autoencoders and reconstruct images with them
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true, args_override_self = true)]
pub(super) struct Cli {
    /// Device for training and rendering
    #[arg(long, value_enum, default_value = "cpu", global = true)]
    device: Place,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Train the nano preset on procedural images for about two minutes and write a report; needs
    /// no data
    Demo(Demo),
    /// Train on a folder of JPEG and PNG images
    Pretrain(Pretrain),
    /// Hide part of an image, reconstruct it, and write four pictures
    Reconstruct(Reconstruct),
}

#[derive(Args, Debug)]
struct Demo {
    /// Folder for the report, the checkpoint and the metrics; the files of an earlier demo are
    /// replaced
    #[arg(long, default_value = "out/demo")]
    output: PathBuf,
    /// Approximate duration of the training in seconds
    #[arg(long, default_value_t = 110.0, allow_negative_numbers = true)]
    seconds: f64,
    /// Base preset; the settings below replace its values
    #[arg(long, value_enum, default_value = "nano")]
    config: Preset,
    #[command(flatten)]
    overrides: Overrides,
}

#[derive(Args, Debug)]
struct Pretrain {
    /// Folder of images; subfolders are included
    #[arg(long)]
    data: PathBuf,
    /// Folder for the checkpoint and the metrics
    #[arg(long, default_value = "out/pretrain")]
    output: PathBuf,
    /// Base preset; the settings below replace its values. The default is nano, or the settings of
    /// the checkpoint with --resume
    #[arg(long, value_enum)]
    config: Option<Preset>,
    /// Continue from the checkpoint in the output folder
    #[arg(long)]
    resume: bool,
    /// Stop after this step and save a checkpoint
    #[arg(long, value_name = "STEP")]
    stop_at: Option<usize>,
    #[command(flatten)]
    overrides: Overrides,
}

#[derive(Args, Debug)]
struct Reconstruct {
    /// Checkpoint file written by demo or pretrain
    #[arg(long)]
    checkpoint: PathBuf,
    /// Image to reconstruct, a JPEG or PNG file
    #[arg(long)]
    image: PathBuf,
    /// Folder for the pictures; the pictures of an earlier reconstruct are replaced
    #[arg(long, default_value = "out/reconstruct")]
    output: PathBuf,
    /// Preset that the checkpoint must agree with; if absent, every checkpoint is accepted
    #[arg(long, value_enum)]
    config: Option<Preset>,
    /// Seed of the random mask
    #[arg(long, default_value_t = 0)]
    mask_seed: u64,
    #[command(flatten)]
    overrides: Overrides,
}

impl Cli {
    /// Runs the command.
    ///
    /// # Errors
    ///
    /// The error of the command.
    pub(super) fn run(self) -> Result<Outcome, Error> {
        match self.device {
            Place::Cpu => self.command.run_on::<Cpu>(Device::default()),
            #[cfg(feature = "wgpu")]
            Place::Wgpu => self
                .command
                .run_on::<backend::Wgpu>(backend::find::<backend::Wgpu>()?),
            #[cfg(not(feature = "wgpu"))]
            Place::Wgpu => Err(self.device.missing()),
            #[cfg(feature = "cuda")]
            Place::Cuda => self
                .command
                .run_on::<backend::Cuda>(backend::find::<backend::Cuda>()?),
            #[cfg(not(feature = "cuda"))]
            Place::Cuda => Err(self.device.missing()),
        }
    }
}

impl Command {
    fn run_on<B: Trains>(self, device: B::Device) -> Result<Outcome, Error> {
        match self {
            Self::Demo(demo) => demo::demo::<B>(
                demo.overrides.apply(demo.config.config()),
                demo.seconds,
                &demo.output,
                &device,
            ),
            Self::Pretrain(arguments) => {
                let config = arguments.settings()?;
                let options = pretrain::Options {
                    data: arguments.data,
                    output: arguments.output,
                    resume: arguments.resume,
                    stop_at: arguments.stop_at,
                };
                pretrain::pretrain::<B>(config, &options, device)
            }
            Self::Reconstruct(arguments) => {
                let checkpoint = Checkpoint::load(&arguments.checkpoint)?;
                let base = arguments
                    .config
                    .map_or(checkpoint.header.config, Preset::config);
                checkpoint.expect(&arguments.overrides.apply(base), &arguments.checkpoint)?;
                let options = reconstruct::Options {
                    checkpoint: arguments.checkpoint,
                    image: arguments.image,
                    output: arguments.output,
                    mask_seed: arguments.mask_seed,
                };
                reconstruct::reconstruct::<B>(&checkpoint, &options, &device)
            }
        }
    }
}

impl Pretrain {
    /// Returns the settings of the run. A resumed run starts from the settings of its checkpoint.
    /// If a preset or a flag is also given, a later check compares it with the checkpoint.
    fn settings(&self) -> Result<Config, Error> {
        let base = match (self.config, self.resume) {
            (Some(preset), _) => preset.config(),
            (None, false) => Preset::Nano.config(),
            (None, true) => {
                Checkpoint::load(&self.output.join(CHECKPOINT))?
                    .header
                    .config
            }
        };
        Ok(self.overrides.apply(base))
    }
}
