//! The command line.

use std::path::PathBuf;

use clap::Parser;
use splat::formulas::MAX_SIDE_PX;

use crate::plan::{Plan, Strategy};

/// Upper bound of `--gaussians`.
const MOST_GAUSSIANS: u64 = 10_000_000;

/// Optimises a scene of Gaussians from photographs with known cameras.
#[derive(Parser)]
pub(crate) struct Arguments {
    /// Folder with transforms.json (Nerfstudio, instant-ngp, `view_scene`), or with
    /// `transforms_train.json` (Blender), and the pictures that it names. Only pinhole cameras without
    /// lens distortion.
    pub(crate) folder: PathBuf,
    /// Points or Gaussians to start from (.ply, .spz, .splat, .npz), in place of those of
    /// transforms.json (`ply_file_path`). Without either, the start is random.
    #[arg(long, value_name = "FILE")]
    pub(crate) points: Option<PathBuf>,
    /// Number of optimisation steps, at least 1. Each renders one picture. The schedule is scaled to
    /// this number. Gaussians are added and removed every 100 steps, or more often in short runs.
    #[arg(long, default_value_t = 3000, allow_negative_numbers = true)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    iterations: u32,
    /// Greatest number of Gaussians, 1 to 10,000,000. If there are more points to start from, some are
    /// drawn.
    #[arg(long, default_value_t = 150_000, allow_negative_numbers = true)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=MOST_GAUSSIANS))]
    gaussians: u64,
    /// How Gaussians are added and removed.
    #[arg(long, value_enum, default_value_t = Strategy::Mcmc)]
    strategy: Strategy,
    /// Degree of the spherical harmonics, 0 to 4. Degree 0 is a constant colour.
    #[arg(
        long,
        default_value_t = 2,
        value_name = "N",
        allow_negative_numbers = true
    )]
    #[arg(value_parser = clap::value_parser!(u32).range(0..=4))]
    sh: u32,
    /// One of N pictures is held out, the first, the (N + 1)-th and so on. 0 holds none out. The
    /// pictures of `transforms_test.json`, if there are any, are held out instead.
    #[arg(
        long,
        default_value_t = 8,
        value_name = "N",
        allow_negative_numbers = true
    )]
    pub(crate) hold_out: u32,
    /// Greatest width and height of the pictures, px. Larger ones are downsampled, with the same ratio
    /// of the sides.
    #[arg(long, default_value_t = 1600, allow_negative_numbers = true)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=MAX_SIDE_PX as i64))]
    pub(crate) max_side: u32,
    /// Seed of the random numbers. On one machine, the same arguments and seed give the same scene.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Continue from the checkpoint in the output folder. The other arguments must be those of the
    /// first run.
    #[arg(long)]
    pub(crate) resume: bool,
    /// Folder for scene.ply, report.html and checkpoint.safetensors. It is created if it does not
    /// exist. Existing files of these names are replaced.
    #[arg(long = "output", alias = "out", default_value = "out")]
    pub(crate) out: PathBuf,
}

impl Arguments {
    pub(crate) fn plan(&self) -> Plan {
        Plan {
            iterations: self.iterations as usize,
            gaussians: self.gaussians as usize,
            strategy: self.strategy,
            degree: self.sh,
            seed: self.seed,
        }
    }
}
