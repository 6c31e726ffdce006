//! Runs the program in a temporary folder.

use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use gmae_reference::training::metrics;
use image::{Rgb, RgbImage};
use tempfile::TempDir;

/// Flags of a model that trains in milliseconds: images of 8 px in 4 patches.
pub(crate) const TINY: &[&str] = &[
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

/// The files of a checkpoint.
pub(crate) const CHECKPOINT: [&str; 4] = [
    "SHA256SUMS",
    "config.json",
    "model.safetensors",
    "state.safetensors",
];

/// The files in the folder of a run.
pub(crate) const RUN: [&str; 6] = [
    ".lock",
    "SHA256SUMS",
    "config.json",
    "metrics.jsonl",
    "model.safetensors",
    "state.safetensors",
];

/// A temporary folder for one test, with `images` valid pictures in `data/`.
pub(crate) struct Place(pub(crate) TempDir);

impl Place {
    pub(crate) fn new(images: usize) -> Self {
        let place = Self(tempfile::tempdir().expect("a folder"));
        std::fs::create_dir(place.path("data")).expect("a folder");
        for i in 0..images {
            place.picture(&format!("data/{i}.png"), 12, 10);
        }
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn picture(&self, name: &str, width: u32, height: u32) {
        let shade = |x: u32, y: u32| Rgb([(x * 20) as u8, (y * 20) as u8, name.len() as u8]);
        RgbImage::from_fn(width, height, shade)
            .save(self.path(name))
            .expect("saving");
    }

    /// Returns the command that runs the program in this folder.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gmae-reference"));
        command.args(arguments).current_dir(self.0.path());
        command
    }

    /// Runs the program in this folder and waits for its output.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("running")
    }

    pub(crate) fn pretrain(&self, arguments: &[&str]) -> Output {
        self.run(
            &[
                &["pretrain", "--data", "data", "--output", "out"],
                TINY,
                arguments,
            ]
            .concat(),
        )
    }

    pub(crate) fn steps(&self) -> Vec<usize> {
        self.steps_in("out")
    }

    fn steps_in(&self, folder: &str) -> Vec<usize> {
        let records = metrics::read(&self.path(folder).join("metrics.jsonl")).expect("metrics");
        records.iter().map(|record| record.step).collect()
    }

    /// Waits until the run in `out` has taken `steps` steps.
    pub(crate) fn wait_for(&self, steps: usize) {
        self.wait_for_steps("out", steps);
    }

    /// Waits until the run in `folder` has taken `steps` steps.
    pub(crate) fn wait_for_steps(&self, folder: &str, steps: usize) {
        let deadline = Instant::now() + Duration::from_mins(1);
        let metrics = self.path(folder).join("metrics.jsonl");
        while !metrics.exists() || self.steps_in(folder).len() < steps {
            assert!(Instant::now() < deadline, "the run makes no progress");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Returns every file of the checkpoint in `out`, with its content.
    pub(crate) fn checkpoint(&self) -> Vec<(&'static str, Vec<u8>)> {
        let read = |name| std::fs::read(self.path("out").join(name)).expect("a file");
        CHECKPOINT.map(|name| (name, read(name))).to_vec()
    }

    pub(crate) fn files(&self, folder: &str) -> Vec<String> {
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

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Checks that the run failed with exit code 2 and that the last line of its errors contains every
/// one of `words`.
pub(crate) fn refused(output: &Output, words: &[&str]) {
    let errors = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{errors}");
    let last = errors.lines().last().unwrap_or_default();
    assert!(last.starts_with("error: "), "{errors}");
    for word in words {
        assert!(last.contains(word), "{word:?} is not in {last:?}");
    }
    assert!(!errors.contains("panicked"), "{errors}");
}

pub(crate) fn succeeded(output: &Output) {
    assert!(output.status.success(), "{}", text(&output.stderr));
}
