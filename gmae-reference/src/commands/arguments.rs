//! The arguments of every command.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::pretrain;
use crate::bsds::Baseline;
use crate::config::{Config, Overrides, Preset};
use crate::error::Error;
use crate::evaluation::judge::Probe as Kind;
use crate::experiment::LabelledFolders;
use crate::training::{LoaderOptions, settings};

#[derive(Args, Debug)]
pub(super) struct Demo {
    /// Folder for the report, the checkpoint and the metrics; the files of an earlier demo are
    /// replaced
    #[arg(long, default_value = "out/demo")]
    pub(super) output: PathBuf,
    /// Approximate duration of the training in seconds
    #[arg(long, default_value_t = 110.0, allow_negative_numbers = true)]
    pub(super) seconds: f64,
    /// Base preset; the settings below replace its values
    #[arg(long, value_enum, default_value = "nano")]
    pub(super) config: Preset,
    #[command(flatten)]
    pub(super) overrides: Overrides,
}

#[derive(Args, Debug)]
pub(super) struct Pretrain {
    /// Folder of JPEG, PNG, WebP, GIF, BMP or TIFF images, or of tar archives of images; subfolders
    /// are included
    #[arg(long)]
    pub(super) data: PathBuf,
    /// Number of images to use, spread evenly over the folder. The default is all
    #[arg(long, value_name = "COUNT", allow_negative_numbers = true)]
    pub(super) images: Option<usize>,
    /// Folder for the checkpoint and the metrics
    #[arg(long, default_value = "out/pretrain")]
    pub(super) output: PathBuf,
    /// Base preset; the settings below replace its values. The default is nano, or the settings of
    /// the checkpoint with --resume
    #[arg(long, value_enum)]
    pub(super) config: Option<Preset>,
    /// Continue from the checkpoint in the output folder
    #[arg(long)]
    pub(super) resume: bool,
    /// With --resume: continue although the data are not those of the original run. The order of
    /// the images then differs from that of an uninterrupted run
    #[arg(long, requires = "resume")]
    pub(super) accept_other_data: bool,
    /// Start from the weights in this folder, of a run or of an import. The settings are those of
    /// the folder; flags replace settings that do not shape the model
    #[arg(long, value_name = "FOLDER", conflicts_with = "resume")]
    pub(super) init: Option<PathBuf>,
    /// Stop after this step and save a checkpoint
    #[arg(long, value_name = "STEP")]
    pub(super) stop_at: Option<usize>,
    /// Time between two checkpoints, in seconds. They are written while the steps go on
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub(super) save_interval: u64,
    /// Number of epochs between two snapshots that are kept in the folder snapshots. The last epoch
    /// is also kept, and the best of the kept epochs, with the lowest mean loss. 0 keeps none
    #[arg(long, value_name = "EPOCHS", default_value_t = 0)]
    pub(super) snapshot_epochs: usize,
    /// Threads that read and decode images ahead of the steps; 0 for one per core
    #[arg(long, value_name = "THREADS", default_value_t = 0)]
    pub(super) loader_threads: usize,
    /// Memory for decoded images that wait for a step, in MiB. Each thread needs further memory for
    /// the image that it decodes: up to 512 MiB for the file, and as much for each decoded copy
    #[arg(long, value_name = "MIB", default_value_t = 256)]
    pub(super) loader_memory: usize,
    /// Decode large JPEG files at 1/2, 1/4 or 1/8 of their size, if the crop still has enough
    /// pixels. Faster for photographs of several megapixels; pixels differ from those of full
    /// decoding by 2 to 4 of 255 on average
    #[arg(long)]
    pub(super) reduced_jpeg: bool,
    #[command(flatten)]
    pub(super) overrides: Overrides,
}

#[derive(Args, Debug)]
pub(super) struct Reconstruct {
    /// Folders of runs of demo or pretrain, or of snapshots. One with --image
    #[arg(long, value_name = "FOLDER", num_args = 1.., required = true)]
    pub(super) checkpoint: Vec<PathBuf>,
    /// Image to reconstruct: JPEG, PNG, WebP, GIF, BMP or TIFF
    #[arg(long, required_unless_present = "data", conflicts_with = "data")]
    pub(super) image: Option<PathBuf>,
    /// Folder of images whose reconstructions are measured, instead of one image. Checkpoints
    /// with the same patches and mask ratio get the same masks
    #[arg(long, value_name = "FOLDER")]
    pub(super) data: Option<PathBuf>,
    /// With --data: number of images to use, spread evenly over the folder. The default is all
    #[arg(
        long,
        value_name = "COUNT",
        requires = "data",
        conflicts_with = "image",
        allow_negative_numbers = true
    )]
    pub(super) images: Option<usize>,
    /// With --data: also compare the features of originals and reconstructions (Fréchet distance).
    /// The features are those of this run, or of this .safetensors or .pth file of a ViT
    #[arg(long, value_name = "PATH", requires = "data", conflicts_with = "image")]
    pub(super) features: Option<PathBuf>,
    /// Folder for the pictures of --image, which replace those of an earlier reconstruct, or for
    /// the table and the report of --data
    #[arg(long, default_value = "out/reconstruct")]
    pub(super) output: PathBuf,
    /// Preset that the checkpoint must agree with; if absent, every checkpoint is accepted
    #[arg(long, value_enum)]
    pub(super) config: Option<Preset>,
    /// Seed of the random mask
    #[arg(long, default_value_t = 0)]
    pub(super) mask_seed: u64,
    #[command(flatten)]
    pub(super) overrides: Overrides,
}

#[derive(Args, Debug)]
pub(super) struct Encode {
    /// Folder of a run, of a snapshot or of an import
    #[arg(long, value_name = "FOLDER")]
    pub(super) checkpoint: PathBuf,
    /// Images to encode
    #[arg(long, num_args = 1.., required = true)]
    pub(super) image: Vec<PathBuf>,
    /// The file to be written: tokens [B, 1 + N, D] with the CLS token first, and images [B, H, W,
    /// 3]
    #[arg(long, value_name = "FILE")]
    pub(super) output: PathBuf,
}

#[derive(Args, Debug)]
pub(super) struct Import {
    /// The checkpoint: a .pth or .safetensors file
    #[arg(long, value_name = "FILE")]
    pub(super) from: PathBuf,
    /// Folder for the model. The encoder is that of the file; the decoder has initial weights
    #[arg(long, value_name = "FOLDER")]
    pub(super) output: PathBuf,
    /// Preset for all settings that the file does not state
    #[arg(long, value_enum, default_value = "base")]
    pub(super) config: Preset,
    #[command(flatten)]
    pub(super) overrides: Overrides,
}

#[derive(Args, Debug)]
pub(super) struct Export {
    /// Folder of a run, of a snapshot or of an import
    #[arg(long, value_name = "FOLDER")]
    pub(super) checkpoint: PathBuf,
    /// Write only the encoder, which timm's Vision Transformers can load
    #[arg(long)]
    pub(super) encoder_only: bool,
    /// The file to be written, which must not exist
    #[arg(long, value_name = "FILE")]
    pub(super) output: PathBuf,
}

#[derive(Args, Debug)]
pub(super) struct Convert {
    /// The file of the first format
    #[arg(long, value_name = "FILE")]
    pub(super) checkpoint: PathBuf,
    /// Folder for the converted run; metrics.jsonl beside the file is converted too
    #[arg(long, value_name = "FOLDER")]
    pub(super) output: PathBuf,
}

impl Pretrain {
    /// Returns the settings of the run. A run that continues, or starts from weights, has the
    /// settings of that checkpoint. If a preset or a flag is also given, a later check compares it
    /// with the checkpoint.
    pub(super) fn settings(&self) -> Result<Config, Error> {
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

    pub(super) fn options(self) -> pretrain::Options {
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

/// Two folders of labelled images.
#[derive(Args, Debug)]
pub(super) struct Labelled {
    /// Folder of labelled images to learn from: one subfolder per class
    #[arg(long, value_name = "FOLDER")]
    pub(super) data: PathBuf,
    /// Folder of labelled images to test with, with the same classes
    #[arg(long, value_name = "FOLDER")]
    pub(super) test: PathBuf,
    /// Number of test images, spread evenly over the folder. The default is all
    #[arg(long, value_name = "COUNT", allow_negative_numbers = true)]
    pub(super) test_images: Option<usize>,
}

impl Labelled {
    /// Returns the folders with `images` images to learn from, or all.
    pub(super) fn folders(&self, images: Option<usize>) -> LabelledFolders {
        LabelledFolders {
            train: self.data.clone(),
            images,
            test: self.test.clone(),
            test_images: self.test_images,
        }
    }
}

#[derive(Args, Debug)]
pub(super) struct Probe {
    /// Folders of runs, of snapshots or of imports. Each becomes a row of one table
    #[arg(long, value_name = "FOLDER", num_args = 1.., required = true)]
    pub(super) checkpoint: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) labelled: Labelled,
    /// Number of images to learn from, spread evenly over the folder. The default is all
    #[arg(long, value_name = "COUNT", allow_negative_numbers = true)]
    pub(super) images: Option<usize>,
    /// The probes
    #[arg(
        long,
        value_enum,
        value_delimiter = ',',
        default_value = "ridge,linear,knn"
    )]
    pub(super) probes: Vec<Kind>,
    /// Folder for the table and the report
    #[arg(long, default_value = "out/probe")]
    pub(super) output: PathBuf,
}

#[derive(Args, Debug)]
pub(super) struct Ablate {
    /// The table: a TOML file that lists rows of settings
    pub(super) table: PathBuf,
    #[command(flatten)]
    pub(super) labelled: Labelled,
    /// Folder for the tables, the results and the runs. A sweep that was interrupted goes on where
    /// it stopped
    #[arg(long, default_value = "out/ablate")]
    pub(super) output: PathBuf,
    /// Folders with results of the same rows, from another machine with the same --device. They are
    /// read and not changed
    #[arg(long, value_name = "FOLDER", num_args = 1..)]
    pub(super) results: Vec<PathBuf>,
    /// Show the rows and what is done, and run nothing
    #[arg(long)]
    pub(super) plan: bool,
}

#[derive(Args, Debug)]
pub(super) struct BsdsEval {
    /// Folders of edge maps: for each image an 8-bit grey PNG file with its name. Each folder
    /// becomes a row of one table
    #[arg(value_name = "MAPS", required_unless_present = "baseline")]
    pub(super) maps: Vec<PathBuf>,
    /// Folder of the data set, with the folders images/SPLIT and groundTruth/SPLIT
    #[arg(long, value_name = "FOLDER")]
    pub(super) data: PathBuf,
    /// Split of the data set
    #[arg(long, default_value = "test")]
    pub(super) split: String,
    /// Number of thresholds, evenly spaced between 0 and 1
    #[arg(
        long,
        value_name = "COUNT",
        default_value_t = 99,
        allow_negative_numbers = true
    )]
    pub(super) thresholds: usize,
    /// Trivial methods, each a row of the table
    #[arg(long, value_enum, value_delimiter = ',')]
    pub(super) baseline: Vec<Baseline>,
    /// Leave files at fault out, and evaluate the others. The exit code is then 2, as for a failure
    #[arg(long)]
    pub(super) keep_going: bool,
    /// Folder for the table, the curves, the report and the counts of each image. An evaluation
    /// that was interrupted goes on with these counts
    #[arg(long, default_value = "out/bsds-eval")]
    pub(super) output: PathBuf,
}
