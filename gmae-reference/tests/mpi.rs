//! Several processes that train together, started by `mpirun`. Without `mpirun` the trials are
//! reported as ignored.

use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use gmae_reference::training::metrics;
use libtest_mimic::{Arguments, Trial};

#[expect(dead_code, reason = "the other tests use the rest")]
#[path = "program/place.rs"]
mod place;

use place::{Place, TINY, succeeded};

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
            "an_error_of_one_process_ends_the_others",
            an_error_of_one_process_ends_the_others,
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

/// Four processes have one image of a batch each.
fn processes_train_like_one() {
    let place = Place::new(9);
    let arguments = |folder| [PRETRAIN, &[folder], TINY, &["--epochs", "25"]].concat();
    succeeded(&place.run(&arguments("one")));
    let expected = losses(&place, "one");
    assert_eq!(expected.len(), 50);
    for (count, folder) in [(2, "two"), (3, "three"), (4, "four")] {
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
        let deadline = Instant::now() + Duration::from_mins(1);
        while last_step(&place) < before + 5 {
            assert!(Instant::now() < deadline, "the run makes no progress");
            std::thread::sleep(Duration::from_millis(20));
        }
        let killed = Instant::now();
        kill(job.id(), victim);
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

/// Kills the process of rank `rank` that the launcher with id `parent` has started.
fn kill(parent: u32, rank: &str) {
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
    let status = Command::new("kill").args(["-KILL", child]).status();
    assert!(status.expect("kill").success());
}

/// All processes find the checkpoint damaged.
fn an_error_of_one_process_ends_the_others() {
    let place = Place::new(9);
    succeeded(&place.pretrain(&["--stop-at", "2"]));
    std::fs::remove_file(place.path("out/SHA256SUMS")).expect("a file");
    let arguments = [PRETRAIN, &["out"], TINY, &["--resume"]].concat();
    let begun = Instant::now();
    let output = together(&place, 2, &arguments).output().expect("running");
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{errors}");
    assert!(errors.contains("SHA256SUMS"), "{errors}");
    assert!(begun.elapsed() < Duration::from_secs(30));
}
