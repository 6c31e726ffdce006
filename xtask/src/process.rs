//! Running Cargo in the workspace.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The root of the workspace.
///
/// # Errors
/// Where the folder from which this program was compiled is gone.
pub fn root() -> io::Result<PathBuf> {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .canonicalize()
}

/// Cargo with `arguments`, in the root of the workspace.
///
/// # Errors
/// See [`root`].
pub fn cargo<'a>(arguments: impl IntoIterator<Item = &'a str>) -> io::Result<Command> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(arguments).current_dir(root()?);
    Ok(cargo)
}

/// What `command` prints to standard output.
///
/// # Errors
/// Where it cannot be started, or fails: what it printed to standard error is in the error.
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

/// Runs `command`, which prints as it goes.
///
/// # Errors
/// Where it cannot be started, or fails.
pub fn run(command: &mut Command) -> io::Result<()> {
    let status = command.status()?;
    if status.success() {
        return Ok(());
    }
    Err(io::Error::other(format!(
        "{command:?} failed with {status}"
    )))
}
