//! Renders a point cloud or a trained scene.
//!
//! ```text
//! cargo run --release -p splat --example render_points -- garden.npz --out out
//! ```
//!
//! A `NumPy` archive (.npz) contains points, colours and cameras. Every point becomes a round
//! Gaussian. Its standard deviation is half the distance to the point's neighbours. A 3DGS file
//! (.ply) contains Gaussians. They are rendered by eight cameras on a circle around their centre.
//! The pictures are `view_00.png`, `view_01.png` and so on.
//!
//! Exit code 0: every picture is written, and at least one Gaussian is visible. Exit code 2: the
//! arguments or the file are invalid, a picture cannot be written, or no Gaussian is visible.

mod behind;
mod cloud;
#[path = "../common/mod.rs"]
mod common;
mod neighbours;
mod npz;
mod orbit;
mod ply;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use image::RgbImage;
use indicatif::{ProgressBar, ProgressStyle};
use splat::{Cpu, Gaussians, RenderConfig, RenderError, Scene, Views, render};

use cloud::{CHANNELS, Cloud, Shot};
use common::{files, terminal};

/// The background colour.
const BACKGROUND: [f32; CHANNELS] = [0.0; CHANNELS];

/// Renders a point cloud (.npz) or a trained scene (.ply) to PNG files.
#[derive(Parser)]
struct Arguments {
    /// Scene to render: Gaussians in the format of 3DGS (.ply), or points with colours and cameras
    /// (.npz, with the arrays that the file npz.rs of this example lists). A .ply file has no
    /// cameras: eight cameras are placed on a circle around the scene.
    file: PathBuf,
    /// Folder for the pictures, one PNG file per camera. It is created if it does not exist.
    /// Existing pictures of the same names are replaced.
    #[arg(long = "output", alias = "out", default_value = "out")]
    out: PathBuf,
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
    let fail = |error: String| format!("{}: {error}", arguments.file.display());
    let (cloud, shots) = read(&arguments.file).map_err(fail)?;
    for (what, count) in [("Gaussian", cloud.len()), ("camera", shots.len())] {
        if count == 0 {
            return Err(fail(format!("expected at least one {what}, got none")));
        }
    }
    files::writable_folder(&arguments.out)?;
    terminal::line(format_args!(
        "Gaussians: {}, cameras: {}",
        cloud.len(),
        shots.len()
    ))?;
    let progress = ProgressBar::new(shots.len() as u64).with_style(style());
    let start = Instant::now();
    let mut most_visible = 0;
    for (i, shot) in shots.iter().enumerate() {
        let (picture, visible) = take(&cloud, shot).map_err(|error| fail(error.to_string()))?;
        most_visible = most_visible.max(visible);
        common::pictures::write_png(&arguments.out.join(format!("view_{i:02}.png")), &picture)?;
        progress.inc(1);
    }
    progress.finish_and_clear();
    if most_visible == 0 {
        return Err(fail(format!(
            "expected a visible Gaussian, got {} that are culled in all {} pictures",
            cloud.len(),
            shots.len()
        )));
    }
    let per_picture = 1000.0 * start.elapsed().as_secs_f64() / shots.len() as f64;
    terminal::line(format_args!(
        "{} pictures in {}, {per_picture:.0} ms each",
        shots.len(),
        arguments.out.display()
    ))
}

/// Reads a file in the format of its extension.
fn read(path: &Path) -> Result<(Cloud, Vec<Shot>), String> {
    let kind = path
        .extension()
        .and_then(|kind| kind.to_str())
        .map(str::to_lowercase);
    match kind.as_deref() {
        Some("npz") => npz::read(path),
        Some("ply") => ply::read(path).map(|cloud| {
            let shots = orbit::around(&cloud);
            (cloud, shots)
        }),
        _ => Err("expected a name that ends in .npz or .ply".to_owned()),
    }
}

/// Renders one picture. Returns it with the number of visible Gaussians.
fn take(cloud: &Cloud, shot: &Shot) -> Result<(RgbImage, usize), RenderError> {
    let colours = cloud.colours(&shot.camera)?;
    let views = Views::single(shot.width, shot.height, shot.camera, cloud.len());
    let scene = Scene {
        gaussians: Gaussians {
            means: cloud.means.as_slice(),
            scales: &cloud.scales,
            quaternions: &cloud.quaternions,
            opacities: &cloud.opacities,
            features: &colours,
            count: cloud.len(),
            channels: CHANNELS,
        },
        views: &views,
        backgrounds: &BACKGROUND,
    };
    let (image, saved) = render(&Cpu::<f32>::new(), &scene, &RenderConfig::default())?;
    let culled: usize = saved.splats.culled().iter().sum();
    let picture = common::pictures::picture(shot.width, shot.height, &image.features);
    Ok((picture, cloud.len() - culled))
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{bar:32} {pos}/{len} {elapsed}, {eta} left")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}
