//! Gradients compared with difference quotients.

use std::ops::Range;

use super::compare::{finite_scale, is_close};
use super::difference::difference;
use super::image::linear_loss;
use super::report::{Failure, Mismatch};
use super::scene::{OwnedScene, gradient_row};
use crate::error::RenderError;
use crate::gradients::Gradients;
use crate::image::{Image, ImageSize};
use crate::oracle;

/// The greatest difference between a vjp and difference quotients, relative to the gradient. An
/// error in a formula has a relative effect of more than a thousandth.
const VJP_TOLERANCE: f64 = 1e-6;

/// The error of the quotients of [`check_vjp`], relative to the terms of the loss: the rounding of
/// the terms divided by the step, and the truncation error.
const QUOTIENT_ERROR: f64 = 1e-10;

/// The step of [`check_vjp`].
const VJP_STEP: f64 = 1e-4;

/// Compares a vjp with difference quotients: `vjp` must be the gradient of the sum of `f(x)` times
/// `v_output` with respect to `x`.
///
/// Each number of `vjp` is compared relative to itself, to 1e-6. The quotients have a rounding
/// error of 1e-10 times the terms of the loss, which is allowed too. `names` has one name per
/// number of `x`, separated by spaces. The step is 1e-4, so that `x` should be of order one, and
/// `f` smooth within 2e-4 of it.
///
/// ```
/// use splat::check::check_vjp;
///
/// let [x, y] = [0.3_f64, -0.7];
/// let f = |p: &[f64]| vec![p[0] * p[1], p[1].exp()];
/// let v = [2.0, 0.5];
/// // 2 d(x y) + 0.5 d(e^y)
/// let vjp = [2.0 * y, 2.0 * x + 0.5 * y.exp()];
/// check_vjp("x y", &[x, y], &v, f, &vjp)?;
/// assert!(check_vjp("x y", &[x, y], &v, f, &[2.0 * y, 2.0 * x]).is_err());
/// # Ok::<(), splat::check::Failure>(())
/// ```
///
/// # Errors
/// [`Failure::Length`] if the numbers of names, of `vjp` or of outputs do not match.
/// [`Failure::Mismatch`] with the name of the first number that is wrong.
pub fn check_vjp(
    names: &str,
    x: &[f64],
    v_output: &[f64],
    f: impl Fn(&[f64]) -> Vec<f64>,
    vjp: &[f64],
) -> Result<(), Failure> {
    let outputs = f(x);
    for (buffer, expected, got) in [
        ("vjp", x.len(), vjp.len()),
        ("names", x.len(), names.split_whitespace().count()),
        ("outputs", v_output.len(), outputs.len()),
    ] {
        if expected != got {
            let buffer = buffer.to_owned();
            return Err(Failure::Length {
                buffer,
                expected,
                got,
            });
        }
    }
    let loss = |x: &[f64]| {
        let outputs = f(x);
        if outputs.len() != v_output.len() {
            return f64::NAN;
        }
        outputs
            .iter()
            .zip(v_output)
            .map(|(a, b)| a * b)
            .sum::<f64>()
    };
    // An output below one can be a difference of terms near one, with their rounding error.
    let term = |(a, b): (&f64, &f64)| a.abs().max(1.0) * b.abs();
    let terms: f64 = outputs.iter().zip(v_output).map(term).sum();
    for (index, (name, &got)) in names.split_whitespace().zip(vjp).enumerate() {
        let expected = difference(x, index, VJP_STEP, loss);
        let bound = VJP_TOLERANCE * expected.abs() + QUOTIENT_ERROR * terms;
        if !is_close(got, expected, bound) || !got.is_finite() {
            let buffer = name.to_owned();
            return Err(Failure::Mismatch(Mismatch {
                buffer,
                index,
                got,
                expected,
                bound,
                threshold: None,
            }));
        }
    }
    Ok(())
}

/// How [`check_gradients`] takes its difference quotients.
///
/// The struct is non-exhaustive: start from [`Quotients::DEFAULT`].
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Quotients {
    /// The step. A quotient moves a parameter by two steps.
    pub step: f64,
    /// The greatest difference, relative to the largest gradient of the same buffer.
    pub tolerance: f64,
    /// The smallest scale of a buffer. The quotients do not resolve smaller gradients.
    pub floor: f64,
    /// About one parameter of so many is compared. The choice has no period, so that it includes
    /// every axis.
    pub stride: usize,
    /// The greatest share of the compared parameters that can be skipped.
    pub most_skipped: f64,
}

impl Quotients {
    /// Every parameter, with a step of 1e-6 and a tolerance of 1e-6.
    pub const DEFAULT: Self = Self {
        step: 1e-6,
        tolerance: 1e-6,
        floor: 1e-2,
        stride: 1,
        most_skipped: 0.1,
    };

    /// Returns the settings with another step.
    #[must_use]
    pub const fn with_step(self, step: f64) -> Self {
        Self { step, ..self }
    }

    /// Returns the settings with another tolerance.
    #[must_use]
    pub const fn with_tolerance(self, tolerance: f64) -> Self {
        Self { tolerance, ..self }
    }

    /// Returns the settings with another smallest scale of a buffer.
    #[must_use]
    pub const fn with_floor(self, floor: f64) -> Self {
        Self { floor, ..self }
    }

    /// Returns the settings with another share of parameters that can be skipped.
    #[must_use]
    pub const fn with_most_skipped(self, most_skipped: f64) -> Self {
        Self {
            most_skipped,
            ..self
        }
    }

    /// Returns the settings with one compared parameter of so many. 0 counts as 1.
    #[must_use]
    pub const fn with_stride(self, stride: usize) -> Self {
        Self { stride, ..self }
    }
}

/// The number of parameters that [`check_gradients`] compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
#[must_use = "skipped parameters were not compared"]
pub struct Compared {
    /// The parameters whose gradients equal the quotients.
    pub equal: usize,
    /// The parameters at which a quotient crosses a threshold, so that nothing is compared.
    pub skipped: usize,
}

/// Compares the gradients of a render with difference quotients of the oracle. The loss is
/// [`linear_loss`] with the weights `v_image`.
///
/// Where a quotient with four times the step differs, it crosses a threshold, and the parameter is
/// skipped. To compare at a threshold too, compare with [`OwnedScene::oracle_gradients`].
///
/// The oracle ignores `config.half_features`. The features of a scene with this setting must
/// therefore be numbers of 16 bits.
///
/// # Errors
/// - [`Failure::Mismatch`] with the first gradient that is wrong or not finite, its buffer, its place
///   in the buffer and the distance from the nearest threshold.
/// - [`Failure::Length`] if a buffer of `gradients` has the wrong length.
/// - [`Failure::Property`] if the loss is not finite, or more than `most_skipped` of the parameters
///   are skipped.
/// - [`Failure::Error`] if the oracle rejects the scene or `v_image`.
pub fn check_gradients(
    scene: &OwnedScene,
    v_image: &Image<Vec<f64>>,
    gradients: &Gradients<Vec<f64>>,
    quotients: Quotients,
) -> Result<Compared, Failure> {
    let buffers = scene.buffers();
    check_lengths(&buffers, gradients)?;
    // The first render reports an invalid scene. The moved scenes have the same shapes.
    let image = scene.oracle()?;
    let size = ImageSize {
        views: scene.views.len(),
        height: scene.views.height,
        width: scene.views.width,
    };
    v_image.validate_gradient(size, scene.gaussians.channels, Vec::len)?;
    let value = linear_loss(&image, v_image);
    if !value.is_finite() {
        return Err(Failure::property("a finite loss", value.to_string()));
    }
    let x = scene.values();
    let loss = |x: &[f64]| {
        let moved = scene.with_values(x).and_then(|scene| scene.oracle());
        moved.map_or(f64::NAN, |image| linear_loss(&image, v_image))
    };
    let row = gradient_row(gradients);
    let mut compared = Compared {
        equal: 0,
        skipped: 0,
    };
    for (name, range) in buffers {
        let chosen = range.clone().filter(|&i| is_sampled(i, quotients.stride));
        let pairs = chosen.map(|i| {
            let narrow = difference(&x, i, quotients.step, loss);
            (i, narrow, difference(&x, i, 4.0 * quotients.step, loss))
        });
        let pairs: Vec<(usize, f64, f64)> = pairs.collect();
        let expected: Vec<f64> = pairs.iter().map(|pair| pair.1).collect();
        let bound = quotients.tolerance * finite_scale(&expected).max(quotients.floor);
        let wrong = |i: usize, expected: f64| -> Failure {
            let index = i - range.start;
            Failure::Mismatch(Mismatch {
                buffer: name.to_owned(),
                index,
                got: row[i],
                expected,
                bound,
                threshold: threshold(scene, name, index).ok(),
            })
        };
        if let Some(i) = range.clone().find(|&i| !row[i].is_finite()) {
            return Err(wrong(i, f64::NAN));
        }
        for (i, expected, wide) in pairs {
            let smooth = is_close(wide, expected, bound);
            if smooth && !is_close(row[i], expected, bound) {
                return Err(wrong(i, expected));
            }
            compared.equal += usize::from(smooth);
            compared.skipped += usize::from(!smooth);
        }
    }
    let all = compared.equal + compared.skipped;
    let few = compared.skipped as f64 <= quotients.most_skipped * all as f64;
    if !few {
        let expected = format!(
            "at most {} of the parameters skipped",
            quotients.most_skipped
        );
        let got = format!("{} of {all}", compared.skipped);
        return Err(Failure::property(expected, got));
    }
    Ok(compared)
}

/// Returns an error unless every gradient has the length of its buffer.
fn check_lengths(
    buffers: &[(&'static str, Range<usize>); 8],
    gradients: &Gradients<Vec<f64>>,
) -> Result<(), Failure> {
    for ((name, range), (_, got)) in buffers.iter().zip(gradients.buffers()) {
        if range.len() != got.len() {
            return Err(Failure::Length {
                buffer: (*name).to_owned(),
                expected: range.len(),
                got: got.len(),
            });
        }
    }
    Ok(())
}

/// Returns whether parameter `i` is one of the compared ones: one in `stride`, without a period.
fn is_sampled(i: usize, stride: usize) -> bool {
    (i as f64 * 0.618_033_988_749_894_9).fract() * (stride.max(1) as f64) < 1.0
}

/// Returns the relative distance of element `index` of a buffer from the nearest threshold: that of
/// its Gaussian, or, for a pose, of all Gaussians of the view. The image is linear in features and
/// backgrounds, so that their distance is infinite.
fn threshold(scene: &OwnedScene, buffer: &str, index: usize) -> Result<f64, RenderError> {
    let width = match buffer {
        "means" | "scales" => 3,
        "quaternions" | "intrinsics" => 4,
        "opacities" => 1,
        "camera_from_world" => 12,
        _ => return Ok(f64::INFINITY),
    };
    let owner = index / width;
    let distances = oracle::threshold_distances(&scene.scene(), &scene.config)?;
    let views = scene.views.ranges.iter().zip(&distances).enumerate();
    let of_view = |(view, (range, distances)): (usize, (&Range<usize>, &Vec<f64>))| {
        let all = distances.iter().copied().fold(f64::INFINITY, f64::min);
        if matches!(buffer, "camera_from_world" | "intrinsics") {
            return if view == owner { all } else { f64::INFINITY };
        }
        let place = owner.checked_sub(range.start);
        place
            .and_then(|place| distances.get(place))
            .copied()
            .unwrap_or(f64::INFINITY)
    };
    Ok(views.map(of_view).fold(f64::INFINITY, f64::min))
}
