//! Chores of the workspace.
//!
//! `cargo run -p xtask -- mutate` breaks every vjp, one at a time, in a copy of the crate `splat`,
//! and runs the tests there. Each mutant must be caught. docs/VALIDATION.md holds the result.
//! `lean`, `features` and `api` are steps of `.ci/run`.

use std::io;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use xtask::{api, features, lean};

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
    /// Checks that `splat` has few dependencies, and none for devices.
    Lean,
    /// Compiles every package with each of its features alone, and with none.
    Features,
    /// Compares docs/API.txt with the public surface of `splat`.
    Api {
        /// Writes the file instead.
        #[arg(long)]
        write: bool,
    },
}

fn main() -> ExitCode {
    match run(&Arguments::parse().chore) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

/// Runs a chore; whether all is well.
fn run(chore: &Chore) -> io::Result<bool> {
    match chore {
        Chore::Mutate(options) => {
            let survivors = mutate::run(options)?;
            if survivors > 0 {
                println!("{survivors} mutants survived");
            }
            Ok(survivors == 0)
        }
        Chore::Lean => {
            println!("crates of splat: {}", lean::check()?);
            Ok(true)
        }
        Chore::Features => {
            println!("{} builds with one feature or none", features::check()?);
            Ok(true)
        }
        Chore::Api { write } => Ok(api::report(&api::check(*write)?)),
    }
}
