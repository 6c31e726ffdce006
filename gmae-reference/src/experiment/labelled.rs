//! Labelled images for training and for testing.

use std::path::{Path, PathBuf};

use crate::config::Config;
use crate::data::{Dataset, Folder, FolderOptions, Transform};
use crate::error::Error;
use crate::terminal;

/// Two folders of images with one subfolder per class.
#[derive(Clone, Debug)]
pub(crate) struct LabelledFolders {
    /// Images to learn from.
    pub(crate) train: PathBuf,
    /// Number of images to learn from, or `None` for all.
    pub(crate) images: Option<usize>,
    /// Images on which accuracies are measured.
    pub(crate) test: PathBuf,
    /// Number of test images, or `None` for all.
    pub(crate) test_images: Option<usize>,
}

/// The transform of the images to learn from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Augmentation {
    /// Random crops and mirroring.
    Training,
    /// The central square.
    None,
}

/// Labelled images of one size.
pub(crate) struct LabelledImages {
    /// Images to learn from.
    pub(crate) train: Folder,
    /// Images on which accuracies are measured.
    pub(crate) test: Folder,
    /// Number of classes.
    pub(crate) classes: usize,
}

impl LabelledFolders {
    /// Opens both folders for models of `config`. An unusable image is an error when it is read,
    /// except for a training image that is augmented: the next usable image replaces it.
    ///
    /// # Errors
    ///
    /// Any error of [`Folder::open`]. [`Error::Argument`] if the folders do not have the same
    /// classes, if there are fewer than two, or if an image lies outside of the classes.
    pub(crate) fn open(
        &self,
        config: &Config,
        augmentation: Augmentation,
    ) -> Result<LabelledImages, Error> {
        let evaluation = Transform::evaluation(config.image_size)?;
        let transform = match augmentation {
            Augmentation::None => evaluation,
            Augmentation::Training => {
                Transform::training(config.image_size)?.with_scale(config.crop_scale, 1.0)?
            }
        };
        let augmented = augmentation == Augmentation::Training;
        let options = |transform, images, strict| FolderOptions {
            min_side: config.patch_size,
            images,
            strict,
            ..FolderOptions::new(transform)
        };
        let train = options(transform, self.images, !augmented);
        let train = open("--data", &self.train, train)?;
        let test = options(evaluation, self.test_images, true);
        let test = open("--test", &self.test, test)?;
        let same = |path: &Path| path.canonicalize().ok();
        if same(&self.train).is_some_and(|train| same(&self.test) == Some(train)) {
            terminal::note("warning: --data and --test are the same folder");
        }
        let [expected, got] = [&train, &test].map(Folder::classes);
        if expected != got {
            let one_sided = |a: &[String], b: &[String]| {
                let mut other = a.iter().filter(|class| !b.contains(class));
                other.next().cloned()
            };
            let example = one_sided(expected, got).or_else(|| one_sided(got, expected));
            return Err(Error::Argument {
                argument: "--test",
                expected: format!("the {} classes of --data", expected.len()),
                got: format!(
                    "{} classes; {} is only in one of the folders",
                    got.len(),
                    example.unwrap_or_default()
                ),
            });
        }
        Ok(LabelledImages {
            classes: expected.len(),
            train,
            test,
        })
    }
}

/// Opens one folder and warns of skipped content.
fn open(argument: &'static str, path: &Path, options: FolderOptions) -> Result<Folder, Error> {
    let folder = Folder::open(path, options)?;
    for warning in folder.warnings() {
        terminal::note(format_args!("warning: {warning}"));
    }
    let refused = |got: String| {
        Err(Error::Argument {
            argument,
            expected: "images inside one folder per class, of at least two classes".to_owned(),
            got,
        })
    };
    if folder.classes().len() < 2 {
        return refused(format!(
            "{} classes in {}",
            folder.classes().len(),
            path.display()
        ));
    }
    match (0..folder.len()).find(|&index| folder.label(index).is_none()) {
        None => Ok(folder),
        Some(index) => refused(folder.path(index).unwrap_or_default().display().to_string()),
    }
}
