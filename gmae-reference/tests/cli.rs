//! The program as a user meets it: what it writes, and how it refuses.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use gmae_reference::checkpoint::Checkpoint;
use gmae_reference::metrics;
use image::{Rgb, RgbImage};
use tempfile::TempDir;

/// A model that takes milliseconds: 8 px in 4 patches.
const TINY: &[&str] = &[
    "--image-size",
    "8",
    "--encoder-width",
    "16",
    "--encoder-depth",
    "1",
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
    "--micro-batch",
    "2",
    "--epochs",
    "3",
];

/// A folder for one test, with `images` good pictures in `data/`.
struct Place(TempDir);

impl Place {
    fn new(images: usize) -> Self {
        let place = Self(tempfile::tempdir().expect("a folder"));
        std::fs::create_dir(place.path("data")).expect("a folder");
        for i in 0..images {
            place.picture(&format!("data/{i}.png"), 12, 10);
        }
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn picture(&self, name: &str, width: u32, height: u32) {
        let shade = |x: u32, y: u32| Rgb([(x * 20) as u8, (y * 20) as u8, name.len() as u8]);
        RgbImage::from_fn(width, height, shade)
            .save(self.path(name))
            .expect("saving");
    }

    /// Runs the program in this folder.
    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gmae-reference"));
        command
            .args(arguments)
            .current_dir(self.0.path())
            .output()
            .expect("running")
    }

    fn pretrain(&self, arguments: &[&str]) -> Output {
        self.run(
            &[
                &["pretrain", "--data", "data", "--output", "out"],
                TINY,
                arguments,
            ]
            .concat(),
        )
    }

    fn steps(&self) -> Vec<usize> {
        let records = metrics::read(&self.path("out/metrics.jsonl")).expect("metrics");
        records.iter().map(|record| record.step).collect()
    }

    fn checkpoint(&self) -> Vec<u8> {
        std::fs::read(self.path("out/checkpoint.gmae")).expect("a checkpoint")
    }

    fn files(&self, folder: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.path(folder)).expect("a folder");
        let mut names: Vec<String> = entries
            .map(|e| {
                e.expect("an entry")
                    .file_name()
                    .to_string_lossy()
                    .into_owned()
            })
            .collect();
        names.sort();
        names
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The run failed with exit code 2 and a last line that has every one of `words`.
fn refused(output: &Output, words: &[&str]) {
    let errors = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{errors}");
    let last = errors.lines().last().unwrap_or_default();
    assert!(last.starts_with("error: "), "{errors}");
    for word in words {
        assert!(last.contains(word), "{word:?} is not in {last:?}");
    }
    assert!(!errors.contains("panicked"), "{errors}");
}

fn succeeded(output: &Output) {
    assert!(output.status.success(), "{}", text(&output.stderr));
}

#[test]
fn pretrain_writes_a_checkpoint_and_metrics_and_nothing_else() {
    let place = Place::new(9);
    succeeded(&place.pretrain(&[]));
    assert_eq!(place.files("out"), ["checkpoint.gmae", "metrics.jsonl"]);
    assert_eq!(place.steps(), (1..=6).collect::<Vec<_>>());
    let checkpoint = Checkpoint::load(&place.path("out/checkpoint.gmae")).expect("a checkpoint");
    assert_eq!(checkpoint.header.step, 6);
    assert_eq!(checkpoint.header.config.gaussians, 4);
}

#[test]
fn a_run_goes_on_where_it_stopped_and_is_not_begun_again_by_accident() {
    let place = Place::new(9);
    succeeded(&place.pretrain(&["--stop-at", "4"]));
    let before = place.checkpoint();
    refused(&place.pretrain(&[]), &["--output", "--resume"]);
    assert_eq!(place.checkpoint(), before);
    succeeded(&place.pretrain(&["--resume"]));
    assert_eq!(place.steps(), (1..=6).collect::<Vec<_>>());
    // Without a preset and settings, the checkpoint's are used.
    succeeded(&place.run(&["pretrain", "--data", "data", "--output", "out", "--resume"]));
}

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
fn a_truncated_jpeg_among_good_images_is_skipped_counted_and_named() {
    let place = Place::new(8);
    place.picture("data/good.jpg", 40, 40);
    let whole = std::fs::read(place.path("data/good.jpg")).expect("a picture");
    std::fs::write(place.path("data/torn.jpg"), &whole[..whole.len() / 2]).expect("writing");
    place.picture("data/small.png", 3, 12);
    let output = place.pretrain(&[]);
    succeeded(&output);
    let errors = text(&output.stderr);
    assert!(errors.contains("skipped 2 of 11"), "{errors}");
    assert!(
        errors.contains("torn.jpg") && errors.contains("small.png"),
        "{errors}"
    );
    assert!(errors.contains("9 images"), "{errors}");
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

/// A limit on the size of files stands in for a full disk: writes fail half-way.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_keeps_the_last_checkpoint() {
    let place = Place::new(9);
    succeeded(&place.pretrain(&["--stop-at", "2"]));
    let before = place.checkpoint();
    let limit = format!(
        "trap '' XFSZ; ulimit -f {}; exec \"$0\" \"$@\"",
        before.len() / 2 / 512
    );
    let output = Command::new("sh")
        .args(["-c", &limit, env!("CARGO_BIN_EXE_gmae-reference")])
        .args(["pretrain", "--data", "data", "--output", "out", "--resume"])
        .current_dir(place.0.path())
        .output()
        .expect("running");
    refused(&output, &["checkpoint.gmae"]);
    assert_eq!(place.checkpoint(), before);
    assert_eq!(
        place.files("out"),
        ["checkpoint.gmae", "metrics.jsonl"],
        "no half-written file is left"
    );
    succeeded(&place.pretrain(&["--resume"]));
    assert_eq!(place.steps(), (1..=6).collect::<Vec<_>>());
}

#[test]
fn a_run_that_diverges_says_so_and_keeps_the_last_checkpoint() {
    let place = Place::new(9);
    let output = place.pretrain(&["--learning-rate", "1e38", "--clip-norm", "1e30"]);
    refused(&output, &["finite", "learning-rate"]);
    let checkpoint =
        Checkpoint::load(&place.path("out/checkpoint.gmae")).expect("a usable checkpoint");
    assert_eq!(checkpoint.header.step, 0);
    assert!(
        metrics::read(&place.path("out/metrics.jsonl"))
            .expect("metrics")
            .iter()
            .all(|r| r.loss.is_finite())
    );
}

#[test]
fn reconstruct_writes_four_pictures() {
    let place = Place::new(4);
    succeeded(&place.pretrain(&["--stop-at", "1"]));
    place.picture("image.png", 30, 20);
    let arguments = [
        "reconstruct",
        "--checkpoint",
        "out/checkpoint.gmae",
        "--image",
        "image.png",
        "--output",
        "pictures",
    ];
    let output = place.run(&arguments);
    succeeded(&output);
    assert!(text(&output.stdout).contains("mean squared error"));
    assert_eq!(
        place.files("pictures"),
        [
            "masked.png",
            "original.png",
            "pasted.png",
            "reconstruction.png"
        ]
    );
    let open = |name: &str| {
        image::open(place.path("pictures").join(name))
            .expect("a picture")
            .into_rgb8()
    };
    let (original, masked, pasted, render) = (
        open("original.png"),
        open("masked.png"),
        open("pasted.png"),
        open("reconstruction.png"),
    );
    assert_eq!(original.dimensions(), (8, 8));
    let visible = |x: u32, y: u32| masked.get_pixel(x, y) == original.get_pixel(x, y);
    for (x, y, pixel) in pasted.enumerate_pixels() {
        let source = if visible(x, y) { &original } else { &render };
        assert_eq!(pixel, source.get_pixel(x, y));
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
        &run("out/checkpoint.gmae", "small.png", &[]),
        &["--image", "4 x 4", "3 x 30"],
    );
    refused(
        &run("out/checkpoint.gmae", "text.png", &[]),
        &["--image", "text.png"],
    );
    refused(
        &run("out/checkpoint.gmae", "nowhere.png", &[]),
        &["nowhere.png"],
    );
    refused(&run("nowhere.gmae", "small.png", &[]), &["nowhere.gmae"]);
    refused(&run("text.png", "small.png", &[]), &["text.png"]);
    refused(
        &run("out/checkpoint.gmae", "data/0.png", &["--config", "base"]),
        &["another configuration"],
    );
    assert!(!place.path("pictures").exists());
}

#[test]
fn demo_writes_a_report() {
    let place = Place::new(0);
    let output = place.run(&[&["demo", "--seconds", "1", "--output", "demo"], TINY].concat());
    succeeded(&output);
    assert!(text(&output.stdout).contains("held-out masked loss"));
    assert_eq!(
        place.files("demo"),
        ["checkpoint.gmae", "metrics.jsonl", "report.html"]
    );
    refused(&place.run(&["demo", "--seconds", "nan"]), &["--seconds"]);
}

/// Whatever a path holds must survive as it is.
#[test]
fn paths_are_taken_literally() {
    let place = Place::new(4);
    std::fs::rename(place.path("data"), place.path("da ta%20")).expect("renaming");
    let output = place.run(
        &[
            &["pretrain", "--data", "da ta%20", "--output", "o ut/deep"],
            TINY,
        ]
        .concat(),
    );
    succeeded(&output);
    assert!(Path::new(&place.path("o ut/deep/checkpoint.gmae")).exists());
}
