//! The state of a run besides its weights.

use std::fmt::{self, Display, Formatter};

use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::data::Dataset;
use crate::training::sampling::steps_per_epoch;
use crate::training::schedule::Schedule;

/// The position of a run, its schedule and its data. The moments of the optimiser are beside it in
/// the same file.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// A random name of the run. It enters the checksums of the lines of the metrics.
    pub run: String,
    /// Number of steps taken.
    pub step: usize,
    /// The epoch of the next step, counted from 0.
    pub epoch: usize,
    /// Number of images of that epoch that have been used.
    pub images_of_epoch: usize,
    /// The learning rate of every step.
    pub schedule: Schedule,
    /// The random generator.
    pub generator: Generator,
    /// The data set.
    pub data: DataId,
    /// The lowest mean loss of an epoch at whose end a snapshot was kept.
    pub best: Option<f64>,
}

/// The random generator. It has no state: order, crops and masks have a stream of their own for
/// each position in the run.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Generator {
    /// The algorithm.
    pub algorithm: String,
    /// The seed.
    pub seed: u64,
}

/// Identifies a data set.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct DataId {
    /// Number of images.
    pub images: usize,
    /// The text of [`Dataset::fingerprint`].
    pub fingerprint: String,
}

impl Display for DataId {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        f.write_str(&self.fingerprint)
    }
}

impl DataId {
    /// Identifies `data`.
    pub fn of(data: &dyn Dataset) -> Self {
        Self {
            images: data.len(),
            fingerprint: data.fingerprint(),
        }
    }
}

impl State {
    /// Creates the state after `step` steps of the run named `run`.
    pub fn new(config: &Config, run: &str, step: usize, schedule: Schedule, data: DataId) -> Self {
        let steps = steps_per_epoch(config, data.images);
        Self {
            run: run.to_owned(),
            step,
            epoch: step / steps,
            images_of_epoch: (step % steps).saturating_mul(config.batch_size),
            schedule,
            generator: Generator {
                algorithm: "ChaCha8".to_owned(),
                seed: config.seed,
            },
            data,
            best: None,
        }
    }

    /// Returns the first entry that contradicts the others or `config`: its name, the expected
    /// value and the value received.
    pub(super) fn contradiction(&self, config: &Config) -> Option<[String; 3]> {
        let expected = Self::new(
            config,
            &self.run,
            self.step,
            self.schedule,
            self.data.clone(),
        );
        let words = |state: &Self| {
            let Generator { algorithm, seed } = &state.generator;
            [
                ("epoch", state.epoch.to_string()),
                ("images_of_epoch", state.images_of_epoch.to_string()),
                ("generator", format!("{algorithm} with seed {seed}")),
            ]
        };
        if self.step > self.schedule.total_steps {
            let total = self.schedule.total_steps;
            return Some([
                "step".to_owned(),
                format!("at most {total}"),
                self.step.to_string(),
            ]);
        }
        let [peak, expected_peak] = [self.schedule.peak, config.peak_learning_rate()];
        if peak != expected_peak {
            return Some([
                "schedule.peak".to_owned(),
                expected_peak.to_string(),
                peak.to_string(),
            ]);
        }
        let pairs = words(&expected).into_iter().zip(words(self));
        pairs.into_iter().find_map(|((name, expected), (_, got))| {
            (expected != got).then(|| [name.to_owned(), expected, got])
        })
    }
}
