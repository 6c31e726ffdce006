//! Code shared by the examples that write pictures.

pub(crate) mod files;
pub(crate) mod pictures;
pub(crate) mod terminal;
pub(crate) mod visible;

use std::fmt::Display;
use std::process::ExitCode;

/// Returns the exit code of a program: 0, or 2 after a note of the error.
pub(crate) fn exit(outcome: Result<(), impl Display>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            terminal::note(format_args!("error: {error}"));
            ExitCode::from(2)
        }
    }
}
