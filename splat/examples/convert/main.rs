//! Converts a scene to another file format.
//!
//! ```text
//! cargo run --release -p splat --example convert -- scene.spz scene.ply
//! ```
//!
//! The extension of the second name chooses the format: `ply` or `spz`. The documentation of
//! `splat::io` states what each format rounds.
//!
//! Exit code 0: the file is written. Exit code 2: the arguments or the scene are invalid, or the
//! file cannot be written.

#[path = "../common/terminal.rs"]
mod terminal;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use splat::io::{self, Format};

/// Converts a scene (.ply, .npz, .splat, .spz) to a PLY or SPZ file.
#[derive(Parser)]
struct Arguments {
    /// Scene to read.
    from: PathBuf,
    /// File to write (.ply, .spz). An existing file is replaced.
    to: PathBuf,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            terminal::note(format_args!("error: {error}"));
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), String> {
    let format = Format::of_name(&arguments.to).ok_or_else(|| {
        let name = arguments.to.display();
        format!("{name}: expected a name that ends in .ply or .spz")
    })?;
    let file = io::read(&arguments.from).map_err(|error| error.to_string())?;
    io::write(&arguments.to, &file.scene, format).map_err(|error| error.to_string())?;
    let (count, name) = (file.scene.len(), arguments.to.display());
    terminal::line(format_args!("{count} Gaussians in {name}"))
}
