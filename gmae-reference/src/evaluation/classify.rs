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

#[cfg(test)]
mod tests {
    use burn::module::{Module, ModuleMapper, Param};
    use burn::tensor::Tensor;
    use burn::tensor::backend::Backend;

    use super::super::examples::{CLASSES, Labelled, config, go_on};
    use super::*;
    use crate::backend::{Cpu, Device};
    use crate::model::{Autoencoder, Mask, Visible};

    /// Two whole pieces and a part of one.
    const COUNT: usize = 19;

    fn classifier() -> Classifier<Cpu> {
        let autoencoder = Autoencoder::new(&config(), &Device::default());
        Classifier::new(&config(), CLASSES, autoencoder)
    }

    fn judged(model: &Classifier<Cpu>, data: &Labelled) -> Accuracy {
        let found = top1(&config(), model, data, &mut go_on).expect("images");
        found.expect("not stopped")
    }

    /// Sets every parameter to zero.
    struct Zeros;

    impl<B: Backend> ModuleMapper<B> for Zeros {
        fn map_float<const D: usize>(&mut self, p: Param<Tensor<B, D>>) -> Param<Tensor<B, D>> {
            p.map(|values| values.zeros_like())
        }
    }

    #[test]
    fn the_first_of_equal_scores_counts() {
        assert_eq!(highest(&[1.0, 3.0, 3.0]), 1);
        assert_eq!(highest(&[-2.0, -2.0, -5.0]), 0);
        assert_eq!(highest(&[f32::NAN, -7.0, -8.0]), 1);
        assert_eq!(highest(&[f32::NEG_INFINITY, f32::NAN]), 0);
        // All scores are 0. Of the labels 5 i mod 3, seven are class 0.
        let found = judged(&classifier().map(&mut Zeros), &Labelled::new(COUNT));
        assert_eq!((found.correct, found.images), (7, COUNT));
    }

    /// The labels are the best classes of single images, and the wrong ones for every third image.
    #[test]
    fn correct_answers_are_counted() {
        let (config, model) = (config(), classifier());
        let mut data = Labelled::new(COUNT);
        let mut seen = [false; CLASSES];
        for index in 0..COUNT {
            let masks = [Mask::none(config.patches())];
            let image = Visible::new(&config, &data.pixels(index), &masks, &model.device());
            let scores = numbers(model.forward(&image.expect("an image"))).expect("numbers");
            let other = |class: usize| scores[class] != scores[(class + 1) % CLASSES];
            assert!((0..CLASSES).all(other), "{scores:?}");
            let best = (0..CLASSES).find(|&a| scores.iter().all(|b| scores[a] >= *b));
            let best = best.expect("a class");
            seen[best] = true;
            data.labels[index] = Some(if index % 3 == 0 {
                (best + 1) % CLASSES
            } else {
                best
            });
        }
        assert!(seen.iter().filter(|seen| **seen).count() > 1, "{seen:?}");
        let found = judged(&model, &data);
        assert_eq!((found.correct, found.images), (12, COUNT));
    }

    #[test]
    fn a_report_can_stop_the_work_and_a_missing_class_is_refused() {
        let (config, model) = (config(), classifier());
        let mut data = Labelled::new(COUNT);
        for stop in [8, 16, 19] {
            let found = top1(&config, &model, &data, &mut |done, total| {
                assert_eq!(total, COUNT);
                done != stop
            });
            assert_eq!(found.expect("images"), None);
        }
        data.labels[18] = None;
        let error = top1(&config, &model, &data, &mut go_on).expect_err("no class");
        assert!(
            error.to_string().starts_with("--data: expected images"),
            "{error}"
        );
    }
}
