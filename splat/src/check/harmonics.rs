//! The checks of spherical harmonics and of their vjp.

use super::compare::compare;
use super::expected::{gradient_tolerance, image_tolerance};
use super::named::front_camera;
use super::random::weight;
use super::report::Failure;
use super::transfer::{HarmonicsOutcome, Transfer};
use crate::camera::Projection;
use crate::harmonics::{Harmonics, HarmonicsGradient};
use crate::oracle;

/// The distance from the clamp of a feature at which rounding can decide, in units of roundoff.
const NEAR_CLAMP: f64 = 1e3;

/// More Gaussians than a block of lanes or a task of the CPU holds. The last block is not full.
const COUNT: usize = 2 * 256 + 64 + 3;
const CHANNELS: usize = 3;
const STORED: usize = 26;

/// The buffers of harmonics, and the gradient with respect to their features.
struct Inputs {
    degree: u32,
    means: Vec<f64>,
    coefficients: Vec<f64>,
    v: Vec<f64>,
}

impl Inputs {
    fn new<B: Transfer>(backend: &B, degree: u32) -> Result<Self, Failure> {
        let numbers = |count: usize, shift: usize| -> Vec<f64> {
            (0..count)
                .map(|i| backend.round(weight(i + shift)))
                .collect()
        };
        let mut inputs = Self {
            degree,
            means: numbers(3 * COUNT, 0),
            coefficients: numbers(COUNT * STORED * CHANNELS, 9),
            v: numbers(CHANNELS * COUNT, 5),
        };
        // A sum near the clamp at zero can be on the other side of it. Its feature has no gradient.
        let near = NEAR_CLAMP * backend.unit_roundoff();
        let sums = oracle::feature_sums(inputs.harmonics(), &eye())?;
        for (v, sum) in inputs.v.iter_mut().zip(sums) {
            if sum.abs() < near {
                *v = 0.0;
            }
        }
        Ok(inputs)
    }

    fn harmonics(&self) -> Harmonics<'_, f64> {
        Harmonics {
            degree: self.degree,
            means: &self.means,
            coefficients: &self.coefficients,
            stored: STORED,
            channels: CHANNELS,
        }
    }
}

fn eye() -> crate::camera::Camera {
    front_camera(Projection::Pinhole, 40, 30)
}

/// Runs all checks of one degree. Without harmonics there are none.
pub(super) fn all<B: Transfer>(
    backend: &B,
    degree: u32,
) -> Vec<(&'static str, Result<(), Failure>)> {
    let inputs = match Inputs::new(backend, degree) {
        Ok(inputs) => inputs,
        Err(failure) => return vec![("harmonics", Err(failure))],
    };
    let Some(got) = backend.harmonics(inputs.harmonics(), &eye(), &inputs.v) else {
        return Vec::new();
    };
    let plain = got.map_err(Failure::from);
    vec![
        (
            "harmonics",
            plain.and_then(|got| equal(backend, &inputs, &got)),
        ),
        ("harmonics beside NaN", beside_nan(backend, inputs)),
    ]
}

/// Compares features and gradients with those of the oracle.
fn equal<B: Transfer>(
    backend: &B,
    inputs: &Inputs,
    (features, gradient): &HarmonicsOutcome,
) -> Result<(), Failure> {
    let expected = oracle::features(inputs.harmonics(), &eye())?;
    let tolerance = image_tolerance(backend);
    compare("features", features, &expected, tolerance, |_| false)?;
    gradients_equal(backend, inputs, gradient)
}

/// Makes one channel of some Gaussians NaN. It has no gradient, and the gradients of the other
/// channels are as if it had not been there.
fn beside_nan<B: Transfer>(backend: &B, mut inputs: Inputs) -> Result<(), Failure> {
    let spoilt = |i: usize, channel: usize| i.is_multiple_of(5) && channel == i % CHANNELS;
    let used = (inputs.degree as usize + 1).pow(2);
    let mut coefficients = inputs.coefficients.clone();
    let mut without = inputs.v.clone();
    for i in 0..COUNT {
        for channel in (0..CHANNELS).filter(|&channel| spoilt(i, channel)) {
            let term = i % used;
            coefficients[(i * STORED + term) * CHANNELS + channel] = f64::NAN;
            without[i * CHANNELS + channel] = 0.0;
        }
    }
    let harmonics = Harmonics {
        coefficients: &coefficients,
        ..inputs.harmonics()
    };
    let Some(got) = backend.harmonics(harmonics, &eye(), &inputs.v) else {
        return Ok(());
    };
    let (mut features, gradient) = got?;
    let mut expected = oracle::features(inputs.harmonics(), &eye())?;
    for i in 0..COUNT {
        for channel in (0..CHANNELS).filter(|&channel| spoilt(i, channel)) {
            let at = i * CHANNELS + channel;
            // No value is right for this feature.
            (features[at], expected[at]) = (0.0, 0.0);
        }
    }
    let tolerance = image_tolerance(backend);
    compare("features", &features, &expected, tolerance, |_| false)?;
    inputs.v = without;
    gradients_equal(backend, &inputs, &gradient)
}

fn gradients_equal<B: Transfer>(
    backend: &B,
    inputs: &Inputs,
    gradient: &HarmonicsGradient<f64>,
) -> Result<(), Failure> {
    let expected = oracle::features_vjp(inputs.harmonics(), &eye(), &inputs.v)?;
    let (got, right) = (gradient.camera_from_world, expected.camera_from_world);
    for (name, got, right) in [
        ("means", &gradient.means[..], &expected.means[..]),
        (
            "coefficients",
            &gradient.coefficients,
            &expected.coefficients,
        ),
        (
            "camera_from_world",
            got.as_flattened(),
            right.as_flattened(),
        ),
    ] {
        compare(name, got, right, gradient_tolerance(backend), |_| false)?;
    }
    Ok(())
}
