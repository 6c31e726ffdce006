//! Fits two-dimensional Gaussians to a photograph.
//!
//! ```text
//! cargo run --release -p splat --example fit_image -- \
//!     PHOTO --gaussians 2000 --iterations 1000 --out out
//! ```
//!
//! The Gaussians lie in the image plane. They are passed to the compositor as splats, without a
//! projection. The program writes `fit.png`, `error.png` (four times the absolute error) and
//! `gaussians.png` (the ellipse of each Gaussian at one standard deviation). If all Gaussians of
//! `fit.png` are culled, a warning says so. The memory that the fit takes is stated before it starts.
//!
//! The orientation stored in the photograph is applied. Transparent pixels are composited over white,
//! and a photograph larger than `--max-side` is downsampled. A note says so in both cases.
//!
//! Exit code 0: all pictures are written. Exit code 2: the arguments or the photograph are invalid,
//! or a picture cannot be written.

mod adam;
#[path = "../common/mod.rs"]
mod common;
#[path = "../common/decoding.rs"]
mod decoding;
mod fit;
#[path = "../common/fits.rs"]
mod fits;
mod memory;
mod model;
mod photo;
mod pictures;
mod seeding;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use splat::formulas::MAX_SIDE_PX;

use common::{files, terminal};
use fit::Plan;
use photo::Photo;

/// Upper bound of `--gaussians`. It exceeds the number of pixels of most photographs.
const MOST_GAUSSIANS: u64 = 10_000_000;

/// Fits Gaussians to a photograph and writes pictures of the result.
#[derive(Parser)]
struct Arguments {
    /// Photograph to fit: a PNG or JPEG file. Transparent pixels are composited over
    /// white.
    photo: PathBuf,
    /// Number of Gaussians at the end of the fit, 1 to 10,000,000. Half of them are placed at the
    /// start, and the others are added where the error is large.
    #[arg(long, default_value_t = 2000, allow_negative_numbers = true)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=MOST_GAUSSIANS))]
    gaussians: u64,
    /// Number of optimisation steps, at least 1. The schedule of the step sizes and of the added
    /// Gaussians is scaled to this number.
    #[arg(long, default_value_t = 1000, allow_negative_numbers = true)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    iterations: u32,
    /// Folder for the pictures fit.png, error.png and gaussians.png. It is created if it does not
    /// exist. Existing pictures of these names are replaced.
    #[arg(long = "output", alias = "out", default_value = "out")]
    out: PathBuf,
    /// Opacity of the Gaussians that are placed at the start, in (0, 1). One below 1/255 is not drawn,
    /// and has no gradient.
    #[arg(long, default_value_t = seeding::FIRST_OPACITY, allow_negative_numbers = true)]
    #[arg(value_parser = fits::opacity)]
    opacity: f32,
    /// Greatest width and height of the fitted picture, px. A larger photograph is downsampled, with
    /// the same ratio of the sides.
    #[arg(long, default_value_t = 1024, allow_negative_numbers = true)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=MAX_SIDE_PX as i64))]
    max_side: u32,
    /// Seed of the random positions of new Gaussians. On one machine, the same arguments and seed
    /// give the same pictures.
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

fn main() -> ExitCode {
    common::exit(run(&Arguments::parse()))
}

fn run(arguments: &Arguments) -> Result<(), String> {
    let name = arguments.photo.display();
    let (photo, changes) = Photo::read(&arguments.photo, arguments.max_side)?;
    for change in changes {
        terminal::note(format_args!("note: {name}: {change}"));
    }
    files::writable_folder(&arguments.out)?;
    let plan = Plan {
        gaussians: arguments.gaussians as usize,
        iterations: arguments.iterations as usize,
        opacity: arguments.opacity,
        seed: arguments.seed,
    };
    terminal::line(memory::Estimate::of(&photo, plan.gaussians))?;
    let progress = ProgressBar::new(u64::from(arguments.iterations)).with_style(style());
    let start = Instant::now();
    let fitted = fit::fit(&photo, &plan, &progress).map_err(|error| format!("{name}: {error}"))?;
    let elapsed = start.elapsed().as_secs_f64();
    progress.finish_and_clear();
    for (name, picture) in pictures::all(&photo, &fitted) {
        common::pictures::write_png(&arguments.out.join(name), &picture)?;
    }
    fits::warn_if_all_culled(&fitted.splats);
    terminal::line(format_args!(
        "{name}: {:.2} dB with {} gaussians after {} iterations of {:.0} ms",
        photo.psnr(&fitted.rendered),
        plan.gaussians,
        plan.iterations,
        1000.0 * elapsed / plan.iterations as f64
    ))?;
    terminal::line(format_args!("pictures in {}", arguments.out.display()))
}

fn style() -> ProgressStyle {
    let template = "{bar:32} {pos}/{len} {msg} {elapsed}, {eta} left";
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
