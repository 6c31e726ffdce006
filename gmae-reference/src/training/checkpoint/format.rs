//! The names and the constants of the format.

use serde::{Deserialize, Serialize};

use super::checksums::NAME as SUMS;
use crate::config::{Config, Finetuning};

/// The names of the files.
pub(super) const CONFIG: &str = "config.json";
pub(super) const MODEL: &str = "model.safetensors";
pub(super) const STATE: &str = "state.safetensors";
/// The entry of the metadata of `state.safetensors` that holds the [`State`].
pub(super) const STATE_ENTRY: &str = "state";
/// Prefixes of the moments in `state.safetensors`.
pub(super) const PREFIXES: [&str; 2] = ["first.", "second."];
/// The number of the format in `config.json`.
pub(super) const FORMAT: u32 = 2;

/// The files of a checkpoint.
pub(crate) const FILES: [&str; 4] = [CONFIG, MODEL, STATE, SUMS];

/// The content of `config.json`.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ConfigFile {
    pub(super) format: u32,
    pub(super) settings: Config,
    /// The settings of a classifier. Other models have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) finetuning: Option<Finetuning>,
}
