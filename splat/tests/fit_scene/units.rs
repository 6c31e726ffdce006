//! Scenes in other units and places, and other sets of cameras.

use std::fs;

use serde_json::{Value, json};
use splat::io::{Colours, Format};

use crate::data::Data;
use crate::results::decibels;

/// Multiplies all lengths of a data set, and then moves it.
fn moved(data: &Data, unit: f64, by: [f64; 3]) {
    let points = data.pictures().join("points.ply");
    let mut scene = splat::io::read(&points).expect("points").scene;
    for mean in scene.means.chunks_mut(3) {
        for (x, by) in mean.iter_mut().zip(by) {
            *x = (f64::from(*x) * unit + by) as f32;
        }
    }
    let mut text = format!(
        "ply\nformat ascii 1.0\nelement vertex {}\nproperty float x\nproperty float y\nproperty float \
         z\nproperty float red\nproperty float green\nproperty float blue\nend_header\n",
        scene.len()
    );
    let Colours::Constant(colours) = &scene.colours else {
        panic!("points have colours");
    };
    for (mean, colour) in scene.means.chunks(3).zip(colours.chunks(3)) {
        for number in mean.iter().chain(colour) {
            text.push_str(&number.to_string());
            text.push(' ');
        }
        text.push('\n');
    }
    fs::write(points, text).expect("a file");
    data.change(|file| {
        for frame in file["frames"].as_array_mut().expect("frames") {
            for (row, by) in by.into_iter().enumerate() {
                let entry = &mut frame["transform_matrix"][row][3];
                *entry = json!(entry.as_f64().expect("a number") * unit + by);
            }
        }
    });
}

/// The results do not depend on the unit of length. They are 28.2 dB or more.
#[test]
fn scenes_of_any_unit_are_found() {
    for (unit, by) in [
        (1e-4, [0.0; 3]),
        (1e4, [0.0; 3]),
        (1.0, [300.0, -200.0, 100.0]),
    ] {
        for strategy in ["mcmc", "adaptive"] {
            let data = Data::new();
            moved(&data, unit, by);
            let plan = [
                "--iterations",
                "500",
                "--gaussians",
                "300",
                "--strategy",
                strategy,
            ];
            let said = data.fit("out", &plan);
            let ratios = decibels(&said);
            println!("{unit} {strategy}: {ratios:?}");
            assert!(
                ratios.iter().all(|&ratio| ratio > 27.0),
                "{unit} {strategy}: {said}"
            );
        }
    }
}

/// The points say how far the scene of one picture, or of parallel cameras, is away.
#[test]
fn one_picture_and_parallel_cameras_are_enough() {
    let data = Data::new();
    moved(&data, 1e-4, [0.0; 3]);
    data.change(|file| {
        let first = file["frames"][0].clone();
        file["frames"] = json!([first]);
    });
    let plan = [
        "--iterations",
        "300",
        "--gaussians",
        "300",
        "--hold-out",
        "0",
    ];
    let said = data.fit("out", &plan);
    assert!(decibels(&said).iter().all(|&ratio| ratio > 24.0), "{said}");
}

/// The scene that is written is the one that is measured.
#[test]
fn the_report_measures_the_scene_that_is_written() {
    let data = Data::new();
    data.fit(
        "out",
        &["--iterations", "200", "--gaussians", "200", "--sh", "3"],
    );
    let (cameras, scene) = (
        data.pictures().join("transforms.json"),
        data.path("out/scene.ply"),
    );
    let views = data.path("views");
    let [cameras, scene, out] = [&cameras, &scene, &views].map(|path| crate::text(path));
    let output = crate::run("view_scene", &[scene, "--cameras", cameras, "--out", out]);
    assert!(output.status.success(), "{output:?}");
    // The pictures held out come first in the report: 0 and 8.
    for (in_report, view) in [(0, 0), (1, 8), (2, 1)] {
        let report = data.path(&format!("out/pictures/picture_{in_report:03}.png"));
        let report = image::open(report)
            .expect("a picture")
            .crop_imm(48, 0, 48, 36)
            .to_rgb8();
        let view = image::open(views.join(format!("view_{view:02}.png")))
            .expect("one")
            .to_rgb8();
        for (a, b) in report.as_raw().iter().zip(view.as_raw()) {
            assert!(a.abs_diff(*b) <= 1, "{in_report}: {a} {b}");
        }
    }
}

/// A scene without shapes of points keeps its opacities, although its colours are constant.
#[test]
fn a_splat_file_is_a_start_as_a_ply_file_is() {
    let data = Data::new();
    let scene = splat::io::read(data.path("scene.ply"))
        .expect("a scene")
        .scene;
    let mut bytes = Vec::new();
    for i in 0..scene.len() {
        let numbers = scene.means[3 * i..][..3]
            .iter()
            .chain(&scene.scales[3 * i..][..3]);
        bytes.extend(numbers.flat_map(|x| x.to_le_bytes()));
        let splat::io::Colours::Harmonics { coefficients, .. } = &scene.colours else {
            panic!("a PLY file has harmonics");
        };
        let colour = coefficients[3 * i..][..3].iter();
        bytes.extend(colour.map(|c| (255.0 * (0.5 + 0.282_094_8 * c)).round() as u8));
        bytes.extend([
            (255.0 * scene.opacities[i]).round() as u8,
            255,
            128,
            128,
            128,
        ]);
    }
    let path = data.path("scene.splat");
    fs::write(&path, bytes).expect("a file");
    let path = crate::text(&path);
    let said = data.fit("out", &["--iterations", "1", "--sh", "0", "--points", path]);
    assert!(decibels(&said).iter().all(|&ratio| ratio > 35.0), "{said}");
    // The written scene can be converted, too.
    let written = splat::io::read(data.path("out/scene.ply"))
        .expect("a scene")
        .scene;
    splat::io::write(data.path("scene.spz"), &written, Format::Spz).expect("a file");
}

/// A file of cameras without a size states the focal length of the whole photograph.
#[test]
fn focal_lengths_without_a_size_are_those_of_the_photograph() {
    let ratio = |change: fn(&mut Value)| {
        let data = Data::new();
        data.change(change);
        let scene = data.path("scene.ply");
        let plan = [
            "--iterations",
            "1",
            "--max-side",
            "24",
            "--points",
            crate::text(&scene),
        ];
        decibels(&data.fit("out", &plan))
    };
    let with = ratio(|_| ());
    let without = ratio(|file| {
        for key in ["w", "h"] {
            file.as_object_mut().expect("an object").remove(key);
        }
    });
    assert_eq!(with, without);
    assert!(with.iter().all(|&ratio| ratio > 20.0), "{with:?}");
}
