//! The ridge probe: linear regression of the classes with a squared penalty, in closed form.
//!
//! The rows `z` of `Z`, `[n, d]`, are standardised features, and the rows of `Y`, `[n, c]`, are
//! one-hot labels minus their mean `m`. The weights minimise `|Z W - Y|^2 + lambda |W|^2`:
//!
//! ```text
//! (Z^T Z + lambda I) W = Z^T Y,   class of z = argmax (z W + m)
//! ```
//!
//! (Hoerl and Kennard, 1970.) No random number takes part, so the result suits tests.

use nalgebra::{Cholesky, DMatrix};

use super::accuracy::{Accuracy, accuracy, best};
use super::features::{Features, Labelled, fault};
use super::scaling::{Moments, Scaling};
use super::split::hold_out;
use super::watch::Watch;
use crate::error::Error;
use crate::ops::cpu::linear::linear;
use crate::ops::cpu::matrix::{Matrix, Output, multiply};

/// The values of lambda among which the probe chooses, in ascending order. They are relative to the
/// mean eigenvalue of `Z^T Z`, without the columns that are constant.
pub const LAMBDAS: [f64; 9] = [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0, 1e1, 1e2];

/// The greatest number of columns. The probe needs two matrices of `columns^2` values of `f64`.
pub const MAX_RIDGE_COLUMNS: usize = 16_384;

/// Rows that are standardised together.
const ROWS: usize = 1024;

/// Rows of a block of `Z^T Z`.
const BLOCK: usize = 256;

/// The result of [`ridge_probe`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RidgeProbe {
    /// Accuracy on the test images, fitted to all training images.
    pub test: Accuracy,
    /// Accuracy on the validation part, fitted to the other training images.
    pub validation: Accuracy,
    /// The chosen value of [`LAMBDAS`].
    pub lambda: f64,
}

/// Fits a ridge regression to `train` and classifies `test`.
///
/// Columns are standardised by their mean and deviation over the fitted images. A column that is
/// constant over these images has no effect. Lambda is the value of [`LAMBDAS`] with the highest
/// accuracy on the validation part ([`hold_out`]); the largest wins a tie. There may be fewer
/// images than columns.
///
/// `progress` is called with the finished and the total number of parts. If it returns `false`, the
/// result is `Ok(None)`.
///
/// # Errors
///
/// [`Error::Length`] if `test` has other columns or classes than `train`. [`Error::Argument`] if
/// there are more than [`MAX_RIDGE_COLUMNS`] columns, if no class of `train` has two images, or if
/// the linear system cannot be solved in `f64`.
pub fn ridge_probe(
    train: &Labelled,
    test: &Labelled,
    progress: &mut dyn FnMut(usize, usize) -> bool,
) -> Result<Option<RidgeProbe>, Error> {
    train.check_test(test)?;
    let columns = train.features().columns();
    if columns > MAX_RIDGE_COLUMNS {
        let expected = format!("at most {MAX_RIDGE_COLUMNS} for the ridge probe");
        return Err(fault("columns of the features", expected, columns));
    }
    let split = hold_out(train)?;
    let all: Vec<usize> = (0..train.labels().len()).collect();
    let chunks = split.fit.len().div_ceil(ROWS) + all.len().div_ceil(ROWS);
    let mut watch = Watch::new(chunks + LAMBDAS.len() + 1, progress);

    let Some(system) = System::new(train, &split.fit, &mut watch) else {
        return Ok(None);
    };
    let mut chosen: Option<(f64, Accuracy)> = None;
    for lambda in LAMBDAS {
        let found = system.solve(lambda)?.judge(train, &split.validation)?;
        if chosen.is_none_or(|(_, best)| found.correct >= best.correct) {
            chosen = Some((lambda, found));
        }
        if watch.part().is_none() {
            return Ok(None);
        }
    }
    drop(system);
    let (Some((lambda, validation)), Some(system)) = (chosen, System::new(train, &all, &mut watch))
    else {
        return Ok(None);
    };
    let rows: Vec<usize> = (0..test.labels().len()).collect();
    let test = system.solve(lambda)?.judge(test, &rows)?;
    let result = RidgeProbe {
        test,
        validation,
        lambda,
    };
    Ok(watch.part().map(|()| result))
}

/// The linear system without lambda.
struct System {
    scaling: Scaling,
    /// `Z^T Z`, `[d, d]`. Only the lower triangle and the blocks on the diagonal are filled.
    gram: DMatrix<f64>,
    /// `Z^T Y`, `[d, c]`.
    products: DMatrix<f64>,
    /// `m`, the share of every class.
    shares: Vec<f64>,
}

impl System {
    /// Accumulates the products over `rows`, chunk by chunk. The result is `None` if `watch` asks
    /// to stop.
    fn new(images: &Labelled, rows: &[usize], watch: &mut Watch) -> Option<Self> {
        let (features, classes) = (images.features(), images.classes());
        let columns = features.columns();
        let scaling = Scaling::new(&Moments::of(features, rows), 0.0);
        let mut shares = vec![0.0; classes];
        for &row in rows {
            shares[images.labels()[row]] += 1.0;
        }
        for share in &mut shares {
            *share /= rows.len() as f64;
        }
        // `nalgebra` stores columns. Row by row, the two arrays are the transposed matrices.
        let mut gram = vec![0.0; columns * columns];
        let mut products = vec![0.0; columns * classes];
        for rows in rows.chunks(ROWS) {
            let z: Vec<f64> = scaling.apply(features, rows);
            add_gram(&mut gram, &z, columns);
            let mut y = shares.repeat(rows.len());
            for share in &mut y {
                *share = -*share;
            }
            for (y, &row) in y.chunks_exact_mut(classes).zip(rows) {
                y[images.labels()[row]] += 1.0;
            }
            let left = Matrix::new(&y, rows.len(), classes, classes).transposed();
            let right = Matrix::new(&z, rows.len(), columns, columns);
            multiply(1.0, left, right, Output::added(&mut products, columns));
            watch.part()?;
        }
        Some(Self {
            scaling,
            gram: DMatrix::from_vec(columns, columns, gram),
            products: DMatrix::from_vec(columns, classes, products),
            shares,
        })
    }

    /// Solves the system for a relative lambda.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] if the matrix is not positive definite in `f64`.
    fn solve(&self, lambda: f64) -> Result<Model<'_>, Error> {
        // If every column is constant, any positive value gives weights of 0.
        let mean = match self.scaling.kept() {
            0 => 1.0,
            kept => self.gram.trace() / kept as f64,
        };
        let mut matrix = self.gram.clone();
        let step = matrix.nrows() + 1;
        let diagonal = matrix.iter_mut().step_by(step);
        diagonal.for_each(|x| *x += lambda * mean);
        let Some(factor) = Cholesky::new(matrix) else {
            let expected = format!("a positive definite system with lambda {lambda:e}");
            let got = "a pivot that is not positive";
            return Err(fault("features of the training images", expected, got));
        };
        let weights = factor.solve(&self.products);
        Ok(Model {
            scaling: &self.scaling,
            weights: weights.transpose().data.into(),
            shares: &self.shares,
        })
    }
}

/// Adds `z^T z` to the upper triangle of `gram`, `[d, d]`, one block of rows after the other.
fn add_gram(gram: &mut [f64], z: &[f64], columns: usize) {
    let rows = z.len() / columns;
    for start in (0..columns).step_by(BLOCK) {
        let height = BLOCK.min(columns - start);
        let left = Matrix::new(&z[start..], rows, height, columns).transposed();
        let right = Matrix::new(&z[start..], rows, columns - start, columns);
        let block = &mut gram[start * columns + start..];
        multiply(1.0, left, right, Output::added(block, columns));
    }
}

/// A fitted regression.
struct Model<'a> {
    scaling: &'a Scaling,
    /// `W`, `[d, c]`, row by row.
    weights: Vec<f64>,
    shares: &'a [f64],
}

impl Model<'_> {
    /// Returns the scores of the classes, `[rows, c]`.
    fn scores(&self, features: &Features, rows: &[usize]) -> Vec<f64> {
        let z: Vec<f64> = self.scaling.apply(features, rows);
        let shape = [rows.len(), self.shares.len()];
        linear(&z, &self.weights, Some(self.shares), shape)
    }

    /// Counts the correct answers among `rows`.
    fn judge(&self, images: &Labelled, rows: &[usize]) -> Result<Accuracy, Error> {
        let mut classes = Vec::with_capacity(rows.len());
        for rows in rows.chunks(ROWS) {
            let scores = self.scores(images.features(), rows);
            classes.extend(scores.chunks_exact(self.shares.len()).map(best));
        }
        let labels: Vec<usize> = rows.iter().map(|&row| images.labels()[row]).collect();
        accuracy(&classes, &labels)
    }
}

#[cfg(test)]
mod tests;
