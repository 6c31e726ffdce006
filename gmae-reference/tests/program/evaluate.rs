//! The commands that measure models: their tables and their files.

use std::process::Stdio;

use gmae_reference::config::Tuning;
use gmae_reference::training::{Checkpoint, metrics};
use safetensors::SafeTensors;

use crate::kills::signal;
use crate::labelled::{DATA, in_one_line, pretrained, row};
use crate::place::{Place, RUN, TINY, refused, succeeded, text};

/// The files of a comparison.
const REPORT: [&str; 3] = ["report.html", "table.csv", "table.md"];

/// Runs a command with a number of threads.
fn with_threads(place: &Place, threads: &str, arguments: &[&str]) {
    let mut command = place.command(arguments);
    let output = command.env("RAYON_NUM_THREADS", threads).output();
    succeeded(&output.expect("running"));
}

/// Checks that a comparison is the same with 1 and 2 threads. `arguments` end with `--output`.
/// Returns the table.
fn same_with_any_threads(place: &Place, arguments: &[&str], output: &str) -> String {
    let other = format!("{output}-2");
    for (threads, output) in [("1", output), ("2", &other)] {
        with_threads(place, threads, &[arguments, &["--output", output]].concat());
    }
    let table = place.read(&format!("{output}/table.csv"));
    assert_eq!(table, place.read(&format!("{other}/table.csv")));
    place.read(&format!("{output}/table.md"))
}

#[test]
fn probe_compares_encoders_with_a_random_one_and_raw_pixels() {
    let place = pretrained();
    let probe = ["probe", "--checkpoint", "gmae", "mae"];
    let table = same_with_any_threads(&place, &[&probe[..], &DATA].concat(), "probed");
    assert_eq!(place.files("probed"), REPORT);
    let method = |name: &str| row(&table, name)[7..].to_vec();
    assert_eq!(method("gmae"), ["GMAE", "8 x 1, 2 heads"]);
    assert_eq!(method("mae"), ["MAE", "8 x 1, 2 heads"]);
    assert_eq!(
        method("baseline: random encoder, 16 x 1, images of 8 px"),
        ["-", "-"]
    );
    // The mean colour determines the class.
    let pixels = row(&table, "baseline: raw pixels of 8 px");
    assert_eq!([&pixels[1], &pixels[5]], ["100.00", "100.00"]);
    let caption = "3 classes, 12 images to learn from, 6 test images";
    assert!(in_one_line(&table).contains(caption), "{table}");
    // No file of another command is replaced.
    let again = [&probe[..], &DATA, &["--output", "probed"]].concat();
    refused(&place.run(&again), &["--output", "table.md"]);
    // Parts of the folders, and one probe.
    let part = [
        "--images",
        "6",
        "--test-images",
        "3",
        "--probes",
        "ridge",
        "--output",
        "part",
    ];
    succeeded(&place.run(&[&probe[..], &DATA, &part].concat()));
    let table = place.read("part/table.md");
    assert!(
        in_one_line(&table).contains("6 images to learn from, 3 test images"),
        "{table}"
    );
    assert!(!in_one_line(&table).contains("neighbours"), "{table}");
}

const FINETUNE: [&str; 9] = [
    "finetune",
    "--checkpoint",
    "gmae",
    "mae",
    "--batch-size",
    "4",
    "--micro-batch",
    "2",
    "--epochs",
];

#[test]
fn finetune_trains_a_classifier_for_every_checkpoint() {
    let place = pretrained();
    let finetune = [&FINETUNE[..], &["2"], &DATA].concat();
    let table = same_with_any_threads(&place, &finetune, "tuned");
    for (run, method) in [("1-gmae", "GMAE"), ("2-mae", "MAE")] {
        let cells = row(&table, &run[2..]);
        assert_eq!(cells[3..5], [method, "8 x 1, 2 heads"]);
        assert!(cells[1].parse::<f64>().is_ok(), "{cells:?}");
        assert_eq!(place.files(&format!("tuned/{run}")), RUN);
        let weights = |folder: &str| {
            std::fs::read(place.path(&format!("{folder}/{run}/model.safetensors")))
                .expect("weights")
        };
        assert!(weights("tuned") == weights("tuned-2"), "{run}");
        let checkpoint = Checkpoint::load(&place.path(&format!("tuned/{run}")));
        let checkpoint = checkpoint.expect("a checkpoint");
        assert_eq!(checkpoint.step(), 6);
        let Some(Tuning::Classes(settings)) = checkpoint.finetuning else {
            panic!("{:?}", checkpoint.finetuning);
        };
        assert_eq!(settings.classes, 3);
    }
    assert!(
        in_one_line(&table).contains("12 images to learn from, 6 test images"),
        "{table}"
    );
    assert!(
        in_one_line(&table).contains("layer decay 0.8, drop path 0.2, mixup 0.8"),
        "{table}"
    );
    // A finished run is tested again, and not trained again.
    let again = [&finetune[..], &["--output", "tuned"]].concat();
    refused(&place.run(&again), &["--output", "table.md"]);
    let state = |name: &str| std::fs::read(place.path("tuned/1-gmae").join(name)).expect("a file");
    let before = ["model.safetensors", "metrics.jsonl"].map(state);
    std::fs::remove_file(place.path("tuned/table.md")).expect("removing");
    succeeded(&place.run(&[&again[..], &["--resume"]].concat()));
    assert!(["model.safetensors", "metrics.jsonl"].map(state) == before);
    assert_eq!(place.read("tuned/table.md"), table);
    let other = [&again[..], &["--resume", "--mixup", "0"]].concat();
    refused(
        &place.run(&other),
        &["tuned/1-gmae", "mixup: 0.8", "mixup: 0.0"],
    );
}

/// The probe and the encoder of a classifier can be used.
#[test]
fn a_classifier_is_probed_encoded_and_exported() {
    let place = pretrained();
    let finetune = [&FINETUNE[..], &["1"], &DATA, &["--output", "tuned"]].concat();
    succeeded(&place.run(&finetune));
    let checkpoint = ["--checkpoint", "tuned/1-gmae"];
    let probe = [&["probe", "--probes", "ridge"], &checkpoint[..], &DATA].concat();
    succeeded(&place.run(&[&probe[..], &["--output", "probed"]].concat()));
    assert_eq!(
        row(&place.read("probed/table.md"), "1-gmae")[4],
        "classifier"
    );
    let image = [
        "--image",
        "test/red/0.png",
        "--output",
        "tokens.safetensors",
    ];
    succeeded(&place.run(&[&["encode"], &checkpoint[..], &image].concat()));
    let names = |file: &str| -> Vec<String> {
        let bytes = std::fs::read(place.path(file)).expect("a file");
        let tensors = SafeTensors::deserialize(&bytes).expect("safetensors");
        let mut names: Vec<String> = tensors.names().into_iter().map(str::to_owned).collect();
        names.sort();
        names
    };
    let export = [&["export"], &checkpoint[..], &["--output"]].concat();
    succeeded(&place.run(&[&export[..], &["whole.safetensors"]].concat()));
    let whole = names("whole.safetensors");
    // A Vision Transformer of timm with mean pooling has no last norm before the mean.
    let head = ["fc_norm.bias", "fc_norm.weight", "head.bias", "head.weight"];
    assert!(
        head.iter()
            .all(|name| whole.iter().any(|other| other == name)),
        "{whole:?}"
    );
    assert!(
        !whole.iter().any(|name| name.starts_with("norm.")),
        "{whole:?}"
    );
    succeeded(&place.run(&[&export[..], &["encoder.safetensors", "--encoder-only"]].concat()));
    let encoder = names("encoder.safetensors");
    let mut expected: Vec<String> = whole;
    expected.retain(|name| !head.contains(&name.as_str()));
    expected.extend(["norm.bias", "norm.weight"].map(str::to_owned));
    expected.sort();
    assert_eq!(encoder, expected);
    // Training can go on from the encoder.
    let finetune = [&["finetune", "--epochs", "1"], &checkpoint[..], &DATA].concat();
    succeeded(&place.run(&[&finetune[..], &["--output", "tuned-again"]].concat()));
}

/// A classifier has no decoder.
#[test]
fn a_classifier_does_not_reconstruct_and_is_not_pretrained() {
    let place = pretrained();
    let finetune = [&FINETUNE[..], &["1"], &DATA, &["--output", "tuned"]].concat();
    succeeded(&place.run(&finetune));
    let checkpoint = ["--checkpoint", "tuned/1-gmae"];
    let words = [
        "tuned/1-gmae",
        "expected a masked autoencoder, got a classifier",
    ];
    let one = [
        "reconstruct",
        "--image",
        "test/red/0.png",
        "--output",
        "pictures",
    ];
    refused(&place.run(&[&one[..], &checkpoint].concat()), &words);
    let all = ["reconstruct", "--data", "test", "--output", "pictures"];
    refused(&place.run(&[&all[..], &checkpoint].concat()), &words);
    let init = [
        "pretrain",
        "--data",
        "train",
        "--output",
        "new",
        "--init",
        "tuned/1-gmae",
    ];
    refused(&place.run(&init), &words);
    let resume = [
        "pretrain",
        "--data",
        "train",
        "--output",
        "tuned/1-gmae",
        "--resume",
    ];
    refused(
        &place.run(&resume),
        &["expected a masked autoencoder, got a classifier"],
    );
    assert!(!place.path("pictures").exists());
}

#[test]
fn an_interrupted_finetune_goes_on_where_it_stopped() {
    let place = pretrained();
    let finetune =
        |output: &'static str| [&FINETUNE[..], &["100"], &DATA, &["--output", output]].concat();
    let mut command = place.command(&finetune("out"));
    let child = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn();
    let child = child.expect("running");
    place.wait_for_steps("out/2-mae", 3);
    signal(&child, "-INT");
    let output = child.wait_with_output().expect("waiting");
    assert_eq!(output.status.code(), Some(130), "{}", text(&output.stderr));
    assert_eq!(place.files("out"), ["1-gmae", "2-mae"]);
    let steps = Checkpoint::load(&place.path("out/2-mae"))
        .expect("a checkpoint")
        .step();
    assert!((3..300).contains(&steps), "{steps}");
    // Without the flag, no run is begun again by accident.
    refused(&place.run(&finetune("out")), &["--output", "--resume"]);
    succeeded(&place.run(&[&finetune("out")[..], &["--resume"]].concat()));
    succeeded(&place.run(&finetune("whole")));
    for run in ["1-gmae", "2-mae"] {
        let [out, whole] = ["out", "whole"].map(|folder| {
            let folder = place.path(folder).join(run);
            let records = metrics::read(&folder.join("metrics.jsonl")).expect("metrics");
            let losses: Vec<f64> = records.iter().map(|record| record.loss).collect();
            let weights = std::fs::read(folder.join("model.safetensors")).expect("weights");
            (losses, weights)
        });
        assert_eq!(out.0, whole.0);
        assert!(out.1 == whole.1, "{run}");
    }
    assert_eq!(place.read("out/table.csv"), place.read("whole/table.csv"));
}

#[test]
fn supervised_trains_from_initial_weights() {
    let place = crate::labelled::labelled();
    let settings = [
        TINY,
        &["--learning-rate", "0.3", "--epochs", "20", "--mixup", "0"],
    ]
    .concat();
    let arguments = [&["supervised"], &settings[..], &DATA, &["--cutmix", "0"]].concat();
    let table = same_with_any_threads(&place, &arguments, "out");
    let cells = row(&table, "supervised, from initial weights");
    // The mean colour determines the class.
    assert_eq!(cells[1], "100.00");
    assert_eq!(cells[3..5], ["-", "-"]);
    assert!(
        in_one_line(&table).contains("layer decay 1, drop path 0.2, mixup 0, cutmix 0"),
        "{table}"
    );
    let files = ["report.html", "supervised", "table.csv", "table.md"];
    assert_eq!(place.files("out"), files);
    assert_eq!(place.files("out/supervised"), RUN);
}

#[test]
fn reconstruct_compares_models_and_fills_on_a_folder() {
    let place = pretrained();
    let models = [
        "reconstruct",
        "--data",
        "test",
        "--checkpoint",
        "gmae",
        "mae",
    ];
    let table = same_with_any_threads(&place, &models, "plain");
    assert_eq!(place.files("plain"), REPORT);
    let numbers = |table: &str, name: &str, range: std::ops::Range<usize>| -> Vec<f64> {
        let cells = row(table, name)[range].to_vec();
        let number = |cell: &String| cell.parse().unwrap_or_else(|_| panic!("{cell}: {table}"));
        cells.iter().map(number).collect()
    };
    for (name, words) in [
        ("gmae", ["GMAE", "8 x 1, 2 heads"]),
        ("mae", ["MAE", "8 x 1, 2 heads"]),
        ("baseline: mean visible colour", ["-", "-"]),
        ("baseline: bilinear fill from visible patches", ["-", "-"]),
    ] {
        let values = numbers(&table, name, 1..10);
        // Three of four patches are masked.
        let ratio = values[3] / values[0];
        assert!((ratio - 0.75).abs() < 0.01, "{name}: {values:?}");
        assert_eq!(row(&table, name)[10..], words);
    }
    // The mean colour of a class is far better than a model after one step.
    let error = |name: &str| numbers(&table, name, 1..2)[0];
    assert!(error("baseline: mean visible colour") < error("mae"));
    assert!(
        in_one_line(&table).contains("6 images of 8 px, 1 of 4 patches visible, mask seed 0"),
        "{table}"
    );
    let features = [&models[..], &["--features", "gmae", "--images", "3"]].concat();
    let table = same_with_any_threads(&place, &features, "features");
    assert!(in_one_line(&table).contains("| FD ↓ |"), "{table}");
    let distances = |name: &str| numbers(&table, name, 10..11)[0];
    assert!(distances("gmae") > 0.0 && distances("baseline: mean visible colour") > 0.0);
    let other = [&models[..], &["--mask-seed", "1", "--output", "other"]].concat();
    succeeded(&place.run(&other));
    let other = place.read("other/table.md");
    assert_ne!(
        row(&other, "mae"),
        row(&place.read("plain/table.md"), "mae")
    );
}
