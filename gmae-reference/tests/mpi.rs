//! Several processes that train together, started by `mpirun`. Without `mpirun` the trials are
//! reported as ignored.

use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use gmae_reference::training::{Checkpoint, metrics};
use libtest_mimic::{Arguments, Trial};

#[expect(dead_code, reason = "the other tests use the rest")]
#[path = "program/place.rs"]
mod place;

use place::{Place, TINY, succeeded, text};

const PRETRAIN: &[&str] = &["pretrain", "--data", "data", "--output"];

fn main() -> ExitCode {
    let absent = Command::new("mpirun").arg("--version").output().is_err();
    let trial = |name: &str, run: fn()| {
        Trial::test(name, move || {
            run();
            Ok(())
        })
        .with_ignored_flag(absent)
    };
    let trials = vec![
        trial("processes_train_like_one", processes_train_like_one),
        trial(
            "a_killed_process_ends_the_others",
            a_killed_process_ends_the_others,
        ),
        trial(
            "an_error_of_all_processes_is_one_error",
            an_error_of_all_processes_is_one_error,
        ),
        trial(
            "an_error_of_one_process_saves_and_ends_all",
            an_error_of_one_process_saves_and_ends_all,
        ),
        trial(
            "processes_with_other_data_are_refused",
            processes_with_other_data_are_refused,
        ),
        trial(
            "an_interrupted_job_goes_on_with_the_same_bits",
            an_interrupted_job_goes_on_with_the_same_bits,
        ),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// Returns the command that runs the program in `count` processes.
fn together(place: &Place, count: usize, arguments: &[&str]) -> Command {
    let mut command = Command::new("mpirun");
    command
        .args([
            "--allow-run-as-root",
            "--oversubscribe",
            "-np",
            &count.to_string(),
        ])
        .arg(env!("CARGO_BIN_EXE_gmae-reference"))
        .args(arguments)
        .current_dir(place.0.path());
    command
}

fn losses(place: &Place, folder: &str) -> Vec<f64> {
    let records = metrics::read(&place.path(folder).join("metrics.jsonl")).expect("metrics");
    let steps: Vec<usize> = records.iter().map(|record| record.step).collect();
    assert_eq!(
        steps,
        (1..=records.len()).collect::<Vec<_>>(),
        "every step once"
    );
    records.iter().map(|record| record.loss).collect()
}

/// With more processes than images in a batch, some have no image.
fn processes_train_like_one() {
    let place = Place::new(9);
    let arguments = |folder| [PRETRAIN, &[folder], TINY, &["--epochs", "25"]].concat();
    succeeded(&place.run(&arguments("one")));
    let expected = losses(&place, "one");
    assert_eq!(expected.len(), 50);
    for (count, folder) in [(2, "two"), (3, "three"), (6, "six")] {
        let output = together(&place, count, &arguments(folder)).output();
        succeeded(&output.expect("running"));
        let got = losses(&place, folder);
        assert_eq!(got.len(), 50);
        for (expected, got) in expected.iter().zip(got) {
            assert!(
                (expected - got).abs() < 1e-6 * expected,
                "{expected}, {got}"
            );
        }
    }
}

fn a_killed_process_ends_the_others() {
    let place = Place::new(9);
    let endless = [
        PRETRAIN,
        &["out"],
        TINY,
        &["--epochs", "1000000", "--save-interval", "1"],
    ];
    for victim in ["0", "1"] {
        let resume: &[&str] = if victim == "0" { &[] } else { &["--resume"] };
        let before = last_step(&place);
        let arguments = [endless.concat().as_slice(), resume].concat();
        let mut job = together(&place, 2, &arguments)
            .stderr(Stdio::null())
            .spawn()
            .expect("running");
        place.wait_for(before + 5);
        let killed = Instant::now();
        signal(job.id(), victim, "-KILL");
        let status = job.wait().expect("waiting");
        assert!(!status.success());
        assert!(
            killed.elapsed() < Duration::from_secs(30),
            "{:?}",
            killed.elapsed()
        );
    }
    let stop = (last_step(&place) + 5).to_string();
    let arguments = [PRETRAIN, &["out", "--resume", "--stop-at", &stop]].concat();
    succeeded(&together(&place, 2, &arguments).output().expect("running"));
    assert_eq!(losses(&place, "out").len().to_string(), stop);
}

fn last_step(place: &Place) -> usize {
    let records = metrics::read(&place.path("out/metrics.jsonl")).expect("metrics");
    records.last().map_or(0, |record| record.step)
}

/// Sends a signal to the process of rank `rank` that the launcher with id `parent` has started.
fn signal(parent: u32, rank: &str, name: &str) {
    let output = Command::new("pgrep")
        .args(["-P", &parent.to_string()])
        .output();
    let children = String::from_utf8(output.expect("pgrep").stdout).expect("numbers");
    let variable = format!("OMPI_COMM_WORLD_RANK={rank}\0");
    let child = children.lines().find(|child| {
        let environment = std::fs::read(format!("/proc/{child}/environ")).unwrap_or_default();
        String::from_utf8_lossy(&environment).contains(&variable)
    });
    let child = child.expect("a child of this rank");
    let status = Command::new("kill").args([name, child]).status();
    assert!(status.expect("kill").success());
}

/// All processes find the checkpoint damaged.
fn an_error_of_all_processes_is_one_error() {
    let place = Place::new(9);
    succeeded(&place.pretrain(&["--stop-at", "2"]));
    std::fs::remove_file(place.path("out/SHA256SUMS")).expect("a file");
    let arguments = [PRETRAIN, &["out"], TINY, &["--resume"]].concat();
    let begun = Instant::now();
    let output = together(&place, 2, &arguments).output().expect("running");
    let errors = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{errors}");
    assert!(errors.contains("SHA256SUMS"), "{errors}");
    assert!(begun.elapsed() < Duration::from_secs(30));
}

/// The data of the second process vanish during training. The state is saved all the same.
fn an_error_of_one_process_saves_and_ends_all() {
    let place = Place::new(9);
    copy_data(&place, 9);
    let command = |data| {
        let run = ["pretrain", "--data", data, "--output", "out"];
        [&run, TINY, &["--epochs", "1000000"]].concat()
    };
    let job = two(&place, &command("data"), &command("other"))
        .stderr(Stdio::piped())
        .spawn()
        .expect("running");
    place.wait_for(5);
    std::fs::remove_dir_all(place.path("other")).expect("removing");
    let output = job.wait_with_output().expect("waiting");
    let errors = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{errors}");
    assert!(errors.contains("other"), "{errors}");
    let checkpoint = Checkpoint::load(&place.path("out")).expect("a checkpoint");
    assert_eq!(losses(&place, "out").len(), checkpoint.step());
    assert!(checkpoint.step() >= 5);
}

/// The second process has other images.
fn processes_with_other_data_are_refused() {
    let place = Place::new(9);
    copy_data(&place, 8);
    let command = |data| [&["pretrain", "--data", data, "--output", "out"], TINY].concat();
    let output = two(&place, &command("data"), &command("other")).output();
    let output = output.expect("running");
    let errors = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{errors}");
    assert!(
        errors.contains("expected the same settings, data"),
        "{errors}"
    );
    assert!(!place.path("out/config.json").exists(), "no step was taken");
}

/// An interrupted job goes on with the bits of an uninterrupted one.
fn an_interrupted_job_goes_on_with_the_same_bits() {
    let place = Place::new(9);
    let arguments = |folder, more: &'static [&'static str]| {
        [PRETRAIN, &[folder], TINY, &["--epochs", "200"], more].concat()
    };
    let run = |folder, more| {
        let output = together(&place, 2, &arguments(folder, more)).output();
        succeeded(&output.expect("running"));
    };
    run("whole", &[]);
    let mut job = together(&place, 2, &arguments("out", &[]))
        .stderr(Stdio::null())
        .spawn()
        .expect("running");
    place.wait_for(5);
    signal(job.id(), "1", "-TERM");
    assert!(!job.wait().expect("waiting").success());
    let step = Checkpoint::load(&place.path("out"))
        .expect("a checkpoint")
        .step();
    assert!((5..400).contains(&step), "stopped at step {step}");
    assert_eq!(losses(&place, "out").len(), step);
    run("out", &["--resume"]);
    assert_eq!(losses(&place, "out"), losses(&place, "whole"));
    let [a, b] = ["out", "whole"].map(|folder| {
        std::fs::read(place.path(folder).join("model.safetensors")).expect("a file of weights")
    });
    assert!(a == b, "the weights have the same bits");
}

/// Copies the first `count` images to the folder `other`.
fn copy_data(place: &Place, count: usize) {
    std::fs::create_dir(place.path("other")).expect("a folder");
    for i in 0..count {
        let to = place.path(&format!("other/{i}.png"));
        std::fs::copy(place.path(&format!("data/{i}.png")), to).expect("copying");
    }
}

/// Returns the command that runs two processes with different arguments.
fn two(place: &Place, first: &[&str], second: &[&str]) -> Command {
    let program = env!("CARGO_BIN_EXE_gmae-reference");
    let mut command = Command::new("mpirun");
    command
        .args(["--allow-run-as-root", "--oversubscribe"])
        .args(["-np", "1", program])
        .args(first)
        .args([":", "-np", "1", program])
        .args(second)
        .current_dir(place.0.path());
    command
}
