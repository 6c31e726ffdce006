//! Medians of interleaved repetitions, and the roofline of the CPU.

use std::time::{Duration, Instant};

use benches::measure;
use rayon::prelude::*;
use serde::Serialize;
use splat::RenderError;

/// The samples of one item: `K` values in each round.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Samples<const K: usize>(Vec<[f64; K]>);

impl<const K: usize> Samples<K> {
    /// Returns value `k` of all rounds.
    pub(crate) fn series(&self, k: usize) -> Series {
        let samples: Vec<f64> = self.0.iter().map(|values| values[k]).collect();
        Series {
            spread: spread(&samples),
            samples,
        }
    }

    /// Returns the median of value `k`.
    pub(crate) fn median(&self, k: usize) -> f64 {
        self.series(k).median()
    }

    /// Returns the medians of all values.
    pub(crate) fn medians(&self) -> [f64; K] {
        std::array::from_fn(|k| self.median(k))
    }
}

/// The samples of one quantity, in the order of the rounds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Series {
    pub(crate) samples: Vec<f64>,
    /// The distance between the quartiles, divided by the median.
    spread: f64,
}

impl Series {
    pub(crate) fn median(&self) -> f64 {
        median(self.samples.clone())
    }
}

/// Returns the distance between the quartiles, divided by the median. A quartile is the median of
/// one half of the values, without the middle one.
fn spread(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let half = sorted.len() / 2;
    if half == 0 {
        return 0.0;
    }
    let (low, high) = (&sorted[..half], &sorted[sorted.len() - half..]);
    (median(high.to_vec()) - median(low.to_vec())) / median(sorted.clone())
}

/// Calls `sample` once on every item in each of `rounds` rounds, after one round that is not
/// counted. Returns the samples of each item. The rounds are interleaved so that a temporary
/// slow-down of the machine affects all items alike.
pub(crate) fn interleaved<B, const K: usize>(
    items: &[B],
    rounds: usize,
    sample: impl Fn(&B) -> Result<[f64; K], RenderError>,
) -> Result<Vec<Samples<K>>, RenderError> {
    let mut samples: Vec<Samples<K>> = items.iter().map(|_| Samples(Vec::new())).collect();
    for round in 0..=rounds {
        for (item, samples) in items.iter().zip(&mut samples) {
            let numbers = sample(item)?;
            if round > 0 {
                samples.0.push(numbers);
            }
        }
    }
    Ok(samples)
}

/// Returns the middle value, or the mean of the two middle values. For no values the result is NaN.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let n = values.len();
    if n == 0 {
        return f64::NAN;
    }
    0.5 * (values[(n - 1) / 2] + values[n / 2])
}

/// Returns `time` in ms.
pub(crate) fn ms(time: Duration) -> f64 {
    1e3 * time.as_secs_f64()
}

/// A loop of the compositor's arithmetic on registers, long enough to be timed.
pub(crate) struct Roofline {
    steps: usize,
}

impl Roofline {
    /// Finds the number of steps that takes about 10 ms.
    pub(crate) fn new() -> Self {
        let mut steps = 1 << 12;
        loop {
            let start = Instant::now();
            measure::roofline(steps);
            if start.elapsed() > Duration::from_millis(10) || steps > 1 << 40 {
                return Self { steps };
            }
            steps *= 2;
        }
    }

    /// Returns the time of `parts` loops on the threads of the current pool.
    pub(crate) fn time(&self, parts: usize) -> Duration {
        let start = Instant::now();
        let parts = (0..parts).into_par_iter().with_max_len(1);
        let lanes: u64 = parts.map(|_| measure::roofline(self.steps)).sum();
        std::hint::black_box(lanes);
        start.elapsed()
    }

    /// Returns the G lanes/s per core while every thread of the pool runs the loop.
    pub(crate) fn pace(&self) -> f64 {
        let start = Instant::now();
        let lanes = rayon::broadcast(|_| measure::roofline(self.steps));
        let time = start.elapsed().as_secs_f64();
        1e-9 * lanes.iter().sum::<u64>() as f64 / time / lanes.len() as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), 2.5);
        assert!(median(vec![]).is_nan());
    }

    #[test]
    fn the_first_round_is_left_out() {
        let calls = std::cell::Cell::new(0.0);
        let samples = interleaved(&[()], 3, |()| {
            calls.set(calls.get() + 1.0);
            Ok([calls.get()])
        });
        assert_eq!(samples, Ok(vec![Samples(vec![[2.0], [3.0], [4.0]])]));
        assert_eq!(samples.unwrap()[0].medians(), [3.0]);
    }

    #[test]
    fn the_spread_is_that_of_the_quartiles() {
        assert_eq!(spread(&[4.0]), 0.0);
        assert_eq!(spread(&[2.0, 1.0, 4.0, 3.0, 5.0]), 1.0);
        assert_eq!(spread(&[3.0, 3.0, 3.0, 3.0]), 0.0);
    }
}
