//! A folder of JPEG and PNG files as a data set.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use image::RgbImage;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::dataset::Dataset;
use super::decode::decode;
use super::error::DataError;
use super::image::Image;
use super::transform::Transform;
use list::{Listing, class_of, extensions, list};
use skipped::{Tally, counted};

mod list;
mod skipped;

pub use skipped::Skipped;

/// Options for reading a folder.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FolderOptions {
    /// The transform of each picture.
    pub transform: Transform,
    /// Files whose shorter side has fewer pixels than this are skipped. The side of a patch is a
    /// suitable value.
    pub min_side: usize,
    /// Size of the cache in bytes. Decoded pictures are kept in memory at their stored size, three
    /// bytes per pixel, until the cache is full. Further pictures are decoded on each access. 512
    /// MiB holds 170,000 pictures of 32 x 32 pixels or 43,000 of 64 x 64 pixels.
    pub cache_bytes: usize,
}

impl FolderOptions {
    /// Creates options that accept pictures of any size, with a cache of 512 MiB.
    pub fn new(transform: Transform) -> Self {
        Self {
            transform,
            min_side: 1,
            cache_bytes: 512 << 20,
        }
    }
}

/// A picture of a [`Folder`] with its class.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// The transformed picture.
    pub image: Image,
    /// Class of the picture, an index into [`Folder::classes`]. `None` for files directly in the
    /// folder.
    pub label: Option<usize>,
}

/// Every JPEG and PNG file in a folder and below it, in the order of their paths.
///
/// Opening the folder only lists names. A file can later prove unusable: unreadable, corrupt,
/// truncated or too small. The index of an unusable file returns the next usable file.
/// [`Folder::skipped`] lists the unusable files. [`Folder::preload`] removes them from the
/// numbering, which evaluations need.
#[derive(Debug)]
pub struct Folder {
    root: PathBuf,
    options: FolderOptions,
    classes: Vec<String>,
    files: Vec<File>,
    cache_left: AtomicUsize,
    /// Unusable files that `preload` has removed from `files`.
    removed: Vec<Skipped>,
    /// Files of other kinds.
    others: Tally,
    /// Paths below `root` that could not be entered.
    unreachable: Tally,
}

#[derive(Debug)]
struct File {
    path: PathBuf,
    label: Option<usize>,
    /// Set when the file has been read, if its picture is kept in memory or the file is unusable.
    state: OnceLock<Result<RgbImage, String>>,
}

impl Folder {
    /// Lists the images in `root` and below it. Links are followed. Names that begin with a dot are
    /// ignored.
    ///
    /// Folders directly in `root` that contain images become the classes.
    ///
    /// # Errors
    ///
    /// [`DataError::Missing`] if `root` does not exist. [`DataError::NotAFolder`] if `root` is not
    /// a folder. [`DataError::List`] if `root` cannot be listed. [`DataError::NoImages`] if no file
    /// has a supported extension.
    pub fn open(root: &Path, options: FolderOptions) -> Result<Self, DataError> {
        let Listing {
            images: paths,
            others,
            unreachable,
        } = list(root)?;
        let mut classes: Vec<String> = paths.iter().filter_map(|p| class_of(root, p)).collect();
        classes.sort();
        classes.dedup();
        let files = paths
            .into_iter()
            .map(|path| File {
                label: class_of(root, &path).and_then(|class| classes.binary_search(&class).ok()),
                path,
                state: OnceLock::new(),
            })
            .collect();
        Ok(Self {
            root: root.to_owned(),
            options,
            classes,
            files,
            cache_left: AtomicUsize::new(options.cache_bytes),
            removed: Vec::new(),
            others,
            unreachable,
        })
    }

    /// Reads every file in parallel, fills the cache, and removes unusable files from the
    /// numbering.
    ///
    /// # Errors
    ///
    /// [`DataError::AllBad`] if no usable file remains.
    pub fn preload(mut self) -> Result<Self, DataError> {
        self.files.par_iter().for_each(|file| {
            // `load` stores the outcome in `file.state`.
            let _ = self.load(file);
        });
        let skipped = self.skipped();
        self.files.retain(|file| file.problem().is_none());
        self.removed = skipped;
        if self.files.is_empty() {
            return Err(self.all_bad());
        }
        Ok(self)
    }

    /// The classes, sorted by name. There are none if all images lie directly in the folder.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// Returns the class of the file at `index`, an index into [`Folder::classes`]. The result is
    /// `None` for a file directly in the folder and for an index out of range.
    pub fn label(&self, index: usize) -> Option<usize> {
        self.files.get(index)?.label
    }

    /// Returns the path of the file at `index`, or `None` if the index is out of range.
    pub fn path(&self, index: usize) -> Option<&Path> {
        Some(&self.files.get(index)?.path)
    }

    /// Returns the files found unusable so far, in the order of their paths.
    pub fn skipped(&self) -> Vec<Skipped> {
        let found = self.files.iter().filter_map(|file| {
            let reason = file.problem()?.to_owned();
            Some(Skipped {
                path: file.path.clone(),
                reason,
            })
        });
        let mut all: Vec<Skipped> = self.removed.iter().cloned().chain(found).collect();
        all.sort_by(|a, b| a.path.cmp(&b.path));
        all
    }

    /// Describes the skipped content in at most three lines: images found unusable so far, paths
    /// that could not be entered, and files of other kinds. Each line states the number and the
    /// first few names.
    pub fn warnings(&self) -> Vec<String> {
        let root = self.root.display();
        let skipped: Tally = self.skipped().into_iter().collect();
        let mut lines = Vec::new();
        if skipped.count() > 0 {
            let all = self.files.len() + self.removed.len();
            lines.push(format!(
                "skipped {} of {all} images in {root}: {skipped}",
                skipped.count()
            ));
        }
        if self.unreachable.count() > 0 {
            lines.push(format!(
                "could not enter {} in {root}: {}",
                counted(self.unreachable.count(), "path"),
                self.unreachable
            ));
        }
        if self.others.count() > 0 {
            lines.push(format!(
                "skipped {} in {root} without one of the extensions {}: {}",
                counted(self.others.count(), "file"),
                extensions(),
                self.others
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
    /// usable.
    pub fn sample(&self, index: usize, rng: &mut ChaCha8Rng) -> Result<Sample, DataError> {
        let len = self.files.len();
        if index >= len {
            return Err(DataError::Index { index, len });
        }
        let (before, from) = self.files.split_at(index);
        for file in from.iter().chain(before) {
            if let Ok(stored) = self.load(file) {
                let image = self.options.transform.apply(&stored, rng)?;
                return Ok(Sample {
                    image,
                    label: file.label,
                });
            }
        }
        Err(self.all_bad())
    }

    /// Returns the stored picture, from memory or from disk.
    fn load<'a>(&self, file: &'a File) -> Result<Cow<'a, RgbImage>, &'a str> {
        if file.state.get().is_none() {
            match decode(&file.path, self.options.min_side) {
                Ok(image) if !self.reserve(image.len()) => return Ok(Cow::Owned(image)),
                outcome => {
                    let size = outcome.as_ref().map_or(0, |image| image.len());
                    if file.state.set(outcome).is_err() {
                        // Another thread has already stored an identical copy, which is kept.
                        self.cache_left.fetch_add(size, Ordering::Relaxed);
                    }
                }
            }
        }
        match file.state.get() {
            Some(Ok(image)) => Ok(Cow::Borrowed(image)),
            Some(Err(reason)) => Err(reason),
            None => Err("not read"),
        }
    }

    /// Takes `size` bytes from the remaining cache. Returns false if fewer bytes remain.
    fn reserve(&self, size: usize) -> bool {
        self.cache_left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                left.checked_sub(size)
            })
            .is_ok()
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

impl File {
    fn problem(&self) -> Option<&str> {
        self.state.get()?.as_ref().err().map(String::as_str)
    }
}

impl Dataset for Folder {
    fn len(&self) -> usize {
        self.files.len()
    }

    fn image(&self, index: usize, rng: &mut ChaCha8Rng) -> Result<Image, DataError> {
        Ok(self.sample(index, rng)?.image)
    }

    fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        for file in &self.files {
            let name = file.path.strip_prefix(&self.root).unwrap_or(&file.path);
            let size = std::fs::metadata(&file.path).map_or(0, |found| found.len());
            hash.update(name.as_os_str().as_encoded_bytes());
            hash.update([0]);
            hash.update(size.to_le_bytes());
        }
        hash.finalize()
            .iter()
            .take(8)
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}

#[cfg(test)]
mod tests;
