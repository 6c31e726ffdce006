//! The commands that read Gaussians: layers, figures, boxes, edges, and all of them in one report.

use std::fs;

use image::{GrayImage, Luma};

use crate::annotated::{NAMES, SIZE, annotated};
use crate::labelled::{in_one_line, pretrained, row};
use crate::place::{Place, TINY, refused, succeeded, text};

/// The numbers of layers.
const LEVELS: [u8; 5] = [4, 8, 16, 32, 64];

/// Runs of GMAE and MAE, and pictures with masks in `horses`: a bright square on dark ground.
fn place() -> Place {
    let place = pretrained();
    for folder in ["horses/rgb", "horses/figure_ground"] {
        fs::create_dir_all(place.path(folder)).expect("a folder");
    }
    for i in 0..4 {
        place.picture(&format!("horses/rgb/{i}.png"), 24, 16);
        let mask =
            |x, y| Luma([255 * u8::from((6..14).contains(&x) && (2 + i..9 + i).contains(&y))]);
        GrayImage::from_fn(24, 16, mask)
            .save(place.path(&format!("horses/figure_ground/{i}.png")))
            .expect("saving");
    }
    place
}

#[test]
fn layers_are_pictures_of_a_report_and_label_maps() {
    let place = place();
    let layers = ["layers", "--checkpoint", "gmae", "--size", "30", "--image"];
    let images = ["horses/rgb/0.png", "horses/rgb/1.png"];
    let output = place.run(&[&layers[..], &images].concat());
    succeeded(&output);
    assert!(text(&output.stdout).contains("out/layers/report.html"));
    let mut expected: Vec<String> = ["0", "1"]
        .iter()
        .flat_map(|name| LEVELS.map(|groups| format!("{name}-{groups}.png")))
        .chain(["report.html".to_owned()])
        .collect();
    expected.sort();
    assert_eq!(place.files("out/layers"), expected);
    for groups in LEVELS {
        let map = image::open(place.path(&format!("out/layers/1-{groups}.png"))).expect("a map");
        let map = map.as_luma8().expect("a grey map");
        assert_eq!(map.dimensions(), (30, 20));
        assert!(map.pixels().all(|pixel| pixel.0[0] <= groups));
    }
    let report = place.read("out/layers/report.html");
    // For each image: the original, 65 prefixes, 8 layers and 5 maps.
    assert_eq!(report.matches("<img ").count(), 2 * (1 + 65 + 8 + 5));
    assert_eq!(report.matches("type=\"range\"").count(), 2);
    assert!(!report.contains("http"), "the report needs a network");
    // No report is replaced.
    refused(&place.run(&[&layers[..], &images].concat()), &["--output"]);
}

#[test]
fn renders_that_are_not_colours_are_pointed_out() {
    let place = place();
    let pretrain = ["pretrain", "--data", "train", "--output", "relative"];
    let more = ["--loss", "masked-norm-target", "--stop-at", "1"];
    succeeded(&place.run(&[&pretrain, TINY, &more].concat()));
    let runs = |checkpoint| {
        let layers = ["layers", "--image", "horses/rgb/0.png"];
        let figures = ["figure-ground", "--data", "horses"];
        let reconstructions = ["reconstruct", "--data", "test"];
        let image = ["reconstruct", "--image", "horses/rgb/0.png"];
        let edges = ["edges", "--data", "horses/rgb"];
        for command in [&image[..], &edges] {
            let output = format!("{}-{checkpoint}-alone", command[0]);
            let arguments = ["--checkpoint", checkpoint, "--output", &output];
            let result = place.run(&[command, &arguments].concat());
            succeeded(&result);
            let words = in_one_line(&text(&result.stderr));
            assert_eq!(words.contains("are not colours"), checkpoint == "relative");
        }
        [&layers[..], &figures, &reconstructions].map(|command| {
            let output = format!("{}-{checkpoint}", command[0]);
            let arguments = ["--checkpoint", checkpoint, "--output", &output];
            let result = place.run(&[command, &arguments].concat());
            succeeded(&result);
            let report = in_one_line(&place.read(&format!("{output}/report.html")));
            [in_one_line(&text(&result.stderr)), report]
        })
    };
    for words in runs("relative").as_flattened() {
        assert!(words.contains("relative was trained with the loss masked-norm-target"));
    }
    for words in runs("gmae").as_flattened() {
        assert!(!words.contains("masked-norm-target"));
    }
}

#[test]
fn figures_and_boxes_have_a_row_for_every_model_and_baseline() {
    let place = place();
    for (command, everything) in [("figure-ground", "everything"), ("detect", "whole image")] {
        let run = |threads: &str, output: &str| {
            let arguments = [
                command,
                "--checkpoint",
                "gmae",
                "--data",
                "horses",
                "--output",
            ];
            let mut command = place.command(&[&arguments[..], &[output]].concat());
            let output = command.env("RAYON_NUM_THREADS", threads).output();
            succeeded(&output.expect("running"));
        };
        let [one, two] = ["1", "2"].map(|threads| {
            let output = format!("{command}-{threads}");
            run(threads, &output);
            place.read(&format!("{output}/table.csv"))
        });
        assert_eq!(one, two, "the table depends on the threads");
        let table = place.read(&format!("{command}-1/table.md"));
        let score = |name: &str| -> f64 { row(&table, name)[1].parse().expect("a number") };
        for name in ["gmae", "baseline: random weights, k = 4"] {
            assert!((0.0..=100.0).contains(&score(name)), "{table}");
            let best: f64 = row(&table, name)[6].parse().expect("a number");
            assert!(
                best >= score(name),
                "a choice with the truth is no worse: {table}"
            );
        }
        assert!(score(&format!("baseline: {everything}")) > 0.0, "{table}");
        assert!(table.contains("PASCAL VOC"), "{table}");
        let report = place.read(&format!("{command}-1/report.html"));
        for case in ["best: ", "median: ", "worst: "] {
            assert!(report.contains(case), "{case} is not in the report");
        }
    }
}

#[test]
fn edges_are_maps_with_the_names_and_sizes_of_the_images() {
    let place = place();
    place.picture("data/wide.png", 40, 12);
    place.picture("data/high.png", 9, 33);
    let edges = [
        "edges",
        "--checkpoint",
        "gmae",
        "--data",
        "data",
        "--output",
        "maps",
    ];
    succeeded(&place.run(&edges));
    assert_eq!(place.files("maps"), ["high.png", "wide.png"]);
    for (name, size) in [("wide", (40, 12)), ("high", (9, 33))] {
        let map = image::open(place.path(&format!("maps/{name}.png"))).expect("a map");
        assert_eq!(map.as_luma8().expect("a grey map").dimensions(), size);
    }
    // A finished map stays, and a missing one is drawn again with the same pixels.
    let map = |name: &str| fs::read(place.path(&format!("maps/{name}.png"))).expect("a map");
    let drawn = [map("wide"), map("high")];
    fs::remove_file(place.path("maps/high.png")).expect("a map");
    let kept = fs::metadata(place.path("maps/wide.png")).expect("a map");
    let again = place.run(&edges);
    succeeded(&again);
    let words = String::from_utf8_lossy(&again.stderr);
    assert!(words.contains("1 of 2 maps are there"), "{words}");
    assert_eq!([map("wide"), map("high")], drawn);
    let after = fs::metadata(place.path("maps/wide.png")).expect("a map");
    assert_eq!(after.modified().ok(), kept.modified().ok());
    // Maps of another rule, of another image, and files of another program are not replaced.
    let rule = [&edges[..], &["--label", "strongest"]].concat();
    refused(&place.run(&rule), &["--output", "high.png"]);
    fs::copy(place.path("data/wide.png"), place.path("maps/high.png")).expect("a copy");
    refused(&place.run(&edges), &["--output", "high.png"]);
    fs::write(place.path("maps/high.png"), &drawn[1]).expect("a map");
    place.picture("data/high.png", 9, 34);
    refused(&place.run(&edges), &["--output", "high.png"]);
    place.picture("data/high.png", 9, 33);
    // The same name twice.
    fs::copy(place.path("data/wide.png"), place.path("data/wide.PNG")).expect("a copy");
    fs::rename(place.path("data/wide.PNG"), place.path("data/wide.bmp")).expect("a name");
    let again = [&edges[..5], &["--output", "other"]].concat();
    refused(&place.run(&again), &["--data", "wide", "same name"]);
}

#[test]
fn evaluate_writes_one_report_of_all_sets() {
    let place = place();
    // A folder in the layout of BSDS500, from the tests of the benchmark.
    let boundaries = annotated();
    fs::create_dir_all(place.path("sets")).expect("a folder");
    fs::rename(boundaries.path("bsds"), place.path("sets/bsds")).expect("one file system");
    fs::rename(place.path("horses"), place.path("sets/horses")).expect("a name");
    // A folder that is no data set, and one that has lost its masks.
    fs::create_dir_all(place.path("sets/empty")).expect("a folder");
    fs::create_dir_all(place.path("sets/lost/rgb")).expect("a folder");
    fs::create_dir_all(place.path("sets/lost/figure_ground")).expect("a folder");
    place.picture("sets/lost/rgb/0.png", 24, 16);
    let evaluate = [
        "evaluate",
        "--checkpoint",
        "gmae",
        "mae",
        "--data",
        "sets",
        "--shapes",
        "4",
    ];
    let output = place.run(&evaluate);
    succeeded(&output);
    let table = place.read("out/evaluate/table.md");
    for caption in [
        "Depth order and boundaries, 4 procedural scenes",
        "procedural scenes: 4 images, 2 of them",
        "horses: 4 images, 2 of them",
        "Boundary F-measure and average precision",
    ] {
        assert!(table.contains(caption), "{caption} is not in {table}");
    }
    assert!(table.contains("mae (MAE) predicts no Gaussians"), "{table}");
    for left_out in ["sets/empty", "sets/lost"] {
        assert!(text(&output.stderr).contains(left_out), "{left_out}");
        assert!(table.contains(left_out), "{left_out} is not in {table}");
    }
    assert_eq!(place.files("out/evaluate/maps").len(), 2);
    let maps = place.files("out/evaluate/maps/1-gmae");
    assert_eq!(maps, NAMES.map(|name| format!("{name}.png")));
    let map = image::open(place.path("out/evaluate/maps/1-gmae/1001.png")).expect("a map");
    assert_eq!((map.width(), map.height()), SIZE);
    // An evaluation of the same title replaces its own report, with the same numbers. It keeps the
    // maps, and refuses to mix them with those of another rule.
    let drawn = || {
        let map = place.path("out/evaluate/maps/1-gmae/1001.png");
        fs::metadata(map).and_then(|map| map.modified()).ok()
    };
    let before = drawn();
    succeeded(&place.run(&evaluate));
    assert_eq!(place.read("out/evaluate/table.md"), table);
    assert_eq!(drawn(), before);
    let rule = [&evaluate[..], &["--label", "strongest"]].concat();
    refused(&place.run(&rule), &["--output", "1001.png", "this rule"]);
}

#[test]
fn wrong_arguments_of_readings_are_refused() {
    let place = place();
    let layers = [
        "layers",
        "--checkpoint",
        "gmae",
        "--image",
        "horses/rgb/0.png",
    ];
    let figure = ["figure-ground", "--checkpoint", "gmae"];
    for (arguments, words) in [
        (
            [&layers[..], &["--size", "0"]].concat(),
            vec!["--size", "2048"],
        ),
        (
            [&layers[..], &["--threshold", "1"]].concat(),
            vec!["--threshold", "less than 1"],
        ),
        (
            [&layers[..], &["--threshold", "NaN"]].concat(),
            vec!["--threshold", "NaN"],
        ),
        (
            vec![
                "layers",
                "--checkpoint",
                "mae",
                "--image",
                "horses/rgb/0.png",
            ],
            vec!["gmae", "mae"],
        ),
        (
            vec!["layers", "--checkpoint", "gmae", "--image", "gone.png"],
            vec!["gone.png"],
        ),
        (
            [&figure[..], &["--shapes", "1"]].concat(),
            vec!["--shapes", "at least 2"],
        ),
        (
            [&figure[..], &["--data", "horses", "--images", "9"]].concat(),
            vec!["--images", "4"],
        ),
        ([&figure[..], &["--data", "data"]].concat(), vec!["data"]),
        (
            vec![
                "figure-ground",
                "--checkpoint",
                "gmae",
                "mae",
                "--shapes",
                "4",
            ],
            vec!["--checkpoint", "mae"],
        ),
    ] {
        refused(&place.run(&arguments), &words);
    }
}

#[test]
fn wrong_arguments_of_edges_and_evaluate_are_refused() {
    let place = place();
    for (arguments, words) in [
        (
            vec![
                "edges",
                "--checkpoint",
                "gmae",
                "--data",
                "data",
                "--output",
                "maps",
            ],
            vec!["--data", "without one"],
        ),
        (
            vec!["evaluate", "--checkpoint", "gmae", "--data", "train"],
            vec!["--data", "none is recognised"],
        ),
        (
            vec!["evaluate", "--checkpoint", "gmae", "--shapes", "0"],
            vec!["--shapes"],
        ),
    ] {
        refused(&place.run(&arguments), &words);
    }
    assert!(!place.path("maps").exists() && !place.path("out/evaluate").exists());
}
