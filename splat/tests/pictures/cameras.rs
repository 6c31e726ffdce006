//! Cameras of `view_scene`: every kind of file gives the right pictures.

use std::fs;

use image::RgbImage;
use serde_json::json;

use crate::camera_files::{read, resized};
use crate::files::{ball_scene, scene};
use crate::pinhole::{CAMERA, Folder, Pinhole, SHIFTED};
use crate::{assert_refused, text};

/// Centres of a red, a green and a blue ball.
const BALLS: [[f64; 3]; 3] = [[0.5, 0.1, 0.0], [-0.1, 0.4, 0.2], [0.0, -0.2, -0.4]];

/// Asserts that each ball is where the camera projects it.
#[track_caller]
fn assert_shows(picture: &RgbImage, camera: &Pinhole, balls: [[f64; 3]; 3]) {
    assert_eq!(
        picture.dimensions(),
        camera.size.map(|side| side as u32).into()
    );
    for (channel, ball) in balls.into_iter().enumerate() {
        let (mut sum, mut at) = (0.0, [0.0; 2]);
        for (x, y, pixel) in picture.enumerate_pixels() {
            let weight = f64::from(pixel.0[channel]);
            sum += weight;
            at[0] += weight * (f64::from(x) + 0.5);
            at[1] += weight * (f64::from(y) + 0.5);
        }
        let expected = camera.project(ball);
        let off = [0, 1].map(|k| (at[k] / sum - expected[k]).abs());
        assert!(
            off[0].max(off[1]) < 0.1,
            "{channel}: off by {off:?} px of {expected:?}"
        );
    }
}

#[track_caller]
fn assert_same(a: &RgbImage, b: &RgbImage) {
    let pairs = a.as_raw().iter().zip(b.as_raw());
    let worst = pairs.map(|(a, b)| a.abs_diff(*b)).max();
    assert!(
        a.dimensions() == b.dimensions() && worst <= Some(1),
        "{worst:?}"
    );
}

#[test]
fn one_camera_in_all_formats_gives_one_picture() {
    let (folder, balls) = (Folder::new(), ball_scene(BALLS, 1.0));
    let files = |camera: &Pinhole| {
        [
            folder.write("transforms.json", camera.transforms().to_string()),
            folder.colmap_text("text", camera.colmap_text()),
            folder.colmap_binary("binary", camera.colmap_binary()),
            folder.write("cameras.json", camera.trained().to_string()),
        ]
    };
    let centred = files(&CAMERA).map(|file| folder.view(&balls, &["--cameras", text(&file)]));
    assert_shows(&centred[0], &CAMERA, BALLS);
    for picture in &centred[1..] {
        assert_same(picture, &centred[0]);
    }
    // `cameras.json` has focal lengths of two axes, but no principal point.
    let shifted = files(&SHIFTED).map(|file| folder.view(&balls, &["--cameras", text(&file)]));
    for picture in &shifted[..3] {
        assert_shows(picture, &SHIFTED, BALLS);
    }
    let centre = CAMERA.centre;
    assert_shows(&shifted[3], &Pinhole { centre, ..SHIFTED }, BALLS);
}

#[test]
fn simple_pinholes_have_one_focal_length() {
    let (folder, balls) = (Folder::new(), ball_scene(BALLS, 1.0));
    let [_, images] = CAMERA.colmap_text();
    let cameras = "7 SIMPLE_PINHOLE 160 120 150 80 60".to_owned();
    let path = folder.colmap_text("text", [cameras, images]);
    assert_shows(
        &folder.view(&balls, &["--cameras", text(&path)]),
        &CAMERA,
        BALLS,
    );
    let [mut cameras, images] = CAMERA.colmap_binary();
    cameras[12] = 0;
    // The first focal length goes.
    cameras.drain(32..40);
    let path = folder.colmap_binary("binary", [cameras, images]);
    assert_shows(
        &folder.view(&balls, &["--cameras", text(&path)]),
        &CAMERA,
        BALLS,
    );
}

/// The folder itself, `sparse/0` and `sparse`, in this order.
#[test]
fn a_project_of_colmap_is_found_by_its_folder() {
    let folder = Folder::new();
    let path = folder.0.path().join("project");
    for (i, place) in ["project/sparse", "project/sparse/0", "project"]
        .into_iter()
        .enumerate()
    {
        let camera = Pinhole {
            size: [160 + i, 120],
            ..CAMERA
        };
        folder.colmap_text(place, camera.colmap_text());
        let views = read(&path, None).expect("cameras");
        assert_eq!(views[0].width, 160 + i, "{place}");
    }
    // A file alone is damage, not another place.
    fs::remove_file(path.join("images.txt")).expect("it is there");
    let error = read(&path, None).expect_err("half of the files");
    assert!(
        error.contains("project/images.txt: cannot be read"),
        "{error}"
    );
}

#[test]
fn a_field_of_view_takes_the_size_of_the_option() {
    let (folder, balls) = (Folder::new(), ball_scene(BALLS, 1.0));
    let angle = 2.0 * (80.0_f64 / 150.0).atan();
    let frame = json!({"transform_matrix": CAMERA.opengl()});
    let blender = json!({"camera_angle_x": angle, "frames": [frame]}).to_string();
    let path = folder.write("transforms.json", blender);
    let error = read(&path, None).expect_err("it has no size");
    assert!(
        error.contains("frames[0].w") && error.contains("--size"),
        "{error}"
    );
    let picture = folder.view(&balls, &["--cameras", text(&path), "--size", "160x120"]);
    assert_shows(&picture, &CAMERA, BALLS);
}

#[test]
fn intrinsics_of_a_frame_replace_those_of_the_file() {
    let (folder, balls) = (Folder::new(), ball_scene(BALLS, 1.0));
    let mut file = CAMERA.transforms();
    for (key, value) in [("fl_x", 150.0), ("fl_y", 190.0), ("cx", 70.0), ("cy", 71.0)] {
        file[key] = json!(1.0);
        file["frames"][0][key] = json!(value);
    }
    let path = folder.write("transforms.json", file.to_string());
    assert_shows(
        &folder.view(&balls, &["--cameras", text(&path)]),
        &SHIFTED,
        BALLS,
    );
}

#[test]
fn another_size_shows_the_same() {
    let (folder, balls) = (Folder::new(), ball_scene(BALLS, 1.0));
    let path = folder.write("transforms.json", SHIFTED.transforms().to_string());
    let camera = Pinhole {
        size: [80, 60],
        focal: [75.0, 95.0],
        centre: [35.0, 35.5],
        ..SHIFTED
    };
    let arguments = ["--cameras", text(&path), "--size", "80x60"];
    assert_shows(&folder.view(&balls, &arguments), &camera, BALLS);
    let error = read(&path, Some([80, 80])).expect_err("it would be squeezed");
    assert!(
        error.contains("160 x 120") && error.contains("80 x 80"),
        "{error}"
    );
    // A camera of the scene's own file keeps its pose.
    let views = read(&path, None).expect("valid");
    let smaller = resized(views.clone(), Some([80, 60])).expect("the same ratio");
    let (old, new) = (views[0].camera, smaller[0].camera);
    assert_eq!(new.camera_from_world, old.camera_from_world);
    assert_eq!([new.fx, new.fy, new.cx, new.cy], [75.0, 95.0, 35.0, 35.5]);
    assert_eq!(resized(views.clone(), None), Ok(views));
    // Without cameras, any size.
    let picture = folder.view(&scene(50, 0), &["--size", "70x90"]);
    assert_eq!(picture.dimensions(), (70, 90));
    let scene = folder.write("scene.ply", scene(5, 0));
    for wrong in [
        "0x9",
        "9",
        "9x",
        "x9",
        "9x9x9",
        "-1x9",
        "4194305x9",
        "9X9",
        "",
    ] {
        assert_refused(
            "view_scene",
            &[text(&scene), &format!("--size={wrong}")],
            &["--size"],
        );
    }
}

/// The depth range of a camera, which starts at 0.01 units, must not cull a small scene. Coordinates
/// far from zero are those of the world.
#[test]
fn cameras_of_a_file_fit_scenes_of_any_size_and_place() {
    let folder = Folder::new();
    for unit in [1e-6, 1e-3, 1.0, 1e3, 1e6] {
        let camera = Pinhole {
            translation: CAMERA.translation.map(|t| t * unit),
            ..CAMERA
        };
        let path = folder.write("cameras.json", camera.trained().to_string());
        let picture = folder.view(&ball_scene(BALLS, unit), &["--cameras", text(&path)]);
        assert_shows(&picture, &CAMERA, BALLS);
    }
    let far = [453_210.25, 5_411_872.5, 112.0];
    let mut file = CAMERA.trained();
    let position = CAMERA.eye();
    file[0]["position"] = json!([0, 1, 2].map(|k| position[k] + far[k]));
    let path = folder.write("cameras.json", file.to_string());
    let balls = BALLS.map(|ball| [0, 1, 2].map(|k| ball[k] + far[k]));
    let picture = folder.view(&ball_scene(balls, 1.0), &["--cameras", text(&path)]);
    assert_shows(&picture, &CAMERA, BALLS);
}

#[test]
fn cameras_that_look_away_are_an_error() {
    let folder = Folder::new();
    let away = Pinhole {
        translation: [0.0, 0.0, -2.5],
        ..CAMERA
    };
    let path = folder.write("cameras.json", away.trained().to_string());
    let scene = folder.write("scene.ply", ball_scene(BALLS, 1.0));
    let words = ["scene.ply: expected a visible Gaussian, got 3 that are culled in the picture"];
    let out = folder.0.path().join("out");
    let arguments = [text(&scene), "--cameras", text(&path), "--out", text(&out)];
    assert_refused("view_scene", &arguments, &words);
}

#[test]
fn a_single_gaussian_of_any_size_is_seen_whole_from_the_circle() {
    let folder = Folder::new();
    for (unit, offset) in [(1e-6, 0.0), (1e-3, 0.0), (1e3, 0.0), (1e6, 0.0), (1e3, 1e5)] {
        let mut ply = ball_scene([[0.0; 3]; 3], unit);
        // The first vertex alone.
        let text = String::from_utf8(ply).expect("it is text");
        let (head, body) = text.split_once("end_header\n").expect("a header");
        let row = body.lines().next().expect("a row").split_once(' ');
        let head = head.replace("vertex 3", "vertex 1");
        ply = format!("{head}end_header\n{offset} {}\n", row.expect("numbers").1).into_bytes();
        let picture = folder.view(&ply, &["--size", "200x150"]);
        let lit = picture.pixels().filter(|pixel| pixel.0[0] > 30).count();
        let corner = picture.get_pixel(1, 1).0;
        assert!(
            lit > 150 && lit < 10_000 && corner[0] < 30,
            "{unit}: {lit} {corner:?}"
        );
    }
}

#[test]
fn the_degree_of_harmonics_is_limited() {
    let folder = Folder::new();
    let plain = folder.view(&scene(20, 0), &[]);
    // Coefficients of degree 1 that change the colours.
    let mut file = scene(20, 9);
    let (length, row) = (file.len(), 4 * (6 + 9 + 8));
    for vertex in 0..20 {
        let start = length - row * (vertex + 1) + 24;
        for (i, bytes) in file[start..start + 36].chunks_exact_mut(4).enumerate() {
            bytes.copy_from_slice(&(0.3 * i as f32 - 1.0).to_le_bytes());
        }
    }
    let limited = folder.view(&file, &["--sh", "0"]);
    assert_same(&limited, &plain);
    let full = folder.view(&file, &[]);
    assert!(full != plain && full == folder.view(&file, &["--sh", "1"]));
    let path = folder.write("scene.ply", file);
    for wrong in ["5", "-1", "x"] {
        assert_refused("view_scene", &[text(&path), "--sh", wrong], &["--sh"]);
    }
}

#[test]
fn backends_of_other_builds_are_refused_with_the_way_to_build_them() {
    let folder = Folder::new();
    let path = folder.write("scene.ply", scene(5, 0));
    for backend in ["wgpu", "cuda"] {
        let words = [backend, &format!("--features {backend}")];
        assert_refused("view_scene", &[text(&path), "--backend", backend], &words);
    }
    assert_refused(
        "view_scene",
        &[text(&path), "--backend", "abacus"],
        &["--backend", "cpu"],
    );
}
