//! The data sets that `view_scene` writes: `transforms.json`, `points.ply` and the names of the pictures.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use splat::io::{Colours, StoredScene};

use crate::files::{ball_scene, scene};
use crate::pinhole::{CAMERA, Folder, Pinhole, SHIFTED};
use crate::{assert_refused, run, text};

const BALLS: [[f64; 3]; 3] = [[0.5, 0.1, 0.0], [-0.1, 0.4, 0.2], [0.0, -0.2, -0.4]];
/// Coordinates whose `f32` values are 0.5 apart.
const FAR: [f64; 3] = [453_210.25, 5_411_872.5, 112.0];
const SMALL: [&str; 2] = ["--size", "80x60"];

/// Renders a scene to the folder `name`, and returns that.
#[track_caller]
fn render(folder: &Folder, scene: &Path, name: &str, more: &[&str]) -> PathBuf {
    let out = folder.0.path().join(name);
    let output = run(
        "view_scene",
        &[&[text(scene), "--out", text(&out)], more].concat(),
    );
    assert!(output.status.success(), "{output:?}");
    out
}

fn json_of(path: &Path) -> Value {
    let bytes = fs::read(path).expect("it was written");
    serde_json::from_slice(&bytes).expect("it is JSON")
}

/// The names of the pictures in a folder, sorted.
fn pictures(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("the folder is there");
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    let names = names.map(|name| name.into_string().expect("UTF-8"));
    let pictures: BTreeSet<String> = names.filter(|name| name.starts_with("view_")).collect();
    pictures.into_iter().collect()
}

/// Asserts that the cameras of a data set give its pictures to the byte.
#[track_caller]
fn assert_round_trip(folder: &Folder, scene: &Path, set: &Path) {
    let cameras = set.join("transforms.json");
    let again = render(folder, scene, "again", &["--cameras", text(&cameras)]);
    let names = pictures(set);
    assert!(!names.is_empty());
    for name in names {
        let [one, two] = [set, &again].map(|at| fs::read(at.join(&name)).expect("a picture"));
        assert!(one == two, "{name} differs");
    }
    fs::remove_dir_all(again).expect("it was written");
}

fn read(path: &Path) -> StoredScene {
    splat::io::read(path).expect("a scene").scene
}

/// The positions of a scene in the world.
fn world(scene: &StoredScene) -> Vec<[f64; 3]> {
    let (means, _) = scene.means.as_chunks::<3>();
    let at = |mean: &[f32; 3]| [0, 1, 2].map(|k| f64::from(mean[k]) + scene.origin[k]);
    means.iter().map(at).collect()
}

#[test]
fn cameras_of_a_data_set_give_its_pictures_to_the_byte() {
    let folder = Folder::new();
    let far = |factor: f64| BALLS.map(|ball| [0, 1, 2].map(|k| ball[k] + factor * FAR[k]));
    let scenes = [1e-6, 1e-3, 1.0, 1e3, 1e6].map(|unit| ball_scene(BALLS, unit));
    // At the second place, coordinates of the world are rounded by 3e-5 units, and pictures of cameras
    // that were not rounded would differ.
    let many = [
        ball_scene(far(1.0), 1.0),
        ball_scene(far(1e5), 1.0),
        scene(300, 9),
    ];
    for (i, bytes) in scenes.into_iter().chain(many).enumerate() {
        let path = folder.write("scene.ply", bytes);
        let arguments = [&SMALL[..], &["--views", "5", "--transforms"]].concat();
        let set = render(&folder, &path, &format!("set{i}"), &arguments);
        assert_eq!(pictures(&set).len(), 5);
        assert_round_trip(&folder, &path, &set);
    }
    // Cameras that some programs would round: the numbers are those of the circle.
    let one = json_of(&folder.0.path().join("set2/transforms.json"));
    let focal = 40.0 / 30f64.to_radians().tan();
    let off = (one["fl_x"].as_f64().expect("a number") - focal).abs();
    assert!(off < 1e-9 && one["fl_y"] == one["fl_x"], "{one}");
    assert_eq!([&one["w"], &one["h"]], [80, 60]);
    assert_eq!([&one["cx"], &one["cy"]], [40.0, 30.0]);
    assert_eq!(one["ply_file_path"], "points.ply");
}

#[test]
fn transforms_state_the_cameras_of_a_file_in_the_world() {
    let folder = Folder::new();
    let balls = BALLS.map(|ball| [0, 1, 2].map(|k| ball[k] + FAR[k]));
    let path = folder.write("scene.ply", ball_scene(balls, 1.0));
    let small = Pinhole {
        size: [80, 50],
        ..SHIFTED
    };
    let frame = |camera: &Pinhole| {
        let mut file = camera.transforms();
        let mut frame = file["frames"][0].take();
        for key in ["fl_x", "fl_y", "cx", "cy", "w", "h"] {
            frame[key] = file[key].take();
        }
        for (k, shift) in FAR.iter().enumerate() {
            let eye = frame["transform_matrix"][k][3].as_f64().expect("a number");
            frame["transform_matrix"][k][3] = json!(eye + shift);
        }
        frame
    };
    let frames = [CAMERA, small].map(|camera| frame(&camera));
    let cameras = folder.write("in.json", json!({ "frames": frames }).to_string());
    let arguments = ["--cameras", text(&cameras), "--transforms"];
    let set = render(&folder, &path, "set", &arguments);
    assert_round_trip(&folder, &path, &set);
    let file = json_of(&set.join("transforms.json"));
    assert!(file["w"].is_null(), "the sizes differ");
    for (i, frame) in frames.iter().enumerate() {
        let got = &file["frames"][i];
        assert_eq!(got["file_path"], format!("view_{i:02}.png"));
        for key in ["fl_x", "fl_y", "cx", "cy", "w", "h"] {
            assert_eq!(got[key].as_f64(), frame[key].as_f64(), "{key}");
        }
        for place in (0..4).flat_map(|row| (0..4).map(move |column| [row, column])) {
            let [row, column] = place;
            let [got, expected] = [got, frame]
                .map(|frame| frame["transform_matrix"][row][column].as_f64())
                .map(|number| number.expect("a number"));
            // The world coordinates have 3e-10 between two numbers.
            let off = (got - expected).abs();
            assert!(off < 1e-8, "frame {i}, {place:?}: {got}, {expected}");
        }
    }
}

#[test]
fn points_are_a_sample_of_the_means_with_their_colours() {
    let folder = Folder::new();
    let mut file = scene(100, 9);
    let (length, row) = (file.len(), 4 * (6 + 9 + 8));
    for vertex in 1..=100 {
        let red = length - row * vertex + 12;
        file[red..red + 4].copy_from_slice(&0.4_f32.to_le_bytes());
    }
    let path = folder.write("scene.ply", file);
    let key = |point: &[f64; 3]| point.map(f64::to_bits);
    let means: BTreeSet<_> = world(&read(&path)).iter().map(key).collect();
    assert_eq!(means.len(), 100);
    let sample = |name: &str, more: &[&str]| {
        let arguments = [&SMALL[..], &["--views", "1", "--transforms"], more].concat();
        render(&folder, &path, name, &arguments).join("points.ply")
    };
    let few = sample("few", &["--points", "40"]);
    assert_eq!(
        fs::read(&few).ok(),
        fs::read(sample("same", &["--points", "40"])).ok()
    );
    for (file, count) in [(few, 40), (sample("all", &[]), 100)] {
        let points = read(&file);
        let places: BTreeSet<_> = world(&points).iter().map(key).collect();
        assert_eq!((points.len(), places.len()), (count, count));
        assert!(places.is_subset(&means), "a point that is no mean");
        // 0.5 + 0.282 dc: red 0.613, green 0.5, blue 0.
        let Colours::Constant(colours) = &points.colours else {
            panic!("points have constant colours");
        };
        let (colours, _) = colours.as_chunks::<3>();
        assert!(
            colours
                .iter()
                .all(|&c| c == [156.0 / 255.0, 128.0 / 255.0, 0.0])
        );
    }
    // The first of the scene, in either order, would show one part of it.
    let ten: BTreeSet<_> = world(&read(&sample("ten", &["--points", "10"])))
        .iter()
        .map(key)
        .collect();
    let stored = read(&path);
    let sorted = stored.clone().spatially_sorted().expect("a scene");
    for scene in [stored, sorted] {
        let first: BTreeSet<_> = world(&scene)[..10].iter().map(key).collect();
        assert!(ten.intersection(&first).count() < 6, "the first points");
    }
}

#[test]
fn points_far_from_zero_keep_their_digits_and_constant_colours() {
    let folder = Folder::new();
    let header = "ply\nformat ascii 1.0\nelement vertex 3\nproperty double x\nproperty double y\n\
                  property double z\nproperty uchar red\nproperty uchar green\nproperty uchar blue\n\
                  end_header\n";
    let row = |i: usize| {
        let [x, y, z] = [0, 1, 2].map(|k| BALLS[i][k] + FAR[k]);
        format!("{x} {y} {z} {} 7 255\n", 40 * i)
    };
    let path = folder.write(
        "cloud.ply",
        format!("{header}{}{}{}", row(0), row(1), row(2)),
    );
    let set = render(
        &folder,
        &path,
        "set",
        &[&SMALL[..], &["--transforms"]].concat(),
    );
    assert_round_trip(&folder, &path, &set);
    let points = read(&set.join("points.ply"));
    let Colours::Constant(colours) = &points.colours else {
        panic!("points have constant colours");
    };
    for (point, colour) in world(&points).iter().zip(colours.as_chunks::<3>().0) {
        let i = (colour[0] * 255.0 / 40.0).round() as usize;
        assert_eq!(*colour, [40 * i, 7, 255].map(|byte| byte as f32 / 255.0));
        let off = [0, 1, 2].map(|k| (point[k] - FAR[k] - BALLS[i][k]).abs());
        assert!(off.iter().all(|&off| off < 1e-6), "{off:?}");
    }
}

#[test]
fn pictures_have_as_many_digits_as_the_last_number() {
    let folder = Folder::new();
    let path = folder.write("scene.ply", scene(5, 0));
    for (views, first, last) in [
        ("1", "view_00.png", "view_00.png"),
        ("100", "view_00.png", "view_99.png"),
        ("101", "view_000.png", "view_100.png"),
    ] {
        let arguments = ["--size", "16x12", "--views", views, "--transforms"];
        let set = render(&folder, &path, views, &arguments);
        let names = pictures(&set);
        assert_eq!(names.len().to_string(), views);
        let ends = names.first().zip(names.last());
        assert_eq!(ends, Some((&first.to_owned(), &last.to_owned())));
        let frames = &json_of(&set.join("transforms.json"))["frames"];
        let frames = frames.as_array().expect("an array");
        let stated: Vec<_> = frames
            .iter()
            .map(|frame| frame["file_path"].clone())
            .collect();
        assert_eq!(stated, names);
    }
}

#[test]
fn options_of_a_data_set_are_refused_by_name() {
    let folder = Folder::new();
    let path = folder.write("scene.ply", scene(5, 0));
    let out = folder.0.path().join("out");
    let refused = |more: &[&str], words: &[&str]| {
        let arguments = [&[text(&path), "--out", text(&out)], more].concat();
        assert_refused("view_scene", &arguments, words);
        assert!(!out.exists(), "{more:?} made a folder for nothing");
    };
    for wrong in ["0", "-1", "10001", "x", "1.5", ""] {
        refused(&[&format!("--views={wrong}")], &["--views"]);
    }
    for wrong in ["0", "-1", "x"] {
        refused(
            &["--transforms", &format!("--points={wrong}")],
            &["--points"],
        );
    }
    refused(&["--points", "5"], &["--transforms"]);
    let cameras = folder.write("cameras.json", CAMERA.trained().to_string());
    refused(
        &["--views", "3", "--cameras", text(&cameras)],
        &["--views", "--cameras"],
    );
}

/// A data set whose pictures are black is none.
#[test]
fn a_scene_of_which_nothing_is_visible_has_no_data_set() {
    let folder = Folder::new();
    let away = Pinhole {
        translation: [0.0, 0.0, -2.5],
        ..CAMERA
    };
    let cameras = folder.write("cameras.json", away.trained().to_string());
    let scene = folder.write("scene.ply", ball_scene(BALLS, 1.0));
    let out = folder.0.path().join("out");
    let cameras = ["--cameras", text(&cameras), "--transforms"];
    let arguments = [&[text(&scene), "--out", text(&out)], &cameras[..]].concat();
    assert_refused("view_scene", &arguments, &["expected a visible Gaussian"]);
    assert!(!out.join("transforms.json").exists() && !out.join("points.ply").exists());
}
