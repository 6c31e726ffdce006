//! Rejected input and failures: one line of error, exit code 2, and no lost data.

use std::process::Command;

use crate::place::{Place, RUN, TINY, refused, succeeded, text};
use gmae_reference::training::{Checkpoint, metrics};

#[test]
fn resuming_with_other_settings_or_data_is_refused() {
    let place = Place::new(9);
    succeeded(&place.pretrain(&["--stop-at", "2"]));
    let before = place.checkpoint();
    refused(
        &place.pretrain(&["--resume", "--seed", "5"]),
        &["another configuration", "seed", "5"],
    );
    place.picture("data/more.png", 12, 10);
    refused(
        &place.pretrain(&["--resume"]),
        &["--data", "9 images", "10 images"],
    );
    assert_eq!(place.checkpoint(), before);
}

#[test]
fn missing_and_empty_folders_are_named() {
    let place = Place::new(0);
    refused(&place.pretrain(&[]), &["data", "image"]);
    std::fs::write(place.path("data/notes.txt"), "no picture").expect("writing");
    refused(&place.pretrain(&[]), &["data", "image"]);
    refused(
        &place.run(&["pretrain", "--data", "nowhere", "--output", "out"]),
        &["nowhere"],
    );
    assert!(
        !place.path("out").exists(),
        "nothing is written before the data has been seen"
    );
}

#[test]
fn bad_images_are_named_while_training_and_the_next_ones_replace_them() {
    let place = Place::new(8);
    place.picture("data/good.jpg", 40, 40);
    let whole = std::fs::read(place.path("data/good.jpg")).expect("a picture");
    std::fs::write(place.path("data/torn.jpg"), &whole[..whole.len() / 2]).expect("writing");
    place.picture("data/small.png", 3, 12);
    let output = place.pretrain(&[]);
    succeeded(&output);
    let errors = text(&output.stderr);
    assert!(errors.contains("11 images, "), "{errors}");
    for words in [
        "data/torn.jpg (truncated",
        "data/small.png (too small: 3 x 12",
    ] {
        let remark = errors.lines().find(|line| line.contains(words));
        let remark = remark.unwrap_or_else(|| panic!("{words}: {errors}"));
        assert!(remark.ends_with("the next image replaces it"), "{remark}");
    }
    assert!(errors.contains("skipped 2 of 11"), "{errors}");
}

#[test]
fn impossible_settings_are_named() {
    let place = Place::new(4);
    for (flag, value) in [
        ("gaussians", "0"),
        ("encoder-width", "0"),
        ("decoder-width", "0"),
        ("encoder-width", "18"),
        ("patch-size", "16"),
        ("patch-size", "3"),
        ("mask-ratio", "1"),
        ("mask-ratio", "nan"),
        ("mask-ratio", "0"),
        ("mask-ratio", "0.9"),
        ("learning-rate", "nan"),
        ("learning-rate", "-1"),
        ("blur", "inf"),
        ("batch-size", "0"),
        ("crop-scale", "0"),
    ] {
        let flag_with_dashes = format!("--{flag}");
        let output = place.run(&[
            "pretrain",
            "--data",
            "data",
            "--output",
            "out",
            "--image-size",
            "8",
            &flag_with_dashes,
            value,
        ]);
        refused(&output, &[flag]);
    }
    assert!(!place.path("out").exists());
}

#[test]
fn sizes_whose_product_overflows_are_errors() {
    let place = Place::new(4);
    let huge = usize::MAX.to_string();
    for flag in [
        "--gaussians",
        "--encoder-width",
        "--decoder-width",
        "--encoder-depth",
        "--decoder-depth",
        "--mlp-ratio",
        "--batch-size",
        "--image-size",
        "--micro-batch",
        "--encoder-heads",
    ] {
        for value in [huge.as_str(), "4611686018427387904", "4294967296"] {
            let output = place.run(&[
                "pretrain",
                "--data",
                "data",
                "--output",
                "out",
                "--patch-size",
                "4",
                flag,
                value,
            ]);
            refused(&output, &["setting"]);
            assert!(!place.path("out").exists());
        }
    }
}

#[test]
fn an_output_folder_that_cannot_be_is_named() {
    let place = Place::new(4);
    std::fs::write(place.path("out"), "a file").expect("writing");
    refused(&place.pretrain(&[]), &["out"]);
    assert_eq!(
        std::fs::read(place.path("out")).expect("the file"),
        b"a file"
    );
}

/// A limit on the file size simulates a full disk: a write fails after a part of the data.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_keeps_the_last_checkpoint() {
    let place = Place::new(9);
    succeeded(&place.pretrain(&["--stop-at", "2"]));
    let before = place.checkpoint();
    let limit = format!(
        "trap '' XFSZ; ulimit -f {}; exec \"$0\" \"$@\"",
        before.iter().map(|(_, file)| file.len()).max().unwrap_or(0) / 2 / 512
    );
    let output = Command::new("sh")
        .args(["-c", &limit, env!("CARGO_BIN_EXE_gmae-reference")])
        .args(["pretrain", "--data", "data", "--output", "out", "--resume"])
        .current_dir(place.0.path())
        .output()
        .expect("running");
    refused(&output, &["model.safetensors"]);
    assert_eq!(place.checkpoint(), before);
    assert_eq!(place.files("out"), RUN, "no half-written file is left");
    succeeded(&place.pretrain(&["--resume"]));
    assert_eq!(place.steps(), (1..=6).collect::<Vec<_>>());
}

#[test]
fn a_run_that_diverges_says_so_and_keeps_the_last_checkpoint() {
    let place = Place::new(9);
    let output = place.pretrain(&["--learning-rate", "1e38", "--clip-norm", "1e30"]);
    refused(&output, &["finite", "learning-rate"]);
    let checkpoint = Checkpoint::load(&place.path("out")).expect("a usable checkpoint");
    assert_eq!(checkpoint.step(), 0);
    assert!(
        metrics::read(&place.path("out/metrics.jsonl"))
            .expect("metrics")
            .iter()
            .all(|r| r.loss.is_finite())
    );
}

/// Both output streams are closed from the start, as if `head` had already ended.
#[test]
fn closed_pipes_stop_nothing() {
    let place = Place::new(4);
    let pretrain = [&["pretrain", "--data", "data", "--output", "out"], TINY].concat();
    let demo = [&["demo", "--seconds", "0.1", "--output", "demo"], TINY].concat();
    let reconstruct: &[&str] = &[
        "reconstruct",
        "--checkpoint",
        "out",
        "--image",
        "data/0.png",
    ];
    let refused: &[&str] = &["pretrain", "--data", "nowhere"];
    for (arguments, code) in [
        (pretrain.as_slice(), 0),
        (demo.as_slice(), 0),
        (reconstruct, 0),
        (refused, 2),
        (&["--help"], 0),
    ] {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let status = place
            .command(arguments)
            .stdout(writer.try_clone().expect("its other handle"))
            .stderr(writer)
            .status()
            .expect("running");
        assert_eq!(status.code(), Some(code), "{arguments:?}");
    }
}

#[test]
fn reconstruct_refuses_what_it_cannot_use() {
    let place = Place::new(4);
    succeeded(&place.pretrain(&["--stop-at", "1"]));
    place.picture("small.png", 3, 30);
    std::fs::write(place.path("text.png"), "no picture").expect("writing");
    let run = |checkpoint: &str, image: &str, more: &[&str]| {
        let arguments = [
            "reconstruct",
            "--checkpoint",
            checkpoint,
            "--image",
            image,
            "--output",
            "pictures",
        ];
        place.run(&[&arguments, more].concat())
    };
    refused(
        &run("out", "small.png", &[]),
        &["--image", "4 x 4", "3 x 30"],
    );
    refused(&run("out", "text.png", &[]), &["--image", "text.png"]);
    place.picture("torn.jpg", 40, 40);
    let whole = std::fs::read(place.path("torn.jpg")).expect("a picture");
    std::fs::write(place.path("torn.jpg"), &whole[..whole.len() / 2]).expect("writing");
    refused(
        &run("out", "torn.jpg", &[]),
        &["--image", "torn.jpg", "truncated"],
    );
    refused(&run("out", "nowhere.png", &[]), &["nowhere.png"]);
    refused(&run("nowhere", "small.png", &[]), &["nowhere"]);
    refused(&run("text.png", "small.png", &[]), &["text.png"]);
    refused(
        &run("out", "data/0.png", &["--config", "base"]),
        &["another configuration"],
    );
    assert!(!place.path("pictures").exists());
}

/// A launcher of MPI sets the variable. A program without MPI must not train twice.
#[cfg(not(feature = "mpi"))]
#[test]
fn processes_that_cannot_train_together_are_refused() {
    let place = Place::new(4);
    let pretrain = [&["pretrain", "--data", "data", "--output", "out"], TINY].concat();
    for arguments in [&["demo"], pretrain.as_slice()] {
        let mut command = place.command(arguments);
        let output = command.env("OMPI_COMM_WORLD_SIZE", "2").output();
        refused(&output.expect("running"), &["2 were started, expected 1"]);
    }
    assert!(!place.path("out").exists());
}
