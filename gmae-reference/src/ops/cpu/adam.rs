//! One step of `AdamW` on the values of one parameter (Loshchilov and Hutter, arXiv 1711.05101).
//! Sums of gradients.

use pulp::Arch;
use rayon::prelude::*;

use super::real::Real;
use super::rows::sum;

/// Elements of one task. Smaller parameters stay on one thread.
const TASK: usize = 1 << 14;

/// The settings of a step, the same for all elements.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamStep {
    /// Learning rate.
    pub rate: f64,
    /// Decay of the first moment.
    pub beta1: f64,
    /// Decay of the second moment.
    pub beta2: f64,
    /// Added to the square root of the second moment.
    pub epsilon: f64,
    /// Weight decay, relative to the learning rate.
    pub decay: f64,
    /// Number of this step, from 1.
    pub time: i32,
}

/// Updates the moments in place and returns the parameter after the step:
///
/// ```text
/// m1 = beta1 m1 + (1 - beta1) g,   m2 = beta2 m2 + (1 - beta2) g^2
/// x = (1 - rate decay) x - rate m1 / (1 - beta1^t) / (sqrt(m2 / (1 - beta2^t)) + epsilon)
/// ```
///
/// # Panics
/// Panics if the lengths differ.
pub fn adam<T: Real>(x: &[T], g: &[T], m1: &mut [T], m2: &mut [T], step: &AdamStep) -> Vec<T> {
    assert!(x.len() == g.len() && x.len() == m1.len() && x.len() == m2.len());
    let (keep1, keep2) = (T::of(step.beta1), T::of(step.beta2));
    let (add1, add2) = (T::of(1.0 - step.beta1), T::of(1.0 - step.beta2));
    let whole1 = T::of(1.0 / (1.0 - step.beta1.powi(step.time)));
    let whole2 = T::of(1.0 / (1.0 - step.beta2.powi(step.time)));
    let (rate, epsilon) = (T::of(step.rate), T::of(step.epsilon));
    let shrink = T::of(1.0 - step.rate * step.decay);
    let mut y = x.to_vec();
    let moments = m1.par_chunks_mut(TASK).zip(m2.par_chunks_mut(TASK));
    y.par_chunks_mut(TASK)
        .zip(g.par_chunks(TASK))
        .zip(moments)
        .for_each(|((y, g), (m1, m2))| {
            Arch::new().dispatch(
                #[inline(always)]
                || {
                    for ((y, g), (m1, m2)) in y.iter_mut().zip(g).zip(m1.iter_mut().zip(m2)) {
                        *m1 = keep1 * *m1 + add1 * *g;
                        *m2 = keep2 * *m2 + add2 * *g * *g;
                        let update = *m1 * whole1 / ((*m2 * whole2).sqrt() + epsilon);
                        *y = shrink * *y - rate * update;
                    }
                },
            );
        });
    y
}

/// Multiplies every value by `weight`.
pub fn scale<T: Real>(values: &mut [T], weight: f64) {
    let weight = T::of(weight);
    values.par_chunks_mut(TASK).for_each(|values| {
        Arch::new().dispatch(
            #[inline(always)]
            || {
                for value in values {
                    *value = *value * weight;
                }
            },
        );
    });
}

/// Sums the squares of all values. The order of the sum does not depend on the number of threads.
pub fn sum_squares<T: Real>(values: &[T]) -> f64 {
    let tasks = values.par_chunks(TASK).map(|values| {
        let squares = Arch::new().dispatch(
            #[inline(always)]
            || sum(values, |x| x * x),
        );
        burn::tensor::ElementConversion::elem::<f64>(squares)
    });
    tasks.collect::<Vec<_>>().into_iter().sum()
}

/// Adds `weight * g` to `total`.
pub fn add_scaled<T: Real>(total: &mut [T], g: &[T], weight: f64) {
    let weight = T::of(weight);
    total
        .par_chunks_mut(TASK)
        .zip(g.par_chunks(TASK))
        .for_each(|(total, g)| {
            Arch::new().dispatch(
                #[inline(always)]
                || {
                    for (total, g) in total.iter_mut().zip(g) {
                        *total = *total + weight * *g;
                    }
                },
            );
        });
}
