//! Spherical harmonics from their definition, and their gradients with dual numbers.

use std::f64::consts::PI;

use super::dual::Dual;
use crate::camera::Camera;
use crate::config::HARMONICS_OFFSET;
use crate::error::RenderError;
use crate::gaussians::check_len;
use crate::harmonics::{Harmonics, HarmonicsGradient};

/// The number of values that the direction depends on: the mean 3, and the pose row by row.
const INPUTS: usize = 15;

/// The real spherical harmonic of degree `l` and order `m` at the unit vector `[x, y, z]`, with the
/// Condon-Shortley phase.
///
/// With the associated Legendre polynomial `P` and the angles theta and phi of the vector it is
/// `K P(cos theta) cos(m phi)` for `m >= 0` and `K P(cos theta) sin(|m| phi)` for `m < 0`.
fn harmonic<const N: usize>(l: i32, m: i32, [x, y, z]: [Dual<N>; 3]) -> Dual<N> {
    let order = m.abs();
    let constant = Dual::constant;
    // cos and sin of (order phi), times sin(theta)^order: the powers of x + i y.
    let mut power = [constant(1.0), constant(0.0)];
    for _ in 0..order {
        power = [power[0] * x - power[1] * y, power[0] * y + power[1] * x];
    }
    // The Legendre polynomial divided by sin(theta)^order, by the recurrence over the degree. At
    // degree `order` it is (-1)^order (2 order - 1)!!.
    let mut legendre = constant((1..=order).map(|k| -f64::from(2 * k - 1)).product());
    let mut before = constant(0.0);
    for degree in order + 1..=l {
        let [a, b, c] = [2 * degree - 1, degree + order - 1, degree - order].map(f64::from);
        let next = (z * legendre * a - before * b) * (1.0 / c);
        (before, legendre) = (legendre, next);
    }
    let factorials: f64 = (l - order + 1..=l + order).map(f64::from).product();
    let both_signs = if m == 0 { 1.0 } else { 2.0 };
    let norm = (both_signs * f64::from(2 * l + 1) / (4.0 * PI) / factorials).sqrt();
    legendre * power[usize::from(m < 0)] * norm
}

/// The value of every basis function in use, in the direction from the camera's centre `-R^T t` to
/// a mean.
fn basis<const N: usize>(degree: u32, mean: [Dual<N>; 3], pose: [[Dual<N>; 4]; 3]) -> Vec<Dual<N>> {
    let centre = |axis: usize| -(0..3).map(|r| pose[r][axis] * pose[r][3]).sum::<Dual<N>>();
    let offset: [Dual<N>; 3] = std::array::from_fn(|axis| mean[axis] - centre(axis));
    let length = offset.map(|x| x * x).into_iter().sum::<Dual<N>>().sqrt();
    let direction = offset.map(|x| x / length);
    let degrees = 0..=i32::try_from(degree).expect("at most 4");
    let orders = degrees.flat_map(|l| (-l..=l).map(move |m| (l, m)));
    orders.map(|(l, m)| harmonic(l, m, direction)).collect()
}

/// The basis of Gaussian `i`, with the direction as a function of mean and pose.
fn basis_of(harmonics: &Harmonics<'_, f64>, i: usize, camera: &Camera) -> Vec<Dual<INPUTS>> {
    let mean = std::array::from_fn(|k| Dual::variable(harmonics.means[3 * i + k], k));
    let entry = |r: usize, c: usize| Dual::variable(camera.camera_from_world[r][c], 3 + 4 * r + c);
    let pose = std::array::from_fn(|r| std::array::from_fn(|c| entry(r, c)));
    basis(harmonics.degree, mean, pose)
}

/// The sum of one channel before the clamp: half plus the sum over the basis.
fn channel_sum(
    harmonics: &Harmonics<'_, f64>,
    basis: &[Dual<INPUTS>],
    i: usize,
    channel: usize,
) -> Dual<INPUTS> {
    let coefficient = |k: usize| {
        harmonics.coefficients[(i * harmonics.stored + k) * harmonics.channels + channel]
    };
    let terms = basis.iter().enumerate().map(|(k, &y)| y * coefficient(k));
    terms.sum::<Dual<INPUTS>>() + HARMONICS_OFFSET
}

/// Computes the features of [`sh::features`](crate::sh::features), `[N, C]`.
///
/// # Errors
/// [`RenderError::Shape`] and [`RenderError::Config`] of [`sh::features`](crate::sh::features).
pub fn features(harmonics: Harmonics<'_, f64>, camera: &Camera) -> Result<Vec<f64>, RenderError> {
    let sums = feature_sums(harmonics, camera)?;
    Ok(sums
        .into_iter()
        // NaN stays NaN.
        .map(|sum| if sum < 0.0 { 0.0 } else { sum })
        .collect())
}

/// Computes the sums of [`features`] before the clamp at zero, `[N, C]`.
///
/// # Errors
/// The errors of [`features`].
pub(crate) fn feature_sums(
    harmonics: Harmonics<'_, f64>,
    camera: &Camera,
) -> Result<Vec<f64>, RenderError> {
    harmonics.validate()?;
    let mut sums = Vec::new();
    for i in 0..harmonics.count() {
        let basis = basis_of(&harmonics, i, camera);
        let one = |channel| channel_sum(&harmonics, &basis, i, channel).value;
        sums.extend((0..harmonics.channels).map(one));
    }
    Ok(sums)
}

/// Computes the gradients of [`features`] from `v_features`, `[N, C]`. They are those of
/// [`sh::features_vjp`](crate::sh::features_vjp).
///
/// # Errors
/// The errors of [`features`], and [`RenderError::Shape`] if `v_features` has the wrong length.
pub fn features_vjp(
    harmonics: Harmonics<'_, f64>,
    camera: &Camera,
    v_features: &[f64],
) -> Result<HarmonicsGradient<f64>, RenderError> {
    harmonics.validate()?;
    let (n, channels) = (harmonics.count(), harmonics.channels);
    check_len("v_features", "[N, C]", &[n, channels], v_features.len())?;
    let mut gradient = HarmonicsGradient {
        means: vec![0.0; 3 * n],
        coefficients: vec![0.0; harmonics.coefficients.len()],
        camera_from_world: [[0.0; 4]; 3],
    };
    for i in 0..n {
        let basis = basis_of(&harmonics, i, camera);
        for channel in 0..channels {
            let v = v_features[i * channels + channel];
            let found = channel_sum(&harmonics, &basis, i, channel);
            // A negative sum is clamped. At zero the derivative is that of the sum.
            if found.value < 0.0 {
                continue;
            }
            for (axis, slope) in found.slopes[..3].iter().enumerate() {
                gradient.means[3 * i + axis] += v * slope;
            }
            let pose = gradient.camera_from_world.as_flattened_mut();
            for (to, slope) in pose.iter_mut().zip(&found.slopes[3..]) {
                *to += v * slope;
            }
            // The sum is linear in the coefficients.
            for (k, y) in basis.iter().enumerate() {
                let at = (i * harmonics.stored + k) * channels + channel;
                gradient.coefficients[at] += v * y.value;
            }
        }
    }
    Ok(gradient)
}
