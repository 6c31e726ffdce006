//! Spherical harmonics and their vjp equal those of the oracle, which evaluates their definition.

use splat::check::{Tolerance, compare, front_camera, weight};
use splat::oracle;
use splat::sh::{self, Harmonics};
use splat::{Camera, Projection};

#[test]
fn harmonics_are_those_of_the_oracle() {
    let n = 50;
    let numbers = |count: usize, shift: usize| -> Vec<f64> {
        (0..count).map(|i| weight(i + shift)).collect()
    };
    let (means, v) = (numbers(3 * n, 0), numbers(2 * n, 5));
    let coefficients = numbers(n * 26 * 2, 9);
    let eye: Camera = front_camera(Projection::Pinhole, 20, 20);
    for degree in 0..=4 {
        let harmonics = Harmonics {
            degree,
            means: &means,
            coefficients: &coefficients,
            stored: 26,
            channels: 2,
        };
        let close = |name: &str, got: &[f64], expected: &[f64]| {
            let tolerance = Tolerance::of_largest(1e-13).with_floor(1.0);
            let outcome = compare(name, got, expected, tolerance, |_| false);
            assert_eq!(outcome, Ok(()), "degree {degree}");
        };
        let got = sh::features(harmonics, &eye).expect("valid shapes");
        close(
            "features",
            &got,
            &oracle::features(harmonics, &eye).expect("valid shapes"),
        );
        assert!(got.contains(&0.0) || degree == 0, "no channel is clamped");
        let got = sh::features_vjp(harmonics, &eye, &v).expect("valid shapes");
        let expected = oracle::features_vjp(harmonics, &eye, &v).expect("valid shapes");
        close("means", &got.means, &expected.means);
        close("coefficients", &got.coefficients, &expected.coefficients);
        let (got, expected) = (got.camera_from_world, expected.camera_from_world);
        close("pose", got.as_flattened(), expected.as_flattened());
    }
}
