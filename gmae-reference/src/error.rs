//! The error type. A message about a value names the argument, the expected value and the value
//! received.

use std::path::PathBuf;

use crate::ablation::error::AblationError;
use crate::bsds::error::BsdsError;
use crate::data::error::DataError;
use crate::report::error::ReportError;

/// The error of a command or of a library function.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A hyper-parameter, or a product of hyper-parameters, is out of range.
    #[error("setting {name}: expected {expected}, got {got}")]
    Setting {
        /// The setting, spelled as on the command line.
        name: String,
        /// The expected value, in words.
        expected: String,
        /// The value received.
        got: String,
    },
    /// An argument of the command line or of a function is invalid.
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
        /// The attempted action, such as `writing`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// A file is not part of a checkpoint, is damaged, or belongs to another checkpoint.
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
        /// Value of the setting in the checkpoint.
        found: String,
        /// Value of the setting in this run.
        expected: String,
    },
    /// The loss or the norm of its gradient is not finite.
    #[error(
        "step {step}: expected a finite loss and gradient, got loss {loss} and gradient norm {norm}; \
         the last checkpoint is untouched, try a smaller --learning-rate"
    )]
    NotFinite {
        /// The step that was not taken, counted from 1.
        step: usize,
        /// The loss of the batch.
        loss: f64,
        /// The norm of the gradient.
        norm: f64,
    },
    /// A weight or a moment of the optimiser is not finite.
    #[error(
        "writing weights: expected finite values, got NaN or infinity in {name}; no file was replaced"
    )]
    NotSaved {
        /// The tensor, with its name in the file.
        name: String,
    },
    /// A buffer, an image or a data set has the wrong length.
    #[error("{argument}: expected {expected}, got {got}")]
    Length {
        /// The argument.
        argument: &'static str,
        /// The expected length.
        expected: usize,
        /// The length received.
        got: usize,
    },
    /// The renderer rejected the scene, or a tensor does not hold `f32`.
    #[error("rendering: {0}")]
    Render(String),
    /// Data could not be opened or read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The report could not be written.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// Boundaries could not be evaluated.
    #[error(transparent)]
    Bsds(#[from] BsdsError),
    /// A table of ablations could not be run.
    #[error(transparent)]
    Ablation(#[from] AblationError),
    /// Several processes cannot train together, or another process has failed.
    #[error("processes that train together: {0}")]
    Ranks(String),
    /// Threads could not be started, or have ended early.
    #[error("threads: {0}")]
    Threads(String),
}

/// Returns [`Error::Length`] if `got` differs from `expected`.
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
    /// Returns a function that adds `action` and `path` to an I/O error, for `map_err`.
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
