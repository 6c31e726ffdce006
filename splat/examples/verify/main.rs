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
mod place;
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

use splat::{Cpu, RenderError};

use compare::{Precision, Row};
use place::Place;
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
    /// How a GPU lists the hits of a tile.
    #[cfg(feature = "gpu")]
    #[arg(long, value_enum, default_value_t = RegimeChoice::Auto)]
    regime: RegimeChoice,
    /// Print one JSON document instead of tables.
    #[arg(long)]
    json: bool,
}

/// What can render.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum BackendChoice {
    /// The CPU, in both precisions.
    Cpu,
    /// Any GPU of Vulkan, Metal, DirectX 12 or a browser, at `f32`.
    #[cfg(feature = "wgpu")]
    Wgpu,
    /// A GPU of NVIDIA, at `f32`.
    #[cfg(feature = "cuda")]
    Cuda,
}

/// See [`splat::Regime`].
#[cfg(feature = "gpu")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum RegimeChoice {
    /// Whichever fits.
    Auto,
    /// Many small views.
    Small,
    /// Large views.
    Large,
}

#[cfg(feature = "gpu")]
impl From<RegimeChoice> for splat::Regime {
    fn from(choice: RegimeChoice) -> Self {
        match choice {
            RegimeChoice::Auto => Self::Auto,
            RegimeChoice::Small => Self::Small,
            RegimeChoice::Large => Self::Large,
        }
    }
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
            outcome: check(path, arguments),
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
fn check(path: &Path, arguments: &Arguments) -> Result<Outcome, String> {
    let bytes = std::fs::read(path).map_err(|error| format!("cannot be read: {error}"))?;
    let reference = Reference::parse(&bytes)?;
    // What the renderer refuses are shapes and settings outside their domain: the file asks for the impossible.
    let refused = |error: RenderError| format!("cannot be rendered: {error}");
    Ok(Outcome {
        dims: reference.dims,
        band_pixels: band::pixels(&reference).map_err(refused)?,
        rows: rows(&reference, arguments).map_err(refused)?,
    })
}

/// Renders and compares in every precision that the backend has.
fn rows(reference: &Reference, arguments: &Arguments) -> Result<Vec<Row>, RenderError> {
    match arguments.backend {
        BackendChoice::Cpu => {
            let double = run::compute::<f64>(reference, &Cpu::new())?;
            let mut rows = compare::rows(reference, Precision::Double, &double);
            rows.extend(single(reference, &Cpu::new())?);
            Ok(rows)
        }
        #[cfg(feature = "wgpu")]
        BackendChoice::Wgpu => {
            let cube =
                splat::Gpu::<cubecl_wgpu::WgpuRuntime>::new(&cubecl_wgpu::WgpuDevice::default())?;
            single(reference, &cube.with_regime(arguments.regime.into()))
        }
        #[cfg(feature = "cuda")]
        BackendChoice::Cuda => {
            let cube =
                splat::Gpu::<cubecl_cuda::CudaRuntime>::new(&cubecl_cuda::CudaDevice::default())?;
            single(reference, &cube.with_regime(arguments.regime.into()))
        }
    }
}

/// Renders and compares at `f32`.
fn single(reference: &Reference, place: &dyn Place<f32>) -> Result<Vec<Row>, RenderError> {
    let computed = run::compute(reference, place)?;
    Ok(compare::rows(reference, Precision::Single, &computed))
}
