//! Culled Gaussians in a scene with visible ones.

use super::*;

/// Returns `world` with Gaussians that must be culled, one of each kind.
fn with_culled(world: &OwnedScene) -> OwnedScene {
    let mut world = world.clone();
    let hostile: [(&str, [f64; 3], f64, f64, f64); 12] = [
        ("behind the camera", [0.0, 0.0, -9.0], 0.1, 0.5, 1.0),
        ("nearer than near", [0.0, 0.0, -3.995], 0.1, 0.5, 1.0),
        ("too faint", [0.0, 0.0, 0.0], 0.1, 1.0 / 256.0, 1.0),
        ("negative opacity", [0.0, 0.0, 0.0], 0.1, -0.5, 1.0),
        ("off the image", [50.0, 0.0, 0.0], 0.1, 0.5, 1.0),
        ("NaN mean", [f64::NAN, 0.0, 0.0], 0.1, 0.5, 1.0),
        ("infinite mean", [0.0, 0.0, f64::INFINITY], 0.1, 0.5, 1.0),
        ("NaN scale", [0.0, 0.0, 0.0], f64::NAN, 0.5, 1.0),
        ("infinite scale", [0.0, 0.0, 0.0], f64::INFINITY, 0.5, 1.0),
        ("NaN opacity", [0.0, 0.0, 0.0], 0.1, f64::NAN, 1.0),
        ("infinite opacity", [0.0, 0.0, 0.0], 0.1, f64::INFINITY, 1.0),
        ("zero quaternion", [0.0, 0.0, 0.0], 0.1, 0.5, 0.0),
    ];
    let g = &mut world.gaussians;
    for (_, mean, scale, opacity, w) in hostile {
        g.means.extend(mean);
        g.scales.extend([scale; 3]);
        g.quaternions.extend([w, 0.0, 0.0, 0.0]);
        g.opacities.push(opacity);
        g.features.extend([0.5; 3]);
        g.count += 1;
    }
    g.means.extend([0.0; 3]);
    g.scales.extend([0.1; 3]);
    g.quaternions.extend([1.0, 0.0, 0.0, 0.0]);
    g.opacities.push(0.5);
    g.features.extend([0.5, f64::NAN, 0.5]);
    g.count += 1;
    world.views.ranges = std::iter::once(0..g.count).collect();
    world
}

#[test]
fn culled_gaussians_change_no_bit_get_no_gradient_and_are_counted() {
    for projection in PROJECTIONS {
        let world = crowd(12, 1, 50, [40, 30], projection);
        // The orthographic projection has no near plane by default.
        let mut world = world;
        world.views.cameras[0] = world.views.cameras[0].with_depth_range(0.01, 1e10);
        let more = with_culled(&world);
        let ((clean, saved), (image, saved_more)) = (world.rendered(), more.rendered());
        assert!(
            clean == image,
            "{projection:?}: culled Gaussians changed the image"
        );
        assert_eq!(saved_more.splats.culled()[0], saved.splats.culled()[0] + 13);
        let v = cotangent(&clean);
        let (a, b) = (world.vjp(&v), more.vjp(&v));
        let n = world.gaussians.count;
        assert_eq!(a.gaussians.means, b.gaussians.means[..3 * n]);
        assert_eq!(a.camera_from_world, b.camera_from_world);
        let g = &b.gaussians;
        for rest in [
            &g.means[3 * n..],
            &g.scales[3 * n..],
            &g.quaternions[4 * n..],
            &g.opacities[n..],
            &g.features[3 * n..],
        ] {
            assert!(
                rest.iter().all(|&x| x == 0.0),
                "a culled Gaussian got a gradient: {rest:?}"
            );
        }
    }
}
