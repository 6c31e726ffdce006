//! The comparison of two buffers.

use super::report::{Failure, Mismatch};

/// The greatest allowed difference between two buffers.
///
/// The difference of an element is relative to a scale: the largest magnitude of the expected
/// buffer, or of the element's row. Every scale is at least `floor`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tolerance {
    relative: f64,
    floor: f64,
    row: Option<usize>,
}

impl Tolerance {
    /// A difference relative to the largest element of the buffer.
    pub const fn of_largest(relative: f64) -> Self {
        Self {
            relative,
            floor: 0.0,
            row: None,
        }
    }

    /// A difference relative to the largest element of the element's row, such as the three numbers
    /// of a mean. The scale of a row is at least a thousandth of that of the buffer. `width` is the
    /// number of elements of a row, at least 1.
    pub const fn of_rows(relative: f64, width: usize) -> Self {
        Self {
            relative,
            floor: 0.0,
            row: Some(if width == 0 { 1 } else { width }),
        }
    }

    /// Returns the tolerance with scales of at least `floor`.
    #[must_use]
    pub const fn with_floor(self, floor: f64) -> Self {
        Self { floor, ..self }
    }

    /// The greatest allowed difference of every element.
    fn bounds(self, expected: &[f64]) -> impl Fn(usize) -> f64 {
        let whole = finite_scale(expected);
        let rows: Vec<f64> = match self.row {
            None => Vec::new(),
            Some(width) => expected.chunks(width).map(finite_scale).collect(),
        };
        move |i| {
            let own = match self.row {
                None => whole,
                Some(width) => rows[i / width].max(1e-3 * whole),
            };
            self.relative * own.max(self.floor)
        }
    }
}

/// Returns the greatest magnitude.
pub fn max_magnitude(numbers: &[f64]) -> f64 {
    numbers.iter().fold(0.0, |m, x| x.abs().max(m))
}

/// Returns the greatest finite magnitude. An infinite number must not make every bound infinite.
pub(super) fn finite_scale(numbers: &[f64]) -> f64 {
    let finite = numbers.iter().filter(|x| x.is_finite());
    finite.fold(0.0, |m, x| x.abs().max(m))
}

/// Returns whether `got` is within `bound` of `expected`. NaN is close to nothing, and an infinite
/// number only to itself.
pub(super) fn is_close(got: f64, expected: f64, bound: f64) -> bool {
    let difference = (got - expected).abs();
    got == expected || (bound.is_finite() && difference <= bound)
}

/// Returns the greatest `|a - b|`. The result is NaN if a difference is NaN, and infinite if the
/// lengths differ.
pub fn max_difference(a: &[f64], b: &[f64]) -> f64 {
    if a.len() != b.len() {
        return f64::INFINITY;
    }
    let differences = || a.iter().zip(b).map(|(x, y)| (x - y).abs());
    if differences().any(f64::is_nan) {
        return f64::NAN;
    }
    differences().fold(0.0, f64::max)
}

/// Compares the buffer `got` with `expected`. Elements for which `skip` is true must only be finite.
///
/// # Errors
/// [`Failure::Length`] if the lengths differ. [`Failure::Mismatch`] with the first element whose
/// difference is above the tolerance or is NaN. An expected number that is infinite must be equal.
pub fn compare(
    buffer: &str,
    got: &[f64],
    expected: &[f64],
    tolerance: Tolerance,
    skip: impl Fn(usize) -> bool,
) -> Result<(), Failure> {
    if got.len() != expected.len() {
        return Err(Failure::Length {
            buffer: buffer.to_owned(),
            expected: expected.len(),
            got: got.len(),
        });
    }
    let bound = tolerance.bounds(expected);
    for (index, (&got, &expected)) in got.iter().zip(expected).enumerate() {
        let excused = skip(index) && got.is_finite();
        if !excused && !is_close(got, expected, bound(index)) {
            return Err(Failure::Mismatch(Mismatch {
                buffer: buffer.to_owned(),
                index,
                got,
                expected,
                bound: bound(index),
                threshold: None,
            }));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXPECTED: [f64; 4] = [1.0, -2.0, 0.5, 0.001];

    fn index(got: &[f64], tolerance: Tolerance) -> Option<usize> {
        match compare("numbers", got, &EXPECTED, tolerance, |_| false) {
            Ok(()) => None,
            Err(Failure::Mismatch(mismatch)) => Some(mismatch.index),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn wrong_numbers_are_found_with_their_place() {
        let largest = Tolerance::of_largest(1e-4);
        assert_eq!(index(&EXPECTED, largest), None);
        assert_eq!(index(&[1.0, -2.0, 0.5001, 0.001], largest), None);
        assert_eq!(index(&[1.0, -2.0, 0.501, 0.001], largest), Some(2));
        assert_eq!(index(&[1.0, 2.0, 0.5, 0.001], largest), Some(1));
        assert_eq!(index(&[1.0, -2.0, 0.5, f64::NAN], largest), Some(3));
        assert_eq!(index(&[f64::INFINITY, -2.0, 0.5, 0.001], largest), Some(0));
        // An error that is small beside the largest element, and large beside its own row.
        let wrong = [1.0, -2.0, 0.5001, 0.001];
        assert_eq!(index(&wrong, Tolerance::of_rows(1e-4, 2)), Some(2));
        assert_eq!(index(&wrong, Tolerance::of_rows(1e-3, 2)), None);
        // A row of only small numbers has a thousandth of the buffer's scale.
        let small = [1.0, -2.0, 0.5, 0.001 + 1e-7];
        assert_eq!(index(&small, Tolerance::of_rows(1e-4, 1)), None);
        assert_eq!(index(&wrong, largest.with_floor(10.0)), None);
    }

    #[test]
    fn other_lengths_fail_and_infinite_numbers_hide_no_other() {
        let tolerance = Tolerance::of_largest(1e-4);
        let infinite = [f64::INFINITY, 1.0];
        let with = |got: [f64; 2]| compare("numbers", &got, &infinite, tolerance, |_| false);
        assert_eq!(with(infinite), Ok(()));
        assert!(with([f64::INFINITY, 1.1]).is_err() && with([1e30, 1.0]).is_err());
        assert!(with([f64::NEG_INFINITY, 1.0]).is_err());
        for tolerance in [f64::INFINITY, f64::NAN] {
            let tolerance = Tolerance::of_largest(tolerance);
            assert!(compare("numbers", &[2.0], &[1.0], tolerance, |_| false).is_err());
        }
        let outcome = compare("numbers", &EXPECTED[..3], &EXPECTED, tolerance, |_| false);
        assert_eq!(
            outcome.expect_err("too short").to_string(),
            "numbers: expected 4 numbers, got 3"
        );
        assert_eq!(max_difference(&[1.0], &[1.0, 2.0]), f64::INFINITY);
        assert!(max_difference(&[1.0, f64::NAN], &[1.0, 2.0]).is_nan());
        assert_eq!(max_difference(&[1.0, 4.0], &[1.5, 2.0]), 2.0);
    }

    #[test]
    fn skipped_elements_are_not_compared() {
        let got = [9.0, -2.0, 0.5, 0.001];
        let tolerance = Tolerance::of_largest(1e-4);
        assert!(compare("numbers", &got, &EXPECTED, tolerance, |i| i == 0).is_ok());
        let got = [f64::NAN, -2.0, 0.5, 0.001];
        assert!(compare("numbers", &got, &EXPECTED, tolerance, |i| i == 0).is_err());
        assert!(compare("numbers", &got, &EXPECTED, tolerance, |i| i == 1).is_err());
    }
}
