//! The settings of a model of boxes that is trained on annotated images.

use serde::{Deserialize, Serialize};

use super::finetuning::Finetuning;
use crate::error::Error;

/// Whether the encoder is trained with the head of boxes.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tokens {
    /// The encoder keeps its weights.
    Frozen,
    /// The encoder is trained too.
    FineTuned,
}

/// Settings that only the training of a model of boxes has. Batch size, epochs, learning rate and
/// the other settings of the recipe are those of [`Config`](super::Config).
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct BoxFinetuning {
    /// Whether the encoder is trained.
    pub tokens: Tokens,
    /// Factor on the learning rate from one block to the block below it, in (0, 1]. The head has
    /// the whole rate. Frozen tokens do not depend on it.
    pub layer_decay: f64,
    /// Probability with which the last block drops each of its branches for an image, in [0, 1).
    /// The probability falls linearly to 0 at the first block. Frozen tokens do not depend on it.
    pub drop_path: f64,
    /// The first 16 digits of the SHA-256 of the file of weights with which the training began.
    /// `None` for initial weights.
    #[serde(default)]
    pub start: Option<u64>,
}

impl BoxFinetuning {
    /// The settings of a head on frozen tokens.
    pub fn frozen() -> Self {
        Self {
            tokens: Tokens::Frozen,
            layer_decay: 1.0,
            drop_path: 0.0,
            start: None,
        }
    }

    /// The settings of a head and an encoder that begin with initial weights: all layers have the
    /// same learning rate.
    pub fn from_scratch() -> Self {
        Self {
            layer_decay: 1.0,
            ..Self::fine_tuned()
        }
    }

    /// The settings of a head that is trained with the encoder. Layer decay and drop path are those
    /// of the published fine-tuning of a classifier.
    pub fn fine_tuned() -> Self {
        let Finetuning {
            layer_decay,
            drop_path,
            ..
        } = Finetuning::published(2);
        Self {
            tokens: Tokens::FineTuned,
            layer_decay,
            drop_path,
            start: None,
        }
    }

    /// Checks every setting. The ranges are those of a classifier.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] for the first setting that is out of range.
    pub fn validate(&self) -> Result<(), Error> {
        Finetuning {
            layer_decay: self.layer_decay,
            drop_path: self.drop_path,
            ..Finetuning::published(2)
        }
        .validate()
    }
}
