//! Density control against its definitions (MATH eq. 25 to 27). Random numbers have fixed seeds.

mod arguments;
mod growth;
mod noise;
mod relocation;

use splat::check::{Random, crowd};
use splat::encoding::Encoding;
use splat::{Gaussians, Projection};

/// A vector in space.
type Vector = [f64; 3];

/// Returns a source of uniform numbers.
fn uniform(seed: u64) -> impl FnMut() -> f64 {
    let mut random = Random::new(seed);
    move || random.between(0.0, 1.0)
}

/// Returns `count` Gaussians with three features and numbers without pattern.
fn some(count: usize) -> Gaussians<Vec<f64>> {
    crowd(17, 1, count, [8, 8], Projection::Pinhole).gaussians
}

/// Returns `count` Gaussians in one place, with standard deviations of 0.5, 2 and 1. The first two
/// are along directions that are turned by 2 atan(1/2) in the plane of x and y.
fn pile(count: usize, opacity: f64) -> Gaussians<Vec<f64>> {
    Gaussians {
        means: [3.0, -1.0, 2.0].repeat(count),
        scales: [0.5, 2.0, 1.0].repeat(count),
        quaternions: [2.0, 0.0, 0.0, 1.0].repeat(count),
        opacities: vec![opacity; count],
        features: [0.1, 0.2, 0.3].repeat(count),
        count,
        channels: 3,
        encoding: Encoding::PLAIN,
    }
}

/// Returns the offset of Gaussian `i` of a [`pile`] along its axes, in standard deviations.
fn along_axes(gaussians: &Gaussians<Vec<f64>>, i: usize) -> Vector {
    let offset = [3.0, -1.0, 2.0];
    let [x, y, z] = [0, 1, 2].map(|k| gaussians.means[3 * i + k] - offset[k]);
    // The angle's cosine is 3/5, and its sine is 4/5.
    [(0.6 * x + 0.8 * y) / 0.5, (0.6 * y - 0.8 * x) / 2.0, z]
}

/// Checks that the mean of vectors is zero and their covariance the unit matrix, within five
/// standard deviations of both sums: one for a mean, and one (two on the diagonal) for a covariance,
/// in variances divided by the number of vectors.
fn assert_standard(vectors: &[Vector]) {
    let n = vectors.len() as f64;
    for i in 0..3 {
        let mean = vectors.iter().map(|v| v[i]).sum::<f64>() / n;
        assert!(mean.abs() < 5.0 / n.sqrt(), "mean {i}: {mean}");
        for j in 0..=i {
            let unit = f64::from(u8::from(i == j));
            let covariance = vectors.iter().map(|v| v[i] * v[j]).sum::<f64>() / n;
            let bound = 5.0 * ((1.0 + unit) / n).sqrt();
            let error = (covariance - unit).abs();
            assert!(error < bound, "covariance {i} {j}: {covariance}");
        }
    }
}

/// Returns the same Gaussians as logarithms and logits.
fn raw(gaussians: &Gaussians<Vec<f64>>) -> Gaussians<Vec<f64>> {
    let logit = |o: &f64| (o / (1.0 - o)).ln();
    Gaussians {
        scales: gaussians.scales.iter().map(|s| s.abs().ln()).collect(),
        opacities: gaussians.opacities.iter().map(logit).collect(),
        encoding: Encoding::RAW,
        ..gaussians.clone()
    }
}

/// Checks that Gaussians in raw encoding are those in plain encoding.
fn assert_same(raw: &Gaussians<Vec<f64>>, plain: &Gaussians<Vec<f64>>) {
    let decoded = Gaussians {
        scales: splat::activation::scales_from_logs(&raw.scales),
        opacities: splat::activation::opacities_from_logits(&raw.opacities),
        encoding: plain.encoding,
        ..raw.clone()
    };
    assert_eq!(decoded.count, plain.count);
    for ((name, got), (_, expected)) in decoded.buffers().into_iter().zip(plain.buffers()) {
        let tolerance = splat::check::Tolerance::of_largest(1e-12);
        let compared = splat::check::compare(name, got, expected, tolerance, |_| false);
        assert_eq!(compared, Ok(()));
    }
}
