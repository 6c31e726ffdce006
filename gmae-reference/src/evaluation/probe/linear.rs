//! The linear probe: batch normalisation without gain and shift, and a linear layer, trained with
//! the cross-entropy. The recipe is that of GMAE (arXiv 2501.03229) and MAE (arXiv 2111.06377).

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::accuracy::{Accuracy, accuracy, best};
use super::features::Labelled;
use super::head::Head;
use super::recipe::LinearRecipe;
use super::scaling::{Moments, Scaling};
use super::split::hold_out;
use super::watch::Watch;
use crate::error::Error;
use crate::ops::cpu::adam::AdamStep;
use crate::training::{Decay, Schedule};

/// Added to the variances of the batch normalisation.
const EPSILON: f64 = 1e-6;
/// Weight of a batch in the running moments.
const MOMENTUM: f64 = 0.1;
/// Rows that are classified together.
const ROWS: usize = 1024;

/// The result of [`linear_probe`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LinearProbe {
    /// Accuracy on the test images, trained on all training images.
    pub test: Accuracy,
    /// Accuracy on the validation part, trained on the other training images.
    pub validation: Accuracy,
    /// The chosen base rate.
    pub rate: f64,
    /// The mean cross-entropy of the last epoch over all training images, in nats. It is NaN or
    /// infinite if the training diverged.
    pub loss: f64,
}

/// Trains a linear classifier on `train` and classifies `test`.
///
/// In training, features are normalised by the mean and the variance of their batch, with epsilon
/// 1e-6. In tests they are normalised by running averages with momentum 0.1. The optimiser is
/// `AdamW` with betas 0.9 and 0.999. The base rate with the highest accuracy on the validation part
/// ([`hold_out`]) is chosen; the first of the recipe wins a tie. All rates see the same batches.
///
/// `progress` is called after every epoch with the finished and the total number of epochs. If it
/// returns `false`, the result is `Ok(None)`.
///
/// # Errors
///
/// [`Error::Length`] if `test` has other columns or classes than `train`. [`Error::Argument`] if
/// the recipe is invalid, or if no class of `train` has two images.
pub fn linear_probe(
    train: &Labelled,
    test: &Labelled,
    recipe: &LinearRecipe,
    progress: &mut dyn FnMut(usize, usize) -> bool,
) -> Result<Option<LinearProbe>, Error> {
    recipe.check()?;
    train.check_test(test)?;
    let split = hold_out(train)?;
    let mut watch = Watch::new(recipe.epochs.saturating_mul(2), progress);

    let Some(trained) = Trained::new(train, &split.fit, &recipe.rates, recipe, &mut watch) else {
        return Ok(None);
    };
    let found = trained.judge(train, &split.validation)?;
    let mut chosen = 0;
    for (k, accuracy) in found.iter().enumerate() {
        if accuracy.correct > found[chosen].correct {
            chosen = k;
        }
    }
    let rate = recipe.rates[chosen];
    let all: Vec<usize> = (0..train.labels().len()).collect();
    let Some(trained) = Trained::new(train, &all, &[rate], recipe, &mut watch) else {
        return Ok(None);
    };
    let rows: Vec<usize> = (0..test.labels().len()).collect();
    let test = trained.judge(test, &rows)?[0];
    Ok(Some(LinearProbe {
        test,
        validation: found[chosen],
        rate,
        loss: trained.losses[0],
    }))
}

/// One trained layer for every rate, and the running moments of the features.
#[derive(Debug, PartialEq)]
struct Trained {
    heads: Vec<Head>,
    /// The mean loss of every layer in the last epoch.
    losses: Vec<f64>,
    running: Moments,
}

impl Trained {
    /// Trains on `rows`. The result is `None` if `watch` asks to stop.
    fn new(
        images: &Labelled,
        rows: &[usize],
        rates: &[f64],
        recipe: &LinearRecipe,
        watch: &mut Watch,
    ) -> Option<Self> {
        let features = images.features();
        let (columns, classes) = (features.columns(), images.classes());
        let batch = recipe.batch.min(rows.len());
        let steps = rows.len() / batch;
        let schedule = |base: &f64| Schedule {
            peak: base * recipe.batch as f64 / 256.0,
            warmup_steps: recipe
                .warmup_epochs
                .min(recipe.epochs)
                .saturating_mul(steps),
            decay: Decay::Cosine,
            total_steps: recipe.epochs.saturating_mul(steps),
        };
        let schedules: Vec<Schedule> = rates.iter().map(schedule).collect();
        let mut trained = Self {
            heads: vec![Head::new(recipe.seed, columns, classes); rates.len()],
            losses: Vec::new(),
            running: Moments {
                mean: vec![0.0; columns],
                variance: vec![1.0; columns],
            },
        };
        for epoch in 0..recipe.epochs {
            let order = order(rows, recipe.seed, epoch);
            trained.losses = vec![0.0; rates.len()];
            for (step, rows) in order.chunks_exact(batch).enumerate() {
                let moments = Moments::of(features, rows);
                let z: Vec<f32> = Scaling::new(&moments, EPSILON).apply(features, rows);
                trained.blend(&moments, batch);
                let labels: Vec<usize> = rows.iter().map(|&row| images.labels()[row]).collect();
                let step = epoch * steps + step;
                let heads = trained.heads.iter_mut().zip(&mut trained.losses);
                for ((head, loss), schedule) in heads.zip(&schedules) {
                    let rate = schedule.learning_rate(step);
                    let settings = adam_step(rate, step, recipe.weight_decay);
                    *loss += head.step(&z, &labels, &settings) / steps as f64;
                }
            }
            watch.part()?;
        }
        Some(trained)
    }

    /// Moves the running moments towards those of a batch. As in `PyTorch`, the variance of the
    /// batch is multiplied by `n / (n - 1)` here, but not where the batch itself is normalised.
    fn blend(&mut self, moments: &Moments, images: usize) {
        let blend = |old: &mut [f64], new: &[f64], factor: f64| {
            for (old, new) in old.iter_mut().zip(new) {
                *old += MOMENTUM * (factor * new - *old);
            }
        };
        let unbiased = images as f64 / (images - 1).max(1) as f64;
        blend(&mut self.running.mean, &moments.mean, 1.0);
        blend(&mut self.running.variance, &moments.variance, unbiased);
    }

    /// Counts the correct answers of every layer among `rows`.
    fn judge(&self, images: &Labelled, rows: &[usize]) -> Result<Vec<Accuracy>, Error> {
        let scaling = Scaling::new(&self.running, EPSILON);
        let mut classes = vec![Vec::with_capacity(rows.len()); self.heads.len()];
        for rows in rows.chunks(ROWS) {
            let z: Vec<f32> = scaling.apply(images.features(), rows);
            for (head, classes) in self.heads.iter().zip(&mut classes) {
                let scores = head.scores(&z, rows.len());
                classes.extend(scores.chunks_exact(images.classes()).map(best));
            }
        }
        let labels: Vec<usize> = rows.iter().map(|&row| images.labels()[row]).collect();
        classes
            .iter()
            .map(|found| accuracy(found, &labels))
            .collect()
    }
}

/// The settings of a step. `step` counts from 0.
fn adam_step(rate: f64, step: usize, decay: f64) -> AdamStep {
    AdamStep {
        rate,
        beta1: 0.9,
        beta2: 0.999,
        epsilon: 1e-8,
        decay,
        time: i32::try_from(step + 1).unwrap_or(i32::MAX),
    }
}

/// Returns `rows` in the random order of an epoch.
fn order(rows: &[usize], seed: u64, epoch: usize) -> Vec<usize> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    // Stream 0 draws the initial weights.
    rng.set_stream(1 + epoch as u64);
    let mut order = rows.to_vec();
    order.shuffle(&mut rng);
    order
}

#[cfg(test)]
mod tests {
    use super::super::features::Features;
    use super::super::tests::{go_on, on_threads, shifted};
    use super::*;

    fn train(images: &Labelled, recipe: &LinearRecipe) -> Trained {
        let rows: Vec<usize> = (0..images.labels().len()).collect();
        let mut progress = go_on;
        let watch = &mut Watch::new(recipe.epochs, &mut progress);
        Trained::new(images, &rows, &recipe.rates, recipe, watch).expect("not stopped")
    }

    /// The parameters of a layer after training and the last loss, computed with plain loops at
    /// f64: batch moments, softmax, `AdamW`, warm-up and cosine. One batch has all images, so that
    /// their order has no effect.
    fn plain(
        images: &Labelled,
        head: &Head,
        peak: f64,
        [warmup, epochs]: [usize; 2],
    ) -> (Vec<f64>, f64) {
        let (n, d, c) = (
            images.labels().len(),
            images.features().columns(),
            images.classes(),
        );
        let x = |i: usize, k: usize| f64::from(images.features().row(i)[k]);
        let initial = head.weights.values.iter().chain(&head.bias.values);
        let mut p: Vec<f64> = initial.map(|v| f64::from(*v)).collect();
        let (mut first, mut second) = (vec![0.0; p.len()], vec![0.0; p.len()]);
        let mean: Vec<f64> = (0..d)
            .map(|k| (0..n).map(|i| x(i, k)).sum::<f64>() / n as f64)
            .collect();
        let spread = |k: usize| (0..n).map(|i| (x(i, k) - mean[k]).powi(2)).sum::<f64>();
        let scale: Vec<f64> = (0..d)
            .map(|k| (spread(k) / n as f64 + 1e-6).sqrt())
            .collect();
        let mut loss = 0.0;
        for t in 0..epochs {
            let mut g = vec![0.0; p.len()];
            loss = 0.0;
            for i in 0..n {
                let z: Vec<f64> = (0..d).map(|k| (x(i, k) - mean[k]) / scale[k]).collect();
                let score =
                    |j: usize| p[d * c + j] + (0..d).map(|k| z[k] * p[k * c + j]).sum::<f64>();
                let e: Vec<f64> = (0..c).map(|j| score(j).exp()).collect();
                let own = e[images.labels()[i]] / e.iter().sum::<f64>();
                loss -= own.ln() / n as f64;
                for j in 0..c {
                    let target = f64::from(images.labels()[i] == j);
                    let v = (e[j] / e.iter().sum::<f64>() - target) / n as f64;
                    g[d * c + j] += v;
                    (0..d).for_each(|k| g[k * c + j] += v * z[k]);
                }
            }
            let rate = if t < warmup {
                peak * (t + 1) as f64 / warmup as f64
            } else {
                let part = (t - warmup) as f64 / (epochs - warmup) as f64;
                peak * (1.0 + (std::f64::consts::PI * part).cos()) / 2.0
            };
            let power = (t + 1) as i32;
            for k in 0..p.len() {
                first[k] = 0.9 * first[k] + 0.1 * g[k];
                second[k] = 0.999 * second[k] + 0.001 * g[k] * g[k];
                let (m, v) = (
                    first[k] / (1.0 - 0.9_f64.powi(power)),
                    second[k] / (1.0 - 0.999_f64.powi(power)),
                );
                let decay = if k < d * c { 0.1 } else { 0.0 };
                p[k] -= rate * (m / (v.sqrt() + 1e-8) + decay * p[k]);
            }
        }
        (p, loss)
    }

    #[test]
    fn training_follows_plain_loops() {
        let images = shifted(3, 40);
        let recipe = LinearRecipe {
            epochs: 8,
            warmup_epochs: 3,
            batch: 64,
            rates: vec![4e-2, 4e-3],
            weight_decay: 0.1,
            seed: 5,
        };
        let trained = train(&images, &recipe);
        let initial = Head::new(5, images.features().columns(), images.classes());
        let bases = [4e-2, 4e-3];
        for ((head, base), got) in trained.heads.iter().zip(bases).zip(&trained.losses) {
            let (expected, loss) = plain(&images, &initial, base / 4.0, [3, 8]);
            assert!((got - loss).abs() < 1e-5, "{got} {loss}");
            let got = head.weights.values.iter().chain(&head.bias.values);
            for (got, expected) in got.zip(expected) {
                assert!(
                    (f64::from(*got) - expected).abs() < 2e-5,
                    "{got} {expected}"
                );
            }
        }
    }

    /// Three equal batches with mean 3 and variance 2, which is 4 with `n - 1 = 1`.
    #[test]
    fn running_moments_approach_those_of_the_batches() {
        let side = 2.0_f32.sqrt();
        let features = Features::new(vec![3.0 - side, 3.0 + side], 1).expect("two rows");
        let images = Labelled::new(features, vec![0, 1], 2).expect("labels");
        let recipe = LinearRecipe {
            epochs: 3,
            batch: 2,
            ..LinearRecipe::default()
        };
        let running = train(&images, &recipe).running;
        assert!((running.mean[0] - 3.0 * (1.0 - 0.729)).abs() < 1e-6);
        assert!((running.variance[0] - (0.729 + 4.0 * (1.0 - 0.729))).abs() < 1e-6);
    }

    #[test]
    fn threads_change_no_bit() {
        let images = shifted(8, 300);
        let recipe = LinearRecipe {
            epochs: 2,
            batch: 128,
            rates: vec![1e-2, 1e-3],
            ..LinearRecipe::default()
        };
        let run = || train(&images, &recipe);
        assert_eq!(on_threads(1, run), on_threads(3, run));
        let other = LinearRecipe {
            seed: 1,
            ..recipe.clone()
        };
        assert_ne!(run(), train(&images, &other));
    }

    #[test]
    fn every_epoch_has_all_rows_in_another_order() {
        let rows = [4, 7, 8, 9, 11, 20];
        let [a, b] = [0, 1].map(|epoch| order(&rows, 3, epoch));
        assert_ne!(a, b);
        for mut order in [a, b] {
            order.sort_unstable();
            assert_eq!(order, rows);
        }
    }
}
