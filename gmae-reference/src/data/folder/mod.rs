//! A folder of image files, or of tar archives of image files, as a data set.

use std::path::{Path, PathBuf};

use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::dataset::{Dataset, Sample};
use super::error::DataError;
use super::image::Image;
use super::picture::{Picture, Rules};
pub(super) use kinds::{Kind, kind_of};
use kinds::{Kinds, extensions};
use list::{Listing, list};
use order::mixed;
use problems::Problems;
use shards::Shards;
use skipped::{Tally, counted};
use source::{Fault, Source, words};

mod kinds;
mod list;
mod options;
mod order;
mod problems;
mod shards;
mod skipped;
mod source;

pub use options::FolderOptions;
pub use skipped::Skipped;

/// Number of images in a row whose failure to be read means that the data have vanished.
const VANISHED_AFTER: usize = 64;

/// The images in a folder and below it, in the order of their paths: JPEG, PNG, WebP, GIF, BMP and
/// TIFF files. If the folder contains `.tar` archives instead, the images inside them.
///
/// Opening the folder decodes no image. A file can later prove unusable: unreadable,
/// corrupt, truncated or too small. The next usable file in order then replaces it.
/// [`Dataset::remarks`] reports such files while they are found, [`Folder::summary`] at the end,
/// and [`Folder::skipped`] lists them.
///
/// Pictures are turned according to their EXIF orientation. Transparent pictures are shown over
/// white. The first frame of an animation is used. Colour profiles are ignored.
#[derive(Debug)]
pub struct Folder {
    root: PathBuf,
    rules: Rules,
    classes: Vec<String>,
    source: Source,
    fingerprint: String,
    problems: Problems,
    /// Files of other kinds.
    others: Kinds,
    /// Paths below `root` that could not be entered.
    unreachable: Tally,
    strict: bool,
}

impl Folder {
    /// Lists the images in `root` and below it. Links are followed. Names that begin with a dot are
    /// ignored. The headers of archives are read.
    ///
    /// Folders directly in `root` that contain images become the classes. Members of archives have
    /// no classes.
    ///
    /// # Errors
    ///
    /// [`DataError::Missing`] if `root` does not exist. [`DataError::NotAFolder`] if `root` is not
    /// a folder. [`DataError::List`] if `root` cannot be listed. [`DataError::NoImages`] if there
    /// is no image. [`DataError::Mixed`] if there are images and archives. [`DataError::Images`] if
    /// fewer images are found than asked for.
    pub fn open(root: &Path, options: FolderOptions) -> Result<Self, DataError> {
        let Listing {
            images,
            archives,
            mut others,
            unreachable,
        } = list(root)?;
        let source = match (images.len(), archives.len()) {
            (images, archives @ 1..) if images > 0 => {
                return Err(DataError::Mixed {
                    path: root.to_owned(),
                    images,
                    archives,
                });
            }
            (0, 1..) => {
                let mut shards = Shards::index(root, archives);
                others.append(std::mem::take(&mut shards.others));
                Source::Shards(shards)
            }
            _ => Source::Files(images),
        };
        let mut folder = Self {
            root: root.to_owned(),
            rules: Rules {
                transform: options.transform,
                min_side: options.min_side,
                reduced_jpeg: options.reduced_jpeg,
            },
            classes: source.classes(),
            fingerprint: source.fingerprint(),
            source,
            problems: Problems::default(),
            others,
            unreachable,
            strict: options.strict,
        };
        if folder.is_empty() {
            let mut found = folder.warnings();
            found.insert(0, String::new());
            return Err(DataError::NoImages {
                path: root.to_owned(),
                kinds: extensions(),
                found: found.join("; "),
            });
        }
        if let Some(images) = options.images {
            folder.keep(images)?;
        }
        Ok(folder)
    }

    /// Keeps `images` images, see [`FolderOptions::images`].
    fn keep(&mut self, images: usize) -> Result<(), DataError> {
        if !(1..=self.len()).contains(&images) {
            return Err(DataError::Images {
                path: self.root.clone(),
                found: self.len(),
                images,
            });
        }
        self.source.keep(images);
        self.fingerprint = self.source.fingerprint();
        Ok(())
    }

    /// The classes, sorted by name. There are none if all images lie directly in the folder, or in
    /// archives.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// Returns the class of the file at `index`, an index into [`Folder::classes`]. The result is
    /// `None` for a file directly in the folder, for a member of an archive, and for an index out
    /// of range.
    pub fn label(&self, index: usize) -> Option<usize> {
        let Source::Files(files) = &self.source else {
            return None;
        };
        let class = words(files.get(index)?.class()?);
        self.classes.binary_search(&class).ok()
    }

    /// Returns the path of the image at `index`, or `None` if the index is out of range. The path
    /// of a member of an archive is the path of the archive with the name of the member behind it.
    pub fn path(&self, index: usize) -> Option<PathBuf> {
        Some(self.root.join(self.source.path(index)?))
    }

    /// Returns the images found unusable so far, in the order of their paths.
    pub fn skipped(&self) -> Vec<Skipped> {
        let all = self.problems.all().into_iter();
        all.map(|(index, reason)| Skipped {
            path: self.path(index).unwrap_or_default(),
            reason,
        })
        .collect()
    }

    /// Describes the content that is not part of the data set, in at most three lines: paths that
    /// could not be entered, damaged archives, and files of other kinds. Each line states the
    /// number and the first few names.
    pub fn warnings(&self) -> Vec<String> {
        let root = self.root.display();
        let mut lines = Vec::new();
        if self.unreachable.count() > 0 {
            lines.push(format!(
                "could not enter {} in {root}: {}",
                counted(self.unreachable.count(), "path"),
                self.unreachable
            ));
        }
        if let Source::Shards(shards) = &self.source
            && shards.damaged.count() > 0
        {
            lines.push(format!(
                "{} in {root} could not be read to the end: {}",
                counted(shards.damaged.count(), "archive"),
                shards.damaged
            ));
        }
        if self.others.count() > 0 {
            let kinds = if self.others.count() == 1 {
                "file of another kind"
            } else {
                "files of other kinds"
            };
            lines.push(format!(
                "skipped {} {kinds} in {root}: {}",
                self.others.count(),
                self.others
            ));
        }
        lines
    }

    /// Describes the images read so far, in at most two lines: those that could not be used, and
    /// those that are transparent. Each line states the number and the first names.
    pub fn summary(&self) -> Vec<String> {
        let root = self.root.display();
        let skipped: Tally = self.skipped().into_iter().collect();
        let mut lines = Vec::new();
        if skipped.count() > 0 {
            lines.push(format!(
                "skipped {} of {} images in {root}, each replaced by the next: {skipped}",
                skipped.count(),
                self.len()
            ));
        }
        if let Some((count, first)) = self.problems.transparent_images() {
            let first = self.path(first).unwrap_or_default();
            lines.push(format!(
                "{count} of {root} with transparency, shown over white; the first: {}",
                first.display()
            ));
        }
        lines
    }

    /// Returns the picture at `index`, with the class of the file that was read. If the file at
    /// `index` is unusable, the next usable file is read.
    ///
    /// # Errors
    ///
    /// [`DataError::Index`] if `index` is not below `len()`. [`DataError::AllBad`] if no file is
    /// usable. [`DataError::Unusable`] for the first unusable file of a strict folder.
    /// [`DataError::Vanished`] if the data cannot be read any more: the folder cannot be
    /// listed, it is empty, 64 files in a row cannot be read, or no file can be read.
    fn labelled(&self, index: usize, rng: &mut ChaCha8Rng) -> Result<Sample, DataError> {
        let len = self.len();
        if index >= len {
            return Err(DataError::Index { index, len });
        }
        // The files in a row that could not be read. They are remembered as unusable only when a
        // later file can be read.
        let mut unread = Vec::new();
        let mut any_read = false;
        for candidate in (index..len).chain(0..index) {
            if self.problems.knows(candidate) {
                continue;
            }
            // Each attempt begins with the same state, so that the picture does not depend on
            // whether an unusable file was already known.
            let mut draws = rng.clone();
            match self.attempt(candidate, &mut draws) {
                Ok(picture) => {
                    self.remember(unread);
                    *rng = draws;
                    if picture.transparent {
                        let path = self.path(candidate).unwrap_or_default();
                        self.problems.transparent(candidate, &path);
                    }
                    return Ok(Sample {
                        image: picture.image,
                        label: self.label(candidate),
                        corners: None,
                    });
                }
                Err(Fault::Unusable(reason) | Fault::Unreadable(reason)) if self.strict => {
                    let path = self.path(candidate).unwrap_or_default();
                    return Err(DataError::Unusable { path, reason });
                }
                Err(Fault::Unusable(reason)) => {
                    any_read = true;
                    unread.push((candidate, reason));
                    self.remember(std::mem::take(&mut unread));
                }
                Err(Fault::Unreadable(reason)) => {
                    self.still_there()?;
                    unread.push((candidate, reason));
                    if unread.len() >= VANISHED_AFTER {
                        return Err(self.vanished(&unread));
                    }
                }
            }
        }
        if !unread.is_empty() && !any_read {
            return Err(self.vanished(&unread));
        }
        self.remember(unread);
        Err(self.all_bad())
    }

    fn attempt(&self, index: usize, rng: &mut ChaCha8Rng) -> Result<Picture, Fault> {
        let bytes = self.source.read(&self.root, index)?;
        self.rules.picture(&bytes, rng).map_err(Fault::Unusable)
    }

    fn remember(&self, faults: Vec<(usize, String)>) {
        for (index, reason) in faults {
            let path = self.path(index).unwrap_or_default();
            self.problems.bad(index, &path, reason, &self.root);
        }
    }

    /// Checks that the folder can still be listed and is not empty. The folder of an unmounted
    /// network drive is empty.
    fn still_there(&self) -> Result<(), DataError> {
        let reason = match std::fs::read_dir(&self.root).map(|mut entries| entries.next()) {
            Ok(Some(Ok(_))) => return Ok(()),
            Ok(None) => "the folder is empty".to_owned(),
            Ok(Some(Err(error))) | Err(error) => format!("the folder cannot be listed: {error}"),
        };
        Err(DataError::Vanished {
            path: self.root.clone(),
            reason,
        })
    }

    fn vanished(&self, unread: &[(usize, String)]) -> DataError {
        let last = unread.last();
        let last = last.and_then(|(index, reason)| Some((self.path(*index)?, reason)));
        let last = last.map(|(path, reason)| format!("; the last: {} ({reason})", path.display()));
        DataError::Vanished {
            path: self.root.clone(),
            reason: format!(
                "{} in a row failed{}",
                counted(unread.len(), "image"),
                last.unwrap_or_default()
            ),
        }
    }

    fn all_bad(&self) -> DataError {
        let skipped = self.skipped();
        let count = skipped.len();
        let first = skipped.into_iter().next();
        let (first, reason) = first.map_or_else(Default::default, |file| (file.path, file.reason));
        DataError::AllBad {
            path: self.root.clone(),
            count,
            first,
            reason,
        }
    }
}

impl Dataset for Folder {
    fn len(&self) -> usize {
        self.source.len()
    }

    fn image(&self, index: usize, rng: &mut ChaCha8Rng) -> Result<Image, DataError> {
        Ok(self.labelled(index, rng)?.image)
    }

    fn sample(&self, index: usize, rng: &mut ChaCha8Rng) -> Result<Sample, DataError> {
        self.labelled(index, rng)
    }

    /// A uniformly random order of files. The members of an archive come in sequence, mixed with
    /// those of up to 63 other archives.
    fn order(&self, rng: &mut ChaCha8Rng) -> Vec<usize> {
        match &self.source {
            Source::Shards(shards) => mixed(&shards.sizes(), rng),
            Source::Files(files) => {
                let mut order: Vec<usize> = (0..files.len()).collect();
                order.shuffle(rng);
                order
            }
        }
    }

    fn fingerprint(&self) -> String {
        let reduced = if self.rules.reduced_jpeg {
            ", reduced JPEG"
        } else {
            ""
        };
        format!("{}{reduced}", self.fingerprint)
    }

    fn remarks(&self) -> Vec<String> {
        self.problems.take_remarks()
    }
}

#[cfg(test)]
mod tests;
