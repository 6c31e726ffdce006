//! The checks of a backend.

use rayon::prelude::*;

use super::compare::{Tolerance, compare};
use super::expected::{Expected, gradient_tolerance, image_tolerance};
use super::hostile;
use super::image::cotangent;
use super::named::{NamedScene, crowd, named_scenes};
use super::random::weight;
use super::report::{Failure, Report};
use super::run::{Outcome, run};
use super::scene::OwnedScene;
use super::transfer::Transfer;
use crate::camera::Projection;
use crate::error::RenderError;
use crate::gradients::Wanted;
use crate::harmonics::Harmonics;
use crate::oracle;

/// Checks an implementation of [`Backend`](crate::Backend): images, gradients and contributors
/// against the oracle, determinism, unwanted gradients, invalid values and wrong shapes.
///
/// The scenes are [`named_scenes`]. In pixels near a threshold, two precisions can correctly give
/// different results. These pixels are found in `f64`, are not compared, and have a gradient of
/// zero. The tolerances are multiples of [`Transfer::unit_roundoff`].
///
/// Spherical harmonics are checked if the backend has them.
///
/// ```
/// let report = splat::check::check_backend(&splat::Cpu::<f32>::new());
/// assert!(report.passed(), "{report}");
/// ```
pub fn check_backend<B: Transfer>(backend: &B) -> Report {
    let mut report = Report::default();
    let scenes = named_scenes();
    let round = |x| backend.round(x);
    let rounded: Vec<OwnedScene> = scenes
        .iter()
        .map(|named| named.scene.with_rounding(round))
        .collect();
    let expected: Vec<_> = rounded.par_iter().map(Expected::new).collect();
    for (NamedScene { name, scene }, expected) in scenes.iter().zip(expected) {
        let expected = match expected {
            Ok(expected) => expected,
            Err(failure) => {
                report.add("oracle", name, Err(failure));
                continue;
            }
        };
        match run(backend, scene, &expected.v_image, Wanted::ALL) {
            Ok(got) => {
                report.add(
                    "image",
                    name,
                    expected.image_equals(backend, scene, &got.image),
                );
                report.add(
                    "gradients",
                    name,
                    expected.gradients_equal(backend, &got.gradients),
                );
                let contributors = expected.contributors_equal(backend, scene, &got);
                report.add("contributors", name, contributors);
                report.add(
                    "same bits",
                    name,
                    same_bits(backend, scene, &expected, &got),
                );
            }
            Err(error) => report.add("render", name, Err(error.into())),
        }
    }
    report.add("unwanted gradients", "", unwanted_are_empty(backend));
    for (check, outcome) in hostile::all(backend) {
        report.add(check, "", outcome);
    }
    report.add("wrong shapes", "", wrong_shapes_are_errors(backend));
    for degree in 0..=3 {
        if let Some(outcome) = harmonics_equal(backend, degree) {
            report.add("harmonics", format!("degree_{degree}"), outcome);
        }
    }
    report
}

fn same_bits<B: Transfer>(
    backend: &B,
    scene: &OwnedScene,
    expected: &Expected,
    first: &Outcome,
) -> Result<(), Failure> {
    let again = run(backend, scene, &expected.v_image, Wanted::ALL)?;
    let (first, again) = (first.bits(), again.bits());
    match first.iter().zip(&again).position(|(a, b)| a != b) {
        None if first.len() == again.len() => Ok(()),
        place => Err(Failure::property(
            "the same bits in a second run",
            format!("others from number {} on", place.unwrap_or(first.len())),
        )),
    }
}

/// Gradients that are not wanted are empty. The wanted gradients do not depend on the selection.
fn unwanted_are_empty<B: Transfer>(backend: &B) -> Result<(), Failure> {
    let scene = crowd(14, 2, 40, [20, 18], Projection::Pinhole);
    let v_image = cotangent(&scene.oracle()?);
    let all = run(backend, &scene, &v_image, Wanted::ALL)?.gradients;
    let none = Wanted::NONE;
    for wanted in [
        none.with_geometry(true),
        none.with_features(true),
        none.with_backgrounds(true),
        none.with_cameras(true),
        none,
    ] {
        let got = run(backend, &scene, &v_image, wanted)?.gradients;
        for ((name, got), (_, all)) in got.buffers().into_iter().zip(all.buffers()) {
            let is_wanted = match name {
                "features" => wanted.features,
                "backgrounds" => wanted.backgrounds,
                "camera_from_world" => wanted.cameras,
                _ => wanted.geometry,
            };
            let expected: &[f64] = if is_wanted { all } else { &[] };
            let tolerance = Tolerance::of_largest(16.0 * backend.unit_roundoff());
            compare(name, got, expected, tolerance, |_| false)?;
        }
    }
    Ok(())
}

/// Inconsistent shapes are errors that name the argument.
fn wrong_shapes_are_errors<B: Transfer>(backend: &B) -> Result<(), Failure> {
    let scene = crowd(22, 1, 4, [8, 8], Projection::Pinhole);
    let v_image = cotangent(&scene.oracle()?);
    let named = |expected: &str, outcome: Result<Outcome, RenderError>| match outcome {
        Err(RenderError::Shape { argument, .. }) if argument == expected => Ok(()),
        Err(other) => Err(Failure::property(
            format!("an error about {expected}"),
            other.to_string(),
        )),
        Ok(_) => Err(Failure::property(
            format!("an error about {expected}"),
            "gradients",
        )),
    };
    let mut wrong = scene.clone();
    wrong.gaussians.scales.pop();
    named(
        "gaussians.scales",
        run(backend, &wrong, &v_image, Wanted::ALL),
    )?;
    let mut wrong = scene.clone();
    wrong.backgrounds.pop();
    named("backgrounds", run(backend, &wrong, &v_image, Wanted::ALL))?;
    let mut wrong = v_image.clone();
    wrong.features.pop();
    named(
        "v_image.features",
        run(backend, &scene, &wrong, Wanted::ALL),
    )
}

/// Harmonics of one degree. There are more Gaussians than a block of lanes or a task of the CPU
/// holds, and the last block is not full.
fn harmonics_equal<B: Transfer>(backend: &B, degree: u32) -> Option<Result<(), Failure>> {
    const COUNT: usize = 2 * 256 + 64 + 3;
    const CHANNELS: usize = 3;
    const STORED: usize = 17;
    let numbers = |count: usize, shift: usize| -> Vec<f64> {
        (0..count)
            .map(|i| backend.round(weight(i + shift)))
            .collect()
    };
    let (means, v) = (numbers(3 * COUNT, 0), numbers(CHANNELS * COUNT, 5));
    let coefficients = numbers(COUNT * STORED * CHANNELS, 9);
    let harmonics = Harmonics {
        degree,
        means: &means,
        coefficients: &coefficients,
        stored: STORED,
        channels: CHANNELS,
    };
    let eye = super::named::camera(Projection::Pinhole, 40, 30);
    let (features, gradient) = match backend.harmonics(harmonics, &eye, &v)? {
        Ok(outcome) => outcome,
        Err(error) => return Some(Err(error.into())),
    };
    let compared = || -> Result<(), Failure> {
        let expected = oracle::features(harmonics, &eye)?;
        // A feature near the clamp at zero can be on the other side of it.
        let near = |feature: usize| expected[feature].abs() < 1e-5 && expected[feature] != 0.0;
        compare(
            "features",
            &features,
            &expected,
            image_tolerance(backend),
            |_| false,
        )?;
        let expected_v = oracle::features_vjp(harmonics, &eye, &v)?;
        let tolerance = gradient_tolerance(backend);
        let of_mean = |i: usize| (0..CHANNELS).any(|c| near(i / 3 * CHANNELS + c));
        compare(
            "means",
            &gradient.means,
            &expected_v.means,
            tolerance,
            of_mean,
        )?;
        let (got, right) = (&gradient.coefficients, &expected_v.coefficients);
        let of_coefficient = |i: usize| near(i / (STORED * CHANNELS) * CHANNELS + i % CHANNELS);
        compare("coefficients", got, right, tolerance, of_coefficient)?;
        let (got, right) = (gradient.camera_from_world, expected_v.camera_from_world);
        compare(
            "camera_from_world",
            got.as_flattened(),
            right.as_flattened(),
            tolerance,
            |_| false,
        )
    };
    Some(compared())
}
