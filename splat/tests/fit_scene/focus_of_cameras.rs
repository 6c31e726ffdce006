//! The place of a scene, from the poses of its cameras.

use splat::Camera;

use crate::focus::Focus;

fn camera(eye: [f64; 3], target: [f64; 3]) -> Camera {
    let camera = Camera::from_fov(64, 48, 1.0).expect("an angle");
    camera
        .look_at(eye, target, [0.1, -1.0, 0.2])
        .expect("a direction")
}

/// Cameras at the distance 3 from a point far from zero.
#[test]
fn cameras_around_a_point_see_it() {
    let target = [100.0, -20.0, 7.0];
    let cameras: Vec<Camera> = (0..8)
        .map(|i| {
            let (sin, cos) = (0.4 * f64::from(i)).sin_cos();
            camera([100.0 + 3.0 * sin, -20.0, 7.0 + 3.0 * cos], target)
        })
        .collect();
    let place = Focus::of(cameras.iter()).expect("a place");
    assert!(!place.is_guess);
    assert!((place.distance - 3.0).abs() < 1e-4, "{}", place.distance);
    let mean = |k: usize| -> f64 {
        let centre = |camera: &Camera| {
            let rows = camera.camera_from_world;
            -rows.iter().map(|row| row[k] * row[3]).sum::<f64>()
        };
        cameras.iter().map(centre).sum::<f64>() / 8.0
    };
    for k in 0..3 {
        assert!((place.origin[k] - mean(k)).abs() < 1e-9);
    }
    assert!(
        place.extent >= place.distance && place.extent < 4.0,
        "{}",
        place.extent
    );
}

/// Their axes are parallel, or do not meet in front of them.
#[test]
fn other_cameras_have_a_distance_too() {
    let along = [0.0, 0.0, 1.0];
    let one = vec![camera([0.0; 3], along)];
    let row: Vec<Camera> = (0..5)
        .map(|i| camera([f64::from(i), 0.0, 0.0], [f64::from(i), 0.0, 1.0]))
        .collect();
    let outwards: Vec<Camera> = (0..6)
        .map(|i| {
            let (sin, cos) = f64::from(i).sin_cos();
            camera([2.0 * sin, 0.0, 2.0 * cos], [4.0 * sin, 0.0, 4.0 * cos])
        })
        .collect();
    for (cameras, least, most) in [(one, 0.9, 1.1), (row, 1.0, 5.0), (outwards, 1.0, 5.0)] {
        let mut focus = Focus::of(cameras.iter()).expect("a place");
        let (distance, extent) = (focus.distance, focus.extent);
        assert!(focus.is_guess);
        // The points of the start say where the scene is.
        focus.know(0.01);
        assert_eq!((focus.distance, focus.is_guess), (0.01, false));
        focus.know(7.0);
        assert_eq!(focus.distance, 0.01, "no guess is left");
        assert!(focus.extent <= extent, "{}", focus.extent);
        assert!((least..most).contains(&distance), "{distance}");
        assert!((least..most).contains(&extent), "{extent}");
    }
}

#[test]
fn cameras_too_far_away_or_too_near_are_refused() {
    let ring = |size: f64| -> Vec<Camera> {
        let eyes = (0..4).map(|i| (1.5 * f64::from(i)).sin_cos());
        let poses = eyes.map(|(sin, cos)| {
            let row = |x: [f64; 3], shift: f64| [x[0], x[1], x[2], shift];
            let forward = [-sin, 0.0, -cos];
            let rows = [
                row([-cos, 0.0, sin], 0.0),
                row([0.0, 1.0, 0.0], 0.0),
                row(forward, size),
            ];
            Camera::pinhole(50.0, 50.0, 24.0, 18.0).with_pose(rows)
        });
        poses.collect()
    };
    assert!(Focus::of(ring(3.0).iter()).is_ok());
    for size in [1e200, 1e20, 1e-20, f64::NAN] {
        let error = Focus::of(ring(size).iter())
            .map(|_| ())
            .expect_err("a wrong size");
        assert!(error.starts_with("frames: expected cameras"), "{error}");
    }
}
