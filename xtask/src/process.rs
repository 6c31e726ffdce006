//! Runs Cargo in the workspace.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Returns the root of the workspace.
///
/// # Errors
/// Returns an error if the folder in which this program was compiled no longer exists.
pub fn root() -> io::Result<PathBuf> {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .canonicalize()
}

/// Returns a command that runs Cargo with `arguments` in the root of the workspace.
///
/// # Errors
/// Returns the errors of [`root`].
pub fn cargo<'a>(arguments: impl IntoIterator<Item = &'a str>) -> io::Result<Command> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(arguments).current_dir(root()?);
    Ok(cargo)
}

/// Builds the program `throughput` and returns its path.
///
/// # Errors
/// Returns an error if the build fails.
pub fn throughput() -> io::Result<PathBuf> {
    let build = ["build", "--release", "--package", "benches"];
    let program = ["--no-default-features", "--bin", "throughput"];
    run(&mut cargo(build.into_iter().chain(program))?)?;
    // Cargo takes a relative folder as one in the root of the workspace.
    let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    Ok(root()?.join(target).join("release").join("throughput"))
}

/// Runs `command` and returns its standard output.
///
/// # Errors
/// Returns an error if the command cannot be started, if its output is not UTF-8, or if it fails.
/// In the last case the error contains the command's standard error.
pub fn output(command: &mut Command) -> io::Result<String> {
    let output = command.output()?;
    if output.status.success() {
        return String::from_utf8(output.stdout).map_err(io::Error::other);
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    Err(io::Error::other(format!(
        "{command:?} failed with {}:\n{errors}",
        output.status
    )))
}

/// Runs `command`. Its output goes to the output of this program.
///
/// # Errors
/// Returns an error if the command cannot be started or fails.
pub fn run(command: &mut Command) -> io::Result<()> {
    let status = command.status()?;
    if status.success() {
        return Ok(());
    }
    Err(io::Error::other(format!(
        "{command:?} failed with {status}"
    )))
}
