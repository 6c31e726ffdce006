//! Every reference file at hand through the example `verify`, one trial per file.
//!
//! The folder is `$SPLAT_SHARED`, by default `../shared` beside the workspace. Where it is absent the trial shows as ignored,
//! never as passed.

mod programs;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};

fn main() {
    let arguments = Arguments::from_args();
    libtest_mimic::run(&arguments, trials(&folder())).exit();
}

fn folder() -> PathBuf {
    let default = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    std::env::var_os("SPLAT_SHARED")
        .map_or_else(default, PathBuf::from)
        .join("fixtures/dev")
}

fn trials(folder: &Path) -> Vec<Trial> {
    let is_reference = |path: &PathBuf| path.extension().is_some_and(|kind| kind == "safetensors");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .map(|entries| {
            entries
                .flatten()
                .map(|entry| entry.path())
                .filter(is_reference)
                .collect()
        })
        .unwrap_or_default();
    files.sort();
    if files.is_empty() {
        let name = format!("no reference files in {}", folder.display());
        return vec![Trial::test(name, || Ok(())).with_ignored_flag(true)];
    }
    let program = Arc::<Path>::from(programs::example("verify"));
    let trial = |file: PathBuf| {
        let name = file
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let program = Arc::clone(&program);
        Trial::test(name, move || verify(&program, &file))
    };
    files.into_iter().map(trial).collect()
}

fn verify(program: &Path, file: &Path) -> Result<(), Failed> {
    let output = Command::new(program).arg(file).output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    Err(String::from_utf8_lossy(&said).into_owned().into())
}
