//! Rejected input of the commands that measure models: one line of error and exit code 2.

use crate::labelled::{DATA, labelled, picture, pretrained};
use crate::place::{Place, TINY, refused, succeeded, text};

/// The commands with two labelled folders, as far as the folders.
const LABELLED: [&[&str]; 3] = [
    &["probe", "--checkpoint", "gmae"],
    &["finetune", "--checkpoint", "gmae"],
    &["supervised", "--image-size", "8"],
];

/// Checks that every command with labelled folders is refused by all of `words`.
fn all_refuse(place: &Place, arguments: &[&str], words: &[&str]) {
    for command in LABELLED {
        let whole = [command, arguments, &["--output", "out"]].concat();
        refused(&place.run(&whole), words);
        assert!(!place.path("out").exists(), "{whole:?}");
    }
}

#[test]
fn unusable_labelled_folders_are_named() {
    let place = pretrained();
    all_refuse(
        &place,
        &["--data", "train", "--test", "nowhere"],
        &["nowhere"],
    );
    all_refuse(
        &place,
        &["--data", "nowhere", "--test", "test"],
        &["nowhere"],
    );
    for (flag, count, found) in [("--images", "13", "12"), ("--test-images", "7", "6")] {
        let folder = if flag == "--images" { "train" } else { "test" };
        all_refuse(
            &place,
            &[&DATA[..], &[flag, count]].concat(),
            &[folder, count, found],
        );
        all_refuse(&place, &[&DATA[..], &[flag, "0"]].concat(), &[folder, "0"]);
    }
    // One class.
    picture(&place, "one/red/0.png", 2, 0);
    let one = ["--data", "one", "--test", "test"];
    all_refuse(
        &place,
        &one,
        &["--data", "at least two classes", "1 classes in", "one"],
    );
    // Images without a class.
    picture(&place, "flat/0.png", 2, 0);
    let flat = ["--data", "train", "--test", "flat"];
    all_refuse(
        &place,
        &flat,
        &["--test", "at least two classes", "0 classes in", "flat"],
    );
    // Other classes, as many as there should be.
    std::fs::rename(place.path("test/red"), place.path("test/yellow")).expect("renaming");
    all_refuse(
        &place,
        &DATA,
        &[
            "--test",
            "the 3 classes of --data",
            "3 classes; red is only",
        ],
    );
    std::fs::rename(place.path("test/yellow"), place.path("test/red")).expect("renaming");
    // A class more.
    picture(&place, "test/yellow/0.png", 2, 0);
    all_refuse(
        &place,
        &DATA,
        &["--test", "3 classes of --data", "4 classes; yellow is only"],
    );
    std::fs::remove_dir_all(place.path("test/yellow")).expect("removing");
    // An image outside of the classes.
    picture(&place, "test/loose.png", 2, 0);
    all_refuse(
        &place,
        &DATA,
        &["--test", "one folder per class", "test/loose.png"],
    );
}

#[test]
fn folders_that_are_no_checkpoint_are_named() {
    let place = pretrained();
    std::fs::create_dir(place.path("empty")).expect("a folder");
    let commands: [&[&str]; 3] = [
        &["probe", "--data", "train", "--test", "test"],
        &["finetune", "--data", "train", "--test", "test"],
        &["reconstruct", "--data", "test"],
    ];
    for command in commands {
        let run = |checkpoint: &[&str]| {
            place.run(&[command, &["--output", "out", "--checkpoint"], checkpoint].concat())
        };
        for folder in ["nowhere", "empty", "train", "test/red/0.png"] {
            refused(&run(&["gmae", folder]), &["checkpoint", folder]);
        }
        // The list must not be empty.
        for output in [run(&[]), place.run(command)] {
            let errors = text(&output.stderr);
            assert_eq!(output.status.code(), Some(2), "{errors}");
            assert!(errors.contains("--checkpoint"), "{errors}");
        }
        assert!(!place.path("out").exists());
    }
    // A damaged file.
    let mut bytes = std::fs::read(place.path("mae/model.safetensors")).expect("weights");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(place.path("mae/model.safetensors"), bytes).expect("writing");
    for command in commands {
        let damaged = [command, &["--output", "out", "--checkpoint", "gmae", "mae"]].concat();
        refused(
            &place.run(&damaged),
            &["mae/model.safetensors", "SHA256SUMS"],
        );
    }
}

#[test]
fn impossible_settings_of_classifiers_are_named() {
    let place = pretrained();
    for (flag, value) in [
        ("drop-path", "1"),
        ("drop-path", "-0.1"),
        ("drop-path", "nan"),
        ("layer-decay", "0"),
        ("layer-decay", "1.1"),
        ("layer-decay", "nan"),
        ("mixup", "nan"),
        ("mixup", "-1"),
        ("mixup", "inf"),
        ("mixup", "1e-9"),
        ("cutmix", "nan"),
        ("cutmix", "-1"),
        ("label-smoothing", "1"),
        ("label-smoothing", "nan"),
        ("mask-ratio", "0.5"),
        ("epochs", "0"),
        ("batch-size", "0"),
        ("learning-rate", "nan"),
        ("learning-rate", "-1"),
        ("warmup-epochs", "-1"),
        ("weight-decay", "inf"),
    ] {
        let dashed = format!("--{flag}");
        let setting = format!("setting {flag}: expected ");
        for command in &LABELLED[1..] {
            let more = [&DATA[..], &["--output", "out", &dashed, value]].concat();
            refused(
                &place.run(&[command, &more[..]].concat()),
                &[&setting, "got "],
            );
        }
    }
    // The values of these flags are not numbers, or too large for a number.
    for (flag, value) in [("--epochs", "-1"), ("--mixup", "x"), ("--images", "-1")] {
        for command in &LABELLED[1..] {
            let output =
                place.run(&[command, &DATA[..], &["--output", "out", flag, value]].concat());
            assert_eq!(output.status.code(), Some(2), "{flag} {value}");
            assert!(
                text(&output.stderr).contains(flag),
                "{}",
                text(&output.stderr)
            );
        }
    }
    assert!(!place.path("out").exists());
}

/// A flag that shapes the model must agree with the checkpoint.
#[test]
fn flags_that_contradict_the_checkpoint_are_named() {
    let place = pretrained();
    let finetune = [
        &["finetune", "--checkpoint", "mae"],
        &DATA[..],
        &["--output", "out"],
    ]
    .concat();
    for (flag, value, words) in [
        ("--encoder-depth", "2", ["encoder_depth is 1", "expected 2"]),
        ("--method", "gmae", ["method is mae", "expected gmae"]),
        ("--image-size", "16", ["image_size is 8", "expected 16"]),
        ("--gaussians", "5", ["gaussians is 4", "expected 5"]),
        ("--loss", "masked", ["setting mask-ratio", "--loss all"]),
    ] {
        refused(
            &place.run(&[&finetune[..], &[flag, value]].concat()),
            &words,
        );
    }
    // The encoders have the same shape, the models do not.
    let init = [
        "pretrain", "--data", "train", "--output", "out", "--init", "mae",
    ];
    let words = ["checkpoint \"mae\"", "method is mae", "expected gmae"];
    refused(
        &place.run(&[&init[..], &["--method", "gmae"]].concat()),
        &words,
    );
    refused(
        &place.run(&[&init[..], TINY, &["--config", "nano"]].concat()),
        &words,
    );
    assert!(!place.path("out").exists());
    succeeded(&place.run(&[&init[..], &["--stop-at", "1"]].concat()));
}

#[test]
fn settings_of_the_other_method_are_named() {
    let place = labelled();
    let run = ["pretrain", "--data", "train", "--output", "out"];
    for (flags, words) in [
        (
            ["--method", "mae", "--loss", "masked-norm-both"],
            ["setting loss", "--norm-pix"],
        ),
        (
            ["--method", "mae", "--loss", "masked-norm-target"],
            ["setting loss", "--norm-pix"],
        ),
        (
            ["--method", "mae", "--freeze-z", "on"],
            ["setting freeze-z", "--method mae"],
        ),
        (
            ["--method", "mae", "--random-depth-order", "on"],
            ["setting random-depth-order", "--method mae"],
        ),
        (
            ["--norm-pix", "on", "--method", "gmae"],
            ["setting norm-pix", "masked-norm-target"],
        ),
        (
            ["--freeze-z", "on", "--random-depth-order", "on"],
            ["setting freeze-z", "--random-depth-order"],
        ),
    ] {
        refused(&place.run(&[&run[..], TINY, &flags].concat()), &words);
    }
    let images = |count| place.run(&[&run[..], TINY, &["--images", count]].concat());
    refused(&images("0"), &["train", "12", "0"]);
    refused(&images("13"), &["train", "12", "13"]);
    assert!(!place.path("out").exists());
    succeeded(&images("5"));
}

#[test]
fn wrong_arguments_of_reconstruct_are_named() {
    let place = pretrained();
    let all = [
        "reconstruct",
        "--data",
        "test",
        "--output",
        "out",
        "--checkpoint",
        "gmae",
    ];
    let with = |more: &[&str]| place.run(&[&all[..], more].concat());
    for count in ["0", "7"] {
        refused(&with(&["--images", count]), &["test", "6", count]);
    }
    refused(&with(&["--features", "nowhere"]), &["nowhere"]);
    refused(&with(&["--features", "train"]), &["train", "checkpoint"]);
    refused(
        &with(&["--features", "test/red/0.png"]),
        &["test/red/0.png"],
    );
    // A covariance needs two images.
    refused(
        &with(&["--features", "mae", "--images", "1"]),
        &["at least 2", "got 1"],
    );
    let large = [
        "pretrain",
        "--data",
        "train",
        "--output",
        "large",
        "--stop-at",
        "1",
    ];
    succeeded(&place.run(&[&large[..], TINY, &["--image-size", "16"]].concat()));
    refused(
        &with(&["--features", "large"]),
        &["--features", "8 px", "16 px"],
    );
    refused(
        &with(&["--encoder-depth", "2"]),
        &["encoder_depth is 1", "expected 2"],
    );
    let two = [
        "reconstruct",
        "--image",
        "test/red/0.png",
        "--checkpoint",
        "gmae",
        "mae",
    ];
    refused(
        &place.run(&two),
        &["--checkpoint", "one folder with --image", "2 folders"],
    );
    assert!(!place.path("out").exists());
    std::fs::create_dir(place.path("out")).expect("a folder");
    std::fs::write(place.path("out/report.html"), "another report").expect("writing");
    refused(&with(&[]), &["--output", "report.html"]);
    for command in LABELLED {
        let whole = [command, &DATA[..], &["--output", "out"]].concat();
        refused(&place.run(&whole), &["--output", "report.html"]);
    }
    assert_eq!(place.read("out/report.html"), "another report");
    // Output that is a file.
    let file = [&all[..4], &["out/report.html", "--checkpoint", "gmae"]].concat();
    refused(&place.run(&file), &["out/report.html"]);
}
