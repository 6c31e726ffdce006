//! The command line.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use super::{demo, encode, pretrain, reconstruct, weights};
#[cfg(any(feature = "wgpu", feature = "cuda"))]
use crate::backend;
use crate::backend::{Cpu, Device, Place, Trains};
use crate::config::{Config, Overrides, Preset};
use crate::error::Error;
use crate::terminal::{self, interrupt};
use crate::training::{Checkpoint, LoaderOptions, Outcome, Ranks, settings};

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
    /// Hide part of an image, reconstruct it, and write four pictures
    Reconstruct(Reconstruct),
    /// Write the encoder's tokens of whole images to a safetensors file
    Encode(Encode),
    /// Create a model from the encoder of a public checkpoint: MAE, or a Vision Transformer of timm
    Import(Import),
    /// Write the weights to one safetensors file, with the names of timm and MAE
    Export(Export),
    /// Convert a checkpoint.gmae of the first format to the folder of a run
    Convert(Convert),
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
    /// Folder of JPEG, PNG, WebP, GIF, BMP or TIFF images, or of tar archives of images; subfolders
    /// are included
    #[arg(long)]
    data: PathBuf,
    /// Number of images to use, spread evenly over the folder. The default is all
    #[arg(long, value_name = "COUNT")]
    images: Option<usize>,
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
    /// With --resume: continue although the data are not those of the original run. The order of
    /// the images then differs from that of an uninterrupted run
    #[arg(long, requires = "resume")]
    accept_other_data: bool,
    /// Start from the weights in this folder, of a run or of an import. The settings are those of
    /// the folder; flags replace settings that do not shape the model
    #[arg(long, value_name = "FOLDER", conflicts_with = "resume")]
    init: Option<PathBuf>,
    /// Stop after this step and save a checkpoint
    #[arg(long, value_name = "STEP")]
    stop_at: Option<usize>,
    /// Time between two checkpoints, in seconds. They are written while the steps go on
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    save_interval: u64,
    /// Number of epochs between two snapshots that are kept in the folder snapshots. The last epoch
    /// is also kept, and the best of the kept epochs, with the lowest mean loss. 0 keeps none
    #[arg(long, value_name = "EPOCHS", default_value_t = 0)]
    snapshot_epochs: usize,
    /// Threads that read and decode images ahead of the steps; 0 for one per core
    #[arg(long, value_name = "THREADS", default_value_t = 0)]
    loader_threads: usize,
    /// Memory for decoded images that wait for a step, in MiB. Each thread needs further memory for
    /// the image that it decodes: up to 512 MiB for the file, and as much for each decoded copy
    #[arg(long, value_name = "MIB", default_value_t = 256)]
    loader_memory: usize,
    /// Decode large JPEG files at 1/2, 1/4 or 1/8 of their size, if the crop still has enough
    /// pixels. Faster for photographs of several megapixels; pixels differ from those of full
    /// decoding by 2 to 4 of 255 on average
    #[arg(long)]
    reduced_jpeg: bool,
    #[command(flatten)]
    overrides: Overrides,
}

#[derive(Args, Debug)]
struct Reconstruct {
    /// Folder of a run of demo or pretrain, or of a snapshot
    #[arg(long, value_name = "FOLDER")]
    checkpoint: PathBuf,
    /// Image to reconstruct: JPEG, PNG, WebP, GIF, BMP or TIFF
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

#[derive(Args, Debug)]
struct Encode {
    /// Folder of a run, of a snapshot or of an import
    #[arg(long, value_name = "FOLDER")]
    checkpoint: PathBuf,
    /// Images to encode
    #[arg(long, num_args = 1.., required = true)]
    image: Vec<PathBuf>,
    /// The file to be written: tokens [B, 1 + N, D] with the CLS token first, and images [B, H, W,
    /// 3]
    #[arg(long, value_name = "FILE")]
    output: PathBuf,
}

#[derive(Args, Debug)]
struct Import {
    /// The checkpoint: a .pth or .safetensors file
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    /// Folder for the model. The encoder is that of the file; the decoder has initial weights
    #[arg(long, value_name = "FOLDER")]
    output: PathBuf,
    /// Preset for all settings that the file does not state
    #[arg(long, value_enum, default_value = "base")]
    config: Preset,
    #[command(flatten)]
    overrides: Overrides,
}

#[derive(Args, Debug)]
struct Export {
    /// Folder of a run, of a snapshot or of an import
    #[arg(long, value_name = "FOLDER")]
    checkpoint: PathBuf,
    /// Write only the encoder, which timm's Vision Transformers can load
    #[arg(long)]
    encoder_only: bool,
    /// The file to be written, which must not exist
    #[arg(long, value_name = "FILE")]
    output: PathBuf,
}

#[derive(Args, Debug)]
struct Convert {
    /// The file of the first format
    #[arg(long, value_name = "FILE")]
    checkpoint: PathBuf,
    /// Folder for the converted run; metrics.jsonl beside the file is converted too
    #[arg(long, value_name = "FOLDER")]
    output: PathBuf,
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
                let checkpoint = Checkpoint::load(&arguments.checkpoint)?;
                let base = arguments.config.map_or(checkpoint.config, Preset::config);
                checkpoint.expect(&arguments.overrides.apply(base))?;
                let options = reconstruct::Options {
                    checkpoint: arguments.checkpoint,
                    image: arguments.image,
                    output: arguments.output,
                    mask_seed: arguments.mask_seed,
                };
                reconstruct::reconstruct::<B>(&checkpoint, &options, &device)
            }
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
                weights::export(&checkpoint, arguments.encoder_only, &arguments.output)
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

impl Pretrain {
    /// Returns the settings of the run. A run that continues, or starts from weights, has the
    /// settings of that checkpoint. If a preset or a flag is also given, a later check compares it
    /// with the checkpoint.
    fn settings(&self) -> Result<Config, Error> {
        let checkpoint = match &self.init {
            Some(folder) => Some(folder),
            None => self.resume.then_some(&self.output),
        };
        let base = match (self.config, checkpoint) {
            (Some(preset), _) => preset.config(),
            (None, None) => Preset::Nano.config(),
            (None, Some(folder)) => settings(folder)?,
        };
        Ok(self.overrides.apply(base))
    }

    fn options(self) -> pretrain::Options {
        pretrain::Options {
            start: match self.init {
                Some(folder) => pretrain::Start::Weights(folder),
                None if self.resume => pretrain::Start::Resume {
                    other_data: self.accept_other_data,
                },
                None => pretrain::Start::New,
            },
            data: self.data,
            images: self.images,
            output: self.output,
            stop_at: self.stop_at,
            save_interval: Duration::from_secs(self.save_interval),
            snapshot_epochs: self.snapshot_epochs,
            loader: LoaderOptions {
                threads: self.loader_threads,
                memory: self.loader_memory.saturating_mul(1 << 20),
            },
            reduced_jpeg: self.reduced_jpeg,
        }
    }
}
