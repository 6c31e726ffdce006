//! The examples `fit_image` and `view_scene`: the pictures that they write, the input that they
//! reject, and their parts.

#[path = "../../examples/common/files.rs"]
mod atomic;
#[path = "../../examples/common/circle/mod.rs"]
mod camera_circle;
#[path = "../../examples/view_scene/cameras/mod.rs"]
mod camera_files;
mod cameras;
mod circle;
mod damaged_cameras;
mod data_set;
#[path = "../../examples/common/decoding.rs"]
mod decoding;
mod files;
#[path = "../../examples/fit_image/model.rs"]
mod fit_model;
mod model;
mod odd;
mod odd_cameras;
mod photographs;
mod pinhole;
#[path = "../programs/mod.rs"]
mod programs;
mod writing;

use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

use files::{photo, scene};

fn run(example: &str, arguments: &[&str]) -> Output {
    Command::new(programs::example(example))
        .args(arguments)
        .output()
        .expect("the example starts")
}

fn text(path: &Path) -> &str {
    path.to_str().expect("temporary paths are UTF-8")
}

/// Runs an example and asserts that it rejects its input. The exit code must be 2, and the error
/// output must contain all of `words`.
#[track_caller]
fn assert_refused(example: &str, arguments: &[&str], words: &[&str]) {
    let output = run(example, arguments);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(
        words.iter().all(|word| said.contains(word)),
        "{words:?}: {said}"
    );
    assert!(!said.contains("panicked"), "{said}");
}

/// Returns the number of decibels in the output of `fit_image`.
fn decibels(output: &Output) -> f64 {
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let before = said.split(" dB").next().expect("there is a first part");
    let number = before.rsplit(' ').next().expect("there is a last word");
    number.parse().expect("a number comes before dB")
}

#[test]
fn fit_image_improves_and_writes_three_pictures() {
    let folder = TempDir::new().expect("a temporary folder");
    let (path, out) = (
        folder.path().join("photo.png"),
        folder.path().join("out/deep"),
    );
    photo()
        .save(&path)
        .expect("the temporary folder is writable");
    let fit = |iterations| {
        let arguments = [
            "--gaussians",
            "60",
            "--iterations",
            iterations,
            "--out",
            text(&out),
        ];
        let output = run("fit_image", &[&[text(&path)], &arguments[..]].concat());
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        decibels(&output)
    };
    let (early, late) = (fit("2"), fit("120"));
    assert!(
        late > early + 5.0 && late > 26.0,
        "from {early} dB to {late} dB"
    );
    for name in ["fit.png", "error.png", "gaussians.png"] {
        let written = image::open(out.join(name)).expect("the picture is whole");
        assert_eq!((written.width(), written.height()), (48, 40), "{name}");
    }
    let left = std::fs::read_dir(&out)
        .expect("the folder is there")
        .count();
    assert_eq!(left, 3, "nothing but the pictures is left");
}

#[test]
fn fit_image_warns_if_all_gaussians_are_culled() {
    let folder = TempDir::new().expect("a temporary folder");
    let (path, out) = (folder.path().join("photo.png"), folder.path().join("out"));
    photo()
        .save(&path)
        .expect("the temporary folder is writable");
    let said = |opacity| {
        // One Gaussian: half of several are added later, with another opacity.
        let count = ["--gaussians", "1", "--iterations", "3"];
        let more = ["--opacity", opacity, "--out", text(&out)];
        let output = run("fit_image", &[&[text(&path)], &count[..], &more].concat());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
        said
    };
    let warning = "warning: expected a visible Gaussian, got 1 that are culled in the picture";
    let faint = said("0.0039");
    assert!(faint.contains(warning), "{faint}");
    let bright = said("0.5");
    assert!(!bright.contains("warning"), "{bright}");
    for wrong in ["0", "1", "NaN", "-0.5"] {
        assert_refused(
            "fit_image",
            &[text(&path), "--opacity", wrong],
            &["--opacity"],
        );
    }
}

#[test]
fn fit_image_is_repeatable() {
    let folder = TempDir::new().expect("a temporary folder");
    let path = folder.path().join("photo.png");
    photo()
        .save(&path)
        .expect("the temporary folder is writable");
    let fit = |seed| {
        let out = folder.path().join("out");
        let arguments = [
            "--gaussians",
            "20",
            "--iterations",
            "10",
            "--seed",
            seed,
            "--out",
            text(&out),
        ];
        let output = run("fit_image", &[&[text(&path)], &arguments[..]].concat());
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        std::fs::read(out.join("fit.png")).expect("it was written")
    };
    let first = fit("7");
    assert!(first == fit("7"), "the same seed gave another picture");
    assert!(first != fit("8"), "another seed gave the same picture");
}

#[test]
fn fit_image_refuses_bad_input() {
    let folder = TempDir::new().expect("a temporary folder");
    let (good, bad) = (
        folder.path().join("photo.png"),
        folder.path().join("bad.png"),
    );
    photo()
        .save(&good)
        .expect("the temporary folder is writable");
    std::fs::write(&bad, "no picture").expect("the temporary folder is writable");
    assert_refused(
        "fit_image",
        &[text(&folder.path().join("absent.png"))],
        &["absent.png"],
    );
    assert_refused("fit_image", &[text(&bad)], &["bad.png"]);
    assert_refused(
        "fit_image",
        &[text(&good), "--gaussians", "0"],
        &["--gaussians"],
    );
    assert_refused(
        "fit_image",
        &[text(&good), "--iterations", "0"],
        &["--iterations"],
    );
    // A file is where the folder should be.
    assert_refused(
        "fit_image",
        &[text(&good), "--out", text(&bad)],
        &["bad.png"],
    );
}

#[test]
fn view_scene_draws_a_scene_in_the_colour_of_its_harmonics() {
    let folder = TempDir::new().expect("a temporary folder");
    let (path, out) = (folder.path().join("scene.ply"), folder.path().join("out"));
    std::fs::write(&path, scene(200, 45)).expect("the temporary folder is writable");
    let output = run("view_scene", &[text(&path), "--out", text(&out)]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    for view in 0..8 {
        let picture = image::open(out.join(format!("view_{view:02}.png"))).expect("it is whole");
        let picture = picture.into_rgb8();
        // The Gaussians are solid and orange, and the middle of the scene is in the image centre.
        let [red, green, blue] = picture.get_pixel(400, 300).0;
        assert!(
            red > 180 && (60..180).contains(&green) && blue < 60,
            "{red} {green} {blue}"
        );
        let corner = picture.get_pixel(2, 2).0;
        assert!(
            corner.iter().all(|&byte| byte < 30),
            "the corner is nearly black: {corner:?}"
        );
    }
}

#[test]
fn view_scene_refuses_bad_input() {
    let folder = TempDir::new().expect("a temporary folder");
    let refused = |name: &str, bytes: &[u8], words: &[&str]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).expect("the temporary folder is writable");
        assert_refused("view_scene", &[text(&path)], &[&[name], words].concat());
    };
    refused("a.txt", b"", &[".ply", ".npz"]);
    refused("a.npz", b"no archive", &["archive"]);
    refused("a.ply", b"no ply", &["PLY"]);
    refused("b.ply", &scene(10, 7), &["f_rest_", "7"]);
    let whole = scene(10, 0);
    refused("c.ply", &whole[..whole.len() - 56], &["vertex", "10"]);
    let absent = folder.path().join("absent.ply");
    assert_refused("view_scene", &[text(&absent)], &["absent.ply"]);
}
