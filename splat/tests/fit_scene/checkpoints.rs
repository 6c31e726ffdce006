//! Runs that are interrupted and resumed.

use std::fs;
use std::path::Path;

use crate::data::Data;
use crate::{assert_refused, text};

const PLAN: [&str; 4] = ["--iterations", "400", "--gaussians", "90"];

/// Starts a run, interrupts it as Ctrl-C does, and returns its exit code and its standard output.
#[cfg(unix)]
fn interrupted(data: &Data, out: &Path, plan: &[&str]) -> (Option<i32>, String) {
    use std::io::{BufRead, BufReader, Read};
    use std::process::{Command, Stdio};

    let pictures = data.pictures();
    let mut program = Command::new(crate::programs::example("fit_scene"))
        .args([text(&pictures), "--out", text(out)])
        .args(plan)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the example starts");
    let mut progress = BufReader::new(program.stderr.take().expect("a pipe"));
    let mut line = String::new();
    // The first line of progress comes after a tenth of the run.
    progress.read_line(&mut line).expect("a line");
    let id = program.id().to_string();
    let sent = Command::new("kill").args(["-INT", &id]).status();
    assert!(sent.expect("a signal").success());
    let mut rest = String::new();
    progress.read_to_string(&mut rest).expect("text");
    let output = program.wait_with_output().expect("an end");
    assert!(rest.contains("stopping after this step"), "{line}{rest}");
    (
        output.status.code(),
        String::from_utf8_lossy(&output.stdout).into_owned(),
    )
}

/// A run that was interrupted gives the same scene and report as one that was not.
#[cfg(unix)]
fn resumes_exactly(strategy: &str) {
    let data = Data::new();
    // Long enough that the signal comes in time.
    let plan = [
        "--iterations",
        "4000",
        "--gaussians",
        "90",
        "--strategy",
        strategy,
    ];
    data.fit("whole", &plan);
    let out = data.path("parts");
    let (code, said) = interrupted(&data, &out, &plan);
    assert_eq!(code, Some(130), "{said}");
    assert!(said.contains("report in "), "{said}");
    let html = fs::read_to_string(out.join("report.html")).expect("a report");
    assert!(html.contains("Interrupted after "), "{html}");
    let scene = |name: &str| fs::read(data.path(name).join("scene.ply")).expect("a scene");
    assert!(scene("parts") != scene("whole"));
    let said = data.fit("parts", &[&plan[..], &["--resume"]].concat());
    assert!(said.contains("iterations: 4000;"), "{said}");
    assert!(scene("parts") == scene("whole"), "the resumed run differs");
    let report = |name: &str| fs::read_to_string(data.path(name).join("report.html")).expect("one");
    assert!(report("parts") == report("whole"), "the reports differ");
}

#[test]
#[cfg(unix)]
fn a_resumed_run_of_mcmc_gives_the_same_scene() {
    resumes_exactly("mcmc");
}

#[test]
#[cfg(unix)]
fn a_resumed_adaptive_run_gives_the_same_scene() {
    resumes_exactly("adaptive");
}

#[test]
fn a_finished_run_can_be_resumed_and_changes_nothing() {
    let data = Data::new();
    for strategy in ["mcmc", "adaptive"] {
        let plan = [&PLAN[..], &["--strategy", strategy]].concat();
        data.fit(strategy, &plan);
        let scene = || fs::read(data.path(strategy).join("scene.ply")).expect("a scene");
        let before = scene();
        data.fit(strategy, &[&plan[..], &["--resume"]].concat());
        assert!(before == scene(), "{strategy}");
    }
}

#[test]
fn a_checkpoint_of_another_run_is_refused() {
    let data = Data::new();
    data.fit("out", &PLAN);
    let (pictures, out) = (data.pictures(), data.path("out"));
    let refused = |more: &[&str], words: &[&str]| {
        let all = [
            &[text(&pictures), "--out", text(&out), "--resume"],
            &PLAN[..],
            more,
        ]
        .concat();
        assert_refused(&all, words);
    };
    refused(
        &["--seed", "1"],
        &["checkpoint.safetensors", "seed 1", "seed 0"],
    );
    refused(&["--sh", "1"], &["sh 1", "sh 2"]);
    refused(
        &["--strategy", "adaptive"],
        &["strategy adaptive", "strategy mcmc"],
    );
    refused(
        &["--hold-out", "4"],
        &["pictures 12 and 4", "pictures 14 and 2"],
    );
}

/// The pictures, their sizes and the points are those of the first run.
#[test]
fn a_checkpoint_of_other_data_is_refused() {
    let data = Data::new();
    data.fit("out", &PLAN);
    let (pictures, out) = (data.pictures(), data.path("out"));
    let all = [
        &[text(&pictures), "--out", text(&out), "--resume"],
        &PLAN[..],
    ]
    .concat();
    let refused = |more: &[&str]| assert_refused(&[&all[..], more].concat(), &["checksum"]);
    refused(&["--max-side", "24"]);
    refused(&["--points", text(&data.path("scene.ply"))]);
    let picture = pictures.join("view_03.png");
    fs::copy(pictures.join("view_04.png"), &picture).expect("a file");
    refused(&[]);
    // A run without --resume begins again, and its checkpoint replaces the old one.
    data.fit("out", &PLAN);
    data.fit("out", &[&PLAN[..], &["--resume"]].concat());
}

/// Every damage of a checkpoint is an error of one line, or changes only numbers.
#[test]
fn damaged_checkpoints_are_refused() {
    let data = Data::new();
    data.fit("out", &PLAN);
    let path = data.path("out/checkpoint.safetensors");
    let bytes = fs::read(&path).expect("a checkpoint");
    let (pictures, out) = (data.pictures(), data.path("out"));
    let all = [
        &[text(&pictures), "--out", text(&out), "--resume"],
        &PLAN[..],
    ]
    .concat();
    for cut in [0, 7, 100, bytes.len() / 2, bytes.len() - 1] {
        fs::write(&path, &bytes[..cut]).expect("a file");
        assert_refused(
            &all,
            &["checkpoint.safetensors: expected a complete safetensors file"],
        );
    }
    // The header is text, in which names and lengths can be exchanged for others of the same length.
    for (old, new) in [
        ("gaussians.means", "gaussians.meant"),
        ("\"iteration\"", "\"iteratiom\""),
        ("\"iteration\":\"400\"", "\"iteration\":\"401\""),
        ("\"iteration\":\"400\"", "\"iteration\":\"-40\""),
        ("\"psnr\":\"", "\"psnr\":x"),
        ("\"F32\"", "\"I32\""),
    ] {
        let at = find(&bytes, old.as_bytes());
        let mut damaged = bytes.clone();
        damaged[at..at + new.len()].copy_from_slice(new.as_bytes());
        fs::write(&path, &damaged).expect("a file");
        assert_refused(&all, &["checkpoint.safetensors: "]);
    }
    // Every byte of the history, and some of the numbers behind the header.
    let first = find(&bytes, b"\"history\"") + 11;
    for at in (first..first + 60)
        .step_by(3)
        .chain((4000..bytes.len()).step_by(9001))
    {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x7f;
        fs::write(&path, &damaged).expect("a file");
        let output = crate::run("fit_scene", &all);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(matches!(output.status.code(), Some(0 | 2)), "{at}: {said}");
        assert!(!said.contains("panicked"), "{at}: {said}");
    }
}

fn find(bytes: &[u8], part: &[u8]) -> usize {
    let at = bytes.windows(part.len()).position(|window| window == part);
    at.unwrap_or_else(|| panic!("{} is in the header", String::from_utf8_lossy(part)))
}
