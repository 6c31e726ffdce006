//! The results of a run.

use std::fs;

use serde_json::Value;

use crate::data::Data;

/// The ratios of the last line, dB: of the pictures held out, if there are any, and of the others.
pub(crate) fn decibels(said: &str) -> Vec<f64> {
    let last = said.lines().last().expect("a line");
    let before = last.split(" dB").map(|part| part.rsplit(' ').next());
    before.filter_map(|word| word?.parse().ok()).collect()
}

/// At the start, a picture of this scene has about 15 dB.
#[test]
fn both_strategies_find_the_ball_again() {
    let data = Data::new();
    for strategy in ["mcmc", "adaptive"] {
        let said = data.fit(
            strategy,
            &[
                "--strategy",
                strategy,
                "--iterations",
                "800",
                "--gaussians",
                "400",
            ],
        );
        let first = said.lines().next().expect("a line");
        assert_eq!(
            first,
            "pictures to train on: 14, held out: 2, Gaussians: 40"
        );
        let ratios = decibels(&said);
        assert!(
            ratios.len() == 2 && ratios.iter().all(|&ratio| ratio > 28.0),
            "{strategy}: {said}"
        );
        let out = data.path(strategy);
        let scene = splat::io::read(out.join("scene.ply"))
            .expect("a scene")
            .scene;
        assert!(
            (41..=400).contains(&scene.len()),
            "{strategy}: {}",
            scene.len()
        );
        let near = scene.means.chunks(3).filter(|mean| {
            let square: f32 = mean.iter().map(|x| x * x).sum();
            (0.5..1.5).contains(&square.sqrt())
        });
        let near = near.count();
        assert!(
            near * 10 > scene.len() * 8,
            "{strategy}: {near} of {}",
            scene.len()
        );
        assert!(said.contains(&format!("Gaussians: {}, iterations: 800;", scene.len())));
    }
}

#[test]
fn the_report_has_every_picture_and_its_ratio() {
    let data = Data::new();
    data.change(|file| file["frames"][3]["file_path"] = Value::from("a & <b>.png"));
    let pictures = data.pictures();
    fs::rename(pictures.join("view_03.png"), pictures.join("a & <b>.png")).expect("a file");
    let said = data.fit("out", &["--iterations", "60", "--gaussians", "60"]);
    let html = fs::read_to_string(data.path("out/report.html")).expect("a report");
    assert_eq!(html.matches("<img ").count(), 16);
    assert_eq!(html.matches("dB</h3>").count(), 16);
    assert_eq!(html.matches(", held out</td>").count(), 2);
    assert!(html.contains("a &amp; &lt;b&gt;.png, trained on"));
    assert!(html.contains("<svg ") && !html.contains("Interrupted"));
    for ratio in decibels(&said) {
        assert!(
            html.contains(&format!("<th>{ratio:.2}</th>")),
            "{ratio}: {said}"
        );
    }
    for name in html.split("src=\"").skip(1) {
        let name = name.split('"').next().expect("a name");
        let picture = image::open(data.path("out").join(name)).expect("a picture");
        // The photograph, the rendered picture and the error.
        assert_eq!((picture.width(), picture.height()), (3 * 48, 36), "{name}");
    }
    let left = image::open(data.path("out/pictures/picture_000.png")).expect("a picture");
    let photo = image::open(pictures.join("view_00.png")).expect("a picture");
    assert_eq!(left.crop_imm(0, 0, 48, 36).to_rgb8(), photo.to_rgb8());
}

#[test]
fn one_seed_gives_one_scene() {
    let data = Data::new();
    let scene = |name: &str, seed: &str| {
        let arguments = ["--iterations", "250", "--gaussians", "90", "--seed", seed];
        data.fit(name, &arguments);
        fs::read(data.path(name).join("scene.ply")).expect("a scene")
    };
    let first = scene("a", "3");
    assert!(first == scene("b", "3"), "two runs of one seed differ");
    assert!(first != scene("c", "4"), "two seeds give one scene");
}

#[test]
fn without_points_the_start_is_random() {
    let data = Data::new();
    data.change(|file| {
        file.as_object_mut()
            .expect("an object")
            .remove("ply_file_path");
    });
    let said = data.fit(
        "out",
        &["--iterations", "800", "--gaussians", "400", "--sh", "0"],
    );
    assert!(
        said.starts_with("pictures to train on: 14, held out: 2, Gaussians: 100\n"),
        "{said}"
    );
    assert!(decibels(&said).iter().all(|&ratio| ratio > 24.0), "{said}");
}

/// A scene that was trained before is a start like any other: with one step it is nearly the same.
#[test]
fn a_scene_can_be_the_start() {
    let data = Data::new();
    let scene = data.path("scene.ply");
    let points = scene.to_str().expect("UTF-8");
    let said = data.fit(
        "out",
        &["--iterations", "1", "--sh", "0", "--points", points],
    );
    assert!(said.contains(", Gaussians: 160\n"), "{said}");
    assert!(decibels(&said).iter().all(|&ratio| ratio > 35.0), "{said}");
    let [before, after] = [scene, data.path("out/scene.ply")]
        .map(|path| splat::io::read(path).expect("a scene").scene);
    for (a, b) in before.means.iter().zip(&after.means) {
        assert!((a - b).abs() < 1e-2, "{a} {b}");
    }
}

#[test]
fn everything_can_be_trained_on() {
    let data = Data::new();
    let said = data.fit("out", &["--iterations", "3", "--hold-out", "0"]);
    assert!(
        said.starts_with("pictures to train on: 16, held out: 0, "),
        "{said}"
    );
    assert_eq!(decibels(&said).len(), 1, "{said}");
}
