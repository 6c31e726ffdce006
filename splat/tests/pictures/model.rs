//! Compares the vjp of `fit_image`'s parameters with finite differences, in `f64`.

use splat::Splats;
use splat::check::{Failure, check_vjp, max_difference, weight};

use crate::fit_model::{CHANNELS, LEAST_LOG_SCALE, Parameters};

/// A distance that no difference of `check_vjp` crosses.
const NEAR: f64 = 3e-4;

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
fn v_of(splats: &Splats<Vec<f64>>) -> Splats<Vec<f64>> {
    let numbers = |like: &Vec<f64>, shift: usize| -> Vec<f64> {
        (0..like.len()).map(|i| weight(i + shift)).collect()
    };
    Splats {
        means: numbers(&splats.means, 1),
        conics: numbers(&splats.conics, 3),
        opacities: numbers(&splats.opacities, 5),
        depths: vec![0.0; splats.depths.len()],
        features: numbers(&splats.features, 7),
        ..splats.clone()
    }
}

/// The values of splats that depend on the parameters, in one row.
fn row(splats: &Splats<Vec<f64>>) -> Vec<f64> {
    [
        &splats.means,
        &splats.conics,
        &splats.opacities,
        &splats.features,
    ]
    .map(Vec::as_slice)
    .concat()
}

type Group = fn(&mut Parameters<f64>) -> &mut Vec<f64>;

const GROUPS: [(&str, Group); 5] = [
    ("position", |p| &mut p.positions),
    ("log_scale", |p| &mut p.log_scales),
    ("angle", |p| &mut p.angles),
    ("logit", |p| &mut p.logits),
    ("colour", |p| &mut p.colours),
];

/// All parameters in one row.
fn flat(parameters: &Parameters<f64>) -> Vec<f64> {
    let mut all = parameters.clone();
    GROUPS.map(|(_, group)| group(&mut all).clone()).concat()
}

/// Compares the vjp, times `factor`, with differences.
fn outcome(parameters: &Parameters<f64>, factor: f64) -> Result<(), Failure> {
    let splats = parameters.splats();
    let v = v_of(&splats);
    let vjp = parameters.splats_vjp(&splats, v.clone())?;
    let vjp: Vec<f64> = flat(&vjp).iter().map(|x| factor * x).collect();
    let moved = |x: &[f64]| {
        let (mut at, mut rest) = (parameters.clone(), x.iter());
        for (_, group) in GROUPS {
            for value in group(&mut at) {
                value.clone_from(rest.next().expect("as many values"));
            }
        }
        row(&at.splats())
    };
    let mut all = parameters.clone();
    let names = GROUPS.map(|(name, group)| vec![name; group(&mut all).len()].join(" "));
    check_vjp(&names.join(" "), &flat(parameters), &row(&v), moved, &vjp)
}

#[test]
fn the_vjp_matches_differences_on_both_sides_of_the_least_scale() {
    // Both axes free, both clamped, and one of each.
    let away = [[0.8, 1.7], [-0.4, -2.0], [1.2, -0.1], [-0.1, 1.2]];
    assert_eq!(outcome(&parameters(&away), 1.0), Ok(()));
    // As near to the least scale as the differences allow.
    let near = [[NEAR, -NEAR], [-NEAR, NEAR]];
    assert_eq!(outcome(&parameters(&near), 1.0), Ok(()));
}

/// At the least scale the derivative jumps. The vjp is the derivative towards larger scales, which
/// is continuous.
#[test]
fn the_vjp_at_the_least_scale_is_that_of_a_growing_gaussian() {
    let gradient = |shift: f64| {
        let at = parameters(&[[shift, 0.9], [0.6, shift], [shift, shift]]);
        let splats = at.splats();
        let vjp = at.splats_vjp(&splats, v_of(&splats));
        vjp.expect("as many numbers").log_scales
    };
    let (at, above, below) = (gradient(0.0), gradient(1e-9), gradient(-1e-9));
    assert!(max_difference(&at, &above) < 1e-7, "{at:?}, {above:?}");
    for i in [0, 3, 4, 5] {
        assert!(at[i] != 0.0 && below[i] == 0.0, "{at:?}, {below:?}");
    }
    // Central differences give half of this derivative.
    let at = parameters(&[[0.0, 0.9], [0.6, 0.0], [0.0, 0.0]]);
    let said = outcome(&at, 1.0).expect_err("a kink").to_string();
    assert!(said.starts_with("log_scale["), "{said}");
}

#[test]
fn clamped_scales_have_no_gradient_and_are_raised_to_where_they_have_one() {
    let mut clamped = parameters(&[[-1.0, 0.5], [0.0, f64::NEG_INFINITY]]);
    clamped.log_scales[2] = f64::NAN;
    let splats = clamped.splats();
    let gradient = |parameters: &Parameters<f64>| {
        let v = parameters.splats_vjp(&splats, v_of(&splats));
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
    let here = parameters(&[[0.8, 1.7]]);
    assert_eq!(outcome(&here, 1.0), Ok(()));
    let said = outcome(&here, 1.001)
        .expect_err("a thousandth more")
        .to_string();
    assert!(said.starts_with("position[0]: "), "{said}");
    assert_eq!(here.len() * CHANNELS, here.colours.len());
}
