//! The circle of cameras of `view_scene` and `orbit`.

use splat::io::{Colours, StoredScene, StoredView};
use splat::{Camera, RenderError};

use crate::camera_circle::around;

/// A place far from the middle of the scene.
const TARGET: [f64; 3] = [3.0, -2.0, 1.0];

/// A flat scene of nine Gaussians around zero.
fn scene() -> StoredScene {
    let means = (0..9).flat_map(|i| [(i % 3) as f32 - 1.0, 0.0, (i / 3) as f32 - 1.0]);
    let quaternions = [1.0, 0.0, 0.0, 0.0].repeat(9);
    let colours = Colours::Constant(vec![0.5; 27]);
    StoredScene::new(
        means.collect(),
        vec![0.1; 27],
        quaternions,
        vec![0.5; 9],
        colours,
    )
    .expect("as many numbers")
}

fn camera(eye: [f64; 3], target: [f64; 3], up: [f64; 3]) -> StoredView {
    let camera = Camera::from_fov(40, 30, 1.0).and_then(|camera| camera.look_at(eye, target, up));
    StoredView {
        camera: camera.expect("a camera"),
        width: 40,
        height: 30,
    }
}

fn circle(stored: &[StoredView]) -> Vec<Camera> {
    let cameras: Result<_, RenderError> = around(&scene().gaussians(), stored, 6, [40, 30]);
    cameras.expect("cameras")
}

fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

fn axis(camera: &Camera, row: usize) -> [f64; 3] {
    let [x, y, z, _] = camera.camera_from_world[row];
    [x, y, z]
}

/// Returns the place of a camera.
fn eye(camera: &Camera) -> [f64; 3] {
    let rows = camera.camera_from_world;
    [0, 1, 2].map(|k| -(0..3).map(|i| rows[i][k] * rows[i][3]).sum::<f64>())
}

fn offset(camera: &Camera, target: [f64; 3]) -> [f64; 3] {
    let eye = eye(camera);
    [0, 1, 2].map(|k| eye[k] - target[k])
}

/// Asserts that the cameras are upright, at `height` above `target`, at the distance `radius` from the
/// axis, and look at the target.
#[track_caller]
fn assert_circle(cameras: &[Camera], target: [f64; 3], up: [f64; 3], [radius, height]: [f64; 2]) {
    let mut sum = [0.0; 3];
    for camera in cameras {
        let offset = offset(camera, target);
        let rise = dot(offset, up);
        let across = (dot(offset, offset) - rise * rise).sqrt();
        assert!((rise - height).abs() < 0.05 * radius, "{rise}, {height}");
        assert!(
            (across - radius).abs() < 0.05 * radius,
            "{across}, {radius}"
        );
        // The axis to the right is level.
        let level = dot(axis(camera, 0), up);
        assert!(level.abs() < 0.02, "{level}");
        assert!(dot(axis(camera, 1), up) < 0.0, "upside down");
        let ahead = -dot(axis(camera, 2), offset) / dot(offset, offset).sqrt();
        assert!(ahead > 0.998, "{ahead}");
        sum = [0, 1, 2].map(|k| sum[k] + offset[k]);
    }
    // All around the axis.
    let count = cameras.len() as f64;
    let mean = sum.map(|x| x / count);
    let beside = (dot(mean, mean) - dot(mean, up).powi(2)).max(0.0).sqrt();
    assert!(beside < 0.05 * radius, "{mean:?}");
}

/// Three cameras on one side, which look down: the mean of their upward directions is tilted.
#[test]
fn the_circle_is_that_of_the_cameras_of_the_file() {
    for up in [0, 1, 2] {
        for sign in [1.0, -1.0] {
            let mut direction = [0.0; 3];
            direction[up] = sign;
            let view = |turn: f64| {
                let mut eye = TARGET;
                eye[up] += 1.5 * sign;
                eye[(up + 1) % 3] += 2.0 * turn.cos();
                eye[(up + 2) % 3] += 2.0 * turn.sin();
                camera(eye, TARGET, direction)
            };
            let stored = [0.3, 0.8, 1.5].map(view);
            assert_circle(&circle(&stored), TARGET, direction, [2.0, 1.5]);
        }
    }
}

#[test]
fn without_cameras_that_look_at_one_place_the_circle_is_that_of_the_scene() {
    let default = circle(&[]);
    // The median distance is 1, and y points down.
    assert_circle(&default, [0.0; 3], [0.0, -1.0, 0.0], [2.5, 0.75]);
    // Cameras that look outwards, or are upside down as often as not.
    let outward = [
        [1.0, 0.0, 0.0],
        [0.0, 0.0, 1.0],
        [-1.0, 0.0, 0.0],
        [0.0, 0.0, -1.0],
    ];
    let stored = outward.map(|eye| camera(eye, eye.map(|x| 2.0 * x), [0.0, 1.0, 0.0]));
    assert_circle(&circle(&stored), [0.0; 3], [0.0, 1.0, 0.0], [2.5, 0.75]);
    let stored = [1.0, -1.0].map(|y| camera([0.0, 0.0, -1.0], [0.0; 3], [0.0, y, 0.0]));
    let cameras = circle(&stored);
    assert!(
        cameras.iter().all(|camera| axis(camera, 1)[1] > 0.5),
        "up is -y"
    );
}

/// One camera leaves the point along its line of sight open. The nearest to the scene is taken.
#[test]
fn one_camera_is_on_the_circle() {
    let up = [0.0, 0.0, 1.0];
    let stored = [camera([0.0, -3.0, 1.0], [0.0; 3], up)];
    let cameras = circle(&stored);
    let length = 10f64.sqrt();
    // Its own upward direction is the axis.
    let up = axis(&stored[0].camera, 1).map(|x| -x);
    for camera in &cameras {
        let offset = offset(camera, [0.0; 3]);
        assert!(
            (dot(offset, offset).sqrt() - length).abs() < 1e-9,
            "{offset:?}"
        );
        assert!(
            axis(camera, 1)
                .iter()
                .zip(up)
                .all(|(y, up)| (y + up).abs() < 1e-9)
        );
    }
}
