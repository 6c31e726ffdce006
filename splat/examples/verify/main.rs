//! Checks the renderer against reference files made by another program.
//!
//! ```text
//! cargo run --release -p splat --example verify -- FILE.safetensors...
//! ```
//!
//! Every file is rendered and differentiated in `f64` and in `f32`; every tensor it holds is compared within the tolerance it
//! states. Exit code 0: everything within tolerance. 1: something is outside, or a file is malformed. 2: wrong usage.

mod band;
mod compare;
mod expected;
mod harmonic;
mod params;
mod reference;
mod report;
mod run;
mod tensors;
#[path = "../common/terminal.rs"]
mod terminal;
mod tolerance;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, ValueEnum};

use compare::Precision;
use reference::Reference;
use report::{FileReport, Outcome};

/// Renders reference files and compares every tensor with the reference.
#[derive(Parser)]
struct Arguments {
    /// Reference files.
    #[arg(required = true, value_name = "FILE.safetensors")]
    files: Vec<PathBuf>,
    /// What renders.
    #[arg(long, value_enum, default_value_t = BackendChoice::Cpu)]
    backend: BackendChoice,
    /// Print one JSON document instead of tables.
    #[arg(long)]
    json: bool,
}

/// What can render.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum BackendChoice {
    /// The CPU, in both precisions.
    Cpu,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            terminal::note(format_args!("error: {error}"));
            ExitCode::from(1)
        }
    }
}

/// Checks and reports file after file; true if everything is within tolerance.
fn run(arguments: &Arguments) -> Result<bool, String> {
    let mut reports = Vec::new();
    for path in &arguments.files {
        let file = FileReport {
            file: path.display().to_string(),
            outcome: check(path, arguments.backend),
        };
        if !arguments.json {
            file.print()?;
        }
        reports.push(file);
    }
    terminal::line(if arguments.json {
        report::json(&reports)
    } else {
        report::summary(&reports)
    })?;
    Ok(reports.iter().all(FileReport::passed))
}

/// Reads, renders and compares one file; an error is one line that says what is wrong with it.
fn check(path: &Path, backend: BackendChoice) -> Result<Outcome, String> {
    let bytes = std::fs::read(path).map_err(|error| format!("cannot be read: {error}"))?;
    let reference = Reference::parse(&bytes)?;
    let (double, single) = match backend {
        BackendChoice::Cpu => (
            run::compute::<f64>(&reference),
            run::compute::<f32>(&reference),
        ),
    };
    // What the renderer refuses are shapes and settings outside their domain: the file asks for the impossible.
    let refused = |error: splat::RenderError| format!("cannot be rendered: {error}");
    let mut rows = compare::rows(&reference, Precision::Double, &double.map_err(refused)?);
    rows.extend(compare::rows(
        &reference,
        Precision::Single,
        &single.map_err(refused)?,
    ));
    Ok(Outcome {
        dims: reference.dims,
        band_pixels: band::pixels(&reference).map_err(refused)?,
        rows,
    })
}
