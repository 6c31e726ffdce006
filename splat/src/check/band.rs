//! Pixels near a threshold, in which two precisions can correctly give different results.

use super::compare::{finite_scale, is_close, max_difference};
use super::report::{Failure, Mismatch};
use super::scene::OwnedScene;
use crate::error::RenderError;
use crate::oracle;

/// The greatest relative distance from a threshold at which `f32` can fall on the other side than
/// `f64`. It covers the rounding of sigma, of alpha, and of a product of up to a few hundred
/// transmittances.
pub const BAND: f64 = 1e-4;

/// The greatest share of the pixels in which two precisions can decide a threshold differently.
pub const BAND_SHARE: f64 = 0.04;

/// The greatest magnitude of the mean difference of a flipped pixel, per channel and relative to the
/// largest value: one 8-bit step.
const BIAS: f64 = 1.0 / 255.0;

/// Returns, for every pixel (view-major), whether a value is within `width`, relative, of the
/// threshold that it is compared with: alpha of `alpha_min` and `alpha_max`, and the transmittance
/// behind a splat of `transmittance_min`. [`BAND`] is the width for `f32`.
///
/// # Errors
/// The errors of [`oracle::render`].
pub fn boundary_band(scene: &OwnedScene, width: f64) -> Result<Vec<bool>, RenderError> {
    oracle::near_thresholds(&scene.scene(), &scene.config, width)
}

/// The pixels of a band, and those of them that differ.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Flips {
    /// The number of pixels in the band.
    pub near: usize,
    /// The number of pixels that differ.
    pub flipped: usize,
    /// The mean difference of a flipped pixel, summed over its channels.
    pub bias: f64,
}

/// Compares the features of two images, `[pixels, channels]`. Outside the band they must agree. In
/// the band at most a share of `share` of all pixels can differ, each by at most the largest value,
/// and without bias.
///
/// # Errors
/// [`Failure::Mismatch`] with the first pixel outside the band that differs. [`Failure::Length`] if
/// the lengths do not match. [`Failure::Property`] if too many pixels differ, or they have a bias.
pub fn flips(
    got: &[f64],
    expected: &[f64],
    band: &[bool],
    tolerance: f64,
    share: f64,
) -> Result<Flips, Failure> {
    let channels = (expected.len() / band.len().max(1)).max(1);
    for (expected, got) in [
        (expected.len(), got.len()),
        (channels * band.len(), got.len()),
    ] {
        if got != expected {
            let buffer = "features".to_owned();
            return Err(Failure::Length {
                buffer,
                expected,
                got,
            });
        }
    }
    let largest = finite_scale(expected);
    let bound = tolerance * largest;
    let (mut flipped, mut sum) = (0, 0.0);
    let pixels = got
        .chunks_exact(channels)
        .zip(expected.chunks_exact(channels));
    for (pixel, (a, b)) in pixels.enumerate() {
        let far = (0..channels).find(|&c| !is_close(a[c], b[c], bound));
        let Some(channel) = far else {
            continue;
        };
        // A flip changes a pixel by at most the largest value.
        let difference = max_difference(a, b);
        if !band[pixel] || difference.is_nan() || difference > largest {
            let index = pixel * channels + channel;
            return Err(Failure::Mismatch(Mismatch {
                buffer: "features".to_owned(),
                index,
                got: got[index],
                expected: expected[index],
                bound,
                threshold: None,
            }));
        }
        flipped += 1;
        sum += a.iter().sum::<f64>() - b.iter().sum::<f64>();
    }
    // False for a share of NaN.
    let few = flipped as f64 <= share * band.len() as f64;
    if !few {
        let expected = format!("at most {share} of the pixels beyond a threshold");
        return Err(Failure::property(
            expected,
            format!("{flipped} of {}", band.len()),
        ));
    }
    let bias = sum / flipped.max(1) as f64;
    let most = BIAS * channels as f64 * largest;
    let unbiased = bias.abs() <= most;
    if !unbiased {
        return Err(Failure::property(
            format!("flipped pixels with a mean difference of at most {most:e}"),
            format!("{bias}"),
        ));
    }
    let near = band.iter().filter(|&&near| near).count();
    Ok(Flips {
        near,
        flipped,
        bias,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_images_are_rejected() {
        // A hundred pixels, the first ten of them in the band.
        let exact: Vec<f64> = (0..300).map(|i| f64::from(i) / 300.0).collect();
        let band: Vec<bool> = (0..100).map(|pixel| pixel < 10).collect();
        let with = |changes: &[(usize, f64)]| {
            let mut single = exact.clone();
            for &(i, by) in changes {
                single[i] += by;
            }
            flips(&single, &exact, &band, 1e-5, 0.02)
        };
        let none = with(&[]).expect("the same image");
        assert_eq!((none.near, none.flipped), (10, 0));
        let two = with(&[(0, 0.3), (3, -0.3)]).expect("two that cancel");
        assert_eq!(two.flipped, 2);
        let outside = with(&[(31, 2e-5)]).expect_err("one outside the band");
        assert!(
            outside.to_string().starts_with("features[31]: "),
            "{outside}"
        );
        assert!(with(&[(30, f64::NAN)]).is_err());
        assert!(with(&[(0, f64::NAN)]).is_err());
        assert!(with(&[(0, 0.3)]).is_err(), "a bias");
        assert!(
            with(&[(0, 1e6), (3, -1e6)]).is_err(),
            "two huge ones that cancel"
        );
        assert!(flips(&exact, &exact, &band, 1e-5, f64::NAN).is_err());
        let three = [(0, 0.001), (3, 0.001), (6, -0.001)];
        assert!(with(&three).is_err(), "more than one in fifty");
        assert!(flips(&exact[1..], &exact, &band, 1e-5, 0.02).is_err());
    }
}
