//! Compares the vjp of `fit_image`'s parameters with finite differences, in `f64`.

use splat::{RenderError, Splats};

use crate::fit_model::{CHANNELS, LEAST_LOG_SCALE, Parameters};

/// Step of the differences.
const STEP: f64 = 1e-5;
/// Tolerance relative to the terms of the loss. Central differences have a truncation error of
/// 1e-10.
const TOLERANCE: f64 = 1e-8;

/// Returns Gaussians with these logarithms of scales, relative to the least logarithm.
fn parameters(logs: &[[f64; 2]]) -> Parameters<f64> {
    let mut parameters = Parameters::default();
    for (i, [along, across]) in logs.iter().enumerate() {
        let k = 0.3 * i as f64;
        parameters.push([5.0 + k, 4.0 - k], 1.0, 0.4 - k, [0.1 + k, 0.5, 0.9 - k]);
        parameters.log_scales[2 * i] = LEAST_LOG_SCALE + along;
        parameters.log_scales[2 * i + 1] = LEAST_LOG_SCALE + across;
        parameters.angles[i] = 0.7 - 0.9 * k;
    }
    parameters
}

/// Returns a gradient with respect to `splats` in which all values differ.
fn cotangent(splats: &Splats<Vec<f64>>) -> Splats<Vec<f64>> {
    let numbers = |like: &Vec<f64>, shift: f64| -> Vec<f64> {
        let number = |i: usize| ((i as f64 + shift) * 0.754_877_666).fract() - 0.3;
        (0..like.len()).map(number).collect()
    };
    Splats {
        means: numbers(&splats.means, 1.0),
        conics: numbers(&splats.conics, 3.0),
        opacities: numbers(&splats.opacities, 5.0),
        depths: numbers(&splats.depths, 0.0),
        features: numbers(&splats.features, 7.0),
        ..splats.clone()
    }
}

/// Returns the sum, and the sum of magnitudes, of the terms of the loss whose gradient is `v`.
fn loss(parameters: &Parameters<f64>, v: &Splats<Vec<f64>>) -> (f64, f64) {
    let splats = parameters.splats();
    let pairs = [
        (&splats.means, &v.means),
        (&splats.conics, &v.conics),
        (&splats.opacities, &v.opacities),
        (&splats.features, &v.features),
    ];
    let terms = pairs
        .into_iter()
        .flat_map(|(a, b)| a.iter().zip(b).map(|(a, b)| a * b));
    terms.fold((0.0, 0.0), |(sum, size), x| (sum + x, size + x.abs()))
}

type Group = fn(&mut Parameters<f64>) -> &mut Vec<f64>;

const GROUPS: [(&str, Group); 5] = [
    ("position", |p| &mut p.positions),
    ("logarithm of scale", |p| &mut p.log_scales),
    ("angle", |p| &mut p.angles),
    ("logit", |p| &mut p.logits),
    ("colour", |p| &mut p.colours),
];

/// Compares the vjp with finite differences. `stencil` has the steps, and the weights of the loss
/// at these steps.
fn compare(parameters: &Parameters<f64>, stencil: [(f64, f64); 3]) -> Result<(), String> {
    let splats = parameters.splats();
    let v = cotangent(&splats);
    let vjp = parameters.splats_vjp(&splats, v.clone());
    let mut vjp = vjp.map_err(|error: RenderError| error.to_string())?;
    let mut at = parameters.clone();
    let tolerance = TOLERANCE * loss(parameters, &v).1;
    for (name, group) in GROUPS {
        let gradient = group(&mut vjp).clone();
        for (i, got) in gradient.into_iter().enumerate() {
            let value = group(&mut at)[i];
            let mut numeric = 0.0;
            for (step, weight) in stencil {
                group(&mut at)[i] = value + step * STEP;
                numeric += weight * loss(&at, &v).0 / STEP;
            }
            group(&mut at)[i] = value;
            let error = (got - numeric).abs();
            if error.is_nan() || error > tolerance {
                return Err(format!("{name} {i}: expected {numeric}, got {got}"));
            }
        }
    }
    Ok(())
}

/// Central differences of second order.
const CENTRAL: [(f64, f64); 3] = [(1.0, 0.5), (0.0, 0.0), (-1.0, -0.5)];
/// Forward differences of second order.
const FORWARD: [(f64, f64); 3] = [(0.0, -1.5), (1.0, 2.0), (2.0, -0.5)];

#[test]
fn the_vjp_matches_differences_on_both_sides_of_the_least_scale() {
    // Both axes free, both clamped, and one of each.
    let away = [[0.8, 1.7], [-0.4, -2.0], [1.2, -0.1], [-0.1, 1.2]];
    assert_eq!(compare(&parameters(&away), CENTRAL), Ok(()));
    // As near to the least scale as the differences allow.
    let near = [[3.0 * STEP, -3.0 * STEP], [-3.0 * STEP, 3.0 * STEP]];
    assert_eq!(compare(&parameters(&near), CENTRAL), Ok(()));
}

/// At the least scale the derivative jumps. The vjp is the derivative towards larger scales.
#[test]
fn the_vjp_at_the_least_scale_is_that_of_a_growing_gaussian() {
    let at = parameters(&[[0.0, 0.9], [0.6, 0.0], [0.0, 0.0]]);
    assert_eq!(compare(&at, FORWARD), Ok(()));
    // Central differences give half of this derivative.
    assert!(compare(&at, CENTRAL).is_err());
}

#[test]
fn clamped_scales_have_no_gradient_and_are_raised_to_where_they_have_one() {
    let mut clamped = parameters(&[[-1.0, 0.5], [0.0, f64::NEG_INFINITY]]);
    clamped.log_scales[2] = f64::NAN;
    let splats = clamped.splats();
    let gradient = |parameters: &Parameters<f64>| {
        let v = parameters.splats_vjp(&splats, cotangent(&splats));
        v.expect("as many numbers").log_scales
    };
    let before = gradient(&clamped);
    assert!(before[0] == 0.0 && before[1] != 0.0 && before[2] == 0.0 && before[3] == 0.0);
    clamped.raise_scales();
    assert_eq!(clamped.log_scales[1], LEAST_LOG_SCALE + 0.5);
    for i in [0, 2, 3] {
        assert_eq!(clamped.log_scales[i], LEAST_LOG_SCALE);
    }
    assert_eq!(clamped.splats(), splats, "raising changes no splat");
    assert!(gradient(&clamped).iter().all(|&v| v != 0.0));
}

#[test]
fn comparison_rejects_a_wrong_vjp() {
    // Differences of a loss that is a thousandth larger.
    let here = parameters(&[[0.8, 1.7]]);
    assert!(compare(&here, CENTRAL).is_ok());
    let doubled = CENTRAL.map(|(step, weight)| (step, 1.001 * weight));
    let said = compare(&here, doubled);
    assert!(said.is_err_and(|said| said.contains("position 0")));
    assert_eq!(here.len() * CHANNELS, here.colours.len());
}
