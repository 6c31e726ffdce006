//! Reconstructions of all images of a data set, and their measures.

use super::encoding::{Watch, pieces};
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

/// Returns the mask of image number `index`, which is the same for all models with as many patches.
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
            let len = config.image_len();
            let mut pasted = batch.pixels.clone();
            for (i, mask) in batch.masks.iter().enumerate() {
                let image = i * len..(i + 1) * len;
                let (pasted, predicted) = (&mut pasted[image.clone()], &predicted[image]);
                for value in mask
                    .masked
                    .iter()
                    .flat_map(|&patch| crate::model::patch_rows(config, patch))
                    .flatten()
                {
                    pasted[value] = predicted[value].clamp(0.0, 1.0);
                }
            }
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
