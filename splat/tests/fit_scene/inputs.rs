//! Data sets of other programs, and input that is rejected.

use std::fs;

use image::{Rgba, RgbaImage};
use serde_json::{Value, json};

use crate::data::Data;
use crate::{assert_refused, run, text};

const SHORT: [&str; 4] = ["--iterations", "2", "--gaussians", "60"];

/// Blender's data sets have a file for each part, names without extensions, and transparent pictures.
#[test]
fn parts_of_blender_are_read() {
    let data = Data::new();
    let pictures = data.pictures();
    let whole = pictures.join("transforms.json");
    let file = crate::data::json(&whole);
    let part = |range: std::ops::Range<usize>| {
        let frames: Vec<Value> = range
            .map(|i| {
                json!({
                    "file_path": format!("./view_{i:02}"),
                    "transform_matrix": file["frames"][i]["transform_matrix"],
                })
            })
            .collect();
        let angle = 2.0 * (24.0 / file["fl_x"].as_f64().expect("a number")).atan();
        json!({ "camera_angle_x": angle, "frames": frames }).to_string()
    };
    fs::write(pictures.join("transforms_train.json"), part(0..13)).expect("a file");
    fs::write(pictures.join("transforms_test.json"), part(13..16)).expect("a file");
    fs::remove_file(whole).expect("a file");
    let path = pictures.join("view_02.png");
    let black = image::open(&path).expect("a picture").into_rgba8();
    let clear = RgbaImage::from_fn(48, 36, |x, y| match black.get_pixel(x, y).0 {
        [0, 0, 0, _] => Rgba([0; 4]),
        colour => Rgba(colour),
    });
    clear.save(path).expect("a file");
    let out = data.path("out");
    let arguments = [&[text(&pictures), "--out", text(&out)][..], &SHORT].concat();
    let output = run("fit_scene", &arguments);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{output:?}");
    assert!(
        said.starts_with("pictures to train on: 13, held out: 3, Gaussians: 15\n"),
        "{said}"
    );
    let noted = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        noted.contains("note: ./view_02: ") && noted.contains("composited over white"),
        "{noted}"
    );
    // The background is white, too: a corner of the rendered picture.
    let picture = image::open(out.join("pictures/picture_005.png")).expect("a picture");
    assert!(
        picture
            .to_rgb8()
            .get_pixel(48 + 1, 1)
            .0
            .iter()
            .all(|&byte| byte > 200)
    );
}

#[test]
fn large_pictures_are_downsampled_with_a_note() {
    let data = Data::new();
    let (pictures, out) = (data.pictures(), data.path("out"));
    let arguments = [
        &[text(&pictures), "--out", text(&out), "--max-side", "24"][..],
        &SHORT,
    ];
    let output = run("fit_scene", &arguments.concat());
    assert!(output.status.success(), "{output:?}");
    let noted = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(noted.contains("note: view_07.png: 48 x 36 px are downsampled to 24 x 18 px"));
    let picture = image::open(out.join("pictures/picture_000.png")).expect("a picture");
    assert_eq!((picture.width(), picture.height()), (72, 18));
}

#[test]
fn wrong_data_sets_are_refused_by_name() {
    let data = Data::new();
    let pictures = data.pictures();
    let folder = text(&pictures);
    let out = data.path("out");
    let refused = |more: &[&str], words: &[&str]| {
        assert_refused(
            &[&[folder, "--out", text(&out)], &SHORT[..], more].concat(),
            words,
        );
    };
    assert_refused(
        &[text(&data.path("none"))],
        &["none", "transforms.json", "cannot be read"],
    );
    refused(
        &["--hold-out", "1"],
        &["pictures: ", "--hold-out", "got 16"],
    );
    refused(&["--points", "none.ply"], &["none.ply"]);
    refused(&["--resume"], &["checkpoint.safetensors", "--resume"]);
    for wrong in ["--iterations", "--gaussians"] {
        let output = run("fit_scene", &[folder, wrong, "0"]);
        assert_eq!(output.status.code(), Some(2), "{wrong}");
    }
    let whole = crate::data::json(&pictures.join("transforms.json"));
    let changed = |change: fn(&mut Value), words: &[&str]| {
        data.change(change);
        refused(&[], words);
        data.change(|file| *file = whole.clone());
    };
    changed(
        |file| file["frames"] = json!([]),
        &["transforms.json: frames: expected at least one, got none"],
    );
    changed(
        |file| file["frames"][5]["file_path"] = json!("gone.png"),
        &["frames[5].file_path", "gone.png: cannot be read"],
    );
    changed(
        |file| file["frames"][5]["file_path"] = json!(7),
        &["frames[5].file_path: expected"],
    );
    changed(
        |file| file["frames"][2]["transform_matrix"][0][0] = json!("x"),
        &["frames[2].transform_matrix[0][0]"],
    );
    changed(
        |file| file["w"] = json!(96),
        &["ratio", "96 x 36", "48 x 36"],
    );
    changed(|file| file["k1"] = json!(0.1), &["k1", "distortion"]);
    changed(
        |file| file["ply_file_path"] = json!("gone.ply"),
        &["gone.ply"],
    );
    fs::write(pictures.join("view_04.png"), b"no picture").expect("a file");
    refused(
        &[],
        &["frames[4].file_path: view_04.png: expected a PNG or JPEG file"],
    );
    fs::write(pictures.join("transforms.json"), b"{").expect("a file");
    refused(&[], &["transforms.json: expected a JSON file"]);
}

/// Points that are not finite are left out. If none is left, there is nothing to start from.
#[test]
fn points_that_are_not_finite_are_left_out() {
    let data = Data::new();
    let points = data.path("points.ply");
    let header = "ply\nformat ascii 1.0\nelement vertex 2\nproperty float x\nproperty float y\n\
                  property float z\nend_header\n";
    let arguments = [&["--points", text(&points)][..], &SHORT].concat();
    fs::write(&points, format!("{header}nan 0 0\n0.5 0.1 0\n")).expect("a file");
    let said = data.fit("out", &arguments);
    assert!(said.contains(", Gaussians: 1\n"), "{said}");
    fs::write(&points, format!("{header}nan 0 0\n0 inf 0\n")).expect("a file");
    let (pictures, out) = (data.pictures(), data.path("out"));
    let all = [&[text(&pictures), "--out", text(&out)], &arguments[..]].concat();
    assert_refused(
        &all,
        &["points.ply: expected a Gaussian with finite numbers"],
    );
}

/// Nothing is in front of the cameras.
#[test]
fn a_warning_says_that_nothing_is_visible() {
    let data = Data::new();
    let points = data.path("points.ply");
    let header = "ply\nformat ascii 1.0\nelement vertex 1\nproperty float x\nproperty float y\n\
                  property float z\nend_header\n";
    fs::write(&points, format!("{header}0 -1e6 0\n")).expect("a file");
    let (pictures, out) = (data.pictures(), data.path("out"));
    let arguments = [
        text(&pictures),
        "--out",
        text(&out),
        "--points",
        text(&points),
    ];
    let output = run("fit_scene", &[&arguments[..], &SHORT].concat());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    assert!(
        said.contains("warning: expected a visible Gaussian"),
        "{said}"
    );
}
