//! Structural similarity (Wang, Bovik, Sheikh and Simoncelli, "Image quality assessment: from error
//! visibility to structural similarity", 2004).

use crate::config::Config;
use crate::error::{Error, check_len};
use crate::model::{Mask, check_batch, patch_rows};

/// Side of the Gaussian window in pixels (Wang et al., section III-B).
const WINDOW: usize = 11;
/// Standard deviation of the Gaussian window in pixels (the same section).
const SIGMA: f64 = 1.5;
/// `C1 = (K1 L)^2` with `K1 = 0.01` and the range of values `L = 1` (the same section).
const C1: f64 = 0.01 * 0.01;
/// `C2 = (K2 L)^2` with `K2 = 0.03`.
const C2: f64 = 0.03 * 0.03;

/// The structural similarity of one image, at most 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ssim {
    /// Mean over all windows.
    pub all: f64,
    /// Mean over the windows whose centre lies in a masked patch. `None` if there is no such
    /// window.
    pub masked: Option<f64>,
}

/// Computes the structural similarity of `prediction` and `image`, both `[H, W, 3]` with values in
/// `[0, 1]`.
///
/// It is equation 13 of Wang et al. for each colour channel, averaged over the three channels and
/// over windows. The window is a Gaussian of standard deviation 1.5 px, cut off at 11 x 11 px. Only
/// windows that lie inside the image count, as in the original. The pixels of the outermost five
/// rows and columns are therefore not centres of windows. A window can cover visible and masked
/// patches together.
///
/// Images under 11 px have a smaller window. Its side is the greatest odd number that is at most
/// the side of the image. Its standard deviation is 1.5 px too, and its weights have the sum 1.
///
/// # Errors
///
/// [`Error::Setting`] if `config` is invalid. [`Error::Length`] if `image` does not have the
/// configured size or `prediction` has another length. [`Error::Argument`] if `mask` does not split
/// the patches of the image. NaN in a pixel gives NaN.
pub fn ssim(
    config: &Config,
    image: &[f32],
    prediction: &[f32],
    mask: &Mask,
) -> Result<Ssim, Error> {
    config.validate()?;
    check_batch(config, image, std::slice::from_ref(mask))?;
    check_len("pixels of a prediction", image.len(), prediction.len())?;
    let size = config.image_size;
    let weights = window(size);
    let centres = size + 1 - weights.len();
    let border = weights.len() / 2;
    let mut similarities = vec![0.0; centres * centres];
    for channel in 0..3 {
        let plane = |pixels: &[f32]| -> Vec<f64> {
            let values = pixels[channel..].iter().step_by(3);
            values.map(|&value| f64::from(value)).collect()
        };
        let map = map(&plane(image), &plane(prediction), size, &weights);
        similarities.iter_mut().zip(map).for_each(|(s, v)| *s += v);
    }
    let masked = masked_pixels(config, mask);
    let (mut all, mut hidden, mut count) = (0.0, 0.0, 0_usize);
    for y in 0..centres {
        for x in 0..centres {
            let similarity = similarities[y * centres + x] / 3.0;
            all += similarity;
            if masked[(y + border) * size + x + border] {
                hidden += similarity;
                count += 1;
            }
        }
    }
    Ok(Ssim {
        all: all / similarities.len() as f64,
        masked: (count > 0).then(|| hidden / count as f64),
    })
}

/// Returns the weights of the window along one axis for images of `size` x `size` pixels.
fn window(size: usize) -> Vec<f64> {
    let side = if size < WINDOW {
        size - (size + 1) % 2
    } else {
        WINDOW
    };
    let weight = |i: usize| {
        let offset = i as f64 - (side / 2) as f64;
        (-0.5 * (offset / SIGMA).powi(2)).exp()
    };
    let sum: f64 = (0..side).map(weight).sum();
    (0..side).map(|i| weight(i) / sum).collect()
}

/// Computes equation 13 of Wang et al. at every centre, for one channel, `[H, W]`.
fn map(a: &[f64], b: &[f64], size: usize, weights: &[f64]) -> Vec<f64> {
    let mean_of_products = |a: &[f64], b: &[f64]| {
        let products: Vec<f64> = a.iter().zip(b).map(|(a, b)| a * b).collect();
        means(&products, size, weights)
    };
    let (mean_a, mean_b) = (means(a, size, weights), means(b, size, weights));
    let (aa, ab, bb) = (
        mean_of_products(a, a),
        mean_of_products(a, b),
        mean_of_products(b, b),
    );
    let similarity = |i: usize| {
        let (a, b) = (mean_a[i], mean_b[i]);
        let (variance_a, variance_b) = (aa[i] - a * a, bb[i] - b * b);
        let covariance = ab[i] - a * b;
        (2.0 * a * b + C1) * (2.0 * covariance + C2)
            / ((a * a + b * b + C1) * (variance_a + variance_b + C2))
    };
    (0..mean_a.len()).map(similarity).collect()
}

/// Computes the weighted mean of every window inside the image, first along rows, then along
/// columns. The result has `size + 1 - weights.len()` rows and columns.
fn means(values: &[f64], size: usize, weights: &[f64]) -> Vec<f64> {
    let centres = size + 1 - weights.len();
    let along_rows: Vec<f64> = values
        .chunks(size)
        .flat_map(|row| row.windows(weights.len()))
        .map(|window| window.iter().zip(weights).map(|(v, w)| v * w).sum())
        .collect();
    let mut means = vec![0.0; centres * centres];
    for (y, row) in means.chunks_mut(centres).enumerate() {
        let covered = along_rows[y * centres..].chunks(centres);
        for (values, weight) in covered.zip(weights) {
            row.iter_mut()
                .zip(values)
                .for_each(|(m, v)| *m += v * weight);
        }
    }
    means
}

/// Returns for every pixel whether it lies in a masked patch, `[H, W]`.
fn masked_pixels(config: &Config, mask: &Mask) -> Vec<bool> {
    let mut masked = vec![false; config.image_size * config.image_size];
    for run in mask
        .masked
        .iter()
        .flat_map(|&patch| patch_rows(config, patch))
    {
        masked[run.start / 3..run.end / 3].fill(true);
    }
    masked
}

#[cfg(test)]
mod tests {
    use super::super::examples;
    use super::*;

    /// The numbers were computed with scikit-image 0.26.0: `structural_similarity` with
    /// `gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=1.0,
    /// channel_axis=2, full=True`. The second number is the mean of its map over the centres of
    /// whole windows in masked patches.
    #[test]
    fn random_images_agree_with_scikit_image() {
        for (size, all, masked) in [
            (16, 0.928_194_643_072_716_4, 0.929_358_852_976_179_3),
            (32, 0.920_155_238_581_773_3, 0.920_166_588_036_286_1),
        ] {
            let config = examples::config(size, 4);
            let (image, prediction) = examples::pair(&config);
            let mask = examples::mask(&config, |patch| patch % 3 == 0);
            let got = ssim(&config, &image, &prediction, &mask).expect("lengths fit");
            assert!((got.all - all).abs() < 1e-12, "{size}: {got:?}");
            let got = got.masked.expect("masked windows");
            assert!((got - masked).abs() < 1e-12, "{size}: {got}");
        }
    }

    /// Computes the similarity window by window, with two-dimensional weights and deviations from
    /// the means.
    fn slowly(config: &Config, image: &[f32], prediction: &[f32], side: usize) -> Vec<f64> {
        let (size, half) = (config.image_size, side / 2);
        let weight = |dx: usize, dy: usize| {
            let square = |d: usize| (d as f64 - half as f64).powi(2);
            (-(square(dx) + square(dy)) / (2.0 * 1.5 * 1.5)).exp()
        };
        let window: Vec<(usize, usize)> = (0..side * side).map(|i| (i % side, i / side)).collect();
        let total: f64 = window.iter().map(|&(dx, dy)| weight(dx, dy)).sum();
        let mut similarities = Vec::new();
        for (y, x) in (0..=size - side).flat_map(|y| (0..=size - side).map(move |x| (y, x))) {
            let mut sum = 0.0;
            for channel in 0..3 {
                let mean = |f: &dyn Fn(usize) -> f64| {
                    let at = |dx, dy| f(((y + dy) * size + x + dx) * 3 + channel);
                    let terms = window.iter().map(|&(dx, dy)| weight(dx, dy) * at(dx, dy));
                    terms.sum::<f64>() / total
                };
                let (a, b) = (|i| f64::from(image[i]), |i| f64::from(prediction[i]));
                let (m, n) = (mean(&a), mean(&b));
                let covariance = mean(&|i| (a(i) - m) * (b(i) - n));
                let variances = mean(&|i| (a(i) - m).powi(2) + (b(i) - n).powi(2));
                let luminance = (2.0 * m * n + 1e-4) / (m * m + n * n + 1e-4);
                sum += luminance * (2.0 * covariance + 9e-4) / (variances + 9e-4);
            }
            similarities.push(sum / 3.0);
        }
        similarities
    }

    #[test]
    fn small_images_have_the_largest_odd_window() {
        for (size, side) in [(1, 1), (2, 1), (3, 3), (8, 7), (10, 9), (11, 11), (12, 11)] {
            let config = examples::config(size, 1);
            let (image, prediction) = examples::pair(&config);
            let mask = examples::mask(&config, |patch| patch % 2 == 0);
            let got = ssim(&config, &image, &prediction, &mask).expect("lengths fit");
            let map = slowly(&config, &image, &prediction, side);
            let mean = map.iter().sum::<f64>() / map.len() as f64;
            assert!((got.all - mean).abs() < 1e-12, "{size}: {got:?} and {mean}");
            let (is_masked, half) = (examples::is_masked(&config, &mask), side / 2);
            let centre = |i: usize| (i % (size + 1 - side) + half, i / (size + 1 - side) + half);
            let inside = |&i: &usize| is_masked(centre(i).0, centre(i).1);
            let hidden: Vec<f64> = (0..map.len()).filter(inside).map(|i| map[i]).collect();
            let mean = hidden.iter().sum::<f64>() / hidden.len() as f64;
            match got.masked {
                Some(got) => assert!((got - mean).abs() < 1e-12, "{size}: {got} and {mean}"),
                None => assert!(hidden.is_empty(), "{size}"),
            }
        }
    }

    #[test]
    fn images_of_one_colour_differ_in_luminance_only() {
        let config = examples::config(12, 4);
        let mask = examples::mask(&config, |patch| patch == 0);
        let [dark, light] = [0.25, 0.75].map(|v| vec![v; config.image_len()]);
        let got = ssim(&config, &dark, &light, &mask).expect("lengths fit");
        let expected = (2.0 * 0.25 * 0.75 + 1e-4) / (0.0625 + 0.5625 + 1e-4);
        assert!((got.all - expected).abs() < 1e-9, "{got:?}");
    }

    #[test]
    fn an_image_is_most_similar_to_itself() {
        let config = examples::config(16, 4);
        let (image, prediction) = examples::pair(&config);
        let mask = examples::mask(&config, |patch| patch % 3 == 0);
        let same = ssim(&config, &image, &image, &mask).expect("lengths fit");
        assert_eq!((same.all, same.masked), (1.0, Some(1.0)));
        let inverted: Vec<f32> = image.iter().map(|v| 1.0 - v).collect();
        let [near, far] = [&prediction, &inverted]
            .map(|other| ssim(&config, &image, other, &mask).expect("lengths fit"));
        assert!(near.all < 1.0 && far.all < 0.0, "{near:?} {far:?}");
    }

    /// The window centres of a 12 px image lie in its middle, in the patch at the centre.
    #[test]
    fn without_a_window_in_a_masked_patch_there_is_no_masked_mean() {
        let config = examples::config(12, 4);
        let (image, prediction) = examples::pair(&config);
        for (visible, expected) in [(4, false), (0, true)] {
            let mask = examples::mask(&config, |patch| patch == visible);
            let got = ssim(&config, &image, &prediction, &mask).expect("lengths fit");
            assert_eq!(got.masked.is_some(), expected);
        }
        let got = ssim(&config, &image, &prediction, &Mask::none(9)).expect("lengths fit");
        assert_eq!(got.masked, None);
    }

    #[test]
    fn wrong_input_is_refused_by_name() {
        let config = examples::config(8, 4);
        let image = vec![0.5; config.image_len()];
        let mask = Mask::none(4);
        let words = |error: Result<Ssim, Error>| error.expect_err("wrong input").to_string();
        assert!(words(ssim(&config, &image[1..], &image, &mask)).contains("batch"));
        assert!(words(ssim(&config, &image, &image[1..], &mask)).contains("prediction"));
        assert!(words(ssim(&config, &image, &image, &Mask::none(5))).contains("mask"));
        let none = examples::config(0, 1);
        assert!(words(ssim(&none, &[], &[], &Mask::none(0))).contains("image-size"));
        let mut broken = image.clone();
        broken[7] = f32::NAN;
        let got = ssim(&config, &image, &broken, &mask).expect("lengths fit");
        assert!(got.all.is_nan());
    }
}
