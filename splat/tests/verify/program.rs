//! Runs the example `verify` and checks its output.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::file::ReferenceFile;
use crate::programs;

/// The exit code and the output of the program.
pub(crate) struct Verdict {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

pub(crate) fn verify(arguments: &[&str], files: &[&Path]) -> Verdict {
    let output = Command::new(programs::example("verify"))
        .args(arguments)
        .args(files)
        .output()
        .expect("the example starts");
    Verdict {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

pub(crate) fn verify_bytes(bytes: &[u8]) -> Verdict {
    let folder = TempDir::new().expect("a temporary folder");
    let path = folder.path().join("case.safetensors");
    std::fs::write(&path, bytes).expect("the temporary folder is writable");
    verify(&[], &[&path])
}

/// Returns the verdict on a valid file after `tamper`.
pub(crate) fn tampered(tamper: impl FnOnce(&mut ReferenceFile)) -> Verdict {
    let mut file = ReferenceFile::new(5);
    tamper(&mut file);
    verify_bytes(&file.bytes())
}

/// Returns whether a line of the table reports this tensor as failed.
fn fails(verdict: &Verdict, tensor: &str) -> bool {
    let failed =
        |line: &str| line.split_whitespace().next() == Some(tensor) && line.ends_with("FAIL");
    verdict.code == Some(1) && verdict.stdout.lines().any(failed)
}

/// Returns whether the file was rejected with one line that contains all of `words`.
pub(crate) fn refused(verdict: &Verdict, words: &[&str]) -> bool {
    let lines: Vec<&str> = verdict.stderr.lines().collect();
    verdict.code == Some(1)
        && lines.len() == 1
        && lines[0].contains("case.safetensors")
        && words.iter().all(|word| lines[0].contains(word))
}

#[track_caller]
pub(crate) fn assert_fails(tensor: &str, tamper: impl FnOnce(&mut ReferenceFile)) {
    let verdict = tampered(tamper);
    assert!(
        fails(&verdict, tensor),
        "{tensor}:\n{}{}",
        verdict.stdout,
        verdict.stderr
    );
}

#[track_caller]
pub(crate) fn assert_refused(words: &[&str], tamper: impl FnOnce(&mut ReferenceFile)) {
    let verdict = tampered(tamper);
    assert!(
        refused(&verdict, words),
        "{words:?}:\n{}{}",
        verdict.stdout,
        verdict.stderr
    );
}
