//! Means and variances of the columns, and normalisation by them.

use rayon::prelude::*;

use super::features::Features;
use crate::ops::cpu::real::Real;

/// Columns of one task.
const COLUMNS: usize = 64;

/// Mean and variance of every column.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Moments {
    pub(super) mean: Vec<f64>,
    /// The mean of the squared deviations.
    pub(super) variance: Vec<f64>,
}

impl Moments {
    /// Computes the moments over `rows`. The variance of a constant column is exactly 0: the sum of
    /// fewer than 2^29 equal `f32` values is exact in `f64`.
    pub(super) fn of(features: &Features, rows: &[usize]) -> Self {
        let mean = means(features, rows, |_, x| x);
        let variance = means(features, rows, |column, x| (x - mean[column]).powi(2));
        Self { mean, variance }
    }
}

/// Returns the mean of `of(column, value)` over `rows`, for every column.
fn means(features: &Features, rows: &[usize], of: impl Fn(usize, f64) -> f64 + Sync) -> Vec<f64> {
    let mut means = vec![0.0; features.columns()];
    let tasks = means.par_chunks_mut(COLUMNS).enumerate();
    tasks.for_each(|(task, means)| {
        let first = task * COLUMNS;
        for &row in rows {
            let values = &features.row(row)[first..][..means.len()];
            for (column, (sum, x)) in means.iter_mut().zip(values).enumerate() {
                *sum += of(first + column, f64::from(*x));
            }
        }
        for sum in means {
            *sum /= rows.len() as f64;
        }
    });
    means
}

/// The map `x -> (x - mean) factor` of every column.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Scaling {
    mean: Vec<f64>,
    factor: Vec<f64>,
}

impl Scaling {
    /// Divides by the standard deviation `sqrt(variance + epsilon)`. If that is 0, the column
    /// becomes 0.
    pub(super) fn new(moments: &Moments, epsilon: f64) -> Self {
        let factor = |variance: &f64| match (variance + epsilon).sqrt() {
            0.0 => 0.0,
            deviation => deviation.recip(),
        };
        Self {
            mean: moments.mean.clone(),
            factor: moments.variance.iter().map(factor).collect(),
        }
    }

    /// Number of columns that do not become 0.
    pub(super) fn kept(&self) -> usize {
        self.factor.iter().filter(|factor| **factor != 0.0).count()
    }

    /// Returns the normalised features of `rows`, `[rows, columns]`.
    pub(super) fn apply<T: Real>(&self, features: &Features, rows: &[usize]) -> Vec<T> {
        let columns = features.columns();
        let mut scaled = vec![T::zero(); rows.len() * columns];
        let tasks = scaled.par_chunks_mut(columns).zip(rows);
        tasks.for_each(|(scaled, &row)| {
            let maps = self.mean.iter().zip(&self.factor);
            for ((scaled, x), (mean, factor)) in scaled.iter_mut().zip(features.row(row)).zip(maps)
            {
                *scaled = T::of((f64::from(*x) - mean) * factor);
            }
        });
        scaled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_get_mean_0_and_variance_1() {
        // The rows 0, 2 and 3 have the columns (1, 4, 7), (0.1, 0.1, 0.1) and (-2, 0, 2).
        let values = vec![
            1.0, 0.1, -2.0, 99.0, 99.0, 99.0, 4.0, 0.1, 0.0, 7.0, 0.1, 2.0,
        ];
        let features = Features::new(values, 3).expect("four rows");
        let rows = [0, 2, 3];
        let moments = Moments::of(&features, &rows);
        assert_eq!(moments.mean, [4.0, f64::from(0.1_f32), 0.0]);
        assert_eq!(moments.variance, [6.0, 0.0, 8.0 / 3.0]);
        let scaling = Scaling::new(&moments, 0.0);
        assert_eq!(scaling.kept(), 2);
        let scaled: Vec<f64> = scaling.apply(&features, &rows);
        let side = 1.5_f64.sqrt();
        let expected = [-side, 0.0, -side, 0.0, 0.0, 0.0, side, 0.0, side];
        for (got, expected) in scaled.iter().zip(expected) {
            assert!((got - expected).abs() < 1e-15, "{got} {expected}");
        }
        let scaled: Vec<f64> = Scaling::new(&moments, 3.0).apply(&features, &[3]);
        assert_eq!(scaled[0], 3.0 * 3.0_f64.recip(), "sqrt(6 + 3) is 3");
    }
}
