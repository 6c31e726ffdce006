//! Chores of the workspace.
//!
//! `cargo run -p xtask -- mutate` breaks every vjp, one at a time, in a copy of the crate `splat`,
//! and runs the tests there. Each mutant must be caught. docs/VALIDATION.md holds the result.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod changed;
mod mutants;
mod mutate;

#[derive(Parser)]
#[command(about = "Chores of the workspace")]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Breaks every vjp in turn and checks that the tests notice.
    Mutate(mutate::Options),
}

fn main() -> ExitCode {
    let Chore::Mutate(options) = Arguments::parse().chore;
    match mutate::run(&options) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(survivors) => {
            println!("{survivors} mutants survived");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("mutate: {error}");
            ExitCode::from(2)
        }
    }
}
