//! The scenes have the properties of their kinds, and shrink.

use proptest::test_runner::{Config, TestError, TestRunner};

use super::*;
use crate::check::max_magnitude;
use crate::oracle::threshold_distances;

/// Runs a property of one kind. The generator has the same seed in every run.
#[expect(clippy::result_large_err, reason = "the type of proptest")]
fn run(kind: Kind, property: impl Fn(OwnedScene) -> bool) -> Result<(), TestError<OwnedScene>> {
    let config = Config {
        failure_persistence: None,
        ..Config::with_cases(200)
    };
    let rng = proptest::test_runner::TestRng::deterministic_rng(config.rng_algorithm);
    let mut runner = TestRunner::new_with_rng(config, rng);
    runner.run(&scenes(SceneOptions::new(kind)), |scene| {
        if property(scene) {
            Ok(())
        } else {
            Err(TestCaseError::fail("the property does not hold"))
        }
    })
}

fn minimal(kind: Kind, property: impl Fn(OwnedScene) -> bool) -> OwnedScene {
    match run(kind, property) {
        Err(TestError::Fail(_, scene)) => scene,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_failing_scene_shrinks_to_one_that_can_be_read() {
    let scene = minimal(Kind::Ordinary, |scene| {
        scene
            .gaussians
            .opacities
            .iter()
            .all(|&opacity| opacity < 0.5)
    });
    let g = &scene.gaussians;
    assert_eq!((g.count, g.channels, scene.views.len()), (1, 1, 1));
    assert_eq!((scene.views.width, scene.views.height), (6, 6));
    assert_eq!(g.opacities, [0.5]);
    assert_eq!(
        (&g.means[..], &g.scales[..]),
        (&[0.0; 3][..], &[0.05; 3][..])
    );
    assert_eq!(
        (&g.quaternions[..], &g.features[..]),
        (&[1.5, 0.0, 0.0, 0.0][..], &[0.0][..])
    );
    assert_eq!(scene.backgrounds, [0.0]);
}

#[test]
fn a_hostile_number_survives_the_shrinking() {
    let scene = minimal(Kind::Hostile, |scene| {
        scene.gaussians.means.iter().all(|x| !x.is_nan())
    });
    assert_eq!(scene.gaussians.count, 1);
    assert!(scene.gaussians.means.iter().any(|x| x.is_nan()));
}

fn distance(scene: &OwnedScene) -> f64 {
    let all = threshold_distances(&scene.scene(), &scene.config).expect("a valid scene");
    all.into_iter().flatten().fold(f64::INFINITY, f64::min)
}

#[test]
fn interior_scenes_keep_away_from_thresholds() {
    run(Kind::Interior, |scene| distance(&scene) > 0.05).expect("no threshold within 5 %");
    let scene = minimal(Kind::Ordinary, |scene| distance(&scene) > 0.05);
    assert!(distance(&scene) <= 0.05);
}

#[test]
fn scenes_near_thresholds_are_within_the_rounding_of_single_precision() {
    let scene = minimal(Kind::NearThresholds, |scene| distance(&scene) > 1e-4);
    assert_eq!(scene.gaussians.count, 1);
}

#[test]
fn needles_are_long_and_scenes_are_valid() {
    run(Kind::Needles, |scene| {
        let longest = max_magnitude(&scene.gaussians.scales);
        let thinnest = scene
            .gaussians
            .scales
            .iter()
            .copied()
            .fold(f64::INFINITY, f64::min);
        longest >= 100.0 * thinnest && scene.render().is_ok()
    })
    .expect("needles");
    run(Kind::Hostile, |scene| scene.render().is_ok()).expect("values are never errors");
}

#[test]
fn options_bound_the_scenes() {
    let options = SceneOptions::new(Kind::Ordinary)
        .with_gaussians(3..=5)
        .with_channels(2..=2)
        .with_views(0..=1)
        .with_side(1..=4)
        .with_projections(vec![Projection::Hybrid]);
    let mut runner = TestRunner::deterministic();
    let outcome = runner.run(&scenes(options), |scene| {
        let (g, views) = (&scene.gaussians, &scene.views);
        prop_assert!((3..=5).contains(&g.count) && g.channels == 2 && views.len() <= 1);
        prop_assert!(views.width <= 4 && views.height <= 4);
        prop_assert!(
            views
                .cameras
                .iter()
                .all(|c| c.projection == Projection::Hybrid)
        );
        Ok(())
    });
    outcome.expect("every scene is within the options");
}

#[test]
fn odd_options_are_mended() {
    let mut runner = TestRunner::deterministic();
    let options = SceneOptions::new(Kind::Ordinary)
        .with_gaussians(RangeInclusive::new(300, 200))
        .with_views(RangeInclusive::new(2, 1))
        .with_side(RangeInclusive::new(9, 8))
        .with_projections(Vec::new());
    let outcome = runner.run(&scenes(options), |scene| {
        prop_assert_eq!(scene.gaussians.count, 100);
        prop_assert!((1..=2).contains(&scene.views.len()));
        Ok(())
    });
    outcome.expect("a hundred Gaussians have distinct depths");
}
