//! Spherical harmonics and their vjp on invalid and extreme values and shapes.

use arbitrary::Arbitrary;
use splat::sh::{self, Harmonics};
use splat::{Camera, CpuScalar, Projection};

use crate::input::{convert, fitted, made};

#[derive(Debug, Arbitrary)]
struct Input {
    means: Vec<f32>,
    coefficients: Vec<f32>,
    v_features: Vec<f32>,
    degree: u8,
    count: u8,
    stored: u8,
    channels: u8,
    mend: bool,
    pose: [[f64; 4]; 3],
}

/// What `features` accepts, its vjp accepts.
pub fn harmonics(data: &[u8]) -> usize {
    made::<Input>(data).map_or(0, |input| run::<f32>(&input) + run::<f64>(&input))
}

fn run<T: CpuScalar>(input: &Input) -> usize {
    let (n, mend) = (input.count as usize, input.mend);
    let (stored, channels) = (input.stored as usize % 20, input.channels as usize % 6);
    let means = fitted(input.means.clone(), 3 * n, mend);
    let coefficients = fitted(input.coefficients.clone(), n * stored * channels, mend);
    let (means, coefficients) = (convert::<T>(&means), convert::<T>(&coefficients));
    let harmonics = Harmonics {
        degree: u32::from(input.degree % 5),
        means: &means,
        coefficients: &coefficients,
        stored,
        channels,
    };
    let camera = Camera::new(Projection::Pinhole, 1.0, 1.0, 0.5, 0.5).with_pose(input.pose);
    // A gradient of any length may be refused, and must not panic.
    let _ = sh::features_vjp(harmonics, &camera, &convert::<T>(&input.v_features));
    let Ok(features) = sh::features(harmonics, &camera) else {
        return 0;
    };
    let n = means.len() / 3;
    assert_eq!(features.len(), n * channels);
    let v = sh::features_vjp(harmonics, &camera, &features);
    let v = v.expect("what features accepts, its vjp accepts");
    assert_eq!(
        (v.means.len(), v.coefficients.len()),
        (3 * n, n * stored * channels)
    );
    1
}
