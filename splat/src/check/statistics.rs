//! The checks of the gradient with respect to splats and of the statistics.

use super::compare::compare;
use super::expected::gradient_tolerance;
use super::image::cotangent;
use super::named::{crowd, harmonics_of};
use super::report::Failure;
use super::run::run_backend;
use super::scene::OwnedScene;
use super::transfer::Transfer;
use crate::backends::cpu::Cpu;
use crate::camera::Projection;
use crate::gradients::{Gradients, Wanted};
use crate::image::Image;

/// The statistics, and the gradients that they belong to.
const WANTED: Wanted = Wanted::NONE.with_splats(true).with_statistics(true);

/// Compares statistics with those of the CPU in `f64`.
pub(super) fn all<B: Transfer>(backend: &B) -> Vec<(&'static str, Result<(), Failure>)> {
    let shared = || {
        let mut scene = crowd(41, 2, 30, [37, 29], Projection::Pinhole);
        // Both views show the Gaussians in the middle, and the first view shows none of the last.
        scene.views.ranges = vec![0..45, 10..60];
        scene
    };
    let invalid = || {
        let mut scene = shared();
        scene.gaussians.means[3 * 20] = f64::NAN;
        scene.gaussians.opacities[30] = 0.0;
        scene
    };
    let harmonics = || {
        let mut scene = shared();
        harmonics_of(&mut scene, 2);
        scene
    };
    let large = || crowd(42, 1, 1000, [40, 40], Projection::Orthographic);
    let channels = || {
        let mut scene = shared();
        let g = &mut scene.gaussians;
        g.channels = 7;
        g.features = (0..7 * g.count).map(|i| (i % 13) as f64 / 12.0).collect();
        scene.backgrounds = vec![0.3; 2 * 7];
        scene
    };
    let cases: [(&'static str, OwnedScene); 5] = [
        ("shared Gaussians", shared()),
        ("invalid Gaussians", invalid()),
        ("harmonics", harmonics()),
        ("seven channels", channels()),
        ("many Gaussians", large()),
    ];
    let outcome = |(name, scene): (&'static str, OwnedScene)| (name, equal(backend, &scene));
    let mut outcomes: Vec<_> = cases.into_iter().map(outcome).collect();
    outcomes.push(("no depth", without_depth(backend, &shared())));
    outcomes
}

/// Returns the scene with thresholds so low that a weight below them is within the tolerances. The sums
/// over pixels have no pixels to leave out.
fn without_thresholds(scene: &OwnedScene) -> OwnedScene {
    let config = scene.config.clone();
    let config = config.with_alpha_min(1e-7).with_transmittance_min(1e-9);
    scene.clone().with_config(config)
}

fn equal<B: Transfer>(backend: &B, scene: &OwnedScene) -> Result<(), Failure> {
    let scene = without_thresholds(&scene.with_rounding(|x| backend.round(x)));
    let v_image = cotangent(&scene.oracle()?).without_layers();
    compare_all(backend, &scene, &v_image)
}

fn without_depth<B: Transfer>(backend: &B, scene: &OwnedScene) -> Result<(), Failure> {
    let scene = without_thresholds(&scene.with_rounding(|x| backend.round(x)));
    let v_image = cotangent(&scene.oracle()?).without_layers();
    let v_image = Image {
        depth: None,
        ..v_image
    };
    compare_all(backend, &scene, &v_image)
}

fn compare_all<B: Transfer>(
    backend: &B,
    scene: &OwnedScene,
    v_image: &Image<Vec<f64>>,
) -> Result<(), Failure> {
    let run = |wanted| run_backend(backend, scene, v_image, wanted);
    let got = run(WANTED)?.gradients;
    let expected = run_backend(&Cpu::<f64>::new(), scene, v_image, WANTED)?.gradients;
    compare_splats(backend, &got, &expected)?;
    compare_statistics(backend, &got, &expected)?;
    // The other gradients do not depend on the selection.
    let both = run(Wanted::ALL.with_splats(true).with_statistics(true))?.gradients;
    let alone = run(Wanted::ALL)?.gradients;
    if both.buffers() != alone.buffers() || alone.splats.is_some() || alone.statistics.is_some() {
        let expected =
            "the gradients of a run without statistics, and no statistics without a wish";
        return Err(Failure::property(expected, "others"));
    }
    if both.statistics != got.statistics {
        let expected = "the same bits in a second run";
        return Err(Failure::property(expected, "other statistics"));
    }
    Ok(())
}

fn compare_splats<B: Transfer>(
    backend: &B,
    got: &Gradients<Vec<f64>>,
    expected: &Gradients<Vec<f64>>,
) -> Result<(), Failure> {
    let absent = || Failure::property("a gradient with respect to splats", "none");
    let got = got.splats.as_ref().ok_or_else(absent)?;
    let expected = expected.splats.as_ref().ok_or_else(absent)?;
    for (name, got, expected) in [
        ("splats.means", &got.means, &expected.means),
        ("splats.conics", &got.conics, &expected.conics),
        ("splats.opacities", &got.opacities, &expected.opacities),
        ("splats.depths", &got.depths, &expected.depths),
        ("splats.features", &got.features, &expected.features),
    ] {
        compare(name, got, expected, gradient_tolerance(backend), |_| false)?;
    }
    Ok(())
}

fn compare_statistics<B: Transfer>(
    backend: &B,
    got: &Gradients<Vec<f64>>,
    expected: &Gradients<Vec<f64>>,
) -> Result<(), Failure> {
    let absent = || Failure::property("statistics", "none");
    let got = got.statistics.as_ref().ok_or_else(absent)?;
    let expected = expected.statistics.as_ref().ok_or_else(absent)?;
    let of_gaussians = got.buffers().into_iter().zip(expected.buffers());
    let of_splats = got
        .splats
        .buffers()
        .into_iter()
        .zip(expected.splats.buffers());
    for ((name, got), (_, expected)) in of_gaussians.chain(of_splats) {
        compare(name, got, expected, gradient_tolerance(backend), |_| false)?;
    }
    Ok(())
}
