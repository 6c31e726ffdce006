//! The command line.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use super::arguments::{
    Ablate, BsdsEval, Convert, Demo, Encode, Export, Import, Pretrain, Probe, Reconstruct,
};
use super::reading::{Edges, Evaluate, Layers, Objects};
use super::tuning::{Finetune, Supervised};
use super::{
    ablate, boundaries, demo, edges, encode, evaluate, finetune, layers, objects, pretrain, probe,
    reconstruct, weights,
};
#[cfg(any(feature = "wgpu", feature = "cuda"))]
use crate::backend;
use crate::backend::{Cpu, Device, Place, Trains};
use crate::error::Error;
use crate::evaluation::segmentation::Task;
use crate::terminal::{self, interrupt};
use crate::training::{Checkpoint, Outcome, Ranks};

/// The exit code of a failed command.
const FAILED: u8 = 2;

/// Runs the program: parses the command line, runs the command, and reports an error in one line.
pub fn main() -> ExitCode {
    let outcome = Cli::parse().run();
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
    /// Train on a folder of images
    Pretrain(Pretrain),
    /// Hide part of an image, reconstruct it, and write four pictures; or measure the
    /// reconstructions of a folder of images
    Reconstruct(Reconstruct),
    /// Classify images by the features of encoders: ridge regression, linear probe, neighbours
    Probe(Probe),
    /// Train classifiers from encoders and measure their accuracy; or with --task box, predict the
    /// box of the object of an image, a proxy for detection on COCO
    Finetune(Finetune),
    /// Train a classifier of the same network from its initial weights
    Supervised(Supervised),
    /// Train and measure every row of a table, with several seeds
    Ablate(Ablate),
    /// Take images apart into layers of depth: a report with a slider, and label maps
    Layers(Layers),
    /// Separate figure and ground by layers of depth and score the masks
    FigureGround(Objects),
    /// Find the box of an object by layers of depth and score the boxes
    Detect(Objects),
    /// Draw the boundaries between layers of depth: one map for each image of a folder
    Edges(Edges),
    /// Read layers, figures, boxes and edges of several models, on all data that are given, and
    /// write one report
    Evaluate(Evaluate),
    /// Evaluate edge maps on the boundary benchmark of BSDS500
    BsdsEval(BsdsEval),
    /// Write the encoder's tokens of whole images to a safetensors file
    Encode(Encode),
    /// Create a model from the encoder of a public checkpoint: MAE, or a Vision Transformer of timm
    Import(Import),
    /// Write the weights to one safetensors file, with the names of timm and MAE
    Export(Export),
    /// Convert a checkpoint.gmae of the first format to the folder of a run
    Convert(Convert),
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
            Self::Demo(demo) => {
                alone()?;
                interrupt::install()?;
                demo::demo::<B>(
                    demo.overrides.apply(demo.config.config()),
                    demo.seconds,
                    &demo.output,
                    &device,
                )
            }
            Self::Pretrain(arguments) => together(|ranks| {
                interrupt::install()?;
                if !ranks.writes() {
                    // The writing process first repairs the folder after a kill.
                    ranks.wait_for_all()?;
                }
                let config = arguments.settings()?;
                pretrain::pretrain::<B>(config, &arguments.options(), ranks, device)
            }),
            Self::Reconstruct(arguments) => {
                alone()?;
                reconstruct::run::<B>(arguments, &device)
            }
            Self::Probe(arguments) => interruptible(|| probe::probe::<B>(arguments, &device)),
            Self::Finetune(arguments) => {
                interruptible(|| finetune::finetune::<B>(&arguments, &device))
            }
            Self::Supervised(arguments) => {
                interruptible(|| finetune::supervised::<B>(arguments, &device))
            }
            Self::Ablate(arguments) => interruptible(|| ablate::ablate::<B>(arguments, &device)),
            Self::Layers(arguments) => interruptible(|| layers::run::<B>(&arguments, &device)),
            Self::FigureGround(arguments) => {
                interruptible(|| objects::run::<B>(&arguments, Task::Segmentation, &device))
            }
            Self::Detect(arguments) => {
                interruptible(|| objects::run::<B>(&arguments, Task::Detection, &device))
            }
            Self::Edges(arguments) => interruptible(|| edges::run::<B>(&arguments, &device)),
            Self::Evaluate(arguments) => interruptible(|| evaluate::run::<B>(&arguments, &device)),
            Self::BsdsEval(arguments) => interruptible(|| boundaries::evaluate(&arguments)),
            Self::Encode(Encode {
                checkpoint,
                image,
                output,
            }) => encode::encode::<B>(&Checkpoint::load(&checkpoint)?, &image, &output, &device),
            Self::Import(arguments) => weights::import(
                &arguments.from,
                &arguments.output,
                arguments.config.config(),
                &arguments.overrides,
            ),
            Self::Export(arguments) => {
                let checkpoint = Checkpoint::load(&arguments.checkpoint)?;
                weights::write(&checkpoint, arguments.encoder_only, &arguments.output)
            }
            Self::Convert(arguments) => weights::convert(&arguments.checkpoint, &arguments.output),
        }
    }
}

/// Runs a command in this process, which may be one of several that train together.
#[cfg(feature = "mpi")]
fn together(command: impl FnOnce(&Ranks) -> Result<Outcome, Error>) -> Result<Outcome, Error> {
    if processes() == 1 {
        return command(&Ranks::alone());
    }
    let connection = crate::mpi::Connection::open(processes())?;
    let outcome = command(&connection.ranks());
    if let Err(error) = &outcome {
        // The other processes would wait for this one.
        terminal::note(format_args!("error: {error}"));
        connection.abort(FAILED);
    }
    outcome
}

/// Runs a command in this process.
///
/// # Errors
///
/// [`Error::Ranks`] if several processes were started together: each would train by itself.
#[cfg(not(feature = "mpi"))]
fn together(command: impl FnOnce(&Ranks) -> Result<Outcome, Error>) -> Result<Outcome, Error> {
    match processes() {
        1 => command(&Ranks::alone()),
        count => Err(Error::Ranks(format!(
            "{count} were started, expected 1, or a program built with --features mpi"
        ))),
    }
}

/// Runs a command that can be interrupted, in a process that was started by itself.
fn interruptible(command: impl FnOnce() -> Result<Outcome, Error>) -> Result<Outcome, Error> {
    alone()?;
    interrupt::install()?;
    command()
}

/// Checks that this process was started by itself.
///
/// # Errors
///
/// [`Error::Ranks`] if several processes were started together.
fn alone() -> Result<(), Error> {
    match processes() {
        1 => Ok(()),
        count => Err(Error::Ranks(format!(
            "{count} were started, expected 1: only pretrain uses several"
        ))),
    }
}

/// Returns the number of processes that a launcher of MPI has started together, by the variables
/// that Open MPI, MPICH and Slurm set.
fn processes() -> usize {
    let names = ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"];
    let count = |name| std::env::var(name).ok()?.parse().ok();
    names.into_iter().find_map(count).unwrap_or(1)
}
