//! Fits ellipses to a picture that the program draws itself.
//!
//! ```text
//! cargo run --release -p splat --example fit_splats_2d -- out/fit_splats_2d.png
//! ```

#[path = "../common/mod.rs"]
mod common;
mod discs;
#[path = "../common/fits.rs"]
mod fits;
mod parameters;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use splat::ellipses::{render_ellipses, render_ellipses_vjp};
use splat::{Cpu, Image, RenderConfig, RenderError, Wanted, Workspace};

use common::{files, pictures, terminal};
use discs::SIZE;
use parameters::Parameters;

/// Fits ellipses to a picture of two discs, and writes the fit beside the picture.
#[derive(Parser)]
struct Arguments {
    /// PNG file to write. An existing file is replaced.
    #[arg(default_value = "fit_splats_2d.png")]
    out: PathBuf,
    /// Number of steps.
    #[arg(long, default_value_t = 200)]
    steps: usize,
    /// Opacity of every ellipse at the start, in (0, 1). One below 1/255 is not drawn.
    #[arg(long, default_value_t = 0.27, value_parser = fits::opacity)]
    opacity: f32,
}

/// Returns the image after all steps, and its mean squared error.
fn fit(target: &[f32], of: &Arguments) -> Result<(Vec<f32>, f32), RenderError> {
    let (offsets, config) = ([0, 150], RenderConfig::default());
    let workspace = Workspace::new();
    let backend = Cpu::<f32>::new().with_workspace(&workspace);
    let mut parameters = Parameters::spread(offsets[1], SIZE, of.opacity);
    loop {
        let splats = parameters.splats();
        let scene = splats.scene(&offsets, SIZE);
        let (image, saved) = render_ellipses(&backend, &scene, &config)?;
        let errors = image.features.iter().zip(target).map(|(a, b)| a - b);
        let error = errors.clone().map(|e| e * e).sum::<f32>() / target.len() as f32;
        if parameters.steps() == of.steps {
            fits::warn_if_all_culled(&saved.splats);
            return Ok((image.features, error));
        }
        let v_image = Image::from_features(errors.map(|e| 2.0 * e).collect::<Vec<f32>>());
        let v = render_ellipses_vjp(&backend, &scene, &saved, &v_image.as_slices(), Wanted::ALL)?;
        parameters.descend(&v);
        workspace.recycle(((image, saved), v));
    }
}

fn run(arguments: &Arguments) -> Result<(), String> {
    let out = &arguments.out;
    let folder = out.parent().filter(|folder| folder != &Path::new(""));
    files::writable_folder(folder.unwrap_or(Path::new(".")))?;
    let target = discs::picture(SIZE);
    let (image, error) = fit(&target, arguments).map_err(|error| error.to_string())?;
    let rows = image.chunks(3 * SIZE[0]).zip(target.chunks(3 * SIZE[0]));
    let both: Vec<f32> = rows.flat_map(|(a, b)| [a, b].concat()).collect();
    pictures::write_png(out, &pictures::picture(2 * SIZE[0], SIZE[1], &both))?;
    let decibels = -10.0 * error.log10();
    terminal::line(format_args!("{decibels:.1} dB, {}", out.display()))
}

fn main() -> ExitCode {
    common::exit(run(&Arguments::parse()))
}
