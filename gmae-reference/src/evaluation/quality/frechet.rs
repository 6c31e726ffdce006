//! The Fréchet distance between two sets of features, abbreviated FD.

use nalgebra::{DMatrix, DVector, SymmetricEigen};

use crate::error::{Error, check_len};

/// Number of rows that are added to a covariance in one matrix product.
const BLOCK: usize = 1024;
/// Greatest number of columns. One matrix of this size takes 2 GiB.
const MAX_COLUMNS: usize = 16_384;
/// Greatest number of iterations per column of the eigenvalue algorithm. It usually needs two.
const ITERATIONS: usize = 100;

/// Mean and covariance of the rows of a feature matrix, in `f64`.
#[derive(Clone, Debug, PartialEq)]
pub struct FeatureStatistics {
    rows: usize,
    mean: DVector<f64>,
    covariance: DMatrix<f64>,
}

impl FeatureStatistics {
    /// Computes the mean and the unbiased covariance (divisor R - 1) of `features`, `[R, D]` row by
    /// row with D = `columns`.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] if `columns` is 0 or above 16384, if there are fewer than two rows, or
    /// if a feature is NaN or infinite. [`Error::Length`] if the last row is not complete.
    pub fn new(features: &[f32], columns: usize) -> Result<Self, Error> {
        let rows = check_features(features, columns)?;
        let mut mean = DVector::zeros(columns);
        for row in features.chunks(columns) {
            mean.iter_mut()
                .zip(row)
                .for_each(|(m, &v)| *m += f64::from(v));
        }
        mean /= rows as f64;
        let mut covariance = DMatrix::zeros(columns, columns);
        for block in features.chunks(BLOCK * columns) {
            let differences = block
                .chunks(columns)
                .flat_map(|row| row.iter().zip(&mean).map(|(&v, m)| f64::from(v) - m));
            // `nalgebra` stores columns: each column of this matrix is a row of the features.
            let centred = DMatrix::from_iterator(columns, block.len() / columns, differences);
            covariance.gemm(1.0, &centred, &centred.transpose(), 1.0);
        }
        covariance /= (rows - 1) as f64;
        Ok(Self {
            rows,
            mean,
            covariance,
        })
    }

    /// Number of rows, R.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns, D.
    pub fn columns(&self) -> usize {
        self.mean.len()
    }

    /// Computes the squared Fréchet distance (Dowson and Landau, "The Fréchet distance between
    /// multivariate normal distributions", 1982) between two normal distributions with these means
    /// and covariances: `||m1 - m2||^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2))`.
    ///
    /// The FID of Heusel et al. (2017) is this number for the features of one Inception network.
    /// For other features it is called FD, because the two are not comparable.
    ///
    /// The trace of the root is the sum of the square roots of the eigenvalues of
    /// `S1^(1/2) S2 S1^(1/2)`. This matrix is symmetric and has no negative eigenvalue. Eigenvalues
    /// that rounding makes negative count as 0. A relative rounding error of `1e-16` in an
    /// eigenvalue of 0 has a root of `1e-8`. If covariances are singular, the distance is therefore
    /// accurate to about `1e-8 D` of their traces. A negative result is returned as 0.
    ///
    /// A set with fewer rows than columns has a singular covariance. The distance of finite sets is
    /// biased upwards, and the bias grows as the number of rows falls. Compare distances only
    /// between sets of the same numbers of rows.
    ///
    /// # Errors
    ///
    /// [`Error::Length`] if the numbers of columns differ. [`Error::Argument`] if the eigenvalues
    /// do not converge.
    pub fn frechet_distance(&self, other: &Self) -> Result<f64, Error> {
        check_len("columns of features", self.columns(), other.columns())?;
        let mut eigen = eigen(self.covariance.clone())?;
        eigen.eigenvalues.apply(|value| *value = root(*value));
        let root_1 = eigen.recompose();
        let product = &root_1 * &other.covariance * &root_1;
        let eigenvalues = self::eigen(product)?.eigenvalues;
        let trace: f64 = eigenvalues.iter().map(|&value| root(value)).sum();
        let shift = (&self.mean - &other.mean).norm_squared();
        let traces = self.covariance.trace() + other.covariance.trace();
        Ok((shift + traces - 2.0 * trace).max(0.0))
    }
}

/// Computes [`FeatureStatistics::frechet_distance`] between the rows of `a` and of `b`, each
/// `[R, D]` row by row with D = `columns`. The numbers of rows may differ.
///
/// # Errors
///
/// All errors of [`FeatureStatistics::new`] and [`FeatureStatistics::frechet_distance`].
pub fn frechet_distance(a: &[f32], b: &[f32], columns: usize) -> Result<f64, Error> {
    let a = FeatureStatistics::new(a, columns)?;
    a.frechet_distance(&FeatureStatistics::new(b, columns)?)
}

/// Checks a feature matrix and returns its number of rows.
fn check_features(features: &[f32], columns: usize) -> Result<usize, Error> {
    let refused = |argument, expected: String, got: String| {
        Err(Error::Argument {
            argument,
            expected,
            got,
        })
    };
    if !(1..=MAX_COLUMNS).contains(&columns) {
        let expected = format!("1 to {MAX_COLUMNS}");
        return refused("columns of features", expected, columns.to_string());
    }
    let rows = features.len() / columns;
    check_len("values of features", rows * columns, features.len())?;
    if rows < 2 {
        let expected = "at least 2".to_owned();
        return refused("rows of features", expected, rows.to_string());
    }
    if let Some(at) = features.iter().position(|value| !value.is_finite()) {
        let got = format!(
            "{} in row {} column {}",
            features[at],
            at / columns,
            at % columns
        );
        return refused("features", "finite values".to_owned(), got);
    }
    Ok(rows)
}

/// Returns the square root, and 0 for negative numbers.
fn root(value: f64) -> f64 {
    value.max(0.0).sqrt()
}

/// Computes eigenvalues and eigenvectors of a symmetric matrix, of which it reads the lower
/// triangle.
fn eigen(matrix: DMatrix<f64>) -> Result<SymmetricEigen<f64, nalgebra::Dyn>, Error> {
    let limit = ITERATIONS * matrix.nrows();
    let eigen = SymmetricEigen::try_new(matrix, f64::EPSILON, limit);
    let converged = eigen.filter(|eigen| eigen.eigenvalues.iter().all(|value| value.is_finite()));
    converged.ok_or_else(|| Error::Argument {
        argument: "covariances of features",
        expected: "eigenvalues that converge".to_owned(),
        got: format!("none after {limit} iterations"),
    })
}

#[cfg(test)]
mod tests {
    use super::super::examples::random;
    use super::*;

    /// Returns features whose column `c` has the values `mean[c] + deviation[c] s`, where the signs
    /// `s` of different columns are orthogonal. The covariance is diagonal.
    fn diagonal(mean: [f32; 3], deviation: [f32; 3]) -> Vec<f32> {
        let row = |i: usize| {
            let sign = |c: usize| if i >> c & 1 == 0 { 1.0 } else { -1.0 };
            [0, 1, 2].map(|c| mean[c] + deviation[c] * sign(c))
        };
        (0..8).flat_map(row).collect()
    }

    /// For diagonal covariances the distance is a sum over columns:
    /// `(m1 - m2)^2 + (s1 - s2)^2`. The unbiased variances are 8/7 of the squared deviations.
    #[test]
    fn diagonal_covariances_have_a_closed_form() {
        let a = diagonal([0.0, 1.0, -2.0], [1.0, 2.0, 0.5]);
        let b = diagonal([0.5, 1.0, 1.0], [3.0, 2.0, 0.25]);
        let expected = 0.25 + 9.0 + (4.0 + 0.0625) * 8.0 / 7.0;
        let got = frechet_distance(&a, &b, 3).expect("two sets");
        assert!((got - expected).abs() < 1e-12, "{got} and {expected}");
        let got = frechet_distance(&b, &a, 3).expect("two sets");
        assert!((got - expected).abs() < 1e-12, "{got} and {expected}");
        let one = frechet_distance(&[0.0, 2.0], &[4.0, 8.0, 12.0], 1).expect("two sets");
        // The means are 1 and 8, the variances 2 and 16.
        let expected = 49.0 + 2.0 + 16.0 - 2.0 * 32.0_f64.sqrt();
        assert!((one - expected).abs() < 1e-12, "{one} and {expected}");
    }

    /// Returns `rows` random rows of six columns. Column `to` is mixed with column `from`.
    fn mixed(seed: u32, rows: usize, to: usize, from: usize) -> Vec<f32> {
        let mut features = random(seed, rows * 6);
        for row in features.chunks_mut(6) {
            row[to] = 0.5 * row[from] + 0.5 * row[to];
        }
        features
    }

    /// The covariances do not commute. The number was computed with `NumPy` and
    /// `scipy.linalg.sqrtm`.
    #[test]
    fn random_features_agree_with_scipy() {
        let (a, b) = (mixed(3, 40, 2, 3), mixed(4, 25, 1, 0));
        let got = frechet_distance(&a, &b, 6).expect("two sets");
        assert!((got - 0.086_788_594_542_545).abs() < 1e-12, "{got}");
        let got = frechet_distance(&b, &a, 6).expect("two sets");
        assert!((got - 0.086_788_594_542_545).abs() < 1e-12, "{got}");
    }

    /// With fewer rows than columns the covariances are singular. The number was computed with
    /// `NumPy`: the trace of the root is the sum of the singular values of `X Y^T`, where X and Y
    /// are the centred features divided by `sqrt(R - 1)`.
    #[test]
    fn singular_covariances_have_a_distance() {
        let (a, b) = (random(5, 4 * 7), random(6, 5 * 7));
        let got = frechet_distance(&a, &b, 7).expect("two sets");
        assert!((got - 0.732_155_267_757_465).abs() < 1e-7, "{got}");
        let (a, b) = (random(5, 5 * 60), random(6, 5 * 60));
        let itself = frechet_distance(&a, &a, 60).expect("two sets");
        let other = frechet_distance(&a, &b, 60).expect("two sets");
        assert!(itself < 1e-6 && other > 1.0, "{itself} and {other}");
        // Rows without any variance: only the means differ.
        let (a, b) = ([1.0; 30], [3.0; 50]);
        assert_eq!(frechet_distance(&a, &b, 10).expect("two sets"), 40.0);
    }

    #[test]
    fn a_set_has_no_distance_from_itself_and_a_shift_adds_its_square() {
        let a = random(9, 200 * 16);
        let itself = frechet_distance(&a, &a, 16).expect("two sets");
        assert!((0.0..1e-10).contains(&itself), "{itself}");
        // The sums are exact in `f32`: the features are multiples of 2^-23 below 1.
        let a: Vec<f32> = a.iter().map(|v| (v * 1024.0).floor() / 1024.0).collect();
        let b: Vec<f32> = a.iter().map(|v| v + 2.0).collect();
        let got = frechet_distance(&a, &b, 16).expect("two sets");
        assert!((got - 64.0).abs() < 1e-10, "{got}");
    }

    /// The rows of a large set are added in blocks. The sums by hand are over all rows at once.
    #[test]
    fn blocks_of_rows_add_up() {
        let rows = 2 * BLOCK + 5;
        let features = random(8, rows * 3);
        let got = FeatureStatistics::new(&features, 3).expect("features");
        assert_eq!((got.rows(), got.columns()), (rows, 3));
        let column = |c: usize| features[c..].iter().step_by(3).map(|&v| f64::from(v));
        for i in 0..3 {
            let mean = |c: usize| column(c).sum::<f64>() / rows as f64;
            assert!((got.mean[i] - mean(i)).abs() < 1e-12);
            for j in 0..3 {
                let products = column(i).zip(column(j));
                let sum: f64 = products.map(|(a, b)| (a - mean(i)) * (b - mean(j))).sum();
                let expected = sum / (rows - 1) as f64;
                assert!((got.covariance[(i, j)] - expected).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn wrong_features_are_refused_by_name() {
        let words = |features: &[f32], columns: usize| {
            let error = FeatureStatistics::new(features, columns).expect_err("wrong features");
            error.to_string()
        };
        assert!(words(&[], 3).contains("rows of features: expected at least 2, got 0"));
        assert!(words(&[1.0; 3], 3).contains("rows of features: expected at least 2, got 1"));
        assert!(words(&[1.0; 7], 3).contains("values of features: expected 6, got 7"));
        for columns in [0, MAX_COLUMNS + 1, usize::MAX] {
            assert!(words(&[1.0; 6], columns).contains("columns of features"));
        }
        for value in [f32::NAN, f32::INFINITY] {
            let message = words(&[1.0, 2.0, 3.0, value], 2);
            assert!(message.contains("row 1 column 1"), "{message}");
        }
        let [two, three] = [2, 3].map(|c| FeatureStatistics::new(&[1.0; 6], c).expect("features"));
        let error = two.frechet_distance(&three).expect_err("other columns");
        assert!(error.to_string().contains("expected 2, got 3"), "{error}");
    }

    /// The covariances of the largest features are near `1e77`, and their products near `1e154`.
    #[test]
    fn the_distance_of_extreme_features_is_finite() {
        let scaled = |scale: f32| -> Vec<f32> {
            let signed = random(3, 60).into_iter().map(|v| (2.0 * v - 1.0) * scale);
            signed.collect()
        };
        for (a, b) in [(f32::MAX, f32::MAX), (f32::MAX, 1.0), (1e-38, 1e-38)] {
            let got = frechet_distance(&scaled(a), &scaled(b), 6).expect("a number");
            assert!(got.is_finite(), "{a} {b}: {got}");
        }
    }
}
