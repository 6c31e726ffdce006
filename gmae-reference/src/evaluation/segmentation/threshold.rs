//! The threshold of a map of layers. Pixels with a label of at least the threshold are foreground.
//!
//! The threshold is chosen on one half of the images and scored on the other half. The best
//! threshold of the scored half is reported beside it.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::layers::LabelMap;
use super::overlap::{check_size, ratio};
use super::protocol::PreparedTruth;
use crate::error::{Error, check_len};

/// Computes the intersection over union of one image for every threshold from 0 to `layers - 1`,
/// from one pass over its pixels.
///
/// # Errors
///
/// [`Error::Argument`] if the sizes differ, or a label is not below `layers`.
pub fn overlaps(map: &LabelMap, layers: usize, truth: &PreparedTruth) -> Result<Vec<f64>, Error> {
    let size = truth.foreground.size();
    check_size("size of a map of layers", size, map.size())?;
    if let Some(left_out) = &truth.left_out {
        check_size("size of a mask of undecided pixels", size, left_out.size())?;
    }
    let highest = map.labels().iter().copied().max().map_or(0, usize::from);
    if highest >= layers {
        return Err(Error::Argument {
            argument: "labels of a map of layers",
            expected: format!("labels below {layers}, the number of layers"),
            got: highest.to_string(),
        });
    }
    // Higher thresholds give empty masks, so that the histogram ends at the highest label.
    let mut inside = vec![0_usize; highest + 1];
    let mut all = vec![0_usize; highest + 1];
    for (at, &label) in map.labels().iter().enumerate() {
        let left_out = truth.left_out.as_ref();
        if left_out.is_none_or(|left_out| !left_out.values()[at]) {
            let label = usize::from(label);
            all[label] += 1;
            inside[label] += usize::from(truth.foreground.values()[at]);
        }
    }
    let object: usize = inside.iter().sum();
    let mut scores = vec![ratio(0, object); layers];
    let (mut both, mut predicted) = (0, 0);
    for threshold in (0..=highest).rev() {
        both += inside[threshold];
        predicted += all[threshold];
        scores[threshold] = ratio(both, predicted + object - both);
    }
    Ok(scores)
}

/// The images on which a threshold is chosen, and those on which it is scored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Halves {
    /// Images for the choice, in ascending order.
    pub training: Vec<usize>,
    /// Images for the score, in ascending order.
    pub test: Vec<usize>,
}

impl Halves {
    /// Splits `count` images at random. The training half has `count / 2` images, rounded down.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] for fewer than two images.
    pub fn drawn(count: usize, seed: u64) -> Result<Self, Error> {
        if count < 2 {
            return Err(Error::Argument {
                argument: "images for the choice of a threshold",
                expected: "at least 2".to_owned(),
                got: count.to_string(),
            });
        }
        let mut order: Vec<usize> = (0..count).collect();
        order.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
        let mut test = order.split_off(count / 2);
        order.sort_unstable();
        test.sort_unstable();
        Ok(Self {
            training: order,
            test,
        })
    }
}

/// A threshold with its mean score.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Choice {
    /// Smallest label of the foreground.
    pub threshold: usize,
    /// Mean score over the images on which the threshold was chosen.
    pub mean: f64,
}

/// A threshold that was chosen on the training half.
#[derive(Clone, Debug, PartialEq)]
pub struct Tuned {
    /// The threshold with the highest mean score on the training half.
    pub choice: Choice,
    /// The scores of the test half with this threshold.
    pub scores: Vec<f64>,
    /// The mean of `scores`.
    pub mean: f64,
    /// The threshold with the highest mean score on the test half itself, as an upper bound.
    pub oracle: Choice,
    /// Mean score of the test half if every image has its own best threshold.
    pub each_best: f64,
}

/// Chooses a threshold on one half of the images and scores it on the other. `curves` has the
/// scores of each image for every threshold, from [`overlaps`]. Of thresholds with the same mean,
/// the smallest is chosen.
///
/// # Errors
///
/// [`Error::Length`] if the images have different numbers of thresholds. [`Error::Argument`] if
/// there is no threshold, or a half is empty or names an image without a curve.
pub fn tuned(curves: &[Vec<f64>], halves: &Halves) -> Result<Tuned, Error> {
    let layers = curves.first().map_or(0, Vec::len);
    for curve in curves {
        check_len("thresholds of an image", layers, curve.len())?;
    }
    let part = |images: &[usize]| -> Result<Vec<&[f64]>, Error> {
        let found = images
            .iter()
            .map(|&image| curves.get(image).map(Vec::as_slice));
        let found: Option<Vec<&[f64]>> = found.collect();
        let found = found.filter(|found| !found.is_empty() && layers > 0);
        found.ok_or_else(|| Error::Argument {
            argument: "images for the choice of a threshold",
            expected: format!("indices below {}, at least one in each half", curves.len()),
            got: format!("{images:?} with {layers} thresholds"),
        })
    };
    let (training, test) = (part(&halves.training)?, part(&halves.test)?);
    let choice = best(&training, layers);
    let scores: Vec<f64> = test.iter().map(|curve| curve[choice.threshold]).collect();
    let highest = |curve: &&[f64]| curve.iter().copied().fold(0.0, f64::max);
    Ok(Tuned {
        mean: scores.iter().sum::<f64>() / scores.len() as f64,
        oracle: best(&test, layers),
        each_best: test.iter().map(highest).sum::<f64>() / test.len() as f64,
        choice,
        scores,
    })
}

/// Returns the threshold with the highest mean. `curves` is not empty.
fn best(curves: &[&[f64]], layers: usize) -> Choice {
    let mean = |threshold: usize| {
        let sum: f64 = curves.iter().map(|curve| curve[threshold]).sum();
        sum / curves.len() as f64
    };
    let first = Choice {
        threshold: 0,
        mean: mean(0),
    };
    (1..layers).fold(first, |best, threshold| {
        let mean = mean(threshold);
        if mean > best.mean {
            Choice { threshold, mean }
        } else {
            best
        }
    })
}

#[cfg(test)]
mod tests {
    use super::super::examples::{drawn, random};
    use super::super::overlap::iou;
    use super::*;
    use rand::Rng;

    fn labels(seed: u64, width: usize, height: usize, layers: u16) -> LabelMap {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let labels = (0..width * height).map(|_| rng.random_range(0..layers));
        LabelMap::new(width, height, labels.collect()).expect("labels")
    }

    #[test]
    fn the_histogram_gives_the_overlap_of_every_threshold() {
        for seed in 0..100 {
            let layers = 1 + seed as u16 % 9;
            let map = labels(seed, 13, 8, layers);
            let density = 0.1 + 0.08 * (seed % 10) as f64;
            let truth = PreparedTruth {
                foreground: random(seed + 1000, 13, 8, density),
                left_out: (seed % 2 == 1).then(|| random(seed + 2000, 13, 8, 0.2)),
            };
            // Two layers more than there are labels.
            let count = usize::from(layers) + 2;
            let got = overlaps(&map, count, &truth).expect("sizes fit");
            assert_eq!(got.len(), count);
            for (threshold, score) in got.iter().enumerate() {
                let mask = map.at_least(threshold);
                let want = iou(&mask, &truth.foreground, truth.left_out.as_ref());
                assert_eq!(*score, want.expect("sizes fit"), "seed {seed}, {threshold}");
            }
        }
    }

    #[test]
    fn labels_and_sizes_must_fit() {
        let truth = PreparedTruth {
            foreground: drawn(&["#.", ".#"]),
            left_out: None,
        };
        let map = LabelMap::new(2, 2, vec![0, 3, 1, 2]).expect("labels");
        assert!(overlaps(&map, 4, &truth).is_ok());
        let error = overlaps(&map, 3, &truth).expect_err("a label of 3");
        assert!(error.to_string().contains("labels below 3"), "{error}");
        let other = LabelMap::new(1, 4, vec![0; 4]).expect("labels");
        assert!(overlaps(&other, 4, &truth).is_err());
    }

    /// The training half prefers threshold 1, the test half threshold 2.
    #[test]
    fn the_threshold_comes_from_the_training_half() {
        let curves = vec![
            vec![0.5, 0.75, 0.25],
            vec![0.0, 0.25, 1.0],
            vec![0.5, 0.75, 0.75],
            vec![0.25, 0.5, 0.5],
        ];
        let halves = Halves {
            training: vec![0, 2],
            test: vec![1, 3],
        };
        let tuned_ = tuned(&curves, &halves).expect("curves");
        assert_eq!((tuned_.choice.threshold, tuned_.choice.mean), (1, 0.75));
        assert_eq!((tuned_.scores, tuned_.mean), (vec![0.25, 0.5], 0.375));
        assert_eq!((tuned_.oracle.threshold, tuned_.oracle.mean), (2, 0.75));
        assert_eq!(tuned_.each_best, 0.75);
        let swapped = Halves {
            training: vec![1, 3],
            test: vec![0, 2],
        };
        let swapped = tuned(&curves, &swapped).expect("curves");
        assert_eq!(swapped.choice, tuned_.oracle);
    }

    #[test]
    fn of_equal_thresholds_the_smallest_is_chosen() {
        let halves = Halves {
            training: vec![0],
            test: vec![1],
        };
        let curves = vec![vec![0.25, 0.5, 0.5], vec![1.0, 1.0, 1.0]];
        let tuned = tuned(&curves, &halves).expect("curves");
        assert_eq!((tuned.choice.threshold, tuned.oracle.threshold), (1, 0));
    }

    #[test]
    fn halves_are_disjoint_and_follow_from_the_seed() {
        for count in [2, 3, 10, 163, 164] {
            let halves = Halves::drawn(count, 7).expect("enough images");
            assert_eq!(halves.training.len(), count / 2);
            assert!(halves.training.is_sorted() && halves.test.is_sorted());
            let mut all = [halves.training.clone(), halves.test.clone()].concat();
            all.sort_unstable();
            assert_eq!(all, (0..count).collect::<Vec<_>>());
            assert_eq!(halves, Halves::drawn(count, 7).expect("enough images"));
        }
        assert_ne!(
            Halves::drawn(50, 1).expect("50"),
            Halves::drawn(50, 2).expect("50")
        );
        assert!(Halves::drawn(1, 0).is_err());
    }

    #[test]
    fn halves_that_do_not_fit_are_refused() {
        let curves = vec![vec![0.5, 0.25]; 3];
        let halves = |training: &[usize], test: &[usize]| Halves {
            training: training.to_vec(),
            test: test.to_vec(),
        };
        assert!(tuned(&curves, &halves(&[0], &[1, 2])).is_ok());
        assert!(tuned(&curves, &halves(&[], &[1, 2])).is_err());
        assert!(tuned(&curves, &halves(&[0], &[3])).is_err());
        assert!(tuned(&[vec![], vec![]], &halves(&[0], &[1])).is_err());
        assert!(tuned(&[vec![0.5], vec![0.5, 1.0]], &halves(&[0], &[1])).is_err());
        assert!(tuned(&[], &halves(&[], &[])).is_err());
    }
}
