//! The learning rate of every step.

use serde::{Deserialize, Serialize};

use crate::config::Config;

/// The way in which the learning rate falls from its peak to zero.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decay {
    /// Along half a cosine.
    #[default]
    Cosine,
    /// Along a line.
    Linear,
}

/// Linear warm-up to the peak rate, followed by a decay to zero. The rate changes at every step.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// The highest learning rate.
    pub peak: f64,
    /// Number of warm-up steps. The last of them has the peak rate.
    pub warmup_steps: usize,
    /// Number of steps, including warm-up.
    pub total_steps: usize,
    /// The decay after the warm-up.
    #[serde(default)]
    pub decay: Decay,
}

impl Schedule {
    /// Creates the schedule of `config` for epochs of `steps_per_epoch` steps.
    pub fn new(config: &Config, steps_per_epoch: usize) -> Self {
        let total_steps = config.epochs.saturating_mul(steps_per_epoch);
        let warmup = (config.warmup_epochs * steps_per_epoch as f64).round() as usize;
        Self {
            peak: config.peak_learning_rate(),
            warmup_steps: warmup.min(total_steps),
            total_steps,
            decay: Decay::Cosine,
        }
    }

    /// Returns the learning rate of step `step`, counted from 0.
    pub fn learning_rate(&self, step: usize) -> f64 {
        if step < self.warmup_steps {
            return self.peak * (step + 1) as f64 / self.warmup_steps as f64;
        }
        let remaining = self.total_steps.saturating_sub(self.warmup_steps).max(1);
        let progress = ((step - self.warmup_steps) as f64 / remaining as f64).min(1.0);
        match self.decay {
            Decay::Cosine => self.peak * 0.5 * (1.0 + (std::f64::consts::PI * progress).cos()),
            Decay::Linear => self.peak * (1.0 - progress),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warms_up_linearly_then_falls_along_half_a_cosine() {
        let schedule = Schedule {
            peak: 2.0,
            warmup_steps: 4,
            total_steps: 12,
            decay: Decay::Cosine,
        };
        let rates: Vec<f64> = (0..=12).map(|step| schedule.learning_rate(step)).collect();
        assert_eq!(rates[..4], [0.5, 1.0, 1.5, 2.0]);
        assert_eq!(rates[4], 2.0, "the cosine begins at the peak");
        assert!((rates[8] - 1.0).abs() < 1e-12, "half-way down at half time");
        assert!(rates[4..].is_sorted_by(|a, b| a > b));
        assert!(rates[12].abs() < 1e-12, "zero at the end");
        let linear = Schedule {
            decay: Decay::Linear,
            ..schedule
        };
        let rates: Vec<f64> = (3..=12).map(|step| linear.learning_rate(step)).collect();
        assert_eq!(
            rates,
            [2.0, 2.0, 1.75, 1.5, 1.25, 1.0, 0.75, 0.5, 0.25, 0.0]
        );
    }

    #[test]
    fn no_warm_up_and_only_warm_up() {
        let none = Schedule {
            peak: 1.0,
            warmup_steps: 0,
            total_steps: 10,
            decay: Decay::Cosine,
        };
        assert_eq!(none.learning_rate(0), 1.0);
        let only = Schedule {
            peak: 1.0,
            warmup_steps: 3,
            total_steps: 3,
            decay: Decay::Cosine,
        };
        assert_eq!(only.learning_rate(2), 1.0);
        assert!(only.learning_rate(3).is_finite());
    }
}
