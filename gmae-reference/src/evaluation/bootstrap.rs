//! Confidence intervals of a mean over images, and the images that stand for a list of scores.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::error::Error;

/// Number of resamples by default.
const RESAMPLES: usize = 2000;
/// Largest number of draws of a bootstrap.
const MAX_DRAWS: usize = 1 << 32;
/// Probability of the interval.
const CONFIDENCE: f64 = 0.95;

/// The options of a bootstrap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bootstrap {
    /// Number of resamples. The default is 2000.
    pub resamples: usize,
    /// Seed of the resamples. The default is 0.
    pub seed: u64,
}

impl Default for Bootstrap {
    fn default() -> Self {
        Self {
            resamples: RESAMPLES,
            seed: 0,
        }
    }
}

/// A mean with its confidence interval of 95 %.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// Mean of the scores.
    pub mean: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
}

impl Bootstrap {
    /// Computes the percentile interval of the mean (Efron 1979): the scores are drawn with
    /// replacement, and the ends are the 2.5th and the 97.5th percentile of the means of the
    /// resamples. A percentile between two means is interpolated linearly.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] if there is no score or a score is not finite, or unless the number of
    /// resamples is at least 1 and the number of draws at most 2^32.
    pub fn interval(&self, scores: &[f64]) -> Result<Interval, Error> {
        check(scores)?;
        let draws = self.resamples.checked_mul(scores.len());
        if self.resamples == 0 || draws.is_none_or(|draws| draws > MAX_DRAWS) {
            return Err(Error::Argument {
                argument: "resamples of a bootstrap",
                expected: format!("at least 1, and at most {MAX_DRAWS} draws in all"),
                got: format!("{} of {} scores", self.resamples, scores.len()),
            });
        }
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        let count = scores.len() as f64;
        // The range has 64 bits, so that the draws are the same on every machine.
        let mut draw = || scores[rng.random_range(0..scores.len() as u64) as usize];
        let mut means: Vec<f64> = (0..self.resamples)
            .map(|_| scores.iter().map(|_| draw()).sum::<f64>() / count)
            .collect();
        means.sort_by(f64::total_cmp);
        let tail = (1.0 - CONFIDENCE) / 2.0;
        Ok(Interval {
            mean: scores.iter().sum::<f64>() / count,
            low: percentile(&means, tail),
            high: percentile(&means, 1.0 - tail),
        })
    }
}

/// Returns the value below which a part of the sorted values lies.
fn percentile(sorted: &[f64], part: f64) -> f64 {
    let place = part * (sorted.len() - 1) as f64;
    let below = place as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (sorted[above] - sorted[below]) * place.fract()
}

/// The images that stand for a list of scores, by index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cases {
    /// The highest score.
    pub best: usize,
    /// The score in the middle. Of an even number of scores, the lower one of the two in the
    /// middle.
    pub median: usize,
    /// The lowest score.
    pub worst: usize,
}

impl Cases {
    /// Finds the cases of a list of scores. Of equal scores, the one that comes first in the list
    /// counts as the lower one.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] if there is no score or a score is not finite.
    pub fn of(scores: &[f64]) -> Result<Self, Error> {
        check(scores)?;
        let mut order: Vec<usize> = (0..scores.len()).collect();
        // The sort is stable. Adding zero makes -0 equal to 0.
        order.sort_by(|&a, &b| (scores[a] + 0.0).total_cmp(&(scores[b] + 0.0)));
        Ok(Self {
            best: order[order.len() - 1],
            median: order[(order.len() - 1) / 2],
            worst: order[0],
        })
    }

    /// The cases with their names.
    pub(crate) fn named(&self) -> [(&'static str, usize); 3] {
        [
            ("best", self.best),
            ("median", self.median),
            ("worst", self.worst),
        ]
    }
}

fn check(scores: &[f64]) -> Result<(), Error> {
    let wrong = scores.iter().position(|score| !score.is_finite());
    if wrong.is_none() && !scores.is_empty() {
        return Ok(());
    }
    Err(Error::Argument {
        argument: "scores of images",
        expected: "at least one score, all of them finite".to_owned(),
        got: wrong.map_or("none".to_owned(), |at| format!("{} at {at}", scores[at])),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interval(scores: &[f64], seed: u64) -> Interval {
        let bootstrap = Bootstrap {
            seed,
            ..Bootstrap::default()
        };
        bootstrap.interval(scores).expect("finite scores")
    }

    /// For many scores the interval is that of the normal distribution: 1.96 standard errors on
    /// each side.
    #[test]
    fn the_interval_has_the_width_of_the_standard_error() {
        let scores: Vec<f64> = (0..400).map(|i| f64::from(i * 37 % 400) / 399.0).collect();
        let Interval { mean, low, high } = interval(&scores, 0);
        assert!((mean - 0.5).abs() < 1e-12, "{mean}");
        let squares: f64 = scores.iter().map(|v| (v - mean).powi(2)).sum();
        let error = (squares / 400.0).sqrt() / 20.0;
        for end in [mean - low, high - mean] {
            assert!((end / (1.96 * error) - 1.0).abs() < 0.1, "{end} of {error}");
        }
    }

    /// The interval contains the true mean in about 95 of 100 samples.
    #[test]
    fn the_interval_covers_the_mean_of_the_population() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let bootstrap = Bootstrap {
            resamples: 400,
            seed: 2,
        };
        let mut covered = 0;
        for _ in 0..300 {
            let scores: Vec<f64> = (0..60).map(|_| rng.random_range(0.0..1.0)).collect();
            let interval = bootstrap.interval(&scores).expect("finite scores");
            covered += usize::from((interval.low..=interval.high).contains(&0.5));
        }
        assert!((273..297).contains(&covered), "{covered} of 300");
    }

    #[test]
    fn the_interval_follows_from_the_seed() {
        let scores: Vec<f64> = (0..50).map(|i| f64::from(i * i % 17)).collect();
        assert_eq!(interval(&scores, 3), interval(&scores, 3));
        assert_ne!(interval(&scores, 3), interval(&scores, 4));
        let one = interval(&[0.25], 0);
        assert_eq!((one.low, one.mean, one.high), (0.25, 0.25, 0.25));
    }

    #[test]
    fn percentiles_are_interpolated() {
        let sorted = [0.0, 1.0, 2.0, 4.0];
        for (part, want) in [(0.0, 0.0), (0.5, 1.5), (1.0, 4.0), (5.0 / 6.0, 3.0)] {
            let got = percentile(&sorted, part);
            assert!((got - want).abs() < 1e-12, "{part}: {got}");
        }
        assert_eq!(percentile(&[7.0], 0.025), 7.0);
    }

    #[test]
    fn cases_are_in_order() {
        let cases = Cases::of(&[0.3, 0.9, 0.1, 0.9, 0.2]).expect("scores");
        assert_eq!((cases.best, cases.median, cases.worst), (3, 0, 2));
        let cases = Cases::of(&[0.5, 0.0, -0.0, 1.0]).expect("scores");
        assert_eq!((cases.best, cases.median, cases.worst), (3, 2, 1));
        let one = Cases::of(&[0.5]).expect("a score");
        assert_eq!((one.best, one.median, one.worst), (0, 0, 0));
    }

    #[test]
    fn scores_that_are_no_numbers_are_refused() {
        for scores in [&[][..], &[0.5, f64::NAN], &[f64::INFINITY]] {
            assert!(Cases::of(scores).is_err());
            let error = Bootstrap::default()
                .interval(scores)
                .expect_err("no scores");
            assert!(error.to_string().contains("scores of images"), "{error}");
        }
        for resamples in [0, usize::MAX, MAX_DRAWS] {
            let bootstrap = Bootstrap { resamples, seed: 0 };
            assert!(bootstrap.interval(&[0.5, 0.25]).is_err(), "{resamples}");
        }
    }
}
