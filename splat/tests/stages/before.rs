//! Spherical harmonics and activations outside a render.

use super::*;
use splat::check::weight;

#[test]
fn spherical_harmonics_are_orthonormal() {
    // A product rule for the integral over the sphere. 16 steps around the axis are exact for these
    // degrees. 1600 midpoints in z leave an error of 1e-5.
    let (rings, steps) = (1600, 16);
    let mut gram = [[0.0; 25]; 25];
    for ring in 0..rings {
        let z = (f64::from(ring) + 0.5) / f64::from(rings) * 2.0 - 1.0;
        let r = (1.0 - z * z).sqrt();
        for step in 0..steps {
            let (y, x) = (f64::from(step) / f64::from(steps) * std::f64::consts::TAU).sin_cos();
            let d = splat::formulas::Vec3 {
                x: r * x,
                y: r * y,
                z,
            };
            let basis: Vec<f64> = (0..25)
                .map(|k| splat::formulas::double::sh::sh_term(k, d))
                .collect();
            let area = 4.0 * std::f64::consts::PI / f64::from(rings * steps);
            for i in 0..25 {
                for j in 0..25 {
                    gram[i][j] += basis[i] * basis[j] * area;
                }
            }
        }
    }
    for i in 0..25 {
        for j in 0..25 {
            let expected = if i == j { 1.0 } else { 0.0 };
            assert!(
                (gram[i][j] - expected).abs() < 1e-4,
                "<Y{i}, Y{j}> = {}",
                gram[i][j]
            );
        }
    }
}

#[test]
fn harmonics_vjp_matches_differences_down_to_the_pose() {
    let (count, channels, stored) = (3, 2, 25);
    let world = crowd(2, 1, count, [8, 8], Projection::Pinhole);
    let coefficients: Vec<f64> = (0..count * stored * channels)
        .map(|i| 0.4 * weight(i))
        .collect();
    let v: Vec<f64> = (0..count * channels).map(|i| weight(i + 5)).collect();
    for degree in 0..=4 {
        let base = world.views.cameras[0];
        let loss = |x: &[f64]| {
            let (means, rest) = x.split_at(3 * count);
            let (coefficients, pose) = rest.split_at(count * stored * channels);
            let row = |i: usize| {
                [
                    pose[4 * i],
                    pose[4 * i + 1],
                    pose[4 * i + 2],
                    pose[4 * i + 3],
                ]
            };
            let harmonics = sh::Harmonics {
                degree,
                means,
                coefficients,
                stored,
                channels,
            };
            let features = sh::features(harmonics, &base.with_pose([row(0), row(1), row(2)]))
                .expect("valid shapes");
            features.iter().zip(&v).map(|(a, b)| a * b).sum::<f64>()
        };
        let pose: Vec<f64> = base.camera_from_world.into_iter().flatten().collect();
        let x = [world.gaussians.means.clone(), coefficients.clone(), pose].concat();
        let harmonics = sh::Harmonics {
            degree,
            means: &world.gaussians.means,
            coefficients: &coefficients,
            stored,
            channels,
        };
        let g = sh::features_vjp(harmonics, &base, &v).expect("valid shapes");
        let pose: Vec<f64> = g.camera_from_world.into_iter().flatten().collect();
        let gradient = [g.means, g.coefficients, pose].concat();
        let numeric: Vec<f64> = (0..x.len())
            .map(|i| difference(&x, i, 1e-4, loss))
            .collect();
        assert!(
            max_difference(&gradient, &numeric) <= 1e-6 * max_magnitude(&numeric),
            "degree {degree}"
        );
    }
}

#[test]
fn harmonics_without_a_direction_give_no_gradient_and_no_nan() {
    let camera = Camera::orthographic(1.0, 1.0, 0.5, 0.5);
    let coefficients = [1.0; 25];
    for degree in 0..=4 {
        for x in [0.0f64, f64::NAN, f64::INFINITY] {
            let means = [x, 0.0, 0.0];
            let harmonics = sh::Harmonics {
                degree,
                means: &means,
                coefficients: &coefficients,
                stored: 25,
                channels: 1,
            };
            let g = sh::features_vjp(harmonics, &camera, &[0.0]).expect("valid shapes");
            let pose = g.camera_from_world.into_iter().flatten();
            let all = g.means.iter().chain(&g.coefficients).copied().chain(pose);
            assert!(
                all.into_iter().all(|v| v == 0.0),
                "degree {degree}, mean at {x}"
            );
        }
    }
    let harmonics = sh::Harmonics {
        degree: 0,
        means: &[0.0f64; 3],
        coefficients: &[1.0],
        stored: 1,
        channels: 1,
    };
    let features = sh::features(harmonics, &camera).expect("valid shapes");
    assert_relative_eq!(
        features[0],
        0.5 + 0.282_094_791_773_878_14,
        max_relative = 1e-15
    );
}

#[test]
fn activations_and_their_vjps_match_differences() {
    let logits = [-40.0, -2.0, -0.1, 0.0, 0.7, 3.0, 40.0];
    let opacities = activation::opacities_from_logits(&logits);
    assert!(opacities.iter().all(|o| (0.0..=1.0).contains(o)));
    let v = [1.0, -0.5, 2.0, 0.3, -1.0, 0.9, 1.0];
    let by_logits = activation::opacities_from_logits_vjp(&opacities, &v).expect("as many");
    let scales = activation::scales_from_logs(&logits[1..6]);
    let by_logs = activation::scales_from_logs_vjp(&scales, &v[1..6]).expect("as many");
    activation::scales_from_logs_vjp(&scales, &v).expect_err("lengths that differ");
    for i in 1..6 {
        let f = |x: &[f64]| activation::opacities_from_logits(x)[0] * v[i];
        assert_relative_eq!(
            by_logits[i],
            difference(&logits[i..=i], 0, 1e-4, f),
            max_relative = 1e-9
        );
        let f = |x: &[f64]| activation::scales_from_logs(x)[0] * v[i];
        assert_relative_eq!(
            by_logs[i - 1],
            difference(&logits[i..=i], 0, 1e-4, f),
            max_relative = 1e-9
        );
    }
    assert!(by_logits[0].abs() < 1e-17 && by_logits[6].abs() < 1e-15);
}
