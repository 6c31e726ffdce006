//! What can go wrong with a report.

use std::path::PathBuf;

/// Why a report could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The folder could not be made or written to.
    #[error("report in folder {path:?}: cannot be written: {source}")]
    Write {
        /// The folder asked for.
        path: PathBuf,
        /// The operating system's words.
        source: std::io::Error,
    },
    /// A picture is malformed.
    #[error("report picture {name}: {reason}")]
    Picture {
        /// Which picture.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The loss curve could not be drawn.
    #[error("report loss curve: {0}")]
    Plot(String),
}
