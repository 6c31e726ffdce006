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
    /// A part of a comparison has another number of entries than its heading.
    #[error("report {part}: expected {expected} entries, got {got}")]
    Entries {
        /// The part, such as a row of a table.
        part: String,
        /// The expected number.
        expected: usize,
        /// The number received.
        got: usize,
    },
    /// A plot could not be drawn.
    #[error("report plot: {0}")]
    Plot(String),
}
