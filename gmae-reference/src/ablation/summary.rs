//! Mean and spread over the seeds.

/// Mean and spread of the values of one measure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Summary {
    /// The mean. It is NaN if a value is not finite.
    pub(super) mean: f64,
    /// The sample standard deviation (divisor n - 1), or `None` for a single value.
    pub(super) spread: Option<f64>,
    /// Number of values, n.
    pub(super) count: usize,
}

impl Summary {
    /// Returns mean and spread of `values`, summed in their order, or `None` if there are none.
    pub(super) fn of(values: &[f64]) -> Option<Self> {
        let count = values.len();
        if count == 0 {
            return None;
        }
        let mean = values.iter().sum::<f64>() / count as f64;
        if !mean.is_finite() {
            return Some(Self {
                mean: f64::NAN,
                spread: None,
                count,
            });
        }
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let spread = (count > 1).then(|| (squares / (count - 1) as f64).sqrt());
        Some(Self {
            mean,
            spread,
            count,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Python: `statistics.mean` and `statistics.stdev` of the same list.
    #[test]
    fn mean_and_sample_deviation_agree_with_python() {
        let summary = Summary::of(&[61.8, 60.9, 62.6, 61.1]).expect("values");
        assert!((summary.mean - 61.6).abs() < 1e-12);
        let spread = summary.spread.expect("a spread");
        assert!((spread - 0.770_281_333_886_09).abs() < 1e-12, "{spread}");
        assert_eq!(summary.count, 4);
    }

    #[test]
    fn one_value_has_no_spread_and_none_no_summary() {
        assert_eq!(Summary::of(&[]), None);
        let one = Summary::of(&[0.25]).expect("a value");
        assert_eq!((one.mean, one.spread, one.count), (0.25, None, 1));
        let bad = Summary::of(&[0.25, f64::NAN]).expect("values");
        assert!(bad.mean.is_nan());
        assert_eq!((bad.spread, bad.count), (None, 2));
    }
}
