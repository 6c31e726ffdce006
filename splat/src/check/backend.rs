//! The checks of a backend.

use rayon::prelude::*;

use super::compare::{Tolerance, compare};
use super::ellipses;
use super::expected::Expected;
use super::harmonics;
use super::hostile;
use super::image::cotangent;
use super::named::{NamedScene, crowd, harmonics_of, named_scenes};
use super::report::{Failure, Report};
use super::run::{Outcome, run_backend};
use super::scene::OwnedScene;
use super::statistics;
use super::transfer::Transfer;
use super::wrong;
use crate::camera::Projection;
use crate::gradients::Wanted;

/// Checks an implementation of [`Backend`](crate::Backend): images, gradients and contributors
/// against the oracle, determinism, unwanted gradients, invalid values and wrong arguments.
///
/// The scenes are [`named_scenes`]; [`check_scene`] takes one of the caller. In pixels near a
/// threshold, two precisions can correctly give different results. These pixels are found in `f64`,
/// are not compared, and have a gradient of zero. The tolerances are multiples of
/// [`Transfer::unit_roundoff`].
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
    let rounded = scenes.iter().map(|named| named.scene.with_rounding(round));
    let rounded: Vec<OwnedScene> = rounded.collect();
    let roundoff = backend.unit_roundoff();
    let expected = rounded
        .par_iter()
        .map(|scene| Expected::new(scene, roundoff));
    let expected: Vec<_> = expected.collect();
    for (NamedScene { name, scene }, expected) in scenes.iter().zip(expected) {
        check_one(backend, name, scene, expected, &mut report);
    }
    let mut scene = crowd(14, 2, 40, [20, 18], Projection::Pinhole);
    report.add(
        "unwanted gradients",
        "",
        unwanted_are_empty(backend, &scene),
    );
    harmonics_of(&mut scene, 2);
    let outcome = unwanted_are_empty(backend, &scene);
    report.add("unwanted gradients", "harmonics", outcome);
    for (check, outcome) in hostile::all(backend) {
        report.add(check, "", outcome);
    }
    for (what, outcome) in wrong::all(backend) {
        report.add("wrong arguments", what, outcome);
    }
    for (kind, outcome) in ellipses::all(backend) {
        report.add("ellipses", kind, outcome);
    }
    for (scene, outcome) in statistics::all(backend) {
        report.add("statistics", scene, outcome);
    }
    for degree in 0..=4 {
        for (check, outcome) in harmonics::all(backend, degree) {
            report.add(check, format!("degree_{degree}"), outcome);
        }
    }
    report
}

/// Runs the checks of [`check_backend`] that compare with the oracle, with one scene of the caller:
/// image, gradients, contributors, and the same bits in a second run. `name` is the scene's name in
/// the report.
///
/// Use it with scenes of [`scenes`](super::scenes) or with scenes that a backend has failed on. The
/// oracle must be fast enough: its time grows with the square of the splats of a pixel.
pub fn check_scene<B: Transfer>(backend: &B, name: &str, scene: &OwnedScene) -> Report {
    let mut report = Report::default();
    let rounded = scene.with_rounding(|x| backend.round(x));
    let expected = Expected::new(&rounded, backend.unit_roundoff());
    check_one(backend, name, scene, expected, &mut report);
    report
}

fn check_one<B: Transfer>(
    backend: &B,
    name: &str,
    scene: &OwnedScene,
    expected: Result<Expected, Failure>,
    report: &mut Report,
) {
    let expected = match expected {
        Ok(expected) => expected,
        Err(failure) => return report.add("oracle", name, Err(failure)),
    };
    match run_backend(backend, scene, &expected.v_image, Wanted::ALL) {
        Ok(got) => {
            let image = expected.image_equals(backend, scene, &got.image);
            report.add("image", name, image);
            let gradients = expected.gradients_equal(backend, &got.gradients);
            report.add("gradients", name, gradients);
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

fn same_bits<B: Transfer>(
    backend: &B,
    scene: &OwnedScene,
    expected: &Expected,
    first: &Outcome,
) -> Result<(), Failure> {
    let again = run_backend(backend, scene, &expected.v_image, Wanted::ALL)?;
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
fn unwanted_are_empty<B: Transfer>(backend: &B, scene: &OwnedScene) -> Result<(), Failure> {
    let v_image = cotangent(&scene.oracle()?);
    let all = run_backend(backend, scene, &v_image, Wanted::ALL)?.gradients;
    let none = Wanted::NONE;
    for wanted in [
        none.with_geometry(true),
        none.with_features(true),
        none.with_backgrounds(true),
        none.with_cameras(true),
        none.with_intrinsics(true),
        none,
    ] {
        let got = run_backend(backend, scene, &v_image, wanted)?.gradients;
        for ((name, got), (_, all)) in got.buffers().into_iter().zip(all.buffers()) {
            let is_wanted = match name {
                "features" => wanted.features,
                "backgrounds" => wanted.backgrounds,
                "camera_from_world" => wanted.cameras,
                "intrinsics" => wanted.intrinsics,
                _ => wanted.geometry,
            };
            let expected: &[f64] = if is_wanted { all } else { &[] };
            let tolerance = Tolerance::of_largest(16.0 * backend.unit_roundoff());
            compare(name, got, expected, tolerance, |_| false)?;
        }
    }
    Ok(())
}
