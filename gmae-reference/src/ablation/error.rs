//! Errors of ablation tables.

use std::path::PathBuf;

/// The reason why an ablation table could not be run.
#[derive(Debug, thiserror::Error)]
pub enum AblationError {
    /// The TOML file is not a table of ablations.
    #[error("table {path:?}: {reason}")]
    Table {
        /// The file.
        path: PathBuf,
        /// The row, the key and the fault, in words.
        reason: String,
    },
    /// A result file is damaged or belongs to another job.
    #[error("result {path:?}: {reason}")]
    Result {
        /// The file.
        path: PathBuf,
        /// The fault, in words.
        reason: String,
    },
}
