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
    let validation = nearest_neighbours(&fit, &validation, &recipe, &mut |_, _| true)?;
    let test = nearest_neighbours(train, test, &recipe, watch)?;
    Ok(validation.zip(test))
}
