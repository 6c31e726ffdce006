//! The accuracy of a classifier.

use super::encoding::{Watch, label, pieces, whole};
use super::probe::{Accuracy, accuracy};
use crate::backend::Trains;
use crate::config::Config;
use crate::data::{Dataset, Sample};
use crate::error::Error;
use crate::model::Classifier;
use crate::numbers::numbers;

/// Classifies every image of `data`, which is opened for evaluation. The class with the highest
/// score counts; of equal scores, the first. The result is `None` if `watch` returned `false`.
///
/// # Errors
///
/// [`Error::Data`] if an image cannot be read. [`Error::Argument`] if an image has no class.
pub(crate) fn top1<B: Trains>(
    config: &Config,
    model: &Classifier<B>,
    data: &dyn Dataset,
    watch: Watch,
) -> Result<Option<Accuracy>, Error> {
    let workers = B::workers()?;
    let (mut predicted, mut labels) = (Vec::new(), Vec::new());
    let classify = |_, samples: Vec<Sample>| {
        let scores = model.forward(&whole(config, &samples, &model.device())?);
        let classes = scores.dims()[1];
        let predicted = numbers(scores)?.chunks(classes).map(highest).collect();
        let labels = samples.iter().map(label).collect::<Result<Vec<_>, _>>()?;
        Ok::<(Vec<usize>, Vec<usize>), Error>((predicted, labels))
    };
    let done = pieces(
        &workers,
        data,
        config.images_per_piece(),
        classify,
        |piece| {
            let (classes, new) = piece?;
            predicted.extend(classes);
            labels.extend(new);
            Ok(watch(labels.len(), data.len()))
        },
    )?;
    if !done {
        return Ok(None);
    }
    accuracy(&predicted, &labels).map(Some)
}

/// Returns the index of the highest score, the first of equal ones.
fn highest(scores: &[f32]) -> usize {
    let first = (0, f32::NEG_INFINITY);
    let best =
        scores.iter().enumerate().fold(
            first,
            |best, (i, &score)| {
                if score > best.1 { (i, score) } else { best }
            },
        );
    best.0
}
