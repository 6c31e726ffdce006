//! The settings of the linear probe.

use super::features::fault;
use crate::error::Error;

/// The settings of the linear probe.
#[derive(Clone, Debug, PartialEq)]
pub struct LinearRecipe {
    /// Number of passes over the images, at least 1.
    pub epochs: usize,
    /// Passes over which the learning rate rises linearly. Then it falls along half a cosine to 0.
    /// The rate changes at every step.
    pub warmup_epochs: usize,
    /// Images of a step, at least 1. Images that do not fill a batch are left out of the epoch. If
    /// there are fewer images than a batch, an epoch is one step.
    pub batch: usize,
    /// Base learning rates, from which the probe chooses. The rate is the base rate times
    /// `batch / 256`.
    pub rates: Vec<f64>,
    /// Weight decay of `AdamW`, relative to the learning rate. The bias is not decayed.
    pub weight_decay: f64,
    /// Seed of the initial weights and of the order of the images.
    pub seed: u64,
}

impl Default for LinearRecipe {
    /// 90 epochs, 10 of them warm-up, without weight decay, as in the paper. The paper has batches
    /// of 2048 images and base rates of 1e-4 to 4e-4 for 1.28 million images. The default here is
    /// meant for thousands of images, which give far fewer steps. Its batch is therefore smaller,
    /// and its rates 1e-3, 4e-3 and 1.6e-2 are larger.
    fn default() -> Self {
        Self {
            epochs: 90,
            warmup_epochs: 10,
            batch: 256,
            rates: vec![1e-3, 4e-3, 1.6e-2],
            weight_decay: 0.0,
            seed: 0,
        }
    }
}

impl LinearRecipe {
    /// # Errors
    ///
    /// [`Error::Argument`] if a setting is out of range.
    pub(super) fn check(&self) -> Result<(), Error> {
        for (argument, value) in [
            ("epochs of the linear probe", self.epochs),
            ("batch of the linear probe", self.batch),
            ("number of rates of the linear probe", self.rates.len()),
        ] {
            if value == 0 {
                return Err(fault(argument, "at least 1", value));
            }
        }
        let positive = |rate: &f64| *rate > 0.0 && rate.is_finite();
        if let Some(rate) = self.rates.iter().find(|rate| !positive(rate)) {
            let argument = "rates of the linear probe";
            return Err(fault(argument, "positive, finite numbers", rate));
        }
        if !(self.weight_decay >= 0.0 && self.weight_decay.is_finite()) {
            let argument = "weight decay of the linear probe";
            return Err(fault(argument, "at least 0 and finite", self.weight_decay));
        }
        Ok(())
    }
}
