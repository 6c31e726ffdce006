//! The short examples run, and write what they say.

#[path = "programs/mod.rs"]
mod programs;

use std::path::Path;
use std::process::{Command, Output};

use image::RgbImage;

fn run(example: &str, arguments: &[&str]) -> Output {
    let program = programs::example(example);
    let output = Command::new(program).args(arguments).output();
    output.expect("the example starts")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[track_caller]
fn refused(example: &str, arguments: &[&str], part: &str) {
    let output = run(example, arguments);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(
        error.contains(part) && !error.contains("panicked"),
        "{error}"
    );
}

fn picture(path: &Path) -> RgbImage {
    image::open(path).expect("a picture").into_rgb8()
}

/// The main file of an example is short enough to be read at once.
#[test]
fn short_examples_have_at_most_80_lines() {
    for name in [
        "orbit",
        "view_scene",
        "fit_splats_2d",
        "fit_scene",
        "share_device",
    ] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("examples")
            .join(name);
        let text = std::fs::read_to_string(path.join("main.rs")).expect("a source file");
        let lines = text.lines().count();
        assert!(lines <= 80, "{name}: {lines} lines");
    }
}

#[test]
fn orbit_shows_the_ball_from_all_sides() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().to_str().expect("UTF-8");
    let output = run(
        "orbit",
        &["--frames", "4", "--size", "64", "48", "--out", out],
    );
    assert!(output.status.success(), "{output:?}");
    assert!(said(&output).starts_with("4 frames in "), "{output:?}");
    let frame = |i: usize| picture(&folder.path().join(format!("frame_{i:04}.png")));
    let frames: Vec<RgbImage> = (0..4).map(frame).collect();
    for (i, image) in frames.iter().enumerate() {
        assert_eq!(image.dimensions(), (64, 48));
        let lit = image.pixels().filter(|pixel| pixel.0 != [0; 3]).count();
        assert!((300..2000).contains(&lit), "frame {i}: {lit} pixels");
        assert!(
            *image != frames[(i + 1) % 4],
            "frames {i} and the next are equal"
        );
    }
    refused("orbit", &["--size", "0", "48", "--out", out], "fov_x");
    refused("orbit", &["missing.ply", "--out", out], "missing.ply");
}

#[test]
fn orbit_refuses_a_scene_of_culled_gaussians() {
    let folder = tempfile::tempdir().expect("a folder");
    let scene = folder.path().join("all_culled.ply");
    std::fs::write(&scene, include_bytes!("cases/all_culled.ply")).expect("a file");
    let [scene, out] = [&scene, folder.path()].map(|path| path.to_str().expect("UTF-8"));
    let arguments = [scene, "--frames", "3", "--size", "64", "48", "--out", out];
    let part = "expected a visible Gaussian, got 7 that are culled in all 3 pictures";
    refused("orbit", &arguments, part);
}

/// The warning stands beside the picture, because a fit of nothing is still a picture.
#[test]
fn fit_splats_2d_warns_if_all_ellipses_are_culled() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("fit.png");
    let path = path.to_str().expect("UTF-8");
    let said = |opacity| {
        let arguments = [path, "--steps", "2", "--opacity", opacity];
        let output = run("fit_splats_2d", &arguments);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let warning = "warning: expected a visible Gaussian, got 150 that are culled in the picture\n";
    assert_eq!(said("0.0039"), warning);
    assert_eq!(said("0.004"), "");
    for wrong in ["0", "1", "NaN", "two"] {
        refused("fit_splats_2d", &[path, "--opacity", wrong], "--opacity");
    }
}

#[test]
fn fit_splats_2d_comes_close_to_its_picture() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("fit.png");
    let output = run(
        "fit_splats_2d",
        &[path.to_str().expect("UTF-8"), "--steps", "60"],
    );
    assert!(output.status.success(), "{output:?}");
    let text = said(&output);
    let decibels: f64 = text
        .split(" dB")
        .next()
        .and_then(|x| x.parse().ok())
        .expect("decibels");
    assert!(decibels > 20.0, "{text}");
    assert_eq!(picture(&path).dimensions(), (192, 64));
    let inside_a_file = path.join("fit.png");
    let arguments = [inside_a_file.to_str().expect("UTF-8")];
    refused("fit_splats_2d", &arguments, "fit.png");
}
