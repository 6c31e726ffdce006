//! Errors, as values. Every message names the argument, the expected value and the value received.

use std::path::PathBuf;

use crate::data::error::DataError;
use crate::report::error::ReportError;

/// The error of a command or of a call of the library.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A hyper-parameter has a value that cannot work.
    #[error("setting {name}: expected {expected}, got {got}")]
    Setting {
        /// The setting, spelled as on the command line.
        name: String,
        /// The expected value, in words.
        expected: String,
        /// The value received.
        got: String,
    },
    /// An argument, of the command line or of a function, cannot be used.
    #[error("{argument}: expected {expected}, got {got}")]
    Argument {
        /// The argument.
        argument: &'static str,
        /// The expected value, in words.
        expected: String,
        /// The value received.
        got: String,
    },
    /// A file or folder could not be read or written.
    #[error("{action} {path:?}: {source}")]
    File {
        /// What was attempted, such as `writing`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// A file is no checkpoint, or is damaged.
    #[error("checkpoint {path:?}: {reason}")]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// The fault, in words.
        reason: String,
    },
    /// A checkpoint belongs to a run with other settings.
    #[error(
        "checkpoint {path:?}: made with another configuration: {name} is {found} there, expected {expected}"
    )]
    OtherConfig {
        /// The file.
        path: PathBuf,
        /// The first setting that differs.
        name: String,
        /// Its value in the checkpoint.
        found: String,
        /// Its value in this run.
        expected: String,
    },
    /// The loss or its gradient stopped being a number.
    #[error(
        "step {step}: expected a finite loss and gradient, got loss {loss} and gradient norm {norm}; \
         the last checkpoint is untouched, try a smaller --learning-rate"
    )]
    NotFinite {
        /// The step that was not taken, counted from 1.
        step: usize,
        /// Its loss.
        loss: f64,
        /// Its gradient norm.
        norm: f64,
    },
    /// A buffer or an image handed to the library has the wrong length.
    #[error("{argument}: expected {expected}, got {got}")]
    Length {
        /// The argument.
        argument: &'static str,
        /// The length that would have been right.
        expected: usize,
        /// The length that came.
        got: usize,
    },
    /// The renderer refused the scene.
    #[error("rendering: {0}")]
    Render(String),
    /// Data could not be opened or read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The report could not be written.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// Threads could not be started.
    #[error("starting threads: {0}")]
    Threads(String),
}

/// Checks a length.
pub(crate) fn check_len(argument: &'static str, expected: usize, got: usize) -> Result<(), Error> {
    if expected == got {
        return Ok(());
    }
    Err(Error::Length {
        argument,
        expected,
        got,
    })
}

impl Error {
    /// For `map_err` on file operations.
    pub(crate) fn file(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File {
            action,
            path,
            source,
        }
    }
}
