//! The gradient of a user's loss, compared with difference quotients.

use super::compare::{Tolerance, compare, finite_scale, is_close};
use super::difference::difference;
use super::named::crowd;
use super::report::{Failure, Report};
use crate::camera::Projection;
use crate::image::Image;

/// The step of the quotients. A quotient moves an element by two steps.
const STEP: f64 = 2e-5;

/// The greatest share of the elements at which the loss can have a kink.
const KINK_SHARE: f64 = 0.1;

/// The greatest difference, relative to the largest gradient of a buffer.
const TOLERANCE: f64 = 1e-6;

/// The rounding error of the quotients, relative to the loss.
const QUOTIENT_ERROR: f64 = 1e-10;

/// The name of an output's gradient, and functions that read and replace the output.
type Plane = (
    &'static str,
    fn(&Image<Vec<f64>>) -> Option<&Vec<f64>>,
    fn(Image<Vec<f64>>, Vec<f64>) -> Image<Vec<f64>>,
);

const PLANES: [Plane; 3] = [
    (
        "v_image.features",
        |image| Some(&image.features),
        |image, features| Image { features, ..image },
    ),
    (
        "v_image.transmittance",
        |image| image.transmittance.as_ref(),
        |image, plane| image.with_transmittance(plane),
    ),
    (
        "v_image.depth",
        |image| image.depth.as_ref(),
        |image, plane| image.with_depth(plane),
    ),
];

/// Checks a loss function that returns the loss of an image and its gradient.
///
/// The loss is called with two images of random scenes: one view of 16 x 12 px, and two views of
/// 7 x 9 px. Both have three channels, transmittance and depth. The gradient must have the shape of
/// the image. A plane that the loss does not read may be `None`. Elements at a kink of the loss are
/// not compared: there the quotients of two steps disagree. [`check_loss_at`] takes an image of the
/// caller instead.
///
/// The tolerance is 1e-6 of the largest gradient of a buffer. The quotients have a rounding error of
/// 1e-10 times the loss, or times 1 if the loss is smaller, which is allowed too.
///
/// ```
/// use splat::Image;
/// use splat::check::check_loss;
///
/// // The mean of the squares of all features.
/// let loss = |image: &Image<Vec<f64>>| {
///     let count = image.features.len() as f64;
///     let mean = image.features.iter().map(|x| x * x).sum::<f64>() / count;
///     let v = image.features.iter().map(|x| 2.0 * x / count).collect();
///     (mean, Image::from_features(v))
/// };
/// let report = check_loss(loss);
/// assert!(report.passed(), "{report}");
/// ```
pub fn check_loss(loss: impl Fn(&Image<Vec<f64>>) -> (f64, Image<Vec<f64>>)) -> Report {
    let mut report = Report::default();
    for (name, views, size) in [("one_view", 1, [16, 12]), ("two_views", 2, [7, 9])] {
        let image = crowd(17, views, 20, size, Projection::Pinhole).oracle();
        let image = image.map_err(Failure::from);
        let outcome = image.and_then(|image| check_loss_at(&image, &loss));
        report.add("gradient of the loss", name, outcome);
    }
    report
}

/// Checks a loss function at one image, see [`check_loss`].
///
/// # Errors
/// [`Failure::Length`] if a buffer of the gradient has another length than that of the image.
/// [`Failure::Mismatch`] with the first number of the gradient that is wrong or not finite.
/// [`Failure::Property`] if the loss is not finite, more than a tenth of the elements of a buffer
/// are at a kink, or the gradient has layers, which carry none.
pub fn check_loss_at(
    image: &Image<Vec<f64>>,
    loss: impl Fn(&Image<Vec<f64>>) -> (f64, Image<Vec<f64>>),
) -> Result<(), Failure> {
    let (value, v_image) = loss(image);
    if !value.is_finite() {
        return Err(Failure::property("a finite loss", value.to_string()));
    }
    if v_image.layers.is_some() || v_image.layer_transmittance.is_some() {
        return Err(Failure::property("no gradient of layers", "one"));
    }
    for (name, read, replaced) in PLANES {
        let empty = Vec::new();
        let values = read(image).unwrap_or(&empty);
        let zeros = vec![0.0; values.len()];
        let got = read(&v_image).unwrap_or(&zeros);
        let at = |x: &[f64]| loss(&replaced(image.clone(), x.to_vec())).0;
        let quotients = |step: f64| -> Vec<f64> {
            let indices = 0..values.len();
            indices.map(|i| difference(values, i, step, at)).collect()
        };
        let (expected, wide) = (quotients(STEP), quotients(4.0 * STEP));
        let floor = QUOTIENT_ERROR / TOLERANCE * value.abs().max(1.0);
        let bound = TOLERANCE * finite_scale(&expected).max(floor);
        // At a kink the quotients of two steps disagree.
        let smooth = |i: usize| is_close(wide[i], expected[i], bound);
        let tolerance = Tolerance::of_largest(TOLERANCE).with_floor(floor);
        compare(name, got, &expected, tolerance, |i| !smooth(i))?;
        let kinks = (0..values.len()).filter(|&i| !smooth(i)).count();
        if kinks as f64 > KINK_SHARE * values.len() as f64 {
            let expected = format!("a loss without kinks at most elements of {name}");
            return Err(Failure::property(
                expected,
                format!("kinks at {kinks} of {}", values.len()),
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The squared features, and the product of transmittance and depth, with factors on the parts
    /// of the gradient.
    fn loss(factors: [f64; 3]) -> impl Fn(&Image<Vec<f64>>) -> (f64, Image<Vec<f64>>) {
        move |image| {
            let (t, d) = (image.transmittance.as_ref(), image.depth.as_ref());
            let (t, d) = (t.expect("a plane"), d.expect("a plane"));
            let squares: f64 = image.features.iter().map(|x| x * x).sum();
            let products: f64 = t.iter().zip(d).map(|(t, d)| t * d).sum();
            let times = |x: &Vec<f64>, by: f64| x.iter().map(|x| by * x).collect::<Vec<f64>>();
            let v_image = Image::from_features(times(&image.features, 2.0 * factors[0]))
                .with_transmittance(times(d, factors[1]))
                .with_depth(times(t, factors[2]));
            (squares + products, v_image)
        }
    }

    #[test]
    fn a_right_loss_passes() {
        let report = check_loss(loss([1.0; 3]));
        assert!(report.passed(), "{report}");
        assert_eq!(report.findings.len(), 2);
    }

    #[test]
    fn a_wrong_gradient_of_any_output_is_named() {
        for (i, name) in ["v_image.features", "v_image.transmittance", "v_image.depth"]
            .iter()
            .enumerate()
        {
            for factor in [-1.0, 0.0, 1.0 + 1e-4, f64::NAN] {
                let mut factors = [1.0; 3];
                factors[i] = factor;
                let report = check_loss(loss(factors));
                assert_eq!(report.failures().count(), 2, "{name} {factor}");
                assert!(report.to_string().contains(name), "{report}");
            }
        }
    }

    #[test]
    fn planes_without_gradient_and_wrong_lengths_are_found() {
        let right = loss([1.0; 3]);
        let without = |image: &Image<Vec<f64>>| {
            let (value, v_image) = right(image);
            (value, v_image.with_depth(None))
        };
        assert!(check_loss(without).to_string().contains("v_image.depth[0]"));
        let short = |image: &Image<Vec<f64>>| {
            let (value, mut v_image) = right(image);
            v_image.features.pop();
            (value, v_image)
        };
        assert!(
            check_loss(short)
                .to_string()
                .contains("v_image.features: expected 576 numbers")
        );
        let infinite = |image: &Image<Vec<f64>>| (f64::INFINITY, image.clone());
        assert!(check_loss(infinite).to_string().contains("a finite loss"));
    }

    /// The distance from a target, with a kink at every element beyond `edge`.
    #[test]
    fn kinks_are_skipped_unless_they_are_everywhere() {
        let image = crowd(17, 1, 20, [7, 9], Projection::Pinhole)
            .oracle()
            .expect("valid");
        let with_kinks = |edge: usize| {
            let near = |(i, x): (usize, &f64)| if i < edge { x + 1e-5 } else { x + 0.1 };
            let target: Vec<f64> = image.features.iter().enumerate().map(near).collect();
            check_loss_at(&image, move |image| {
                let away = image.features.iter().zip(&target).map(|(x, t)| x - t);
                let slopes = away.clone().map(f64::signum).collect();
                (away.map(f64::abs).sum(), Image::from_features(slopes))
            })
        };
        assert_eq!(with_kinks(0), Ok(()));
        assert_eq!(with_kinks(18), Ok(()));
        let error = with_kinks(150).expect_err("150 of 189").to_string();
        assert!(error.contains("a loss without kinks"), "{error}");
    }
}
