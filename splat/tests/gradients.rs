//! Compares gradients of whole renders with finite differences, in `f64`. The differences are taken
//! of the oracle, which shares no formula with the renderer. They therefore check the forward and
//! the backward pass independently.

mod support;

use proptest::prelude::*;
use splat::Projection;
use support::{
    PROJECTIONS, World, cotangent, crowd, difference, gradient_row, loss, scale, smooth, worlds,
};

/// Tolerance between gradient and differences, relative, per kind of parameter.
const GRADIENT_TOLERANCE: f64 = 1e-6;

/// Step of the differences.
const STEP: f64 = 2e-5;

/// Returns the kinds of parameters, and where each kind ends in `World::parameters`.
fn kinds(world: &World) -> Vec<(&'static str, usize)> {
    let g = &world.gaussians;
    let mut end = 0;
    [
        ("means", g.means.len()),
        ("scales", g.scales.len()),
        ("quaternions", g.quaternions.len()),
        ("opacities", g.opacities.len()),
        ("features", g.features.len()),
        ("backgrounds", world.backgrounds.len()),
        ("poses", 12 * world.views.len()),
    ]
    .map(|(name, len)| {
        end += len;
        (name, end)
    })
    .to_vec()
}

fn compare(world: &World) -> Result<(), TestCaseError> {
    let v_image = cotangent(&world.render().0);
    let gradient = gradient_row(&world.gradients(&v_image));
    let x = world.parameters();
    let f = |x: &[f64]| loss(&world.with_parameters(x).oracle(), &v_image);
    let numeric: Vec<f64> = (0..x.len()).map(|i| difference(&x, i, STEP, f)).collect();
    let mut begin = 0;
    for (name, end) in kinds(world) {
        let size = scale(&numeric[begin..end]).max(1e-2);
        for i in begin..end {
            let error = (gradient[i] - numeric[i]).abs() / size;
            let (a, b) = (gradient[i], numeric[i]);
            prop_assert!(
                error <= GRADIENT_TOLERANCE,
                "{name}[{}]: gradient {a}, differences {b}",
                i - begin
            );
        }
        begin = end;
    }
    prop_assert_eq!(gradient.len(), x.len());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn gradients_match_differences_of_the_oracle(world in worlds()) {
        let config = smooth(world.config.clone());
        compare(&World { config, ..world })?;
    }
}

/// At the default thresholds, the gradients must match for all parameters that are not near a
/// threshold.
fn match_where_no_threshold_is_near(world: &World) {
    let v_image = cotangent(&world.render().0);
    let gradient = gradient_row(&world.gradients(&v_image));
    let x = world.parameters();
    let f = |x: &[f64]| loss(&world.with_parameters(x).oracle(), &v_image);
    let mut compared = 0;
    let mut begin = 0;
    for (name, end) in kinds(world) {
        // The loss is about ten, so the differences do not resolve smaller gradients.
        let size = scale(&gradient[begin..end]).max(1e-2);
        for i in begin..end {
            // If the wider stencil crosses a threshold, the two stencils disagree.
            let (wide, narrow) = (difference(&x, i, 4e-6, f), difference(&x, i, 1e-6, f));
            if (wide - narrow).abs() <= 1e-6 * size {
                compared += 1;
                assert!(
                    (gradient[i] - narrow).abs() <= 1e-6 * size,
                    "{name}: {} {narrow}",
                    gradient[i]
                );
            }
        }
        begin = end;
    }
    assert!(
        compared * 10 >= x.len() * 9,
        "only {compared} of {} compared",
        x.len()
    );
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
        let mut world = crowd(6, 1, 30, [9, 7], projection);
        world.gaussians.opacities.fill(0.9);
        // The hybrid camera draws the Gaussians a quarter as large.
        let more = if projection == Projection::Hybrid {
            2.0
        } else {
            0.5
        };
        world.gaussians.scales.iter_mut().for_each(|s| *s += more);
        let unending = World {
            config: world.config.clone().with_transmittance_min(0.0),
            ..world.clone()
        };
        let transmittance = |world: &World| world.render().0.transmittance.expect("asked for");
        let pixels = transmittance(&world)
            .into_iter()
            .zip(transmittance(&unending));
        let ended = pixels.filter(|(t, unending)| t > unending).count();
        assert!(ended > 20, "{projection:?}: {ended} of 63 pixels end");
        match_where_no_threshold_is_near(&world);
    }
}

#[test]
fn more_splats_per_tile_than_any_batch_still_match_differences() {
    let mut world = crowd(8, 1, 150, [9, 7], Projection::Orthographic);
    for opacity in &mut world.gaussians.opacities {
        *opacity *= 0.1;
    }
    world.config = smooth(world.config);
    world.gaussians.scales.iter_mut().for_each(|s| *s += 0.1);
    let v_image = cotangent(&world.render().0);
    let gradient = gradient_row(&world.gradients(&v_image));
    let x = world.parameters();
    let f = |x: &[f64]| loss(&world.with_parameters(x).oracle(), &v_image);
    // One parameter in seven, because the oracle is slow.
    for i in (0..x.len()).step_by(7) {
        let numeric = difference(&x, i, STEP, f);
        assert!(
            (gradient[i] - numeric).abs() <= 1e-6 * scale(&gradient),
            "parameter {i}: {} {numeric}",
            gradient[i]
        );
    }
}

#[test]
fn at_the_alpha_clamp_geometry_and_opacity_get_nothing_and_features_do() {
    let mut world = crowd(2, 1, 1, [1, 1], Projection::Orthographic);
    world.gaussians.means = vec![0.0; 3];
    world.gaussians.scales = vec![5.0; 3];
    world.gaussians.opacities = vec![1.0];
    world.views.cameras[0] = splat::Camera::orthographic(1.0, 1.0, 0.5, 0.5);
    world.config = world.config.with_alpha_max(0.9);
    let v_image = cotangent(&world.render().0);
    let v = world.gradients(&v_image).gaussians;
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
