//! Runs that are killed, stopped by a signal, or started twice.

use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use gmae_reference::training::{Checkpoint, metrics};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::place::{Place, RUN, TINY, refused, succeeded, text};

const PRETRAIN: &[&str] = &["pretrain", "--data", "data", "--save-interval", "0"];

fn start(place: &Place, arguments: &[&str]) -> Child {
    let mut command = place.command(&[PRETRAIN, TINY, arguments].concat());
    command.stderr(Stdio::piped()).stdout(Stdio::null());
    command.spawn().expect("running")
}

/// Sends a signal to a process.
fn signal(child: &Child, name: &str) {
    let status = Command::new("kill")
        .args([name, &child.id().to_string()])
        .status();
    assert!(status.expect("kill").success());
}

/// Waits until the run in `out` has taken `steps` steps.
fn wait_for(place: &Place, steps: usize) {
    let deadline = Instant::now() + Duration::from_mins(1);
    while !place.path("out/metrics.jsonl").exists() || place.steps().len() < steps {
        assert!(Instant::now() < deadline, "the run makes no progress");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Kills a run at `kills` random moments, many of them while it writes, and completes it.
fn killed_and_resumed(kills: usize, steps: usize) {
    let place = Place::new(9);
    let epochs = (steps / 2).to_string();
    let arguments = |folder| ["--epochs", &epochs, "--output", folder];
    succeeded(
        &start(&place, &arguments("whole"))
            .wait_with_output()
            .expect("waiting"),
    );
    let mut rng = ChaCha8Rng::seed_from_u64(kills as u64);
    let mut begun = false;
    let mut interrupted_writes = 0;
    for _ in 0..kills {
        let resume: &[&str] = if begun { &["--resume"] } else { &[] };
        let mut child = start(&place, &[&arguments("out"), resume].concat());
        std::thread::sleep(Duration::from_millis(rng.random_range(20..250)));
        child.kill().expect("killing");
        let output = child.wait_with_output().expect("waiting");
        assert!(
            !text(&output.stderr).contains("error"),
            "{}",
            text(&output.stderr)
        );
        begun = place.path("out/SHA256SUMS").exists() || place.path("out/.commit").exists();
        let writes = [".next", ".commit"].map(|name| place.path("out").join(name).exists());
        interrupted_writes += usize::from(writes.contains(&true));
    }
    assert!(interrupted_writes > 0, "no kill during a write");
    let resume: &[&str] = if begun { &["--resume"] } else { &[] };
    let last = start(&place, &[&arguments("out"), resume].concat());
    succeeded(&last.wait_with_output().expect("waiting"));
    assert_eq!(
        place.steps(),
        (1..=steps).collect::<Vec<_>>(),
        "every step once"
    );
    let losses = |folder| {
        let records = metrics::read(&place.path(folder).join("metrics.jsonl")).expect("metrics");
        records.iter().map(|record| record.loss).collect::<Vec<_>>()
    };
    assert_eq!(losses("out"), losses("whole"));
    let weights = |folder| {
        std::fs::read(place.path(folder).join("model.safetensors")).expect("a file of weights")
    };
    assert!(
        weights("out") == weights("whole"),
        "the weights have the same bits"
    );
    assert_eq!(
        place.files("out"),
        RUN,
        "no file of a killed process is left"
    );
}

#[test]
fn a_run_survives_kills() {
    killed_and_resumed(8, 200);
}

#[test]
#[ignore = "takes minutes"]
fn a_run_survives_thirty_kills() {
    killed_and_resumed(30, 1000);
}

/// The state is saved after each of these signals, and the run can be resumed.
#[test]
fn termination_and_hangup_save_and_exit() {
    let place = Place::new(9);
    let arguments = [
        "--epochs",
        "100000",
        "--output",
        "out",
        "--save-interval",
        "1000",
    ];
    for (name, resume) in [("-TERM", None), ("-HUP", Some("--resume"))] {
        let before = place.path("out").exists().then(|| place.steps().len());
        let child = start(&place, &[&arguments[..], resume.as_slice()].concat());
        wait_for(&place, before.unwrap_or(0) + 5);
        signal(&child, name);
        let output = child.wait_with_output().expect("waiting");
        assert_eq!(output.status.code(), Some(130), "{}", text(&output.stderr));
        let step = Checkpoint::load(&place.path("out"))
            .expect("a checkpoint")
            .step();
        assert_eq!(place.steps(), (1..=step).collect::<Vec<_>>());
        assert!(step >= before.unwrap_or(0) + 5);
    }
}

#[test]
fn a_folder_has_one_writer_at_a_time() {
    let place = Place::new(9);
    let endless = ["--epochs", "100000", "--output", "out"];
    let mut child = start(&place, &endless);
    wait_for(&place, 3);
    let second = |arguments: &[&str]| -> Output {
        start(&place, arguments)
            .wait_with_output()
            .expect("waiting")
    };
    refused(
        &second(&[&endless[..], &["--resume"]].concat()),
        &["--output", "another run"],
    );
    child.kill().expect("killing");
    child.wait().expect("waiting");
    // A killed process leaves no lock behind.
    let steps = (place.steps().len() + 3).to_string();
    let resumed = [&endless[..], &["--resume", "--stop-at", &steps]].concat();
    succeeded(&second(&resumed));
}
