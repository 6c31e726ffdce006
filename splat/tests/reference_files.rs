//! Checks every available reference file with the example `verify`, one trial per file.
//!
//! The folder is `$SPLAT_SHARED`, by default `../shared` beside the workspace. Without this folder,
//! the trial is reported as ignored, not as passed.

mod programs;
mod reference_folder;

use std::path::Path;
use std::process::Command;

use libtest_mimic::{Arguments, Failed};

fn main() {
    let arguments = Arguments::from_args();
    libtest_mimic::run(&arguments, reference_folder::trials("", false, verify)).exit();
}

fn verify(file: &Path) -> Result<(), Failed> {
    let output = Command::new(programs::example("verify"))
        .arg(file)
        .output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    Err(String::from_utf8_lossy(&said).into_owned().into())
}
