//! The example `fit_scene`: the scenes and reports that it writes, its checkpoints, and the input that it
//! rejects.

#[path = "../../examples/fit_scene/state/adam.rs"]
mod adam;
mod checkpoints;
mod data;
#[path = "../../examples/fit_scene/dataset/focus.rs"]
mod focus;
mod focus_of_cameras;
mod hostile;
mod inputs;
#[path = "../../examples/fit_scene/plan.rs"]
mod plan;
#[path = "../programs/mod.rs"]
mod programs;
mod results;
mod schedule;
mod units;
#[path = "../../examples/common/circle/vectors.rs"]
mod vectors;

use std::path::Path;
use std::process::{Command, Output};

fn run(example: &str, arguments: &[&str]) -> Output {
    Command::new(programs::example(example))
        .args(arguments)
        .output()
        .expect("the example starts")
}

fn text(path: &Path) -> &str {
    path.to_str().expect("temporary paths are UTF-8")
}

/// Runs `fit_scene` and asserts that it rejects its input. The exit code must be 2, and the error output
/// must contain all of `words` in one line.
#[track_caller]
fn assert_refused(arguments: &[&str], words: &[&str]) {
    let output = run("fit_scene", arguments);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    let has_all = |line: &str| words.iter().all(|word| line.contains(word));
    assert!(said.lines().any(has_all), "{words:?}: {said}");
    assert!(!said.contains("panicked"), "{said}");
}
