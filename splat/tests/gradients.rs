//! Compares gradients of whole renders with finite differences, in `f64`. The differences are taken
//! of the oracle, which shares no formula with the renderer. They therefore check the forward and
//! the backward pass independently.

mod support;

use proptest::prelude::*;
use splat::check::{
    Compared, Failure, Kind, OwnedScene, PROJECTIONS, Quotients, check_gradients, cotangent, crowd,
    scenes, smooth,
};
use splat::{Gradients, Projection};
use support::Valid;

/// Differences of smooth scenes: a larger step has a smaller rounding error. It can cross the clamp
/// of the tangents, which is a kink.
const SMOOTH: Quotients = Quotients::DEFAULT.with_step(2e-5).with_most_skipped(0.05);

fn quotients_of(scene: &OwnedScene, quotients: Quotients) -> Result<Compared, Failure> {
    let v_image = cotangent(&scene.rendered().0);
    check_gradients(scene, &v_image, &scene.vjp(&v_image), quotients)
}

fn smoothed(scene: OwnedScene) -> OwnedScene {
    let config = smooth(scene.config.clone());
    scene.with_config(config)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn gradients_match_differences_of_the_oracle(scene in scenes(Kind::Ordinary)) {
        let compared = quotients_of(&smoothed(scene), SMOOTH);
        prop_assert!(compared.is_ok(), "{compared:?}");
    }

    #[test]
    fn gradients_of_interior_scenes_match_differences_at_the_default_thresholds(
        scene in scenes(Kind::Interior)
    ) {
        let compared = quotients_of(&scene, SMOOTH);
        prop_assert!(compared.is_ok(), "{compared:?}");
    }
}

/// At the default thresholds, the gradients must match for all parameters that are not near a
/// threshold.
fn match_where_no_threshold_is_near(scene: &OwnedScene) {
    let compared = quotients_of(scene, Quotients::DEFAULT).expect("right gradients");
    assert!(compared.skipped * 10 <= compared.equal, "{compared:?}");
}

#[test]
fn gradients_match_differences_at_the_default_thresholds() {
    for projection in PROJECTIONS {
        match_where_no_threshold_is_near(&crowd(5, 1, 12, [13, 11], projection));
    }
}

/// A pixel gives no gradient to the splat at which it ends, nor to the splats behind.
#[test]
fn gradients_of_pixels_that_end_match_differences() {
    for projection in PROJECTIONS {
        let mut scene = crowd(6, 1, 30, [9, 7], projection);
        scene.gaussians.opacities.fill(0.9);
        // The hybrid camera draws the Gaussians a quarter as large.
        let more = if projection == Projection::Hybrid {
            2.0
        } else {
            0.5
        };
        scene.gaussians.scales.iter_mut().for_each(|s| *s += more);
        let config = scene.config.clone().with_transmittance_min(0.0);
        let unending = scene.clone().with_config(config);
        let transmittance =
            |scene: &OwnedScene| scene.rendered().0.transmittance.expect("asked for");
        let pixels = transmittance(&scene)
            .into_iter()
            .zip(transmittance(&unending));
        let ended = pixels.filter(|(t, unending)| t > unending).count();
        assert!(ended > 20, "{projection:?}: {ended} of 63 pixels end");
        match_where_no_threshold_is_near(&scene);
    }
}

#[test]
fn more_splats_per_tile_than_any_batch_still_match_differences() {
    let mut scene = crowd(8, 1, 150, [9, 7], Projection::Orthographic);
    for opacity in &mut scene.gaussians.opacities {
        *opacity *= 0.1;
    }
    scene.gaussians.scales.iter_mut().for_each(|s| *s += 0.1);
    // One parameter in seven, because the oracle is slow.
    let compared = quotients_of(&smoothed(scene), SMOOTH.with_stride(7)).expect("right gradients");
    // A large step can exchange two splats of almost equal depth.
    assert!(compared.skipped * 20 <= compared.equal, "{compared:?}");
}

#[test]
fn at_the_alpha_clamp_geometry_and_opacity_get_nothing_and_features_do() {
    let mut scene = crowd(2, 1, 1, [1, 1], Projection::Orthographic);
    scene.gaussians.means = vec![0.0; 3];
    scene.gaussians.scales = vec![5.0; 3];
    scene.gaussians.opacities = vec![1.0];
    scene.views.cameras[0] = splat::Camera::orthographic(1.0, 1.0, 0.5, 0.5);
    scene.config = scene.config.with_alpha_max(0.9);
    let v_image = cotangent(&scene.rendered().0);
    let v = scene.vjp(&v_image).gaussians;
    assert_eq!(v.opacities, [0.0]);
    assert_eq!(v.scales, [0.0; 3]);
    assert_eq!(v.means[..2], [0.0; 2]);
    for (channel, v_feature) in v.features.iter().enumerate() {
        approx::assert_relative_eq!(
            *v_feature,
            0.9 * v_image.features[channel],
            max_relative = 1e-14
        );
    }
}

/// Tolerance between the gradients of the oracle and of the CPU, relative to the largest element of
/// a buffer. They sum in different orders.
const ORACLE: f64 = 1e-10;

/// The same for needles. The oracle computes the determinant of a covariance as a difference of
/// products, which cancel for a needle.
const NEEDLES: f64 = 1e-6;

fn equal_to_the_oracle(scene: &OwnedScene, tolerance: f64) -> Result<(), Failure> {
    let v_image = cotangent(&scene.specified());
    let expected: Gradients<Vec<f64>> = scene.oracle_gradients(&v_image)?;
    let pairs = scene.vjp(&v_image);
    for ((name, got), (_, expected)) in pairs.buffers().into_iter().zip(expected.buffers()) {
        let tolerance = splat::check::Tolerance::of_largest(tolerance).with_floor(1e-2);
        splat::check::compare(name, got, expected, tolerance, |_| false)?;
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn gradients_are_those_of_the_oracle(scene in scenes(Kind::Ordinary)) {
        prop_assert_eq!(equal_to_the_oracle(&scene, ORACLE), Ok(()));
    }

    #[test]
    fn gradients_of_needles_are_those_of_the_oracle(scene in scenes(Kind::Needles)) {
        prop_assert_eq!(equal_to_the_oracle(&scene, NEEDLES), Ok(()));
    }

    #[test]
    fn gradients_near_thresholds_are_those_of_the_oracle(scene in scenes(Kind::NearThresholds)) {
        prop_assert_eq!(equal_to_the_oracle(&scene, ORACLE), Ok(()));
    }

    /// The oracle's dual numbers, against differences of its own images.
    #[test]
    fn gradients_of_the_oracle_match_its_differences(scene in scenes(Kind::Ordinary)) {
        let scene = smoothed(scene);
        let v_image = cotangent(&scene.specified());
        let gradients = scene.oracle_gradients(&v_image).expect("a valid scene");
        let compared = check_gradients(&scene, &v_image, &gradients, SMOOTH.with_stride(3));
        prop_assert!(compared.is_ok(), "{compared:?}");
    }
}
