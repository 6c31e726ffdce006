//! Errors of the boundary benchmark.

use std::path::{Path, PathBuf};

/// The reason why boundaries could not be evaluated.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum BsdsError {
    /// An edge map is unusable.
    #[error("edge map {path:?}: expected {expected}, got {got}")]
    Map {
        /// The file.
        path: PathBuf,
        /// The expectation, in words.
        expected: String,
        /// The content, in words.
        got: String,
    },
    /// An annotation is unusable.
    #[error("ground truth {path:?}: expected {expected}, got {got}")]
    GroundTruth {
        /// The file.
        path: PathBuf,
        /// The expectation, in words.
        expected: String,
        /// The content, in words.
        got: String,
    },
    /// An image of the data set is unusable.
    #[error("image {path:?}: {reason}")]
    Image {
        /// The file.
        path: PathBuf,
        /// The fault, in words.
        reason: String,
    },
    /// Images were left out of an evaluation.
    #[error(
        "incomplete: expected usable files for every image, got {problems} at fault; {path:?} names them"
    )]
    Incomplete {
        /// Number of files at fault.
        problems: usize,
        /// The report of the other images.
        path: PathBuf,
    },
    /// A folder does not have the expected files.
    #[error("folder {path:?}: expected {expected}, got {got}")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// The expectation, in words.
        expected: String,
        /// The content, in words.
        got: String,
    },
}

/// The fault of a file whose name is not known where the fault is found.
#[derive(Debug, PartialEq)]
pub(super) struct Fault {
    /// The expectation, in words.
    pub(super) expected: String,
    /// The content, in words.
    pub(super) got: String,
}

impl Fault {
    /// Creates a fault.
    pub(super) fn new(expected: impl Into<String>, got: impl Into<String>) -> Self {
        Self {
            expected: expected.into(),
            got: got.into(),
        }
    }

    /// Creates the fault of a file that cannot be read.
    pub(super) fn unreadable(error: &std::io::Error) -> Self {
        Self::new("a readable file", error.to_string())
    }

    /// The fault of the edge map at `path`.
    pub(super) fn of_map(self, path: &Path) -> BsdsError {
        BsdsError::Map {
            path: path.to_owned(),
            expected: self.expected,
            got: self.got,
        }
    }

    /// The fault of the ground truth at `path`.
    pub(super) fn of_truth(self, path: &Path) -> BsdsError {
        BsdsError::GroundTruth {
            path: path.to_owned(),
            expected: self.expected,
            got: self.got,
        }
    }

    /// The fault of the folder at `path`.
    pub(super) fn of_folder(self, path: &Path) -> BsdsError {
        BsdsError::Folder {
            path: path.to_owned(),
            expected: self.expected,
            got: self.got,
        }
    }
}
