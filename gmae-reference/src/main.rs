//! The `gmae-reference` program.

use std::process::ExitCode;

use clap::Parser;
use gmae_reference::commands::cli::Cli;
use gmae_reference::terminal::{self, interrupt};
use gmae_reference::training::train::Outcome;

/// The exit code when the command could not be carried out.
const FAILED: u8 = 2;

fn main() -> ExitCode {
    let outcome = interrupt::install().and_then(|()| Cli::parse().run());
    match outcome {
        Ok(Outcome::Finished) => ExitCode::SUCCESS,
        Ok(Outcome::Interrupted) => ExitCode::from(interrupt::EXIT_CODE),
        Err(error) => {
            terminal::note(format_args!("error: {error}"));
            ExitCode::from(FAILED)
        }
    }
}
