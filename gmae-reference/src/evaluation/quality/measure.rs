//! All measures of every image of a batch.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::errors::{masked_mse, mse};
use super::ssim::ssim;
use crate::config::Config;
use crate::error::{Error, check_len};
use crate::evaluation::pictures::paste;
use crate::model::{Batch, Mask};

/// The image that is compared with the original.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Composition {
    /// The prediction, in all patches.
    Raw,
    /// The prediction in the masked patches and the original in the visible patches.
    Pasted,
}

/// The measures of one image. Those of the masked patches are `None` if there is no masked patch,
/// or for SSIM no window with its centre in one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measures {
    /// Mean squared error of all pixels.
    pub mse: f64,
    /// Mean squared error of the pixels of masked patches.
    pub masked_mse: Option<f64>,
    /// Structural similarity, averaged over all windows.
    pub ssim: f64,
    /// Structural similarity, averaged over the windows with their centre in a masked patch.
    pub masked_ssim: Option<f64>,
}

/// Measures every image of `batch` against its prediction, in the order of the batch.
/// `predictions` has the shape `[B, H, W, 3]`.
///
/// Predictions are not clamped to `[0, 1]`. The images are measured in parallel. The results do not
/// depend on the number of threads.
///
/// # Errors
///
/// [`Error::Setting`] if `config` is invalid. All errors of [`Batch::check`]. [`Error::Length`] if
/// `predictions` does not have the length of the pixels. [`Error::Argument`] if a pixel or a
/// predicted value is NaN or infinite, also where the composition does not use it.
pub fn measure(
    config: &Config,
    batch: &Batch,
    predictions: &[f32],
    composition: Composition,
) -> Result<Vec<Measures>, Error> {
    config.validate()?;
    let pairs = batch.images(config)?;
    check_len(
        "pixels of a prediction",
        batch.pixels.len(),
        predictions.len(),
    )?;
    check_finite("pixels of a batch", &batch.pixels)?;
    check_finite("pixels of a prediction", predictions)?;
    let pairs: Vec<_> = pairs.zip(predictions.chunks(config.image_len())).collect();
    let measures: Vec<Result<Measures, Error>> = pairs
        .into_par_iter()
        .map(|((image, mask), prediction)| match composition {
            Composition::Raw => measure_image(config, image, prediction, mask),
            Composition::Pasted => {
                let pasted = paste(config, image, prediction, mask);
                measure_image(config, image, &pasted, mask)
            }
        })
        .collect();
    measures.into_iter().collect()
}

fn measure_image(
    config: &Config,
    image: &[f32],
    prediction: &[f32],
    mask: &Mask,
) -> Result<Measures, Error> {
    let similarity = ssim(config, image, prediction, mask)?;
    Ok(Measures {
        mse: mse(config, image, prediction)?,
        masked_mse: masked_mse(config, image, prediction, mask)?,
        ssim: similarity.all,
        masked_ssim: similarity.masked,
    })
}

/// Checks that no value is NaN or infinite.
fn check_finite(argument: &'static str, values: &[f32]) -> Result<(), Error> {
    match values.iter().position(|value| !value.is_finite()) {
        None => Ok(()),
        Some(at) => Err(Error::Argument {
            argument,
            expected: "finite values".to_owned(),
            got: format!("{} as value {at}", values[at]),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::super::examples;
    use super::*;

    /// Returns three images with different masks, and their predictions.
    fn example(config: &Config) -> (Batch, Vec<f32>) {
        let count = 3 * config.image_len();
        let mask = |i: usize| examples::mask(config, move |patch| patch % 3 == i);
        let batch = Batch {
            pixels: examples::random(11, count),
            masks: (0..3).map(mask).collect(),
        };
        (batch, examples::random(12, count))
    }

    #[test]
    fn every_image_has_its_own_measures() {
        let config = examples::config(16, 4);
        let (batch, predictions) = example(&config);
        let got = measure(&config, &batch, &predictions, Composition::Raw).expect("a batch");
        assert_eq!(got.len(), 3);
        for (i, got) in got.iter().enumerate() {
            let range = i * config.image_len()..(i + 1) * config.image_len();
            let (image, prediction) = (&batch.pixels[range.clone()], &predictions[range]);
            let similarity = ssim(&config, image, prediction, &batch.masks[i]).expect("an image");
            let error = masked_mse(&config, image, prediction, &batch.masks[i]);
            assert_eq!(got.mse, mse(&config, image, prediction).expect("an image"));
            assert_eq!(got.masked_mse, error.expect("an image"));
            assert_eq!(got.ssim, similarity.all);
            assert_eq!(got.masked_ssim, similarity.masked);
        }
        assert!(got[0] != got[1] && got[1] != got[2]);
    }

    /// Pasting removes the error of the visible patches. The error of the masked patches remains.
    #[test]
    fn a_pasted_prediction_is_exact_in_the_visible_patches() {
        let config = examples::config(16, 4);
        let (batch, predictions) = example(&config);
        let of = |composition| measure(&config, &batch, &predictions, composition);
        let raw = of(Composition::Raw).expect("a batch");
        let pasted = of(Composition::Pasted).expect("a batch");
        for ((raw, pasted), mask) in raw.iter().zip(&pasted).zip(&batch.masks) {
            assert_eq!(raw.masked_mse, pasted.masked_mse);
            let masked = raw.masked_mse.expect("masked patches");
            let share = mask.masked.len() as f64 / 16.0;
            assert!((pasted.mse - share * masked).abs() < 1e-12);
            assert!(raw.mse > pasted.mse);
            assert!(pasted.ssim > raw.ssim + 0.01);
            assert!(pasted.masked_ssim > raw.masked_ssim);
        }
        let perfect = measure(&config, &batch, &batch.pixels, Composition::Raw).expect("a batch");
        assert!(perfect.iter().all(|m| m.mse == 0.0 && m.ssim == 1.0));
    }

    #[test]
    fn without_a_masked_patch_there_are_no_masked_measures() {
        let config = examples::config(16, 4);
        let (mut batch, predictions) = example(&config);
        batch.masks[1] = Mask::none(16);
        let got = measure(&config, &batch, &predictions, Composition::Pasted).expect("a batch");
        assert_eq!((got[1].masked_mse, got[1].masked_ssim), (None, None));
        assert_eq!((got[1].mse, got[1].ssim), (0.0, 1.0));
        assert!(got[2].masked_mse.is_some());
    }

    #[test]
    fn the_number_of_threads_does_not_change_a_bit() {
        let config = examples::config(16, 4);
        let (batch, predictions) = example(&config);
        let with = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            pool.expect("threads")
                .install(|| measure(&config, &batch, &predictions, Composition::Raw))
                .expect("a batch")
        };
        assert_eq!(with(1), with(3));
    }

    #[test]
    fn wrong_input_is_refused_by_name() {
        let config = examples::config(16, 4);
        let (batch, predictions) = example(&config);
        let words = |batch: &Batch, predictions: &[f32]| {
            let error = measure(&config, batch, predictions, Composition::Pasted);
            error.expect_err("wrong input").to_string()
        };
        let message = words(&batch, &predictions[1..]);
        assert!(
            message.contains("prediction: expected 2304, got 2303"),
            "{message}"
        );
        for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let mut broken = predictions.clone();
            broken[1000] = value;
            let message = words(&batch, &broken);
            assert!(message.contains("prediction: expected finite"), "{message}");
            assert!(
                message.contains(&format!("{value} as value 1000")),
                "{message}"
            );
            let mut broken = batch.clone();
            broken.pixels[2303] = value;
            let message = words(&broken, &predictions);
            assert!(message.contains("batch: expected finite"), "{message}");
        }
        let mut broken = batch.clone();
        broken.masks.pop();
        assert!(words(&broken, &predictions).contains("expected 1536, got 2304"));
        let empty = Batch {
            pixels: Vec::new(),
            masks: Vec::new(),
        };
        assert!(words(&empty, &[]).contains("at least 1"));
    }
}
