//! Errors of data sets.

use std::path::PathBuf;

/// The reason why data could not be opened or read.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// The path does not exist.
    #[error("data folder {path:?}: expected a folder of images, but there is nothing at that path")]
    Missing {
        /// The requested path.
        path: PathBuf,
    },
    /// The path exists but is not a folder.
    #[error("data folder {path:?}: expected a folder of images, but this is a file")]
    NotAFolder {
        /// The requested path.
        path: PathBuf,
    },
    /// The folder contains no file with a supported extension.
    #[error(
        "data folder {path:?}: expected at least one image ({extensions}), but none of the {files_seen} files \
         in it and below it has such a name{unreachable}"
    )]
    NoImages {
        /// The folder.
        path: PathBuf,
        /// Number of files of any kind in the folder and its subfolders.
        files_seen: usize,
        /// The supported extensions, for the message.
        extensions: String,
        /// The paths below the folder that could not be entered, for the message. Can be empty.
        unreachable: String,
    },
    /// Every image in the folder is unusable.
    #[error(
        "data folder {path:?}: expected readable images, but all {count} are unusable; the first is {first:?}: {reason}"
    )]
    AllBad {
        /// The folder.
        path: PathBuf,
        /// Number of images that were tried.
        count: usize,
        /// The first unusable file.
        first: PathBuf,
        /// The fault of the first unusable file, in words.
        reason: String,
    },
    /// A folder could not be listed.
    #[error("data folder {path:?}: cannot be listed: {reason}")]
    List {
        /// The folder or file at which listing stopped.
        path: PathBuf,
        /// The error of the operating system.
        reason: String,
    },
    /// The index is out of range.
    #[error("image index: expected less than {len}, got {index}")]
    Index {
        /// The requested index.
        index: usize,
        /// The number of images.
        len: usize,
    },
    /// An option is out of range.
    #[error("{argument}: expected {expected}, got {got}")]
    Option {
        /// The name of the option.
        argument: &'static str,
        /// The expected value, in words.
        expected: &'static str,
        /// The value received.
        got: String,
    },
}
