//! Errors of reports.

use std::path::PathBuf;

/// Why a report could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The folder could not be made or written to.
    #[error("report in folder {path:?}: cannot be written: {source}")]
    Write {
        /// The folder asked for.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// A picture is malformed.
    #[error("report picture {name}: {reason}")]
    Picture {
        /// Which picture.
        name: String,
        /// The fault, in words.
        reason: String,
    },
    /// The loss curve could not be drawn.
    #[error("report loss curve: {0}")]
    Plot(String),
}
