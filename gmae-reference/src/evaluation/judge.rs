//! All probes of all blocks of an encoder.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use super::encoding::Watch;
use super::probe::{
    Accuracy, Labelled, LinearRecipe, NeighbourRecipe, hold_out, linear_probe, nearest_neighbours,
    ridge_probe,
};
use crate::error::Error;

/// A way of classifying features.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Probe {
    /// Ridge regression in closed form
    Ridge,
    /// Batch normalisation and a linear layer, trained by `AdamW`
    Linear,
    /// The 20 nearest neighbours
    Knn,
}

/// The results of one probe on every block.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Judgement {
    /// The probe.
    pub(crate) probe: Probe,
    /// The block with the best accuracy on the validation part of the training images, counted from
    /// 1. Of equally good blocks, the last.
    pub(crate) block: usize,
    /// Accuracy of that block on the test images.
    pub(crate) top1: f64,
    /// The 95 % interval of `top1`, for the choice of the test images.
    pub(crate) interval: (f64, f64),
    /// Accuracies of every block: on the validation part, and on the test images.
    pub(crate) blocks: Vec<(f64, f64)>,
}

/// Applies `probe` to every block. `train` and `test` hold the features of each block.
///
/// The result is `None` if `watch` returned `false`.
///
/// # Errors
///
/// An error that names the features at fault.
pub(crate) fn judge(
    probe: Probe,
    train: &[Labelled],
    test: &[Labelled],
    watch: Watch,
) -> Result<Option<Judgement>, Error> {
    let mut results = Vec::with_capacity(train.len());
    for (block, (train, test)) in train.iter().zip(test).enumerate() {
        let total = results.capacity();
        let mut part = |done: usize, of: usize| {
            // In thousandths of a block.
            watch(1000 * block + 1000 * done / of.max(1), 1000 * total)
        };
        let found = match probe {
            Probe::Ridge => {
                ridge_probe(train, test, &mut part)?.map(|found| (found.validation, found.test))
            }
            Probe::Linear => linear_probe(train, test, &LinearRecipe::default(), &mut part)?
                .map(|found| (found.validation, found.test)),
            Probe::Knn => neighbours(train, test, &mut part)?,
        };
        let Some(found) = found else {
            return Ok(None);
        };
        results.push(found);
    }
    let best = results
        .iter()
        .enumerate()
        .max_by(|(_, a), (_, b)| a.0.top1().total_cmp(&b.0.top1()));
    let Some((block, (_, chosen))) = best else {
        return Err(Error::Length {
            argument: "blocks of the encoder (at least 1)",
            expected: 1,
            got: 0,
        });
    };
    Ok(Some(Judgement {
        probe,
        block: block + 1,
        top1: chosen.top1(),
        interval: chosen.interval(),
        blocks: results
            .iter()
            .map(|(validation, test)| (validation.top1(), test.top1()))
            .collect(),
    }))
}

/// The nearest neighbours of the validation part among the other training images, and of the test
/// images among all.
fn neighbours(
    train: &Labelled,
    test: &Labelled,
    watch: Watch,
) -> Result<Option<(Accuracy, Accuracy)>, Error> {
    let recipe = NeighbourRecipe::default();
    let split = hold_out(train)?;
    let (fit, validation) = (train.select(&split.fit)?, train.select(&split.validation)?);
    let half = &mut |done: usize, of: usize| watch(done, 2 * of);
    let Some(validation) = nearest_neighbours(&fit, &validation, &recipe, half)? else {
        return Ok(None);
    };
    let half = &mut |done: usize, of: usize| watch(of + done, 2 * of);
    let test = nearest_neighbours(train, test, &recipe, half)?;
    Ok(test.map(|test| (validation, test)))
}

#[cfg(test)]
mod tests {
    use super::super::examples::go_on;
    use super::super::probe::{Features, accuracy};
    use super::*;

    const PROBES: [Probe; 3] = [Probe::Ridge, Probe::Linear, Probe::Knn];

    /// Returns 40 images of two classes in turn. Their one feature is -1 for class 0 and 1 for
    /// class 1, with the other sign if `wrong` is true for the row.
    fn images(wrong: impl Fn(&usize) -> bool) -> Labelled {
        let labels: Vec<usize> = (0..40).map(|row| row % 2).collect();
        let feature = |row: usize| {
            let side = if row.is_multiple_of(2) { -1.0 } else { 1.0 };
            if wrong(&row) { -side } else { side }
        };
        let features = Features::new((0..40).map(feature).collect(), 1).expect("rows");
        Labelled::new(features, labels, 2).expect("labels")
    }

    /// A block that is right on the training images, and always wrong on the test images.
    fn honest() -> (Labelled, Labelled) {
        (images(|_| false), images(|_| true))
    }

    /// A block that is wrong on the validation part, and always right on the test images.
    fn lucky() -> (Labelled, Labelled) {
        let split = hold_out(&images(|_| false)).expect("two classes");
        let train = images(|row| split.validation.contains(row));
        (train, images(|_| false))
    }

    fn judged(probe: Probe, blocks: Vec<(Labelled, Labelled)>) -> Judgement {
        let (train, test): (Vec<_>, Vec<_>) = blocks.into_iter().unzip();
        let found = judge(probe, &train, &test, &mut go_on).expect("valid arguments");
        found.expect("not stopped")
    }

    #[test]
    fn the_block_is_chosen_on_the_validation_part() {
        for probe in PROBES {
            for (blocks, block) in [(vec![lucky(), honest()], 2), (vec![honest(), lucky()], 1)] {
                let found = judged(probe, blocks);
                let none = accuracy(&[0; 40], &[1; 40]).expect("40 images");
                let mut both = [(0.0, 1.0), (0.0, 1.0)];
                both[block - 1] = (1.0, 0.0);
                let expected = Judgement {
                    probe,
                    block,
                    top1: 0.0,
                    interval: none.interval(),
                    blocks: both.to_vec(),
                };
                assert_eq!(found, expected);
            }
        }
    }

    #[test]
    fn of_equally_good_blocks_the_last_is_chosen() {
        let good = (images(|_| false), images(|row| *row < 10));
        for probe in PROBES {
            let found = judged(probe, vec![honest(), good.clone(), lucky()]);
            assert_eq!((found.block, found.top1), (2, 0.75), "{probe:?}");
            let found = judged(probe, vec![good.clone(), honest(), lucky()]);
            assert_eq!((found.block, found.top1), (2, 0.0), "{probe:?}");
        }
    }

    /// The reports ascend to their total, and the first report of the second block stops the work.
    #[test]
    fn reports_count_thousandths_of_blocks() {
        let (train, test): (Vec<_>, Vec<_>) = [honest(), lucky()].into_iter().unzip();
        for probe in PROBES {
            let mut last = 0;
            let found = judge(probe, &train, &test, &mut |done, total| {
                assert!(done >= last && total == 2000, "{last} {done} {total}");
                last = done;
                true
            });
            assert!(found.expect("valid arguments").is_some());
            assert_eq!(last, 2000, "{probe:?}");
            let found = judge(probe, &train, &test, &mut |done, _| done <= 1000);
            assert_eq!(found.expect("valid arguments"), None, "{probe:?}");
        }
    }

    #[test]
    fn no_blocks_are_refused_by_name() {
        let error = judge(Probe::Ridge, &[], &[], &mut go_on).expect_err("no blocks");
        assert!(
            error.to_string().starts_with("blocks of the encoder"),
            "{error}"
        );
    }
}
