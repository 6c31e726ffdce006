//! `import`, `export`, `encode` and `convert`.

use std::path::Path;
use std::process::Output;

use gmae_reference::training::Checkpoint;

use crate::place::{CHECKPOINT, Place, refused, succeeded, text};

/// Copies a file of the tests into the place.
fn copy(place: &Place, from: &str, to: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(from);
    std::fs::copy(path, place.path(to)).expect("copying");
}

/// An earlier version of the program wrote the checkpoint after five steps. The version after it
/// wrote the model of the same steps in the present format.
#[test]
fn checkpoints_of_the_first_format_are_converted() {
    let place = Place::new(30);
    std::fs::create_dir(place.path("old")).expect("a folder");
    copy(&place, "legacy/checkpoint.gmae", "old/checkpoint.gmae");
    copy(&place, "legacy/metrics.jsonl", "old/metrics.jsonl");
    copy(&place, "legacy/model.safetensors", "expected.safetensors");
    // Other commands refuse the file and its folder, and state the command.
    for checkpoint in ["old", "old/checkpoint.gmae"] {
        let arguments = [
            "reconstruct",
            "--image",
            "data/0.png",
            "--checkpoint",
            checkpoint,
        ];
        refused(
            &place.run(&arguments),
            &["convert --checkpoint old/checkpoint.gmae"],
        );
    }
    let resume = ["pretrain", "--data", "data", "--output", "old", "--resume"];
    refused(
        &place.run(&resume),
        &["convert --checkpoint old/checkpoint.gmae"],
    );
    let convert = |checkpoint, output| {
        place.run(&["convert", "--checkpoint", checkpoint, "--output", output])
    };
    succeeded(&convert("old/checkpoint.gmae", "new"));
    let read = |name: &str| std::fs::read(place.path(name)).expect("a file");
    assert!(read("new/model.safetensors") == read("expected.safetensors"));
    assert_eq!(
        Checkpoint::load(&place.path("new"))
            .expect("a checkpoint")
            .step(),
        5
    );
    let resume = ["pretrain", "--data", "data", "--output", "new", "--resume"];
    refused(&place.run(&resume), &["--data", "--accept-other-data"]);
    let output = place.run(&[&resume[..], &["--accept-other-data"]].concat());
    succeeded(&output);
    let errors = text(&output.stderr);
    assert!(
        !errors.contains("metrics"),
        "its metrics are sound: {errors}"
    );
    // A damaged file is refused.
    let mut bad = read("old/checkpoint.gmae");
    let middle = bad.len() / 2;
    bad[middle] ^= 1;
    std::fs::write(place.path("old/bad.gmae"), bad).expect("writing");
    refused(&convert("old/bad.gmae", "newer"), &["bad.gmae", "checksum"]);
    refused(&convert("data/0.png", "newer"), &["0.png", "first format"]);
    refused(
        &convert("old/checkpoint.gmae", "new"),
        &["--output", "config.json"],
    );
}

const IMPORT: [&str; 5] = ["import", "--from", "vit.safetensors", "--output", "model"];

/// Imports the encoder of the tests to the folder `model`.
fn imported() -> (Place, Output) {
    let place = Place::new(4);
    copy(&place, "timm/vit.safetensors", "vit.safetensors");
    let sizes: &[&str] = &[
        "--encoder-heads",
        "2",
        "--decoder-width",
        "8",
        "--decoder-depth",
        "1",
        "--decoder-heads",
        "2",
        "--gaussians",
        "4",
        "--batch-size",
        "4",
        "--epochs",
        "2",
    ];
    let output = place.run(&[&IMPORT[..], sizes].concat());
    succeeded(&output);
    (place, output)
}

#[test]
fn an_imported_encoder_is_used() {
    let (place, output) = imported();
    assert!(
        text(&output.stderr).contains("(2)"),
        "{}",
        text(&output.stderr)
    );
    assert_eq!(
        place.files("model"),
        [".lock", CHECKPOINT[0], CHECKPOINT[1], CHECKPOINT[2]]
    );
    refused(&place.run(&IMPORT), &["--output", "model"]);
    // A model without a run can be used, but not resumed.
    let encode = [
        "encode",
        "--checkpoint",
        "model",
        "--output",
        "tokens.safetensors",
    ];
    let images = ["--image", "data/0.png", "data/1.png"];
    succeeded(&place.run(&[&encode[..], &images].concat()));
    let resume = [
        "pretrain", "--data", "data", "--output", "model", "--resume",
    ];
    refused(&place.run(&resume), &["model without a run"]);
    refused(
        &place.run(&[&encode[..], &images].concat()),
        &["--output", "tokens.safetensors"],
    );
    let init = [
        "pretrain", "--data", "data", "--output", "out", "--init", "model",
    ];
    succeeded(&place.run(&init));
    refused(
        &place.run(
            &[
                &init[..4],
                &["other", "--init", "model", "--gaussians", "5"],
            ]
            .concat(),
        ),
        &["another configuration", "gaussians"],
    );
}

#[test]
fn an_imported_encoder_is_exported() {
    let (place, _) = imported();
    // The exported encoder is the imported one, to the last bit and in the same layout.
    let export = [
        "export",
        "--checkpoint",
        "model",
        "--encoder-only",
        "--output",
    ];
    succeeded(&place.run(&[&export[..], &["encoder.safetensors"]].concat()));
    refused(
        &place.run(&[&export[..], &["encoder.safetensors"]].concat()),
        &["--output", "encoder.safetensors"],
    );
    let [original, exported] = ["vit.safetensors", "encoder.safetensors"]
        .map(|name| std::fs::read(place.path(name)).expect("a file"));
    let parse = |bytes| safetensors::SafeTensors::deserialize(bytes).expect("safetensors");
    let (original, exported) = (parse(&original), parse(&exported));
    assert_eq!(exported.len() + 2, original.len());
    for (name, tensor) in exported.iter() {
        let expected = original.tensor(name).expect("a tensor of timm");
        assert_eq!(tensor.shape(), expected.shape(), "{name}");
        assert!(tensor.data() == expected.data(), "{name}");
    }
}

/// Snapshots of epochs can be used and resumed like the run itself.
#[test]
fn snapshots_are_kept_by_epoch_and_the_best_is_known() {
    let place = Place::new(9);
    succeeded(&place.pretrain(&["--snapshot-epochs", "2"]));
    assert_eq!(
        place.files("out/snapshots"),
        ["best", "epoch-0002", "epoch-0003"]
    );
    let load = |name: &str| Checkpoint::load(&place.path(name)).expect("a checkpoint");
    assert_eq!(load("out/snapshots/epoch-0002").step(), 4);
    assert_eq!(load("out/snapshots/epoch-0003").step(), 6);
    let best = load("out/snapshots/best");
    let state = best.state.as_ref().expect("a state");
    let records = gmae_reference::training::metrics::read(&place.path("out/metrics.jsonl"));
    let records = records.expect("metrics");
    let mean = |epoch: usize| f64::midpoint(records[2 * epoch].loss, records[2 * epoch + 1].loss);
    let lowest = mean(1).min(mean(2));
    assert!((state.best.expect("a loss") - lowest).abs() < 1e-12);
    assert_eq!(best.step(), if mean(1) < mean(2) { 4 } else { 6 });
    // The folder of a snapshot is the folder of a run.
    let resume = [
        "pretrain",
        "--data",
        "data",
        "--output",
        "out/snapshots/epoch-0002",
        "--resume",
    ];
    succeeded(&place.run(&resume));
    let weights = |name: &str| {
        std::fs::read(place.path(name).join("model.safetensors")).expect("a file of weights")
    };
    assert!(weights("out/snapshots/epoch-0002") == weights("out"));
}
