//! Checks the renderer against reference files made by another program.
//!
//! ```text
//! cargo run --release -p splat --example verify -- FILE.safetensors...
//! ```
//!
//! Every file is rendered and differentiated in `f64` and in `f32`. Every output and gradient in it
//! is compared within the tolerance that the file states. Exit code 0: all are within tolerance.
//! Exit code 1: a tensor is outside, or a file is malformed. Exit code 2: wrong usage.

mod band;
mod compare;
mod computed;
mod dims;
mod expected;
mod harmonic;
mod params;
mod precision;
mod reference;
mod renderer;
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

use compare::Row;
use precision::Precision;
use reference::Reference;
use renderer::Renderer;
use report::{FileReport, Outcome};

/// Renders reference files and compares every tensor with the reference.
#[derive(Parser)]
struct Arguments {
    /// Reference files.
    #[arg(required = true, value_name = "FILE.safetensors")]
    files: Vec<PathBuf>,
    /// The backend that renders.
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

/// The backends.
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

/// Checks and reports one file after the other. True if all tensors are within tolerance.
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

/// Reads, renders and compares one file. An error is one line.
fn check(path: &Path, arguments: &Arguments) -> Result<Outcome, String> {
    let bytes = std::fs::read(path).map_err(|error| format!("cannot be read: {error}"))?;
    let reference = Reference::parse(&bytes)?;
    // The renderer refuses shapes and settings outside their domain, which then are the file's.
    let refused = |error: RenderError| format!("cannot be rendered: {error}");
    Ok(Outcome {
        dims: reference.dims,
        band_pixels: band::pixels(&reference).map_err(refused)?,
        rows: rows(&reference, arguments).map_err(refused)?,
    })
}

/// Renders and compares in every precision of the backend.
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
            let gpu =
                splat::Gpu::<cubecl_wgpu::WgpuRuntime>::new(&cubecl_wgpu::WgpuDevice::default())?;
            single(reference, &gpu.with_regime(arguments.regime.into()))
        }
        #[cfg(feature = "cuda")]
        BackendChoice::Cuda => {
            let gpu =
                splat::Gpu::<cubecl_cuda::CudaRuntime>::new(&cubecl_cuda::CudaDevice::default())?;
            single(reference, &gpu.with_regime(arguments.regime.into()))
        }
    }
}

/// Renders and compares at `f32`.
fn single(reference: &Reference, renderer: &dyn Renderer<f32>) -> Result<Vec<Row>, RenderError> {
    let computed = run::compute(reference, renderer)?;
    Ok(compare::rows(reference, Precision::Single, &computed))
}
