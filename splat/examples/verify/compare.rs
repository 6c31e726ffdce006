//! The measures of difference, and the comparison of every tensor with its tolerance.

use crate::computed::Computed;
use crate::expected::{Expected, Limit};
use crate::precision::Precision;
use crate::reference::Reference;

/// Share of the mean row norm that is added to the norm of a row before the division by it. Without
/// this term, the relative difference of a Gaussian with an almost zero gradient would consist of
/// rounding errors.
const ROW_FLOOR: f64 = 0.01;

/// The comparison of one tensor in one precision. A difference that is NaN exceeds every limit.
pub(crate) struct Row {
    /// The name of the tensor in the file.
    pub(crate) tensor: String,
    /// The scalar type of the run.
    pub(crate) precision: Precision,
    /// `max |a - b|`
    pub(crate) absolute: f64,
    /// `max |a - b| / max |b|`
    pub(crate) relative: f64,
    /// The greatest `|a - b| / (|b| + 0.01 mean |b|)` of all Gaussians, for gradients with one row
    /// per Gaussian.
    pub(crate) per_gaussian: Option<f64>,
    /// The limits of these differences.
    pub(crate) limit: Limit,
    /// Whether `absolute` (outputs) or `relative` (gradients) is within `limit.whole`, and
    /// `per_gaussian` within `limit.row`.
    pub(crate) passed: bool,
}

/// Compares every tensor that the file expects.
pub(crate) fn rows(reference: &Reference, precision: Precision, computed: &Computed) -> Vec<Row> {
    let row = |expected: &Expected| compare(expected, precision, computed.get(&expected.name));
    reference.expected.iter().map(row).collect()
}

fn compare(expected: &Expected, precision: Precision, got: &[f64]) -> Row {
    let want = expected.values.as_slice();
    let limit = expected.limits[match precision {
        Precision::Single => 0,
        Precision::Double => 1,
    }];
    let absolute = max_difference(got, want);
    let relative = ratio(absolute, worst(want.iter().map(|x| x.abs())));
    let row =
        (expected.gradient && expected.rows > 0).then(|| row_difference(got, want, expected.rows));
    let judged = if expected.gradient {
        relative
    } else {
        absolute
    };
    // `<=` is false for NaN.
    let row_passed = match (limit.row, row) {
        (Some(limit), Some(row)) => row <= limit,
        _ => true,
    };
    Row {
        tensor: expected.name.clone(),
        precision,
        absolute,
        relative,
        per_gaussian: row,
        limit,
        passed: got.len() == want.len() && judged <= limit.whole && row_passed,
    }
}

/// Returns the greatest of non-negative values, NaN if any value is NaN, and zero without values.
fn worst(values: impl IntoIterator<Item = f64>) -> f64 {
    values.into_iter().fold(0.0, |worst: f64, x| {
        if worst.is_nan() || x <= worst {
            worst
        } else {
            x
        }
    })
}

fn max_difference(got: &[f64], want: &[f64]) -> f64 {
    worst(got.iter().zip(want).map(|(a, b)| (a - b).abs()))
}

/// Returns `difference / scale`, and zero if the difference is zero.
fn ratio(difference: f64, scale: f64) -> f64 {
    if difference == 0.0 {
        0.0
    } else {
        difference / scale
    }
}

/// Returns the greatest difference of a row, relative to the norm of that row plus [`ROW_FLOOR`]
/// times the mean norm.
fn row_difference(got: &[f64], want: &[f64], rows: usize) -> f64 {
    let length = want.len() / rows;
    if length == 0 {
        return 0.0;
    }
    let norm = |row: &[f64]| row.iter().map(|x| x * x).sum::<f64>().sqrt();
    let mean = want.chunks_exact(length).map(norm).sum::<f64>() / rows as f64;
    worst(
        got.chunks_exact(length)
            .zip(want.chunks_exact(length))
            .map(|(a, b)| {
                let difference: Vec<f64> = a.iter().zip(b).map(|(a, b)| a - b).collect();
                ratio(norm(&difference), norm(b) + ROW_FLOOR * mean)
            }),
    )
}
