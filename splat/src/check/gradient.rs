//! Gradients compared with difference quotients.

use super::compare::scale;
use super::difference::difference;
use super::image::linear_loss;
use super::report::{Failure, Mismatch};
use super::scene::{OwnedScene, gradient_row};
use crate::error::RenderError;
use crate::gradients::Gradients;
use crate::image::Image;
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
/// Each number of `vjp` is compared relative to itself, to 1e-6. `names` has one name per number of
/// `x`, separated by spaces. The step is 1e-4, so that `x` should be of order one, and `f` smooth
/// within 2e-4 of it.
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
    let loss = |x: &[f64]| f(x).iter().zip(v_output).map(|(a, b)| a * b).sum::<f64>();
    // An output below one can be a difference of terms near one, with their rounding error.
    let term = |(a, b): (&f64, &f64)| a.abs().max(1.0) * b.abs();
    let terms: f64 = outputs.iter().zip(v_output).map(term).sum();
    for (index, (name, &got)) in names.split_whitespace().zip(vjp).enumerate() {
        let expected = difference(x, index, VJP_STEP, loss);
        let bound = VJP_TOLERANCE * expected.abs() + QUOTIENT_ERROR * terms;
        // `close` is false for NaN.
        let close = (got - expected).abs() <= bound;
        if !close {
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
    /// One parameter of so many is compared.
    pub stride: usize,
}

impl Quotients {
    /// Every parameter, with a step of 1e-6 and a tolerance of 1e-6.
    pub const DEFAULT: Self = Self {
        step: 1e-6,
        tolerance: 1e-6,
        floor: 1e-2,
        stride: 1,
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

    /// Returns the settings with one compared parameter of so many. 0 counts as 1.
    #[must_use]
    pub const fn with_stride(self, stride: usize) -> Self {
        Self { stride, ..self }
    }
}

/// The number of parameters that [`check_gradients`] compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
/// skipped. Under the settings of [`smooth`](super::smooth) nothing is skipped. To compare at a
/// threshold too, compare with [`OwnedScene::oracle_gradients`].
///
/// # Errors
/// [`Failure::Mismatch`] with the first gradient that is wrong, its buffer, its place in the buffer
/// and the distance from the nearest threshold. [`Failure::Length`] if a buffer of `gradients` has
/// the wrong length. [`Failure::Error`] if the oracle rejects the scene.
pub fn check_gradients(
    scene: &OwnedScene,
    v_image: &Image<Vec<f64>>,
    gradients: &Gradients<Vec<f64>>,
    quotients: Quotients,
) -> Result<Compared, Failure> {
    let buffers = scene.buffers();
    for ((name, range), (_, got)) in buffers.iter().zip(gradients.buffers()) {
        if range.len() != got.len() {
            return Err(Failure::Length {
                buffer: (*name).to_owned(),
                expected: range.len(),
                got: got.len(),
            });
        }
    }
    // The first render reports an invalid scene. The moved scenes have the same shapes.
    scene.oracle()?;
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
        let bound = quotients.tolerance * scale(&row[range.clone()]).max(quotients.floor);
        for i in range.clone().step_by(quotients.stride.max(1)) {
            let expected = difference(&x, i, quotients.step, loss);
            let wide = difference(&x, i, 4.0 * quotients.step, loss);
            // Both comparisons are false for NaN.
            let smooth = (wide - expected).abs() <= bound;
            let close = (row[i] - expected).abs() <= bound;
            if smooth && !close {
                let index = i - range.start;
                return Err(Failure::Mismatch(Mismatch {
                    buffer: name.to_owned(),
                    index,
                    got: row[i],
                    expected,
                    bound,
                    threshold: Some(threshold(scene, name, index)?),
                }));
            }
            compared.equal += usize::from(smooth);
            compared.skipped += usize::from(!smooth);
        }
    }
    Ok(compared)
}

/// Returns the relative distance of element `index` of a buffer from the nearest threshold: that of
/// its Gaussian, or, for a pose, of all Gaussians of the view. The image is linear in features and
/// backgrounds, so that their distance is infinite.
fn threshold(scene: &OwnedScene, buffer: &str, index: usize) -> Result<f64, RenderError> {
    let width = match buffer {
        "means" | "scales" => 3,
        "quaternions" => 4,
        "opacities" => 1,
        "camera_from_world" => 12,
        _ => return Ok(f64::INFINITY),
    };
    let owner = index / width;
    let distances = oracle::threshold_distances(&scene.scene(), &scene.config)?;
    let views = scene.views.ranges.iter().zip(&distances).enumerate();
    let of_view = |(view, (range, distances)): (usize, (&std::ops::Range<usize>, &Vec<f64>))| {
        let all = distances.iter().copied().fold(f64::INFINITY, f64::min);
        if buffer == "camera_from_world" {
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
