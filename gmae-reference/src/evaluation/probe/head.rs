//! The linear layer of the linear probe: its loss, its gradient and its step.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use crate::ops::cpu::adam::{AdamStep, adam};
use crate::ops::cpu::linear::{linear, linear_vjp_b, linear_vjp_w};
use crate::ops::cpu::real::Real;
use crate::ops::cpu::rows::largest;

/// Standard deviation of the initial weights, as in the linear probe of MAE (arXiv 2111.06377).
const DEVIATION: f64 = 0.01;

/// Draws a number from the standard normal distribution, by the Box-Muller method.
pub(super) fn normal(rng: &mut ChaCha8Rng) -> f64 {
    let radius = (-2.0 * (1.0 - rng.random::<f64>()).ln()).sqrt();
    radius * (std::f64::consts::TAU * rng.random::<f64>()).cos()
}

/// A parameter and its moments.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Parameter {
    pub(super) values: Vec<f32>,
    first: Vec<f32>,
    second: Vec<f32>,
}

impl Parameter {
    fn new(values: Vec<f32>) -> Self {
        let (first, second) = (vec![0.0; values.len()], vec![0.0; values.len()]);
        Self {
            values,
            first,
            second,
        }
    }

    fn step(&mut self, gradient: &[f32], step: &AdamStep) {
        let (first, second) = (&mut self.first, &mut self.second);
        self.values = adam(&self.values, gradient, first, second, step);
    }
}

/// The layer `z W + b`, with `W`, `[d, c]`, and `b`, `[c]`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Head {
    pub(super) weights: Parameter,
    pub(super) bias: Parameter,
}

impl Head {
    /// Draws the weights from a normal distribution with deviation 0.01. The bias is 0.
    pub(super) fn new(seed: u64, columns: usize, classes: usize) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let draw = |_| (DEVIATION * normal(&mut rng)) as f32;
        Self {
            weights: Parameter::new((0..columns * classes).map(draw).collect()),
            bias: Parameter::new(vec![0.0; classes]),
        }
    }

    /// Returns the scores of the classes for `rows` rows of `z`, `[rows, c]`.
    pub(super) fn scores(&self, z: &[f32], rows: usize) -> Vec<f32> {
        let bias = &self.bias.values;
        linear(z, &self.weights.values, Some(bias), [rows, bias.len()])
    }

    /// Takes a step on a batch of normalised features. Only the weights are decayed. Returns the
    /// loss before the step.
    pub(super) fn step(&mut self, z: &[f32], labels: &[usize], step: &AdamStep) -> f64 {
        let slope = slope(z, labels, &self.weights.values, &self.bias.values);
        self.weights.step(&slope.weights, step);
        self.bias.step(
            &slope.bias,
            &AdamStep {
                decay: 0.0,
                ..*step
            },
        );
        slope.loss
    }
}

/// A loss, and its gradient with respect to the parameters of a layer.
struct Slope<T> {
    loss: f64,
    weights: Vec<T>,
    bias: Vec<T>,
}

/// Computes the mean cross-entropy of `softmax(z W + b)` and its gradient. `z` has the shape
/// `[n, d]`, and `labels` has n elements.
fn slope<T: Real>(z: &[T], labels: &[usize], weights: &[T], bias: &[T]) -> Slope<T> {
    let (rows, classes) = (labels.len(), bias.len());
    let mut scores = linear(z, weights, Some(bias), [rows, classes]);
    let loss = cross_entropy(&mut scores, labels);
    Slope {
        loss,
        weights: linear_vjp_w(z, &scores, [weights.len() / classes, classes]),
        bias: linear_vjp_b(&scores, classes),
    }
}

/// Returns the mean over n rows of `ln sum_j e^(s_j) - s_label`. Replaces the scores `s`, `[n, c]`,
/// by the gradient with respect to them:
///
/// ```text
/// v_j = (softmax(s)_j - [j = label]) / n
/// ```
fn cross_entropy<T: Real>(scores: &mut [T], labels: &[usize]) -> f64 {
    let classes = scores.len() / labels.len();
    let share = T::of((labels.len() as f64).recip());
    let rows = scores.par_chunks_exact_mut(classes).zip(labels);
    let losses = rows.with_min_len(8).map(|(row, &label)| -> f64 {
        let top = largest(row);
        for s in row.iter_mut() {
            *s = *s - top;
        }
        let own = row[label];
        T::exp_all(row);
        let total = row.iter().fold(T::zero(), |sum, e| sum + *e);
        for e in row.iter_mut() {
            *e = *e / total * share;
        }
        row[label] = row[label] - share;
        num_traits::cast(total.ln() - own).unwrap_or(f64::NAN)
    });
    let losses: Vec<f64> = losses.collect();
    losses.into_iter().sum::<f64>() / labels.len() as f64
}

#[cfg(test)]
mod tests {
    use super::super::tests::pattern;
    use super::*;

    const ROWS: usize = 7;
    const COLUMNS: usize = 5;
    const LABELS: [usize; ROWS] = [0, 3, 1, 1, 2, 0, 3];

    fn numbers(seed: u64, len: usize) -> Vec<f64> {
        pattern(seed, len).into_iter().map(f64::from).collect()
    }

    /// Central differences of the loss at f64.
    #[test]
    fn the_gradient_is_the_slope_of_the_loss() {
        const STEP: f64 = 1e-5;
        let z = numbers(1, ROWS * COLUMNS);
        let (mut w, mut b) = (numbers(2, COLUMNS * 4), numbers(3, 4));
        let found = slope(&z, &LABELS, &w, &b);
        for k in 0..w.len() {
            let old = w[k];
            let [plus, minus] = [STEP, -STEP].map(|step| {
                w[k] = old + step;
                slope(&z, &LABELS, &w, &b).loss
            });
            w[k] = old;
            let expected = (plus - minus) / (2.0 * STEP);
            let got = found.weights[k];
            assert!(
                (got - expected).abs() < 1e-8,
                "weight {k}: {got} {expected}"
            );
        }
        for k in 0..b.len() {
            let old = b[k];
            let [plus, minus] = [STEP, -STEP].map(|step| {
                b[k] = old + step;
                slope(&z, &LABELS, &w, &b).loss
            });
            b[k] = old;
            let expected = (plus - minus) / (2.0 * STEP);
            let got = found.bias[k];
            assert!((got - expected).abs() < 1e-8, "bias {k}: {got} {expected}");
        }
    }

    #[test]
    fn losses_with_a_closed_form() {
        let mut scores = [0.0, 0.0, 0.0, 3.0_f64.ln(), 0.0, 0.0];
        let loss = cross_entropy(&mut scores, &[1, 0]);
        // The rows have the losses ln 3 and ln(5/3). Their mean is ln(5) / 2.
        assert!((loss - 5.0_f64.ln() / 2.0).abs() < 1e-15, "{loss}");
        let third = 1.0 / 6.0;
        let expected = [third, third - 0.5, third, -0.2, 0.1, 0.1];
        for (got, expected) in scores.iter().zip(expected) {
            assert!((got - expected).abs() < 1e-15, "{got} {expected}");
        }
        let mut large = [1e30_f32, -1e30];
        assert_eq!(cross_entropy(&mut large, &[0]), 0.0);
        assert_eq!(large, [0.0, 0.0]);
    }

    #[test]
    fn initial_weights_have_the_deviation_of_the_recipe() {
        let head = Head::new(5, 100, 100);
        let weights = head.weights.values.iter().map(|w| f64::from(*w));
        let mean = weights.clone().sum::<f64>() / 1e4;
        let deviation = (weights.map(|w| w * w).sum::<f64>() / 1e4).sqrt();
        assert!(mean.abs() < 5e-4, "{mean}");
        assert!((deviation - 0.01).abs() < 3e-4, "{deviation}");
        assert!(head.bias.values.iter().all(|b| *b == 0.0));
        assert_ne!(head, Head::new(6, 100, 100));
    }
}
