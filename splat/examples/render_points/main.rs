//! Renders a point cloud or a trained scene.
//!
//! ```text
//! cargo run --release -p splat --example render_points -- garden.npz --out out
//! ```
//!
//! A `NumPy` archive (.npz) contains points, colours and cameras. A PLY file (.ply) contains
//! points or the Gaussians of a trained scene, and SPZ and .splat files contain Gaussians. They
//! are rendered by eight cameras on a circle around their centre. The formats are those of
//! `splat::io`. The pictures are `view_00.png`, `view_01.png` and so on.
//!
//! Exit code 0: every picture is written, and at least one Gaussian is visible. Exit code 2: the
//! arguments or the file are invalid, a picture cannot be written, or no Gaussian is visible.

mod circle;
#[path = "../common/mod.rs"]
mod common;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use image::RgbImage;
use indicatif::{ProgressBar, ProgressStyle};
use splat::io::{StoredScene, StoredView};
use splat::{Cpu, RenderConfig, RenderError, Scene, Views, render};

use common::visible::Visible;
use common::{files, terminal};

/// Renders a point cloud (.npz, .ply) or a trained scene (.ply, .spz, .splat) to PNG files.
#[derive(Parser)]
struct Arguments {
    /// Scene to render: Gaussians or points (.ply), Gaussians (.spz, .splat), or points with colours
    /// and cameras (.npz). For a scene without cameras, eight are placed on a circle around it.
    file: PathBuf,
    /// Folder for the pictures, one PNG file per camera. It is created if it does not exist.
    /// Existing pictures of the same names are replaced.
    #[arg(long = "output", alias = "out", default_value = "out")]
    out: PathBuf,
}

/// Number of cameras on the circle around a scene without cameras.
const CIRCLE: usize = 8;
/// Width and height of their pictures, px.
const SIZE_PX: [usize; 2] = [800, 600];

fn main() -> ExitCode {
    common::exit(run(&Arguments::parse()))
}

fn run(arguments: &Arguments) -> Result<(), String> {
    let fail = |error: String| format!("{}: {error}", arguments.file.display());
    let file = splat::io::read(&arguments.file).map_err(|error| error.to_string())?;
    let config = RenderConfig::default().with_antialias(file.antialiased);
    let scene = file.scene;
    if scene.is_empty() {
        return Err(fail("expected at least one Gaussian, got none".to_owned()));
    }
    let mut views = file.views;
    if views.is_empty() {
        let cameras = circle::around(&scene.gaussians(), CIRCLE, SIZE_PX);
        let cameras = cameras.map_err(|error| fail(error.to_string()))?;
        let [width, height] = SIZE_PX;
        views.extend(cameras.into_iter().map(|camera| StoredView {
            camera,
            width,
            height,
        }));
    }
    if views.is_empty() {
        return Err(fail("expected a finite mean, got none".to_owned()));
    }
    let scene = scene.spatially_sorted();
    let scene = scene.map_err(|error| fail(error.to_string()))?;
    files::writable_folder(&arguments.out)?;
    terminal::line(format_args!(
        "Gaussians: {}, cameras: {}",
        scene.len(),
        views.len()
    ))?;
    let progress = ProgressBar::new(views.len() as u64).with_style(style());
    let start = Instant::now();
    let mut visible = Visible::default();
    for (i, view) in views.iter().enumerate() {
        let picture = take(&scene, view, &config, &mut visible);
        let picture = picture.map_err(|error| fail(error.to_string()))?;
        common::pictures::write_png(&arguments.out.join(format!("view_{i:02}.png")), &picture)?;
        progress.inc(1);
    }
    progress.finish_and_clear();
    visible.check().map_err(fail)?;
    if visible.most < scene.len() {
        terminal::note(format_args!(
            "note: the picture with most Gaussians shows {} of {}; the others are culled",
            visible.most,
            scene.len()
        ));
    }
    let per_picture = 1000.0 * start.elapsed().as_secs_f64() / views.len() as f64;
    terminal::line(format_args!(
        "{} pictures in {}, {per_picture:.0} ms each",
        views.len(),
        arguments.out.display()
    ))
}

/// Renders one picture on black and counts its Gaussians.
fn take(
    stored: &StoredScene,
    view: &StoredView,
    config: &RenderConfig,
    visible: &mut Visible,
) -> Result<RgbImage, RenderError> {
    let views = Views::single(view.width, view.height, view.camera, stored.len());
    let scene = Scene {
        gaussians: stored.gaussians(),
        views: &views,
        backgrounds: &[0.0; 3],
    };
    let (image, saved) = render(&Cpu::<f32>::new(), &scene, config)?;
    visible.add(&saved.splats);
    Ok(common::pictures::picture(
        view.width,
        view.height,
        &image.features,
    ))
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{bar:32} {pos}/{len} {elapsed}, {eta} left")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}
