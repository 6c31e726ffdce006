//! The arguments of the commands that train a model from an encoder.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::arguments::Labelled;
use super::reading::{Annotation, OpenedSet};
use crate::config::{BoxFinetuning, Finetuning, Overrides, Preset};
use crate::error::Error;
use crate::experiment::LabelledFolders;

/// What a model learns from labelled or annotated images.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Goal {
    /// The class of an image
    Class,
    /// The box of the object of an image: a proxy for detection on COCO
    Box,
}

#[derive(Args, Debug)]
pub(super) struct Finetune {
    /// Folders of runs, of snapshots or of imports. Each becomes a row of one table, or two rows
    /// with --task box: frozen tokens and fine-tuned tokens
    #[arg(long, value_name = "FOLDER", num_args = 1.., required = true)]
    pub(super) checkpoint: Vec<PathBuf>,
    /// What is learned
    #[arg(long, value_enum, default_value = "class")]
    pub(super) task: Goal,
    /// Folder for the runs, the table and the report
    #[arg(long, default_value = "out/finetune")]
    pub(super) output: PathBuf,
    /// Folder of labelled images to learn from: one subfolder per class. With --task box: folder of
    /// annotated images, as of detect. One half of them are images to learn from, the other half
    /// test images
    #[arg(
        long,
        value_name = "FOLDER",
        required_unless_present = "shapes",
        conflicts_with = "shapes"
    )]
    data: Option<PathBuf>,
    /// Folder of labelled images to test with, with the same classes. Not with --task box
    #[arg(long, value_name = "FOLDER", required_unless_present = "task")]
    test: Option<PathBuf>,
    /// Number of test images, spread evenly over the folder. The default is all. Not with --task
    /// box
    #[arg(long, value_name = "COUNT", allow_negative_numbers = true)]
    test_images: Option<usize>,
    /// Number of images to learn from, spread evenly over the folder. The default is all. With
    /// --task box: number of images of both halves, the first of the list
    #[arg(long, value_name = "COUNT", allow_negative_numbers = true)]
    images: Option<usize>,
    /// With --task box: seed of the half of the images to learn from. The default is 0. The halves
    /// are those of detect for the same number of images
    #[arg(long, value_name = "SEED")]
    split_seed: Option<u64>,
    #[command(flatten)]
    annotation: Annotation,
    #[command(flatten)]
    pub(super) shared: Tune,
}

impl Finetune {
    /// Returns the folders of labelled images.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] for a flag of the other task, or if a folder is missing.
    pub(super) fn labelled(&self) -> Result<LabelledFolders, Error> {
        let Annotation {
            shapes,
            layout,
            list,
            photographs,
            largest_box,
        } = &self.annotation;
        refuse(
            "class",
            [
                ("--shapes", shown(*shapes)),
                ("--layout", shown(*layout)),
                ("--list", path(list.as_deref())),
                ("--photographs", path(photographs.as_deref())),
                ("--largest-box", shown(*largest_box)),
                ("--split-seed", shown(self.split_seed)),
            ],
        )?;
        let folder = |argument, folder: &Option<PathBuf>| {
            folder.clone().ok_or_else(|| Error::Argument {
                argument,
                expected: "a folder of labelled images with --task class".to_owned(),
                got: "none".to_owned(),
            })
        };
        let labelled = Labelled {
            data: folder("--data", &self.data)?,
            test: folder("--test", &self.test)?,
            test_images: self.test_images,
        };
        Ok(labelled.folders(self.images))
    }

    /// Opens the annotated images. Returns them with the seed of their halves.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] for a flag of the other task. All errors of [`Annotation::open`].
    pub(super) fn annotated(&self) -> Result<(OpenedSet, u64), Error> {
        let shared = &self.shared;
        refuse(
            "box",
            [
                ("--test", path(self.test.as_deref())),
                ("--test-images", shown(self.test_images)),
                ("--mixup", shown(shared.mixup)),
                ("--cutmix", shown(shared.cutmix)),
                ("--label-smoothing", shown(shared.label_smoothing)),
                // Boxes are learned from whole images.
                ("--crop-scale", shown(shared.overrides.crop_scale)),
            ],
        )?;
        let opened = self.annotation.open(self.data.as_deref(), self.images)?;
        Ok((opened, self.split_seed.unwrap_or(0)))
    }
}

fn shown<T: Display>(value: Option<T>) -> Option<String> {
    value.map(|value| value.to_string())
}

fn path(value: Option<&Path>) -> Option<String> {
    shown(value.map(Path::display))
}

/// Returns an error for the first flag with a value.
fn refuse(task: &str, flags: [(&'static str, Option<String>); 6]) -> Result<(), Error> {
    for (argument, value) in flags {
        if let Some(got) = value {
            return Err(Error::Argument {
                argument,
                expected: format!("no such flag with --task {task}"),
                got,
            });
        }
    }
    Ok(())
}

#[derive(Args, Debug)]
pub(super) struct Supervised {
    /// Base preset; the settings below replace its values
    #[arg(long, value_enum, default_value = "nano")]
    pub(super) config: Preset,
    /// Folder for the run, the table and the report
    #[arg(long, default_value = "out/supervised")]
    pub(super) output: PathBuf,
    #[command(flatten)]
    pub(super) labelled: Labelled,
    /// Number of images to learn from, spread evenly over the folder. The default is all
    #[arg(long, value_name = "COUNT", allow_negative_numbers = true)]
    pub(super) images: Option<usize>,
    #[command(flatten)]
    pub(super) shared: Tune,
}

/// The flags that both commands have.
#[derive(Args, Debug)]
pub(super) struct Tune {
    /// Continue the runs in the output folder, and keep those that are finished
    #[arg(long)]
    pub(super) resume: bool,
    /// Factor on the learning rate from one block to the block below it
    #[arg(long, value_name = "VALUE", allow_negative_numbers = true)]
    layer_decay: Option<f64>,
    /// Probability with which the last block drops each of its branches for an image
    #[arg(long, value_name = "VALUE", allow_negative_numbers = true)]
    drop_path: Option<f64>,
    /// Parameter of mixup, or 0 for none
    #[arg(long, value_name = "VALUE", allow_negative_numbers = true)]
    mixup: Option<f64>,
    /// Parameter of cutmix, or 0 for none
    #[arg(long, value_name = "VALUE", allow_negative_numbers = true)]
    cutmix: Option<f64>,
    /// Part of the target that is spread over all classes
    #[arg(long, value_name = "VALUE", allow_negative_numbers = true)]
    label_smoothing: Option<f64>,
    #[command(flatten)]
    pub(super) overrides: Overrides,
}

impl Tune {
    /// Returns `base` with the values of all given flags.
    pub(super) fn apply(&self, base: Finetuning) -> Finetuning {
        Finetuning {
            classes: base.classes,
            layer_decay: self.layer_decay.unwrap_or(base.layer_decay),
            drop_path: self.drop_path.unwrap_or(base.drop_path),
            mixup: self.mixup.unwrap_or(base.mixup),
            cutmix: self.cutmix.unwrap_or(base.cutmix),
            label_smoothing: self.label_smoothing.unwrap_or(base.label_smoothing),
            start: None,
        }
    }

    /// Returns the settings of boxes `base`, with the values of all given flags.
    pub(super) fn boxes(&self, base: BoxFinetuning) -> BoxFinetuning {
        BoxFinetuning {
            layer_decay: self.layer_decay.unwrap_or(base.layer_decay),
            drop_path: self.drop_path.unwrap_or(base.drop_path),
            ..base
        }
    }
}
