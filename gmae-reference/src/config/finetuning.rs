//! The settings of a classifier that is trained on labelled images.

use serde::{Deserialize, Serialize};

use super::settings::{Config, LossKind};
use crate::error::Error;

/// Settings that only the training of a classifier has. Batch size, epochs, learning rate and the
/// other settings of the recipe are those of [`Config`].
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Finetuning {
    /// Number of classes, at least 2.
    pub classes: usize,
    /// Factor on the learning rate from one block to the block below it, in (0, 1]. The head and
    /// the pooled norm have the whole rate, and the patch embedding has the smallest.
    pub layer_decay: f64,
    /// Probability with which the last block drops each of its branches for an image, in [0, 1).
    /// The probability falls linearly to 0 at the first block (stochastic depth, arXiv 1603.09382).
    pub drop_path: f64,
    /// Parameter of the Beta distribution of mixup (arXiv 1710.09412), or 0 for none.
    pub mixup: f64,
    /// Parameter of the Beta distribution of cutmix (arXiv 1905.04899), or 0 for none. With both,
    /// each image has one of them, with probability 1/2.
    pub cutmix: f64,
    /// Part of the target that is spread over all classes, in [0, 1).
    pub label_smoothing: f64,
    /// The first 16 digits of the SHA-256 of the file of weights with which the training began.
    /// `None` for initial weights.
    #[serde(default)]
    pub start: Option<u64>,
}

impl Finetuning {
    /// The published settings of fine-tuning for `classes` classes.
    pub fn published(classes: usize) -> Self {
        Self {
            classes,
            layer_decay: 0.8,
            drop_path: 0.2,
            mixup: 0.8,
            cutmix: 0.5,
            label_smoothing: 0.1,
            start: None,
        }
    }

    /// The settings for the same network without pre-training: the published ones, but all layers
    /// have the same learning rate.
    pub fn from_scratch(classes: usize) -> Self {
        Self {
            layer_decay: 1.0,
            ..Self::published(classes)
        }
    }

    /// Checks every setting.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] for the first setting that is out of range.
    pub fn validate(&self) -> Result<(), Error> {
        let refused = |name: &str, expected: &str, got: String| {
            Err(Error::Setting {
                name: name.to_owned(),
                expected: expected.to_owned(),
                got,
            })
        };
        if self.classes < 2 {
            return refused("classes", "at least 2", self.classes.to_string());
        }
        if !(self.layer_decay > 0.0 && self.layer_decay <= 1.0) {
            return refused("layer-decay", "in (0, 1]", self.layer_decay.to_string());
        }
        for (name, value) in [
            ("drop-path", self.drop_path),
            ("label-smoothing", self.label_smoothing),
        ] {
            if !(0.0..1.0).contains(&value) {
                return refused(name, "in [0, 1)", value.to_string());
            }
        }
        for (name, value) in [("mixup", self.mixup), ("cutmix", self.cutmix)] {
            if !(value == 0.0 || (1e-3..=1e3).contains(&value)) {
                return refused(name, "0, or in 0.001 to 1000", value.to_string());
            }
        }
        Ok(())
    }
}

impl Config {
    /// Returns the settings for training a classifier with the encoder of `self`: nothing is
    /// masked, and the recipe is that of fine-tuning. For images of 224 pixels and more it is the
    /// published one. For smaller models it is a short recipe of this implementation.
    #[must_use]
    pub fn for_finetuning(self) -> Self {
        let whole = Self {
            mask_ratio: 0.0,
            loss: LossKind::All,
            micro_batch: 0,
            clip_norm: 2.0,
            weight_decay: 0.01,
            beta1: 0.9,
            beta2: 0.999,
            ..self
        };
        if self.image_size >= 224 {
            return Self {
                batch_size: 4096,
                epochs: 100,
                warmup_epochs: 10.0,
                learning_rate: 1e-4,
                crop_scale: 0.08,
                ..whole
            };
        }
        Self {
            batch_size: 64,
            epochs: 10,
            warmup_epochs: 1.0,
            learning_rate: 4e-3,
            crop_scale: 0.5,
            ..whole
        }
    }
}
