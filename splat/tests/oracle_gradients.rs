//! Compares the oracle's gradients, which come from dual numbers, with differences of its image, and
//! with the gradients of the CPU backend at the default thresholds.

mod support;

use proptest::prelude::*;
use splat::oracle;
use splat::sh::{self, Harmonics};
use splat::{Camera, Projection};
use support::{
    PROJECTIONS, World, camera, cotangent, crowd, difference, gradient_row, loss, max_difference,
    scale, smooth, weight, worlds,
};

/// Tolerance between the gradients of the oracle and of the CPU at `f64`, relative to the largest
/// element of a buffer. They sum in different orders.
const TOLERANCE: f64 = 1e-10;

fn oracle_gradients(world: &World) -> splat::Gradients<Vec<f64>> {
    let v_image = cotangent(&world.oracle());
    oracle::render_vjp(&world.scene(), &world.config, &v_image.as_slices()).expect("a valid scene")
}

fn equal_to_the_cpu(world: &World) -> Result<(), TestCaseError> {
    let expected = oracle_gradients(world);
    let got = world.gradients(&cotangent(&world.oracle()));
    for ((name, got), (_, expected)) in got.buffers().into_iter().zip(expected.buffers()) {
        let error = max_difference(got, expected) / scale(expected).max(1e-2);
        prop_assert!(error <= TOLERANCE, "{name}: {error:e}");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn gradients_of_the_cpu_are_those_of_the_oracle(world in worlds()) {
        equal_to_the_cpu(&world)?;
    }

    #[test]
    fn gradients_of_the_oracle_match_its_differences(world in worlds()) {
        let config = smooth(world.config.clone());
        let world = World { config, ..world };
        let v_image = cotangent(&world.oracle());
        let gradient = gradient_row(&oracle_gradients(&world));
        let x = world.parameters();
        let f = |x: &[f64]| loss(&world.with_parameters(x).oracle(), &v_image);
        let size = scale(&gradient).max(1e-2);
        for i in (0..x.len()).step_by(3) {
            let numeric = difference(&x, i, 2e-5, f);
            prop_assert!((gradient[i] - numeric).abs() <= 1e-7 * size, "{i}: {} {numeric}", gradient[i]);
        }
    }
}

#[test]
fn gradients_of_crowds_are_those_of_the_oracle() {
    for projection in PROJECTIONS {
        let mut world = crowd(30, 2, 150, [37, 29], projection);
        world.config.antialias = true;
        equal_to_the_cpu(&world).unwrap_or_else(|error| panic!("{projection:?}: {error}"));
    }
}

#[test]
fn harmonics_are_those_of_the_oracle() {
    let n = 50;
    let numbers = |count: usize, shift: usize| -> Vec<f64> {
        (0..count).map(|i| weight(i + shift)).collect()
    };
    let (means, v) = (numbers(3 * n, 0), numbers(2 * n, 5));
    let coefficients = numbers(n * 17 * 2, 9);
    let eye: Camera = camera(Projection::Pinhole, 20, 20);
    for degree in 0..=3 {
        let harmonics = Harmonics {
            degree,
            means: &means,
            coefficients: &coefficients,
            stored: 17,
            channels: 2,
        };
        let close = |name: &str, got: &[f64], expected: &[f64]| {
            let error = max_difference(got, expected);
            assert!(
                error <= 1e-13 * scale(expected).max(1.0),
                "{degree} {name}: {error:e}"
            );
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
