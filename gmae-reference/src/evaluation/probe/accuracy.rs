//! Top-1 accuracy and its confidence interval.

use crate::error::{Error, check_len};

/// The 97.5 % quantile of the standard normal distribution.
const QUANTILE: f64 = 1.959_963_984_540_054;

/// The number of images whose most probable class is the right one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Accuracy {
    /// Number of correct answers.
    pub correct: usize,
    /// Number of images, at least 1.
    pub images: usize,
}

impl Accuracy {
    /// The top-1 accuracy, in `[0, 1]`.
    pub fn top1(&self) -> f64 {
        self.correct as f64 / self.images as f64
    }

    /// The bounds of the 95 % interval of Wilson (1927). The interval accounts for the choice of
    /// the test images only. It does not account for the randomness of training.
    pub fn interval(&self) -> (f64, f64) {
        let (share, images) = (self.top1(), self.images as f64);
        let square = QUANTILE * QUANTILE / images;
        let centre = (share + square / 2.0) / (1.0 + square);
        let variance = (share * (1.0 - share) + square / 4.0) / images;
        let half = QUANTILE * variance.sqrt() / (1.0 + square);
        ((centre - half).max(0.0), (centre + half).min(1.0))
    }
}

/// Counts the predicted classes that equal the labels.
///
/// # Errors
///
/// [`Error::Length`] if the lengths differ. [`Error::Argument`] if there is no label.
pub fn accuracy(predicted: &[usize], labels: &[usize]) -> Result<Accuracy, Error> {
    if labels.is_empty() {
        return Err(Error::Argument {
            argument: "labels",
            expected: "at least one".to_owned(),
            got: "none".to_owned(),
        });
    }
    check_len("predicted classes", labels.len(), predicted.len())?;
    let pairs = predicted.iter().zip(labels);
    Ok(Accuracy {
        correct: pairs.filter(|(a, b)| a == b).count(),
        images: labels.len(),
    })
}

/// Returns the index of the largest score. The lowest index wins a tie. NaN never wins against a
/// number that comes before it.
pub(super) fn best<T: PartialOrd>(scores: &[T]) -> usize {
    let mut best = 0;
    for (class, score) in scores.iter().enumerate() {
        if *score > scores[best] {
            best = class;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bounds from `statsmodels.stats.proportion.proportion_confint(.., method="wilson")`.
    #[test]
    fn the_interval_is_that_of_statsmodels() {
        for (correct, images, low, high) in [
            (8, 10, 0.490_162_471_536_641_83, 0.943_317_848_545_624_7),
            (0, 25, 0.0, 0.133_192_250_939_048_55),
            (25, 25, 0.866_807_749_060_951_5, 1.0),
            (
                4321,
                10_000,
                0.422_418_865_725_658_2,
                0.441_833_281_253_079_6,
            ),
        ] {
            let (got_low, got_high) = Accuracy { correct, images }.interval();
            assert!((got_low - low).abs() < 1e-12, "{correct}: {got_low}");
            assert!((got_high - high).abs() < 1e-12, "{correct}: {got_high}");
        }
    }

    #[test]
    fn correct_answers_are_counted() {
        let counted = accuracy(&[0, 2, 1, 1], &[0, 1, 1, 1]).expect("lengths agree");
        assert_eq!(counted.correct, 3);
        assert_eq!(counted.top1(), 0.75);
    }

    #[test]
    fn other_lengths_are_refused_by_name() {
        let error = accuracy(&[0, 1], &[0]).expect_err("two against one");
        assert!(
            error.to_string().starts_with("predicted classes"),
            "{error}"
        );
        let error = accuracy(&[], &[]).expect_err("no labels");
        assert!(error.to_string().starts_with("labels"), "{error}");
    }

    #[test]
    fn the_lowest_class_wins_a_tie() {
        assert_eq!(best(&[1.0, 3.0, 3.0]), 1);
        assert_eq!(best(&[0.0, 0.0]), 0);
        assert_eq!(best(&[0.0, f64::NAN, 1.0]), 2);
    }
}
