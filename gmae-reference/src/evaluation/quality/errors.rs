//! Mean squared error and peak signal-to-noise ratio of one image.

use crate::config::Config;
use crate::error::{Error, check_len};
use crate::model::{Mask, check_batch, patch_rows};

/// Computes the mean squared error of `prediction` on the masked patches of one image.
///
/// `image` and `prediction` have the shape `[H, W, 3]`. The result is `None` if no patch is masked.
///
/// # Errors
///
/// [`Error::Length`] if `image` does not have the configured size or `prediction` has another
/// length. [`Error::Argument`] if `mask` does not split the patches of the image.
pub fn masked_mse(
    config: &Config,
    image: &[f32],
    prediction: &[f32],
    mask: &Mask,
) -> Result<Option<f64>, Error> {
    check_batch(config, image, std::slice::from_ref(mask))?;
    check_len("pixels of a prediction", image.len(), prediction.len())?;
    let runs = mask
        .masked
        .iter()
        .flat_map(|&patch| patch_rows(config, patch));
    let pairs = runs.flat_map(|run| image[run.clone()].iter().zip(&prediction[run]));
    let count = mask.masked.len() * config.patch_len();
    Ok((count > 0).then(|| sum_of_squares(pairs) / count as f64))
}

/// Computes the mean squared error of `prediction` over all pixels of one image.
///
/// `image` and `prediction` have the shape `[H, W, 3]`.
///
/// # Errors
///
/// [`Error::Setting`] if `config` is invalid. [`Error::Length`] if `image` does not have the
/// configured size or `prediction` has another length.
pub fn mse(config: &Config, image: &[f32], prediction: &[f32]) -> Result<f64, Error> {
    config.validate()?;
    check_len("pixels of an image", config.image_len(), image.len())?;
    check_len("pixels of a prediction", image.len(), prediction.len())?;
    Ok(sum_of_squares(image.iter().zip(prediction)) / image.len() as f64)
}

/// Adds the squares of the differences, in `f64` and in the order of the pairs.
fn sum_of_squares<'a>(pairs: impl Iterator<Item = (&'a f32, &'a f32)>) -> f64 {
    pairs
        .map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2))
        .sum()
}

/// Returns the peak signal-to-noise ratio in dB, `-10 log10(mse)`, for a peak value of 1.
///
/// `mse` is the mean squared error of one image. The result is `None` unless `mse` is finite and
/// above 0: an image without an error has no ratio.
pub fn psnr(mse: f64) -> Option<f64> {
    (mse > 0.0 && mse.is_finite()).then(|| -10.0 * mse.log10())
}

#[cfg(test)]
mod tests {
    use super::super::examples;
    use super::*;

    /// The prediction is wrong by 0.5 in one masked patch of three, and by 0.25 in the visible
    /// patch.
    #[test]
    fn the_errors_count_the_pixels_that_they_name() {
        let config = examples::config(8, 4);
        let mask = examples::mask(&config, |patch| patch == 2);
        let image = vec![0.5; config.image_len()];
        let mut prediction = image.clone();
        for (patch, value) in [(1, 1.0), (2, 0.25)] {
            for run in patch_rows(&config, patch) {
                prediction[run].fill(value);
            }
        }
        let masked = masked_mse(&config, &image, &prediction, &mask).expect("lengths fit");
        assert_eq!(masked, Some(0.25 / 3.0));
        let all = mse(&config, &image, &prediction).expect("lengths fit");
        assert_eq!(all, (0.25 + 0.0625) / 4.0);
    }

    /// The numbers were computed with `NumPy`.
    #[test]
    fn the_errors_of_random_images_are_those_of_numpy() {
        let config = examples::config(16, 4);
        let (image, prediction) = examples::pair(&config);
        let mask = examples::mask(&config, |patch| patch % 3 == 0);
        let all = mse(&config, &image, &prediction).expect("lengths fit");
        assert!((all - 0.010_825_212_293_225_34).abs() < 1e-15, "{all}");
        let masked = masked_mse(&config, &image, &prediction, &mask).expect("lengths fit");
        let masked = masked.expect("masked patches");
        assert!(
            (masked - 0.010_462_045_400_409_03).abs() < 1e-15,
            "{masked}"
        );
        // `peak_signal_noise_ratio` of scikit-image.
        let ratio = psnr(all).expect("an error above 0");
        assert!((ratio - 19.655_635_779_425_175).abs() < 1e-9, "{ratio}");
    }

    #[test]
    fn the_ratio_is_in_decibels_of_the_peak() {
        for (error, ratio) in [(1.0, 0.0), (0.1, 10.0), (1e-4, 40.0), (100.0, -20.0)] {
            let got = psnr(error).expect("an error above 0");
            assert!((got - ratio).abs() < 1e-12, "{error}: {got}");
        }
        for error in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(psnr(error), None, "{error}");
        }
    }

    #[test]
    fn numbers_near_the_limits_of_f32_do_not_overflow() {
        let config = examples::config(8, 4);
        let image = vec![f32::MAX; config.image_len()];
        let prediction = vec![f32::MIN; config.image_len()];
        let error = mse(&config, &image, &prediction).expect("lengths fit");
        let expected = (2.0 * f64::from(f32::MAX)).powi(2);
        assert!((error / expected - 1.0).abs() < 1e-12, "{error}");
    }

    #[test]
    fn wrong_lengths_are_refused_by_name() {
        let config = examples::config(8, 4);
        let whole = vec![0.5; config.image_len()];
        let mask = examples::mask(&config, |patch| patch == 0);
        for (image, prediction, name) in [
            (&whole[1..], &whole[..], "image"),
            (&whole[..], &whole[1..], "prediction"),
            (&whole[..], &[], "prediction"),
        ] {
            let error = mse(&config, image, prediction).expect_err("a wrong length");
            let words = error.to_string();
            assert!(
                words.contains(name) && words.contains("expected 192"),
                "{words}"
            );
            assert!(masked_mse(&config, image, prediction, &mask).is_err());
        }
        let config = examples::config(0, 4);
        let error = mse(&config, &[], &[]).expect_err("no pixels");
        assert!(error.to_string().contains("image-size"), "{error}");
    }
}
