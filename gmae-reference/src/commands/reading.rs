//! The arguments of the commands that read the Gaussians of a model.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use crate::data::{Annotated, AnnotatedOptions, Layout, Shapes};
use crate::error::Error;
use crate::readings::labels::Rule;

/// How a pixel gets its layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum LabelRule {
    /// The last layer that changes the pixel by more than the threshold (the paper's rule)
    Change,
    /// The layer of the Gaussian with the largest weight
    Strongest,
    /// The layer with the largest sum of weights
    Summed,
}

/// The reading of layers from renders.
#[derive(Args, Debug)]
pub(super) struct Reading {
    /// How a pixel gets its layer
    #[arg(long, value_enum, default_value = "change")]
    label: LabelRule,
    /// Threshold of --label change, for the largest change of a colour channel in [0, 1]
    #[arg(
        long,
        value_name = "VALUE",
        default_value_t = 0.05,
        allow_negative_numbers = true
    )]
    threshold: f32,
}

impl Reading {
    /// Returns the rule.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] if the threshold is not in `[0, 1)`.
    pub(super) fn rule(&self) -> Result<Rule, Error> {
        if !(0.0..1.0).contains(&self.threshold) {
            return Err(Error::Argument {
                argument: "--threshold",
                expected: "a number of at least 0 and less than 1".to_owned(),
                got: self.threshold.to_string(),
            });
        }
        Ok(match self.label {
            LabelRule::Change => Rule::Change(self.threshold),
            LabelRule::Strongest => Rule::Strongest,
            LabelRule::Summed => Rule::Summed,
        })
    }
}

#[derive(Args, Debug)]
pub(super) struct Layers {
    /// Folder of a run, of a snapshot or of an import. The model must predict Gaussians
    #[arg(long, value_name = "FOLDER")]
    pub(super) checkpoint: PathBuf,
    /// Images to take apart: JPEG, PNG, WebP, GIF, BMP or TIFF. The whole image is shown to the
    /// model; its aspect ratio is not kept
    #[arg(long, num_args = 1.., required = true)]
    pub(super) image: Vec<PathBuf>,
    /// Longer side of the renders, px
    #[arg(long, value_name = "PX", default_value_t = 192)]
    pub(super) size: usize,
    #[command(flatten)]
    pub(super) reading: Reading,
    /// Folder for the report and the label maps
    #[arg(long, default_value = "out/layers")]
    pub(super) output: PathBuf,
}

/// A set of images with annotated objects.
#[derive(Args, Debug)]
pub(super) struct AnnotatedSet {
    /// Folder of annotated images: PASCAL VOC, photographs with masks, trimaps, or a table of boxes
    #[arg(
        long,
        value_name = "FOLDER",
        required_unless_present = "shapes",
        conflicts_with = "shapes"
    )]
    data: Option<PathBuf>,
    #[command(flatten)]
    annotation: Annotation,
    /// Number of images to use, the first of the list. The default is all, but at most 1000, as
    /// published
    #[arg(long, value_name = "COUNT")]
    images: Option<usize>,
}

/// What is read from a folder of annotated images, and the procedural set in its place.
#[derive(Args, Debug)]
pub(super) struct Annotation {
    /// Use this number of scenes of the procedural set instead of a folder. Their truth is exact
    #[arg(long, value_name = "COUNT")]
    pub(super) shapes: Option<usize>,
    /// Layout of the folder: voc, voc-boxes, figure-ground, trimaps or box-table. The default is
    /// recognised from its content
    #[arg(long, conflicts_with = "shapes")]
    pub(super) layout: Option<Layout>,
    /// List of the images that are used, for a PASCAL VOC folder: lines of `NAME` or
    /// `NAME__CLASS`
    #[arg(long, value_name = "FILE", conflicts_with = "shapes")]
    pub(super) list: Option<PathBuf>,
    /// Folder with the images of trimaps
    #[arg(long, value_name = "FOLDER", conflicts_with = "shapes")]
    pub(super) photographs: Option<PathBuf>,
    /// Boxes must cover less than this share of their image. Other images are left out. The default
    /// is 0.2. Masks do not depend on it
    #[arg(
        long,
        value_name = "SHARE",
        conflicts_with = "shapes",
        allow_negative_numbers = true
    )]
    pub(super) largest_box: Option<f64>,
}

/// The largest number of images by default, as in the published protocol.
const PUBLISHED_IMAGES: usize = 1000;
/// The name of the procedural scenes in captions.
const SCENES: &str = "procedural scenes";
/// The seed and the side of the procedural scenes.
const SHAPES: (u64, usize) = (1, 128);

impl AnnotatedSet {
    /// Opens the set, with the number of images of the published protocol by default.
    ///
    /// # Errors
    ///
    /// All errors of [`Annotation::open`].
    pub(super) fn open(&self) -> Result<OpenedSet, Error> {
        let opened = self.annotation.open(self.data.as_deref(), self.images)?;
        Ok(OpenedSet {
            images: self.images.unwrap_or(opened.images.min(PUBLISHED_IMAGES)),
            ..opened
        })
    }
}

impl Annotation {
    /// Opens the set in `folder`, or without a folder the procedural set. Returns it with its name
    /// and the number of images to use, which is `images` or all.
    ///
    /// # Errors
    ///
    /// All errors of [`Annotated::open`]. [`Error::Argument`] if fewer than two images are used.
    pub(super) fn open(
        &self,
        folder: Option<&Path>,
        images: Option<usize>,
    ) -> Result<OpenedSet, Error> {
        let (set, name) = match (folder, self.shapes) {
            (Some(folder), _) => {
                let mut options = AnnotatedOptions::default();
                if let Some(share) = self.largest_box {
                    if !(share > 0.0 && share.is_finite()) {
                        return Err(Error::Argument {
                            argument: "--largest-box",
                            expected: "a number above 0".to_owned(),
                            got: share.to_string(),
                        });
                    }
                    options = options.largest_box(share);
                }
                if let Some(layout) = self.layout {
                    options = options.layout(layout);
                }
                if let Some(list) = &self.list {
                    options = options.list(list.clone());
                }
                if let Some(photographs) = &self.photographs {
                    options = options.images(photographs.clone());
                }
                let set = Annotated::open(folder, &options)?;
                let last = folder.file_name().unwrap_or(folder.as_os_str());
                (set, last.to_string_lossy().into_owned())
            }
            (None, count) => {
                let (seed, side) = SHAPES;
                let shapes = Shapes::new(seed, count.unwrap_or_default(), side)?;
                (Annotated::shapes(shapes), SCENES.to_owned())
            }
        };
        let images = images.unwrap_or(set.len());
        if !(2..=set.len()).contains(&images) {
            let (argument, expected) = match (self.shapes, set.len()) {
                (Some(_), _) => ("--shapes", "at least 2 scenes".to_owned()),
                (None, 0..2) => ("--data", "an annotated set of at least 2 images".to_owned()),
                (None, len) => (
                    "--images",
                    format!("2 to {len} images, as many as the set has"),
                ),
            };
            let got = images.to_string();
            return Err(Error::Argument {
                argument,
                expected,
                got,
            });
        }
        Ok(OpenedSet { set, name, images })
    }
}

/// An opened set.
pub(super) struct OpenedSet {
    pub(super) set: Annotated,
    /// The name, for captions.
    pub(super) name: String,
    /// The number of images to use.
    pub(super) images: usize,
}

#[derive(Args, Debug)]
pub(super) struct Objects {
    /// Folders of runs, of snapshots or of imports, whose models predict Gaussians. Each becomes a
    /// row of one table
    #[arg(long, value_name = "FOLDER", num_args = 1.., required = true)]
    pub(super) checkpoint: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) annotated: AnnotatedSet,
    #[command(flatten)]
    pub(super) reading: Reading,
    /// Seed of the half of the images on which the threshold is chosen, and of random baselines
    #[arg(long, default_value_t = 0)]
    pub(super) split_seed: u64,
    /// Folder for the table and the report
    #[arg(long)]
    pub(super) output: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(super) struct Edges {
    /// Folder of a run, of a snapshot or of an import. The model must predict Gaussians
    #[arg(long, value_name = "FOLDER")]
    pub(super) checkpoint: PathBuf,
    /// Folder of images. Subfolders are not read
    #[arg(long, value_name = "FOLDER")]
    pub(super) data: PathBuf,
    #[command(flatten)]
    pub(super) reading: Reading,
    /// Folder for the maps: one grey PNG file for each image, with its name and size. bsds-eval
    /// scores them. After an interruption, the same command goes on with the missing maps
    #[arg(long, default_value = "out/edges")]
    pub(super) output: PathBuf,
}

#[derive(Args, Debug)]
pub(super) struct Evaluate {
    /// Folders of runs, of snapshots or of imports. Each becomes a row of every table. Models
    /// without Gaussians (method mae) are named in the report
    #[arg(long, value_name = "FOLDER", num_args = 1.., required = true)]
    pub(super) checkpoint: Vec<PathBuf>,
    /// Folders of data sets, or folders that contain them: BSDS500, PASCAL VOC, photographs with
    /// masks, trimaps, tables of boxes. What is recognised is evaluated
    #[arg(long, value_name = "FOLDER", num_args = 1..)]
    pub(super) data: Vec<PathBuf>,
    /// Number of procedural scenes, at least 2
    #[arg(long, value_name = "COUNT", default_value_t = 200)]
    pub(super) shapes: usize,
    /// Largest number of images of each set of masks or boxes, the first of the list
    #[arg(long, value_name = "COUNT", default_value_t = PUBLISHED_IMAGES)]
    pub(super) images: usize,
    #[command(flatten)]
    pub(super) reading: Reading,
    /// Seed of the half of the images on which the threshold is chosen, and of random baselines
    #[arg(long, default_value_t = 0)]
    pub(super) split_seed: u64,
    /// Folder for the tables, the report and the maps of boundaries
    #[arg(long, default_value = "out/evaluate")]
    pub(super) output: PathBuf,
}

impl Evaluate {
    /// Creates the procedural scenes, with their images for scores of masks.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] for fewer than two scenes.
    pub(super) fn scenes(&self) -> Result<(Shapes, OpenedSet), Error> {
        if self.shapes < 2 {
            return Err(Error::Argument {
                argument: "--shapes",
                expected: "at least 2 scenes".to_owned(),
                got: self.shapes.to_string(),
            });
        }
        let (seed, side) = SHAPES;
        let shapes = Shapes::new(seed, self.shapes, side)?;
        let set = OpenedSet {
            set: Annotated::shapes(shapes.clone()),
            name: SCENES.to_owned(),
            images: self.shapes,
        };
        Ok((shapes, set))
    }
}
