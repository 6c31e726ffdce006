//! Input that leaves nothing to optimise.

use std::fs;

use serde_json::json;

use crate::data::Data;
use crate::{assert_refused, text};

fn points(data: &Data, rows: &str) -> String {
    let count = rows.lines().count();
    let header = format!(
        "ply\nformat ascii 1.0\nelement vertex {count}\nproperty float x\nproperty float y\n\
         property float z\nend_header\n"
    );
    let path = data.path("few.ply");
    fs::write(&path, header + rows).expect("a file");
    text(&path).to_owned()
}

/// All Gaussians are pruned: two large ones, or one that no camera sees.
#[test]
fn a_run_without_gaussians_ends_with_an_error() {
    let data = Data::new();
    let (pictures, out) = (data.pictures(), data.path("out"));
    for rows in ["0 0 0\n0.9 0 0\n", "0 -1e6 0\n"] {
        let points = points(&data, rows);
        let arguments = [
            text(&pictures),
            "--out",
            text(&out),
            "--strategy",
            "adaptive",
            "--iterations",
            "600",
            "--points",
            &points,
        ];
        let output = crate::run("fit_scene", &arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!said.contains("panicked"), "{said}");
        if output.status.code() != Some(0) {
            assert_refused(
                &arguments,
                &["iteration ", "expected a Gaussian that is kept"],
            );
        }
    }
}

#[test]
fn a_start_without_finite_numbers_is_refused() {
    let data = Data::new();
    let (pictures, out) = (data.pictures(), data.path("out"));
    let arguments = [text(&pictures), "--out", text(&out), "--iterations", "2"];
    data.change(|file| {
        file.as_object_mut()
            .expect("an object")
            .remove("ply_file_path");
        file["fl_x"] = json!(1e-300);
        file["fl_y"] = json!(1e-300);
    });
    assert_refused(
        &arguments,
        &["random points: expected a Gaussian with finite numbers"],
    );
    data.change(|file| file["frames"][0]["transform_matrix"][0][3] = json!(1e200));
    assert_refused(&arguments, &["transforms.json: frames: expected cameras"]);
}

#[test]
fn there_are_never_more_gaussians_than_wanted() {
    let data = Data::new();
    for strategy in ["mcmc", "adaptive"] {
        let arguments = [
            "--iterations",
            "60",
            "--gaussians",
            "7",
            "--strategy",
            strategy,
        ];
        let said = data.fit("out", &arguments);
        assert!(said.contains(", Gaussians: 7\n"), "{said}");
        let scene = splat::io::read(data.path("out/scene.ply"))
            .expect("a scene")
            .scene;
        assert!((1..=7).contains(&scene.len()), "{}", scene.len());
    }
}

/// A device that never ends is not read.
#[test]
#[cfg(unix)]
fn pictures_are_files() {
    let data = Data::new();
    let (pictures, out) = (data.pictures(), data.path("out"));
    data.change(|file| file["frames"][2]["file_path"] = json!("/dev/zero"));
    let arguments = [text(&pictures), "--out", text(&out), "--iterations", "2"];
    assert_refused(
        &arguments,
        &["frames[2].file_path", "/dev/zero: expected a file"],
    );
}

/// Masks and parts of a data set are not read, and a note says so.
#[test]
fn entries_that_are_not_read_are_named() {
    let data = Data::new();
    data.change(|file| {
        file["frames"][2]["mask_path"] = json!("mask.png");
        file["test_filenames"] = json!(["view_01.png"]);
    });
    let (pictures, out) = (data.pictures(), data.path("out"));
    let arguments = [text(&pictures), "--out", text(&out), "--iterations", "2"];
    let output = crate::run("fit_scene", &arguments);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    for key in ["mask_path", "test_filenames"] {
        let note = format!("transforms.json: {key} is not read");
        assert_eq!(said.matches(&note).count(), 1, "{said}");
    }
}
