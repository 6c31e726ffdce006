//! Chores of the workspace.
//!
//! `cargo run -p xtask -- mutate` applies mutants, one at a time, to a copy of the crate `splat`,
//! and runs the tests on each. The tests must catch every mutant. docs/VALIDATION.md lists the
//! result. `lean`, `features`, `instructions`, `api`, `pages` and `package` are steps of `.ci/run`.

use std::io;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use xtask::{api, features, instructions, lean, measure, package, pages};

mod changed;
mod fuzz;
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
    /// Breaks every vjp in turn and checks that the tests fail.
    Mutate(mutate::Options),
    /// Runs the fuzz targets with libFuzzer and minimises their inputs. It needs a nightly
    /// toolchain and `cargo-fuzz`.
    Fuzz(fuzz::Options),
    /// Checks that `splat` has few dependencies, and no dependency for devices.
    Lean,
    /// Compiles every package with each of its features alone, and without features.
    Features {
        /// Leaves out the features that compile a GPU backend, which take most of the time.
        #[arg(long)]
        without_devices: bool,
    },
    /// Counts the instructions of every CPU stage with Valgrind, and compares them with
    /// benches/instructions.toml.
    Instructions {
        /// Writes the table instead.
        #[arg(long)]
        write: bool,
    },
    /// Makes the tables of measurements in docs/BENCHMARKS.md again. It takes some minutes, in
    /// which the machine should do nothing else.
    Measure,
    /// Compares docs/API.txt with the public API of `splat`.
    Api {
        /// Writes the file instead.
        #[arg(long)]
        write: bool,
    },
    /// Compares the pages of `splat::guide` with docs/CONVENTIONS.md and docs/MATH.md.
    Pages {
        /// Writes the pages instead.
        #[arg(long)]
        write: bool,
    },
    /// Checks the contents of the packages, packs `splat`, also as `diff-splat`, and runs the
    /// doctests of both.
    Package,
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

/// Runs a chore. Returns whether its check passed.
fn run(chore: &Chore) -> io::Result<bool> {
    match chore {
        Chore::Mutate(options) => {
            let survivors = mutate::run(options)?;
            if survivors > 0 {
                println!("{survivors} mutants survived");
            }
            Ok(survivors == 0)
        }
        Chore::Fuzz(options) => {
            println!("{} targets without a fault", fuzz::fuzz(options)?);
            Ok(true)
        }
        Chore::Lean => {
            println!("crates of splat: {}", lean::check()?);
            Ok(true)
        }
        Chore::Features { without_devices } => {
            let builds = features::check(*without_devices)?;
            println!("{builds} builds with one feature or none");
            Ok(true)
        }
        Chore::Instructions { write } => instructions::check(*write),
        Chore::Measure => measure::measure().map(|()| true),
        Chore::Api { write } => Ok(api::report(&api::check(*write)?)),
        Chore::Pages { write } => Ok(pages::report(&pages::check(*write)?)),
        Chore::Package => {
            println!("packed: {}", package::check()?.display());
            Ok(true)
        }
    }
}
