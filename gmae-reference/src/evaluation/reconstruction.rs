//! Reconstructions of all images of a data set, and their measures.

use super::encoding::{Watch, pieces};
use super::pictures::paste;
use super::quality::{Composition, FeatureStatistics, Fill, Measures, fill_batch, measure};
use crate::backend::Trains;
use crate::config::Config;
use crate::data::{Dataset, Sample};
use crate::error::Error;
use crate::model::{Autoencoder, Batch, Mask, Visible, predict};
use crate::numbers::numbers;
use crate::training::{Stream, stream};

/// What fills the masked patches.
pub(crate) enum Filler<'a, B: Trains> {
    /// The prediction of a model.
    Model(&'a Autoencoder<B>),
    /// A baseline.
    Fill(Fill),
}

/// A model whose features are compared: the means of the patch tokens after its last block.
pub(crate) struct FeatureModel<'a, B: Trains> {
    /// The settings of the model.
    pub(crate) config: &'a Config,
    /// The model.
    pub(crate) model: &'a Autoencoder<B>,
}

/// The measures of every image.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reconstructed {
    /// Those of the predicted images.
    pub(crate) raw: Vec<Measures>,
    /// Those of the images whose masked patches are predicted.
    pub(crate) pasted: Vec<Measures>,
    /// The features of the originals and of the pasted images, if a feature model was given.
    features: [Vec<f32>; 2],
}

impl Reconstructed {
    /// Computes the Fréchet distance between the features of the originals and of the pasted
    /// images. The result is `None` without a feature model.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] if there are fewer than two images.
    pub(crate) fn frechet_distance(&self, columns: usize) -> Result<Option<f64>, Error> {
        let [originals, pasted] = &self.features;
        if originals.is_empty() {
            return Ok(None);
        }
        let originals = FeatureStatistics::new(originals, columns)?;
        let pasted = FeatureStatistics::new(pasted, columns)?;
        originals.frechet_distance(&pasted).map(Some)
    }
}

/// Returns the mask of image number `index`, which is the same for all models with as many patches
/// and as many visible ones.
pub(crate) fn mask(config: &Config, seed: u64, index: usize) -> Mask {
    let mut rng = stream(seed, Stream::HeldOut, index as u64);
    Mask::random(config.patches(), config.visible(), &mut rng)
}

/// Reconstructs every image of `data`, which is opened for evaluation. The result is `None` if
/// `watch` returned `false`.
///
/// # Errors
///
/// [`Error::Data`] if an image cannot be read. [`Error::Argument`] if the feature model has another
/// image size. All errors of [`predict`] and [`measure`].
pub(crate) fn reconstruct<B: Trains>(
    config: &Config,
    filler: &Filler<B>,
    features: Option<&FeatureModel<B>>,
    data: &dyn Dataset,
    mask_seed: u64,
    watch: Watch,
) -> Result<Option<Reconstructed>, Error> {
    if let Some(features) = features
        && features.config.image_size != config.image_size
    {
        return Err(Error::Argument {
            argument: "--features",
            expected: format!("a model of images of {} px", config.image_size),
            got: format!("one of {} px", features.config.image_size),
        });
    }
    let workers = B::workers()?;
    let mut all = Reconstructed::default();
    let work = |start: usize, samples: Vec<Sample>| {
        let batch = Batch {
            masks: (start..start + samples.len())
                .map(|index| mask(config, mask_seed, index))
                .collect(),
            pixels: samples
                .into_iter()
                .flat_map(|sample| sample.image.pixels)
                .collect(),
        };
        piece(config, filler, features, &batch)
    };
    let size = config.images_per_piece();
    let done = pieces(&workers, data, size, work, |piece| {
        let Reconstructed {
            raw,
            pasted,
            features,
        } = piece?;
        all.raw.extend(raw);
        all.pasted.extend(pasted);
        for (all, new) in all.features.iter_mut().zip(features) {
            all.extend(new);
        }
        Ok(watch(all.raw.len(), data.len()))
    })?;
    Ok(done.then_some(all))
}

fn piece<B: Trains>(
    config: &Config,
    filler: &Filler<B>,
    features: Option<&FeatureModel<B>>,
    batch: &Batch,
) -> Result<Reconstructed, Error> {
    let predicted = match filler {
        Filler::Model(model) => predict(config, model, batch)?.pixels,
        Filler::Fill(fill) => fill_batch(config, batch, *fill)?,
    };
    let features = match features {
        None => Default::default(),
        Some(of) => {
            let images = batch.pixels.chunks(config.image_len());
            let pairs = images.zip(predicted.chunks(config.image_len()));
            let pasted: Vec<f32> = pairs
                .zip(&batch.masks)
                .flat_map(|((image, predicted), mask)| paste(config, image, predicted, mask))
                .collect();
            [of.of(&batch.pixels)?, of.of(&pasted)?]
        }
    };
    Ok(Reconstructed {
        raw: measure(config, batch, &predicted, Composition::Raw)?,
        pasted: measure(config, batch, &predicted, Composition::Pasted)?,
        features,
    })
}

impl<B: Trains> FeatureModel<'_, B> {
    /// Computes the features of whole images `[B, H, W, 3]`, row by row.
    fn of(&self, pixels: &[f32]) -> Result<Vec<f32>, Error> {
        let images = pixels.len() / self.config.image_len();
        let masks = vec![Mask::none(self.config.patches()); images];
        let visible = Visible::new(self.config, pixels, &masks, &self.model.device())?;
        match self.model.layers(&visible).pop() {
            Some(last) => numbers(last),
            None => Ok(Vec::new()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::examples::{Labelled, config, go_on, on_threads};
    use super::super::quality::{bilinear_fill, frechet_distance, mean_colour_fill};
    use super::*;
    use crate::backend::{Cpu, Device};
    use crate::config::Method;

    /// Two whole pieces and a part of one.
    const COUNT: usize = 19;
    const SEED: u64 = 5;

    /// Settings of a model with another decoder.
    fn other() -> Config {
        Config {
            method: Method::Mae,
            decoder_width: 12,
            seed: 1,
            ..config()
        }
    }

    fn model(config: &Config) -> Autoencoder<Cpu> {
        Autoencoder::new(config, &Device::default())
    }

    fn reconstructed(
        config: &Config,
        filler: &Filler<Cpu>,
        features: Option<&FeatureModel<Cpu>>,
    ) -> Reconstructed {
        let data = Labelled::new(COUNT);
        let found = reconstruct(config, filler, features, &data, SEED, &mut go_on);
        found.expect("valid arguments").expect("not stopped")
    }

    /// All images with the masks of [`SEED`].
    fn batch() -> Batch {
        let data = Labelled::new(COUNT);
        Batch {
            pixels: (0..COUNT).flat_map(|index| data.pixels(index)).collect(),
            masks: (0..COUNT)
                .map(|index| mask(&config(), SEED, index))
                .collect(),
        }
    }

    fn assert_measures(found: &Reconstructed, config: &Config, predicted: &[f32]) {
        for (got, composition) in [
            (&found.raw, Composition::Raw),
            (&found.pasted, Composition::Pasted),
        ] {
            let expected = measure(config, &batch(), predicted, composition);
            assert_eq!(*got, expected.expect("a batch"), "{composition:?}");
        }
    }

    #[test]
    fn masks_depend_on_the_patches_the_seed_and_the_index() {
        for index in [0, 7, 1 << 40] {
            let first = mask(&config(), SEED, index);
            assert_eq!((first.visible.len(), first.masked.len()), (4, 12));
            assert_eq!(first, mask(&other(), SEED, index));
            assert_ne!(first, mask(&config(), SEED + 1, index));
            assert_ne!(first, mask(&config(), SEED, index + 1));
        }
    }

    #[test]
    fn baselines_have_the_measures_of_their_fills() {
        for fill in [mean_colour_fill, bilinear_fill] as [Fill; 2] {
            let filled = fill_batch(&config(), &batch(), fill).expect("a batch");
            let found = reconstructed(&config(), &Filler::Fill(fill), None);
            assert_measures(&found, &config(), &filled);
        }
    }

    /// The masks are those of the settings of the first model.
    #[test]
    fn two_models_predict_the_same_masked_patches() {
        let mut all = Vec::new();
        for config in [config(), other()] {
            let model = model(&config);
            let predicted = predict(&config, &model, &batch()).expect("a batch").pixels;
            let found = reconstructed(&config, &Filler::Model(&model), None);
            assert_measures(&found, &config, &predicted);
            all.push(found);
        }
        assert_ne!(all[0].raw, all[1].raw);
    }

    /// The features of the original and of the pasted images, one image at a time.
    fn features(of: &Autoencoder<Cpu>, filled: &[f32]) -> [Vec<f32>; 2] {
        let (config, batch) = (config(), batch());
        let mut features = [Vec::new(), Vec::new()];
        let images = batch.images(&config).expect("a batch");
        for ((image, mask), filled) in images.zip(filled.chunks(config.image_len())) {
            let pasted = paste(&config, image, filled, mask);
            for (features, pixels) in features.iter_mut().zip([image, &pasted]) {
                let masks = [Mask::none(config.patches())];
                let visible = Visible::new(&config, pixels, &masks, &of.device());
                let last = of.layers(&visible.expect("an image")).pop();
                features.extend(numbers(last.expect("a block")).expect("numbers"));
            }
        }
        features
    }

    #[test]
    fn the_distance_is_that_of_the_features_of_single_images() {
        let (config, other) = (config(), other());
        let model = model(&other);
        let of = FeatureModel {
            config: &other,
            model: &model,
        };
        let distance = |fill: Fill| {
            let found = reconstructed(&config, &Filler::Fill(fill), Some(&of));
            let distance = found.frechet_distance(other.encoder_width);
            distance.expect("19 images").expect("features")
        };
        let filled = fill_batch(&config, &batch(), mean_colour_fill).expect("a batch");
        let [originals, pasted] = features(&model, &filled);
        let expected = frechet_distance(&originals, &pasted, other.encoder_width);
        let (got, expected) = (distance(mean_colour_fill), expected.expect("19 images"));
        assert!(expected > 1e-2, "{expected}");
        assert!((got - expected).abs() < 1e-4 * expected, "{got} {expected}");
        let originals: Fill = |_, image, _| Ok(image.to_vec());
        assert!(distance(originals) < 1e-6, "{}", distance(originals));
    }

    #[test]
    fn there_is_no_distance_without_a_feature_model() {
        let found = reconstructed(&config(), &Filler::Fill(mean_colour_fill), None);
        assert_eq!(found.frechet_distance(16).expect("no features"), None);
    }

    #[test]
    fn a_feature_model_of_other_images_is_refused_by_name() {
        let wrong = Config {
            image_size: 32,
            ..config()
        };
        let of = FeatureModel {
            config: &wrong,
            model: &model(&wrong),
        };
        let (filler, data) = (Filler::Fill(mean_colour_fill), Labelled::new(COUNT));
        let found = reconstruct(&config(), &filler, Some(&of), &data, SEED, &mut go_on);
        let message = found.expect_err("another size").to_string();
        let expected = "--features: expected a model of images of 16 px, got one of 32 px";
        assert_eq!(message, expected);
    }

    #[test]
    fn every_report_can_stop_the_work() {
        let filler = Filler::<Cpu>::Fill(mean_colour_fill);
        for stop in [8, 16, 19] {
            let data = Labelled::new(COUNT);
            let found = reconstruct(&config(), &filler, None, &data, SEED, &mut |done, total| {
                assert_eq!(total, COUNT);
                done != stop
            });
            assert!(found.expect("valid arguments").is_none(), "{stop}");
        }
    }

    #[test]
    fn threads_change_no_bit() {
        let run = || {
            let (config, model) = (config(), model(&config()));
            let of = FeatureModel {
                config: &config,
                model: &model,
            };
            let found = reconstructed(&config, &Filler::Model(&model), Some(&of));
            (found.raw, found.pasted, found.features)
        };
        assert_eq!(on_threads(1, run), on_threads(3, run));
    }
}
