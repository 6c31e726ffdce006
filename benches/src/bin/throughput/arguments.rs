//! The command line.

use std::path::PathBuf;

use benches::Stage;
use clap::{Parser, ValueEnum};

/// The help text of `--workload`, in which the names have no backquotes.
const WORKLOAD_HELP: &str = "A workload file, or a scene: gmae, gmae_heavy, image_fit, scene, batch256, batch1024, garden, garden_648, \
    garden_1296; may be given several times; default gmae, gmae_heavy, image_fit, scene, batch256, garden";

/// The backends of `--backend`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum BackendName {
    /// The CPU
    Cpu,
    /// A device that wgpu drives; needs the feature `wgpu`
    Wgpu,
    /// An NVIDIA device; needs the feature `cuda`
    Cuda,
}

/// Times splat: throughput, scaling, stages.
#[derive(Parser)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
pub(crate) struct Arguments {
    /// Workload files and names of scenes.
    #[arg(long, value_name = "FILE", help = WORKLOAD_HELP)]
    pub(crate) workload: Vec<String>,
    /// The backend.
    #[arg(long, value_enum, default_value_t = BackendName::Cpu)]
    pub(crate) backend: BackendName,
    /// How a device lists the hits of a tile.
    #[cfg(any(feature = "wgpu", feature = "cuda"))]
    #[arg(long, value_enum, default_value_t = crate::device::RegimeName::Auto)]
    pub(crate) regime: crate::device::RegimeName,
    /// Writes the workloads as files into this folder, and times nothing. The programs that splat
    /// is compared with read these files.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) export: Option<PathBuf>,
    /// Number of threads; by default the number of cores.
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    pub(crate) threads: usize,
    /// Timed repetitions. The tables show medians.
    #[arg(long, default_value_t = 7)]
    pub(crate) rounds: usize,
    /// Sorts the Gaussians of each view along a Morton curve first.
    #[arg(long, conflicts_with = "scaling")]
    pub(crate) sorted: bool,
    /// Empties the caches before every timed run. Without it the data of a stage stay in the caches
    /// from one repetition to the next if they fit.
    #[arg(long, conflicts_with_all = ["backend", "compare", "export", "scaling"])]
    pub(crate) cold: bool,
    /// Prints JSON instead of tables, with every sample of the CPU.
    #[arg(long)]
    pub(crate) json: bool,
    /// Prints the time per pair for 1 to 16 times the views, the Gaussians and the pixels.
    #[arg(long)]
    pub(crate) scaling: bool,
    /// Prints the time of every stage on one thread and on all threads.
    #[arg(long)]
    pub(crate) stages: bool,
    /// Draws the time per stage, the share of the roofline and the scaling to this file, which ends
    /// with .svg or .png, and measures all three.
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = [
            "backend", "export", "compare", "stage", "stages", "scaling", "bits", "cold", "sorted",
        ]
    )]
    pub(crate) plot: Option<PathBuf>,
    /// Prints checksums of the feature images and of all gradients, and times nothing.
    #[arg(
        long,
        conflicts_with_all = [
            "backend", "export", "compare", "scaling", "stages", "stage", "cold", "rounds",
        ]
    )]
    pub(crate) bits: bool,
    /// Another build of this program. Both run in turns, and the ratios of their times are printed
    /// with intervals.
    #[arg(
        long,
        value_name = "PROGRAM",
        conflicts_with_all = ["backend", "export", "scaling", "stages", "stage"]
    )]
    pub(crate) compare: Option<PathBuf>,
    /// How often each program runs with `--compare`. Below 6 there is no interval.
    #[arg(
        long,
        default_value_t = 20,
        requires = "compare",
        value_parser = clap::value_parser!(u32).range(1..=1000)
    )]
    pub(crate) pairs: u32,
    /// Only repeats this stage, for a profiler.
    #[arg(
        long,
        value_parser = stage,
        conflicts_with_all = ["backend", "export", "scaling", "stages", "json", "rounds"]
    )]
    pub(crate) stage: Option<Stage>,
    /// How often `--stage` repeats, instead of a time. With 0 the stage does not run.
    #[arg(long, requires = "stage", conflicts_with = "seconds")]
    pub(crate) times: Option<usize>,
    /// How long `--stage` goes on.
    #[arg(long, default_value_t = 10.0, requires = "stage", value_parser = seconds)]
    pub(crate) seconds: f64,
}

/// Returns the stage with this name.
fn stage(text: &str) -> Result<Stage, String> {
    let named = Stage::ALL.into_iter().find(|stage| stage.name() == text);
    named.ok_or_else(|| format!("expected one of {}", Stage::ALL.map(Stage::name).join(", ")))
}

fn seconds(text: &str) -> Result<f64, String> {
    let seconds = text.parse().map_err(|_| "expected a number".to_owned())?;
    if seconds > 0.0 && seconds <= 1e6 {
        Ok(seconds)
    } else {
        Err("expected more than 0 and at most 1000000".to_owned())
    }
}
