//! Renders the frames of a flight around a scene, whose colours depend on the direction of view.
//!
//! ```text
//! cargo run --release -p splat --example orbit -- scene.ply --frames 120 --out frames
//! ```

mod ball;
#[path = "../common/circle/mod.rs"]
mod circle;
#[path = "../common/mod.rs"]
mod common;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use indicatif::ProgressBar;
use splat::io::StoredScene;
use splat::{Cpu, RenderConfig, Scene, Views, Workspace, render};

use common::visible::Visible;
use common::{files, pictures, terminal};

/// Renders the frames of a flight around a scene to PNG files.
#[derive(Parser)]
struct Arguments {
    /// Scene (.ply, .npz, .splat, .spz). Without one, a ball of Gaussians with harmonics of degree 1.
    scene: Option<PathBuf>,
    /// Number of frames of the turn.
    #[arg(long, default_value_t = 60)]
    frames: usize,
    /// Width and height of a frame, px.
    #[arg(long, num_args = 2, default_values_t = [640, 480])]
    size: Vec<usize>,
    /// Folder for the frames. It is created if it does not exist.
    #[arg(long, default_value = "frames")]
    out: PathBuf,
}

fn run(arguments: &Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let (ball, [width, height]) = (ball::gaussians(), [arguments.size[0], arguments.size[1]]);
    let file = arguments.scene.as_ref().map(splat::io::read).transpose()?;
    let (scene, stored) = file.map(|file| (file.scene, file.views)).unzip();
    let scene = scene.map(StoredScene::spatially_sorted).transpose()?;
    let gaussians = scene
        .as_ref()
        .map_or(ball.as_slices(), StoredScene::gaussians);
    let stored = stored.unwrap_or_default();
    let cameras = circle::around(&gaussians, &stored, arguments.frames, [width, height])?;
    files::writable_folder(&arguments.out)?;
    // The frames take turns in the same memory.
    let workspace = Workspace::new();
    let backend = Cpu::<f32>::new().with_workspace(&workspace);
    let progress = ProgressBar::new(cameras.len() as u64);
    let mut visible = Visible::default();
    for (i, camera) in cameras.into_iter().enumerate() {
        let views = Views::single(width, height, camera, gaussians.count);
        let scene = Scene {
            gaussians,
            views: &views,
            backgrounds: &[0.0; 3],
        };
        let (image, saved) = render(&backend, &scene, &RenderConfig::default())?;
        visible.add(&saved.splats);
        let picture = pictures::picture(width, height, &image.features);
        pictures::write_png(&arguments.out.join(format!("frame_{i:04}.png")), &picture)?;
        workspace.recycle(image);
        workspace.recycle(saved);
        progress.inc(1);
    }
    progress.finish_and_clear();
    visible.check()?;
    let (frames, out) = (arguments.frames, arguments.out.display());
    Ok(terminal::line(format_args!("{frames} frames in {out}"))?)
}

fn main() -> ExitCode {
    common::exit(run(&Arguments::parse()))
}
