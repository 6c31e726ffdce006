//! The names and the constants of the format.

use serde::{Deserialize, Serialize};

use super::checksums::NAME as SUMS;
use crate::config::{BoxFinetuning, Config, Finetuning, Tuning};

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
    /// The settings of a model of boxes. Other models have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) box_finetuning: Option<BoxFinetuning>,
}

impl ConfigFile {
    /// Creates the content for a model with these settings.
    pub(super) fn new(settings: Config, tuning: Option<Tuning>) -> Self {
        let (finetuning, box_finetuning) = match tuning {
            None => (None, None),
            Some(Tuning::Classes(settings)) => (Some(settings), None),
            Some(Tuning::Boxes(settings)) => (None, Some(settings)),
        };
        Self {
            format: FORMAT,
            settings,
            finetuning,
            box_finetuning,
        }
    }

    /// Returns the settings of a model that was trained from an encoder.
    ///
    /// # Errors
    ///
    /// The fault in words, if there are settings of two kinds of models.
    pub(super) fn tuning(&self) -> Result<Option<Tuning>, String> {
        match (self.finetuning, self.box_finetuning) {
            (None, None) => Ok(None),
            (Some(settings), None) => Ok(Some(settings.into())),
            (None, Some(settings)) => Ok(Some(settings.into())),
            (Some(_), Some(_)) => {
                Err("expected one of finetuning and box_finetuning, got both".to_owned())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Preset;

    #[test]
    fn a_file_has_the_settings_of_one_kind_of_model() {
        let config = Preset::Nano.config();
        let (classes, boxes) = (Finetuning::published(3), BoxFinetuning::fine_tuned());
        for tuning in [None, Some(classes.into()), Some(boxes.into())] {
            let text = serde_json::to_string(&ConfigFile::new(config, tuning)).expect("text");
            let file: ConfigFile = serde_json::from_str(&text).expect("the same file");
            assert_eq!((file.settings, file.tuning()), (config, Ok(tuning)));
            // Files of earlier versions have no such entry.
            let is_of_boxes = matches!(tuning, Some(Tuning::Boxes(_)));
            assert_eq!(text.contains("box_finetuning"), is_of_boxes);
        }
        let both = ConfigFile {
            box_finetuning: Some(boxes),
            ..ConfigFile::new(config, Some(classes.into()))
        };
        assert!(both.tuning().is_err());
    }
}
