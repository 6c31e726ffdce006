//! Compares the renderer with reference files that another program computed.
//!
//! ```text
//! cargo run --release -p splat --example verify -- FILE.safetensors...
//! ```
//!
//! The program renders every file and computes its gradients: on the CPU in `f64` and in `f32`, on
//! a GPU in `f32`. It compares every output and gradient in the file with the tolerance that the
//! file states.
//!
//! Exit code 0: all tensors are within tolerance. Exit code 1: a tensor is outside its tolerance, a
//! file is invalid, or the report cannot be written. Exit code 2: invalid arguments.

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

/// Renders reference files and compares every output and gradient with the values in the file.
#[derive(Parser)]
struct Arguments {
    /// Reference files. Each contains scenes, their expected outputs and gradients, and the
    /// tolerance of each tensor.
    #[arg(required = true, value_name = "FILE.safetensors")]
    files: Vec<PathBuf>,
    /// Backend that renders the files.
    #[arg(long, value_enum, default_value_t = BackendChoice::Cpu)]
    backend: BackendChoice,
    /// Method by which a GPU lists the splats of a tile. The CPU backend ignores this option.
    #[cfg(feature = "gpu")]
    #[arg(long, value_enum, default_value_t = RegimeChoice::Auto)]
    regime: RegimeChoice,
    /// Print one JSON document instead of one table per file and a summary.
    #[arg(long)]
    json: bool,
}

/// The backends. A GPU needs a build with the feature of the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum BackendChoice {
    /// The CPU, at f64 and at f32.
    Cpu,
    /// A GPU through Vulkan, Metal or DirectX 12, at f32.
    Wgpu,
    /// An NVIDIA GPU through CUDA, at f32.
    Cuda,
}

impl BackendChoice {
    /// Returns an error if this build lacks the backend.
    fn expect_compiled(self) -> Result<(), String> {
        let (compiled, feature) = match self {
            Self::Cpu => (true, ""),
            Self::Wgpu => (cfg!(feature = "wgpu"), "wgpu"),
            Self::Cuda => (cfg!(feature = "cuda"), "cuda"),
        };
        if compiled {
            return Ok(());
        }
        Err(format!(
            "--backend: expected a program built with --features {feature}, got one without it"
        ))
    }
}

/// The values of [`splat::Regime`] as command-line values.
#[cfg(feature = "gpu")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum RegimeChoice {
    /// The small regime if the views and the memory budget permit it, otherwise the large regime.
    Auto,
    /// For many views of at most 1024 splats: one bit per splat and tile.
    Small,
    /// For views of any size: lists of (splat, tile) pairs.
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

/// Checks the files and reports the results. Returns true if all tensors are within tolerance.
fn run(arguments: &Arguments) -> Result<bool, String> {
    arguments.backend.expect_compiled()?;
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

/// Reads, renders and compares one file. An error message is a single line.
fn check(path: &Path, arguments: &Arguments) -> Result<Outcome, String> {
    let bytes = std::fs::read(path).map_err(|error| format!("cannot be read: {error}"))?;
    let reference = Reference::parse(&bytes)?;
    // The renderer rejects shapes and settings outside their domain. These come from the file.
    let refused = |error: RenderError| format!("cannot be rendered: {error}");
    Ok(Outcome {
        dims: reference.dims,
        band_pixels: band::pixels(&reference).map_err(refused)?,
        rows: rows(&reference, arguments).map_err(refused)?,
    })
}

/// Renders the file in every precision of the backend and compares the results.
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
            let gpu = splat::Gpu::<splat::WgpuRuntime>::new(&splat::WgpuDevice::default())?;
            single(reference, &gpu.with_regime(arguments.regime.into()))
        }
        #[cfg(feature = "cuda")]
        BackendChoice::Cuda => {
            let gpu = splat::Gpu::<splat::CudaRuntime>::new(&splat::CudaDevice::default())?;
            single(reference, &gpu.with_regime(arguments.regime.into()))
        }
        #[cfg(not(all(feature = "wgpu", feature = "cuda")))]
        _ => Err(RenderError::Device {
            expected: "a backend of this build".to_owned(),
            got: format!("{:?}", arguments.backend),
        }),
    }
}

/// Renders the file at `f32` and compares the results.
fn single(reference: &Reference, renderer: &dyn Renderer<f32>) -> Result<Vec<Row>, RenderError> {
    let computed = run::compute(reference, renderer)?;
    Ok(compare::rows(reference, Precision::Single, &computed))
}
