//! Runs that are killed, stopped by a signal, or started twice.

use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use gmae_reference::training::{Checkpoint, metrics};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use safetensors::SafeTensors;

use crate::place::{Place, RUN, TINY, refused, succeeded, text};

const PRETRAIN: &[&str] = &["pretrain", "--data", "data", "--save-interval", "0"];

/// Arguments of a run that does not end by itself and saves only when it is stopped.
const ENDLESS: &[&str] = &[
    "--epochs",
    "100000",
    "--output",
    "out",
    "--save-interval",
    "1000",
];

fn start(place: &Place, arguments: &[&str]) -> Child {
    let mut command = place.command(&[PRETRAIN, TINY, arguments].concat());
    command.stderr(Stdio::piped()).stdout(Stdio::null());
    command.spawn().expect("running")
}

/// Sends a signal to a process.
pub(crate) fn signal(child: &Child, name: &str) {
    let status = Command::new("kill")
        .args([name, &child.id().to_string()])
        .status();
    assert!(status.expect("kill").success());
}

/// Waits until the run in `out` replaces its files, or for a second.
fn wait_for_a_write(place: &Place) {
    let deadline = Instant::now() + Duration::from_secs(1);
    let folders = [".next", ".commit"].map(|name| place.path("out").join(name));
    while !folders.iter().any(|folder| folder.exists()) && Instant::now() < deadline {
        std::thread::yield_now();
    }
}

/// Kills a run `kills` times, every second time while it writes, and completes it.
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
    for kill in 0..kills {
        let resume: &[&str] = if begun { &["--resume"] } else { &[] };
        let mut child = start(&place, &[&arguments("out"), resume].concat());
        std::thread::sleep(Duration::from_millis(rng.random_range(20..250)));
        if kill % 2 == 1 {
            wait_for_a_write(&place);
        }
        child.kill().expect("killing");
        let output = child.wait_with_output().expect("waiting");
        assert!(
            !text(&output.stderr).contains("error"),
            "{}",
            text(&output.stderr)
        );
        begun = place.path("out/SHA256SUMS").exists() || place.path("out/.commit").exists();
    }
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
    let read = |folder, name| std::fs::read(place.path(folder).join(name)).expect("a file");
    let model = "model.safetensors";
    assert!(
        read("out", model) == read("whole", model),
        "the weights have the same bits"
    );
    // The metadata of the states hold the names of the two runs, which differ.
    let [out, whole] = ["out", "whole"].map(|folder| read(folder, "state.safetensors"));
    let [out, whole] = [&out, &whole].map(|bytes| SafeTensors::deserialize(bytes));
    let (out, whole) = (out.expect("safetensors"), whole.expect("safetensors"));
    for (name, moments) in whole.iter() {
        assert!(
            out.tensor(name).expect("a tensor").data() == moments.data(),
            "{name}"
        );
    }
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
#[ignore = "takes half a minute"]
fn a_run_survives_thirty_kills() {
    killed_and_resumed(30, 1000);
}

/// The state is saved after each of these signals, and the run can be resumed.
#[test]
fn termination_and_hangup_save_and_exit() {
    let place = Place::new(9);
    for (name, resume) in [("-TERM", None), ("-HUP", Some("--resume"))] {
        let before = place.path("out").exists().then(|| place.steps().len());
        let child = start(&place, &[ENDLESS, resume.as_slice()].concat());
        place.wait_for(before.unwrap_or(0) + 5);
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
    place.wait_for(3);
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

/// The second signal ends the process at once, without a further checkpoint.
#[test]
fn a_second_signal_ends_the_process_at_once() {
    let place = Place::new(9);
    hang(&place, |child| {
        signal(child, "-TERM");
        // Signals that follow within a fifth of a second belong to the same event.
        std::thread::sleep(Duration::from_millis(500));
        signal(child, "-TERM");
        let signalled = Instant::now();
        let status = child.wait().expect("waiting");
        assert_eq!(status.code(), Some(130));
        assert!(signalled.elapsed() < Duration::from_secs(3));
    });
}

/// A read that never returns does not keep an interrupted run from saving and ending.
#[test]
fn a_read_that_hangs_does_not_keep_a_run_from_ending() {
    let place = Place::new(9);
    hang(&place, |child| {
        signal(child, "-TERM");
        let status = child.wait().expect("waiting");
        assert_eq!(status.code(), Some(130));
        let step = Checkpoint::load(&place.path("out"))
            .expect("a checkpoint")
            .step();
        assert_eq!(place.steps(), (1..=step).collect::<Vec<_>>());
        assert!(step >= 5);
    });
}

/// Starts a run whose images become pipes without a writer, so that every read hangs. Calls `then`
/// when the run takes no more steps.
fn hang(place: &Place, then: impl FnOnce(&mut Child)) {
    let mut child = start(place, ENDLESS);
    place.wait_for(5);
    for i in 0..9 {
        let path = place.path(&format!("data/{i}.png"));
        std::fs::remove_file(&path).expect("removing");
        let made = Command::new("mkfifo").arg(&path).status().expect("mkfifo");
        assert!(made.success());
    }
    let mut steps = 0;
    while steps != place.steps().len() {
        steps = place.steps().len();
        std::thread::sleep(Duration::from_millis(300));
    }
    then(&mut child);
}
