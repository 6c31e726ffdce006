//! Errors of data sets.

use std::path::PathBuf;

/// Why data could not be opened or read.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// The path does not exist.
    #[error("data folder {path:?}: expected a folder of images, but there is nothing at that path")]
    Missing {
        /// The path asked for.
        path: PathBuf,
    },
    /// The path is there, but is no folder.
    #[error("data folder {path:?}: expected a folder of images, but this is a file")]
    NotAFolder {
        /// The path asked for.
        path: PathBuf,
    },
    /// The folder holds no file with an extension that is read.
    #[error(
        "data folder {path:?}: expected at least one image ({extensions}), but none of the {files_seen} files \
         in it and below it has such a name{unreachable}"
    )]
    NoImages {
        /// The folder.
        path: PathBuf,
        /// How many files of any kind were seen in it and below it.
        files_seen: usize,
        /// The extensions that are read, for the message.
        extensions: String,
        /// The paths below it that could not be entered, for the message; may be empty.
        unreachable: String,
    },
    /// Every image in the folder is unusable.
    #[error(
        "data folder {path:?}: expected readable images, but all {count} are unusable; the first is {first:?}: {reason}"
    )]
    AllBad {
        /// The folder.
        path: PathBuf,
        /// How many images were tried.
        count: usize,
        /// The first unusable file.
        first: PathBuf,
        /// The fault of the first one.
        reason: String,
    },
    /// A folder could not be listed.
    #[error("data folder {path:?}: cannot be listed: {reason}")]
    List {
        /// The folder or file on which listing stopped.
        path: PathBuf,
        /// The error of the operating system.
        reason: String,
    },
    /// The index is out of range.
    #[error("image index: expected less than {len}, got {index}")]
    Index {
        /// The index asked for.
        index: usize,
        /// The number of images.
        len: usize,
    },
    /// An option has a value that cannot work.
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
