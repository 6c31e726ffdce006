//! Errors of reports.

use std::path::PathBuf;

/// The reason why a report could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The folder could not be created or written to.
    #[error("report in folder {path:?}: cannot be written: {source}")]
    Write {
        /// The requested folder.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// A picture is malformed.
    #[error("report picture {name}: {reason}")]
    Picture {
        /// The name of the picture.
        name: String,
        /// The fault, in words.
        reason: String,
    },
    /// The loss curve could not be drawn.
    #[error("report loss curve: {0}")]
    Plot(String),
}
