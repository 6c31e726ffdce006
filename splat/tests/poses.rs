//! Cameras from fields of view, points to look at, and the poses of other programs.

use proptest::prelude::*;
use splat::check::{
    Kind, cotangent, crowd, difference, linear_loss, max_difference, max_magnitude, scenes,
};
use splat::{Camera, Cpu, RenderError, Views};

/// Returns the pixel coordinates and the depth of a point of the world.
fn project(camera: &Camera, point: [f64; 3]) -> [f64; 3] {
    let [x, y, z] = camera
        .camera_from_world
        .map(|[a, b, c, shift]| a * point[0] + b * point[1] + c * point[2] + shift);
    [
        camera.fx * x / z + camera.cx,
        camera.fy * y / z + camera.cy,
        z,
    ]
}

fn assert_near(a: &[f64], b: &[f64], what: &str) {
    assert_eq!(a.len(), b.len());
    let off = a
        .iter()
        .zip(b)
        .fold(0.0, |most: f64, (a, b)| most.max((a - b).abs()));
    assert!(off < 1e-9, "{what}: {a:?} and {b:?}");
}

fn camera() -> Camera {
    Camera::from_fov(640, 480, 1.1).expect("an angle")
}

/// Eyes and targets in all directions, also far from the origin.
fn places() -> impl Iterator<Item = ([f64; 3], [f64; 3])> {
    let targets = [[0.0, 0.0, 0.0], [3.0, -2.0, 7.0], [5e5, 4e6, 100.0]];
    let offsets = [
        [0.0, 0.1, -5.0],
        [4.0, 1.0, 0.5],
        [-2.0, 3.0, 9.0],
        [1e-3, 0.0, -1e-3],
    ];
    targets.into_iter().flat_map(move |target| {
        offsets.map(|offset| (std::array::from_fn(|i| target[i] + offset[i]), target))
    })
}

#[test]
fn the_field_of_view_ends_at_the_borders() {
    let camera = camera();
    let half = 0.55_f64;
    assert_near(
        &project(&camera, [half.tan(), 0.0, 1.0]),
        &[640.0, 240.0, 1.0],
        "right",
    );
    assert_near(
        &project(&camera, [-half.tan(), 0.0, 1.0]),
        &[0.0, 240.0, 1.0],
        "left",
    );
    assert_eq!(camera.fx, camera.fy);
}

#[test]
fn the_target_is_in_the_middle_and_up_is_upwards() {
    for (eye, target) in places() {
        for up in [[0.0, -1.0, 0.0], [0.0, 0.0, 2.0], [1.0, 1.0, 1e-3]] {
            let camera = camera().look_at(eye, target, up).expect("a direction");
            let distance = (0..3)
                .map(|i| (target[i] - eye[i]).powi(2))
                .sum::<f64>()
                .sqrt();
            // Far from the origin, the shift of the pose has an error of 1e-9.
            let [u, v, z] = project(&camera, target);
            assert!(
                (u - 320.0).abs() + (v - 240.0).abs() < 1e-2,
                "{eye:?} {target:?}: {u} {v}"
            );
            assert!(
                (z - distance).abs() < 1e-8 + 1e-9 * distance,
                "{z} {distance}"
            );
            let above = std::array::from_fn(|i| target[i] + 0.1 * distance * up[i]);
            let [u_above, v_above, _] = project(&camera, above);
            assert!(v_above < v - 1.0, "{v_above} is not above {v}");
            assert!((u_above - u).abs() < 1e-1, "{u_above} is not above {u}");
        }
    }
}

/// The same camera, given as a matrix of OpenGL, as a quaternion, and by a point.
#[test]
fn the_poses_of_other_programs_are_those_of_this_one() {
    let pose = |camera: Camera| camera.camera_from_world.as_flattened().to_vec();
    // The camera at (0, 0, 5) looks along -z, with y upwards: OpenGL's camera without a rotation.
    let opengl = [
        [1.0, 0.0, 0.0, 0.0],
        [0.0, 1.0, 0.0, 0.0],
        [0.0, 0.0, 1.0, 5.0],
        [0.0, 0.0, 0.0, 1.0],
    ];
    let by_matrix = camera().with_opengl_pose(opengl).expect("a rotation");
    let by_target = camera().look_at([0.0, 0.0, 5.0], [0.0, 0.0, 1.0], [0.0, 1.0, 0.0]);
    let by_target = by_target.expect("a direction");
    assert_near(&pose(by_matrix), &pose(by_target), "OpenGL");
    // Any rotation: the matrix has the axes of the camera in its columns.
    for (eye, target) in places() {
        let expected = camera()
            .look_at(eye, target, [0.3, -1.0, 0.2])
            .expect("a direction");
        let rows = expected.camera_from_world;
        let row = |i: usize| [rows[0][i], -rows[1][i], -rows[2][i], eye[i]];
        let matrix = [row(0), row(1), row(2), [0.0, 0.0, 0.0, 1.0]];
        let by_matrix = camera().with_opengl_pose(matrix).expect("a rotation");
        let scale = eye.iter().fold(1.0, |most: f64, x| most.max(x.abs()));
        for (a, b) in pose(by_matrix).iter().zip(pose(expected)) {
            assert!((a - b).abs() < 1e-12 * scale, "{a} {b}");
        }
    }
    // Three digits of a matrix are made a rotation.
    let rounded = opengl.map(|row| row.map(|x: f64| x + 4e-4 * x.signum()));
    let mut rounded = rounded;
    rounded[3] = opengl[3];
    let axes = camera()
        .with_opengl_pose(rounded)
        .expect("nearly a rotation")
        .camera_from_world;
    for (i, a) in axes.iter().enumerate() {
        for (j, b) in axes.iter().enumerate() {
            let product: f64 = a[..3].iter().zip(&b[..3]).map(|(a, b)| a * b).sum();
            assert!(
                (product - f64::from(u8::from(i == j))).abs() < 1e-12,
                "{i} {j} {product}"
            );
        }
    }
    // Half a turn about x.
    for length in [1.0, -3.0, 1e-200, 1e200] {
        let by_quaternion = camera().with_colmap_pose([0.0, length, 0.0, 0.0], [0.0, 0.0, 5.0]);
        let by_quaternion = by_quaternion.expect("a rotation");
        assert_near(&pose(by_quaternion), &pose(by_target), "COLMAP");
    }
    // An eighth of a turn about z, clockwise in the picture: x points to the lower right.
    let (sin, cos) = (std::f64::consts::PI / 8.0).sin_cos();
    let turned = camera().with_colmap_pose([cos, 0.0, 0.0, sin], [1.0, 2.0, 3.0]);
    let half = 0.5_f64.sqrt();
    let expected = [
        half, -half, 0.0, 1.0, half, half, 0.0, 2.0, 0.0, 0.0, 1.0, 3.0,
    ];
    assert_near(
        &pose(turned.expect("a rotation")),
        &expected,
        "COLMAP, turned",
    );
}

/// Asserts that an error names its argument.
fn assert_refused(result: Result<Camera, RenderError>, argument: &str) {
    let error = result.expect_err(argument).to_string();
    assert!(error.contains(argument), "{argument}: {error}");
}

#[test]
fn what_is_no_camera_is_refused_by_name() {
    for angle in [
        0.0,
        -1.0,
        std::f64::consts::PI,
        f64::NAN,
        f64::INFINITY,
        1e-320,
    ] {
        assert_refused(Camera::from_fov(4, 4, angle), "fov_x");
    }
    assert_refused(Camera::from_fov(0, 4, 1.0), "fov_x");
    let (here, there, up) = ([1.0, 2.0, 3.0], [1.0, 2.0, 4.0], [0.0, -1.0, 0.0]);
    let nan = [0.0, f64::NAN, 0.0];
    assert_refused(camera().look_at(nan, there, up), "eye");
    assert_refused(camera().look_at(here, nan, up), "target");
    assert_refused(camera().look_at(here, here, up), "target");
    assert_refused(
        camera().look_at([-f64::MAX; 3], [f64::MAX; 3], up),
        "target",
    );
    for up in [nan, [0.0; 3], [0.0, 0.0, 3.0], [0.0, 0.0, -1e-300]] {
        assert_refused(camera().look_at(here, there, up), "up");
    }
    assert!(camera().look_at(here, there, [0.0, -1e-300, 0.0]).is_ok());
    let rotation = [
        [1.0, 0.0, 0.0, 0.0],
        [0.0, 1.0, 0.0, 0.0],
        [0.0, 0.0, 1.0, 5.0],
        [0.0, 0.0, 0.0, 1.0],
    ];
    let changes: [(usize, usize, f64); 6] = [
        (0, 0, 1.1),
        (0, 0, -1.0),
        (0, 1, 0.1),
        (1, 3, f64::INFINITY),
        (2, 2, f64::NAN),
        (3, 0, 0.5),
    ];
    for (row, column, value) in changes {
        let mut matrix = rotation;
        matrix[row][column] = value;
        assert_refused(camera().with_opengl_pose(matrix), "world_from_camera");
    }
    assert_refused(camera().with_colmap_pose([0.0; 4], [0.0; 3]), "quaternion");
    let infinite = [1.0, f64::INFINITY, 0.0, 0.0];
    assert_refused(camera().with_colmap_pose(infinite, [0.0; 3]), "quaternion");
    assert_refused(camera().with_colmap_pose([1.0; 4], nan), "translation");
}

#[test]
fn each_view_of_a_dense_batch_may_have_its_camera() {
    let moved = camera().with_pose([
        [1.0, 0.0, 0.0, 0.5],
        [0.0, 1.0, 0.0, 0.0],
        [0.0, 0.0, 1.0, 2.0],
    ]);
    let cameras = vec![camera(), moved, camera()];
    let views = Views::dense_with_cameras(64, 48, cameras.clone(), 5).expect("a small batch");
    assert_eq!((views.width, views.height), (64, 48));
    assert_eq!(views.cameras, cameras);
    assert_eq!(views.ranges, [0..5, 5..10, 10..15]);
    views.validate(15).expect("ranges within the Gaussians");

    let equal = vec![camera(); 3];
    assert_eq!(
        Views::dense_with_cameras(64, 48, equal, 5),
        Views::dense(64, 48, camera(), 3, 5)
    );
    let none = Views::dense_with_cameras(64, 48, Vec::new(), 5).expect("an empty batch");
    assert!(none.is_empty());
    assert!(matches!(
        Views::dense_with_cameras(64, 48, cameras, usize::MAX),
        Err(RenderError::Capacity { .. })
    ));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// The tangent gradient is the derivative of the loss along the motions of the camera.
    #[test]
    fn the_tangent_gradient_matches_differences(scene in scenes(Kind::Interior)) {
        let v_image = cotangent(&scene.oracle().expect("a valid scene"));
        let gradients = scene.gradients(&v_image).expect("a valid scene");
        let loss = |view: usize, motion: [f64; 6]| {
            let mut moved = scene.clone();
            moved.views.cameras[view] = moved.views.cameras[view].moved(motion);
            linear_loss(&moved.oracle().expect("a valid scene"), &v_image)
        };
        for (view, camera) in scene.views.cameras.iter().enumerate() {
            let rows = gradients.camera_from_world[12 * view..].as_chunks::<4>().0;
            let tangent = camera.tangent_gradient(&[rows[0], rows[1], rows[2]]);
            let numeric: [f64; 6] = std::array::from_fn(|i| {
                let at = |x: &[f64]| {
                    let mut motion = [0.0; 6];
                    motion[i] = x[0];
                    loss(view, motion)
                };
                difference(&[0.0], 0, 1e-5, at)
            });
            let most = 1e-6 * max_magnitude(&numeric).max(1e-2);
            let off = max_difference(&tangent, &numeric);
            prop_assert!(off <= most, "{tangent:?} and {numeric:?}");
        }
    }
}

#[test]
fn motions_of_a_camera_are_rigid() {
    let camera = camera()
        .look_at([1.0, -2.0, 3.0], [0.5, 0.5, 0.0], [0.0, -1.0, 0.0])
        .expect("a direction");
    let same = camera.moved([0.0; 6]);
    assert_eq!(same.camera_from_world, camera.camera_from_world);
    // A quarter turn about the direction of view: right becomes down.
    let turned = camera.moved([0.0, 0.0, 0.0, 0.0, 0.0, std::f64::consts::FRAC_PI_2]);
    let (old, new) = (camera.camera_from_world, turned.camera_from_world);
    assert_near(&new[1], &old[0], "the row of y");
    assert_near(&new[0], &old[1].map(|x| -x), "the row of x");
    assert_near(&new[2], &old[2], "the row of z");
    let shifted = camera.moved([0.1, -0.2, 0.3, 0.0, 0.0, 0.0]);
    for (axis, shift) in [0.1, -0.2, 0.3].into_iter().enumerate() {
        let difference = shifted.camera_from_world[axis][3] - camera.camera_from_world[axis][3];
        assert!((difference - shift).abs() < 1e-12);
    }
    // Large and tiny motions leave a rotation.
    for motion in [[7.0; 6], [-1e-9; 6], [1e-200; 6]] {
        let rows = camera.moved(motion).camera_from_world;
        for (a, b) in [(0, 0), (0, 1), (1, 1), (1, 2), (2, 2), (2, 0)] {
            let product: f64 = (0..3).map(|k| rows[a][k] * rows[b][k]).sum();
            let expected = if a == b { 1.0 } else { 0.0 };
            assert!((product - expected).abs() < 1e-12, "{motion:?}");
        }
    }
}

/// A scene millions of world units from the origin renders in f32 as it does in f64.
#[test]
fn recentred_scenes_keep_their_digits() {
    let near = crowd(19, 2, 120, [35, 29], splat::Projection::Pinhole);
    let far_away = [453_210.25, 5_411_872.5, -112.125];
    let mut far = near.clone();
    for (x, shift) in far.gaussians.means.iter_mut().zip(far_away.iter().cycle()) {
        *x += shift;
    }
    for camera in &mut far.views.cameras {
        *camera = camera.recentred(far_away.map(|x| -x));
    }
    let gaussians = far.gaussians.as_slices();
    let (gaussians, centre) = gaussians.recentred().expect("few Gaussians");
    let mut views = far.views.clone();
    for camera in &mut views.cameras {
        *camera = camera.recentred(centre);
    }
    let backgrounds: Vec<f32> = far.backgrounds.iter().map(|&x| x as f32).collect();
    let scene = splat::Scene {
        gaussians: gaussians.as_slices(),
        views: &views,
        backgrounds: &backgrounds,
    };
    let (image, _) = splat::render(&Cpu::<f32>::new(), &scene, &far.config).expect("valid");
    let got: Vec<f64> = image.features.iter().map(|&x| f64::from(x)).collect();
    let exact = near.render().expect("valid").0.features;
    let band = splat::check::boundary_band(&near, splat::check::BAND).expect("valid");
    let worst = |got: &[f64]| {
        let pixels = got.iter().zip(&exact).enumerate();
        let far = pixels.filter(|(i, _)| !band[i / 3]);
        far.fold(0.0f64, |worst, (_, (a, b))| worst.max((a - b).abs()))
    };
    assert!(worst(&got) < 1e-4, "{}", worst(&got));
    // Rounded as they are, the coordinates lose everything.
    let rounded = far.rounded::<f32>();
    let (image, _) =
        splat::render(&Cpu::<f32>::new(), &rounded.scene(), &far.config).expect("valid");
    let lost: Vec<f64> = image.features.iter().map(|&x| f64::from(x)).collect();
    assert!(worst(&lost) > 0.1);
    let empty = splat::Gaussians::<&[f64]>::default();
    assert_eq!(empty.recentred().expect("nothing").1, [0.0; 3]);
    let mut wrong = far.gaussians.clone();
    wrong.means.pop();
    wrong.as_slices().recentred().expect_err("a short buffer");
    wrong.means = vec![f64::NAN; 3 * wrong.count];
    let (_, centre) = wrong.as_slices().recentred().expect("no finite mean");
    assert_eq!(centre, [0.0; 3]);
}
