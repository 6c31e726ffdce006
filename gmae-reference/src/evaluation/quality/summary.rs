//! Mean and standard deviation of the measures over images.

use serde::{Deserialize, Serialize};

use super::errors::psnr;
use super::measure::Measures;

/// Mean and standard deviation of one measure over images.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Spread {
    /// Mean over the images.
    pub mean: f64,
    /// Standard deviation over the images, with the divisor `count - 1`. `None` for one image.
    pub deviation: Option<f64>,
    /// Number of images that have a value.
    pub count: usize,
}

impl Spread {
    /// Summarises `values`, one for each image that has a value. `None` if there are none.
    pub fn of(values: &[f64]) -> Option<Self> {
        let count = values.len();
        if count == 0 {
            return None;
        }
        let mean = values.iter().sum::<f64>() / count as f64;
        let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
        Some(Self {
            mean,
            deviation: (count > 1).then(|| (squares / (count - 1) as f64).sqrt()),
            count,
        })
    }
}

/// The quality of a method's reconstructions over a set of images: one row of a table.
///
/// A spread is `None` if no image has a value. The peak signal-to-noise ratio is computed for each
/// image, and its spread is over these ratios in dB. Images without an error have no ratio. They
/// are counted in [`Quality::exact`] and [`Quality::masked_exact`]. The ratio of the mean error is
/// another number: [`psnr`] of `mse.mean`. If no image is exact, it is at most the mean of the
/// ratios.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Quality {
    /// Number of images.
    pub images: usize,
    /// Mean squared error of all pixels.
    pub mse: Option<Spread>,
    /// Mean squared error of the pixels of masked patches.
    pub masked_mse: Option<Spread>,
    /// Peak signal-to-noise ratio of all pixels in dB, for a peak value of 1.
    pub psnr: Option<Spread>,
    /// Peak signal-to-noise ratio of the pixels of masked patches in dB.
    pub masked_psnr: Option<Spread>,
    /// Number of images without an error.
    pub exact: usize,
    /// Number of images with masked patches and without an error in them.
    pub masked_exact: usize,
    /// Structural similarity over all windows.
    pub ssim: Option<Spread>,
    /// Structural similarity over the windows with their centre in a masked patch.
    pub masked_ssim: Option<Spread>,
}

impl Quality {
    /// Summarises the measures of a set of images. The sums have the order of `measures`.
    pub fn of(measures: &[Measures]) -> Self {
        let each = |value: fn(&Measures) -> Option<f64>| -> Vec<f64> {
            measures.iter().filter_map(value).collect()
        };
        let errors = each(|m| Some(m.mse));
        let masked_errors = each(|m| m.masked_mse);
        Self {
            images: measures.len(),
            mse: Spread::of(&errors),
            masked_mse: Spread::of(&masked_errors),
            psnr: Spread::of(&ratios(&errors)),
            masked_psnr: Spread::of(&ratios(&masked_errors)),
            exact: exact(&errors),
            masked_exact: exact(&masked_errors),
            ssim: Spread::of(&each(|m| Some(m.ssim))),
            masked_ssim: Spread::of(&each(|m| m.masked_ssim)),
        }
    }
}

fn ratios(errors: &[f64]) -> Vec<f64> {
    errors.iter().filter_map(|&error| psnr(error)).collect()
}

fn exact(errors: &[f64]) -> usize {
    errors.iter().filter(|&&error| error == 0.0).count()
}

#[cfg(test)]
mod tests {
    use super::super::{Composition, Fill, bilinear_fill, fill_batch, mean_colour_fill, measure};
    use super::*;
    use crate::model::Batch;

    fn measures(mse: f64, masked_mse: Option<f64>, ssim: f64) -> Measures {
        Measures {
            mse,
            masked_mse,
            ssim,
            masked_ssim: None,
        }
    }

    #[test]
    fn means_and_deviations_are_over_images() {
        let quality = Quality::of(&[
            measures(0.01, Some(0.1), 0.5),
            measures(0.0001, Some(0.0), 0.75),
            measures(0.0, None, 1.0),
        ]);
        assert_eq!(quality.images, 3);
        let of = |spread: Option<Spread>| spread.expect("values");
        assert_eq!(of(quality.ssim).mean, 0.75);
        assert_eq!(of(quality.ssim).deviation, Some(0.25));
        assert_eq!(of(quality.ssim).count, 3);
        // The ratios are 20 and 40 dB. The image without an error is counted apart.
        let ratio = of(quality.psnr);
        assert!((ratio.mean - 30.0).abs() < 1e-12, "{ratio:?}");
        let deviation = ratio.deviation.expect("two images");
        assert!((deviation - 200.0_f64.sqrt()).abs() < 1e-12, "{ratio:?}");
        assert_eq!((ratio.count, quality.exact), (2, 1));
        assert!((of(quality.mse).mean - 0.0101 / 3.0).abs() < 1e-15);
        // The ratio of the mean error differs from the mean of the ratios.
        let of_mean = psnr(of(quality.mse).mean).expect("an error");
        assert!((of_mean - 24.728).abs() < 1e-3, "{of_mean}");
        // The third image has no masked patch.
        let masked = of(quality.masked_psnr);
        assert_eq!((masked.count, masked.deviation), (1, None));
        assert!((masked.mean - 10.0).abs() < 1e-12, "{masked:?}");
        assert_eq!((of(quality.masked_mse).count, quality.masked_exact), (2, 1));
        assert_eq!(quality.masked_ssim, None);
    }

    #[test]
    fn no_images_have_no_quality() {
        let quality = Quality::of(&[]);
        assert_eq!(quality.images, 0);
        assert_eq!(
            (quality.mse, quality.psnr, quality.ssim),
            (None, None, None)
        );
    }

    #[test]
    fn a_row_is_read_as_it_was_written() {
        let quality = Quality::of(&[measures(0.1, None, 1.0 / 3.0), measures(0.3, None, 0.7)]);
        let text = serde_json::to_string(&quality).expect("JSON");
        assert!(text.contains(r#""masked_mse":null"#), "{text}");
        let back: Quality = serde_json::from_str(&text).expect("a row");
        assert_eq!(back, quality);
        let other = text.replace("\"exact\"", "\"exakt\"");
        assert!(serde_json::from_str::<Quality>(&other).is_err());
    }

    /// On a smooth image the bilinear fill is better than the mean colour in every measure.
    #[test]
    fn the_rows_of_the_fills_are_ordered() {
        let config = super::super::examples::config(32, 4);
        let value = |i: usize| {
            let (x, y) = ((i / 3 % 32) as f32, (i / 3 / 32 % 32) as f32);
            0.5 + 0.4 * (x / 12.0).sin() * (y / 9.0).cos()
        };
        let mask = |i: usize| super::super::examples::mask(&config, move |p| p * 7 % 4 == i);
        let batch = Batch {
            pixels: (0..2 * config.image_len()).map(value).collect(),
            masks: (0..2).map(mask).collect(),
        };
        let row = |fill: Fill| {
            let filled = fill_batch(&config, &batch, fill).expect("a batch");
            Quality::of(&measure(&config, &batch, &filled, Composition::Raw).expect("a batch"))
        };
        let (flat, bilinear) = (row(mean_colour_fill), row(bilinear_fill));
        let of = |spread: Option<Spread>| spread.expect("values").mean;
        assert!(of(bilinear.masked_mse) < 0.5 * of(flat.masked_mse));
        assert!(of(bilinear.masked_psnr) > of(flat.masked_psnr) + 3.0);
        assert!(of(bilinear.masked_ssim) > of(flat.masked_ssim));
        assert!(of(bilinear.ssim) > of(flat.ssim));
    }
}
