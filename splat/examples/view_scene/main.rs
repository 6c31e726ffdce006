//! Renders a trained scene or a point cloud, from the cameras of a file or from all sides.
//!
//! ```text
//! cargo run --release -p splat --example view_scene -- scene.ply --cameras cameras.json --out out
//! ```
//!
//! A `NumPy` archive (.npz) contains points, colours and cameras. The other formats of `splat::io` are
//! points or Gaussians. Scenes without cameras are rendered by eight cameras on a circle around them,
//! and others too with `--views`. The pictures are `view_00.png`, `view_01.png` and so on. With
//! `--transforms` they are a data set, to optimise a scene from.
//!
//! Exit code 0: every picture is written, and at least one Gaussian is visible. Exit code 2: the
//! arguments or a file are invalid, a picture cannot be written, or no Gaussian is visible.

mod arguments;
mod backends;
mod cameras;
#[path = "../common/circle/mod.rs"]
mod circle;
#[path = "../common/mod.rs"]
mod common;
mod data_set;
mod input;

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};

use arguments::Arguments;
use common::visible::Visible;
use common::{pictures, terminal};
use input::Input;

fn main() -> ExitCode {
    common::exit(run(&Arguments::parse()))
}

fn run(arguments: &Arguments) -> Result<(), String> {
    let fail = |error: String| format!("{}: {error}", arguments.scene.display());
    arguments.backend.check()?;
    let input = Input::read(arguments)?;
    let (count, views) = (input.scene.len(), &input.views);
    data_set::prepare(arguments)?;
    terminal::line(format_args!("Gaussians: {count}, cameras: {}", views.len()))?;
    let draw = backends::open(arguments.backend, input.gaussians(), &input.config);
    let draw = draw.map_err(|error| fail(error.to_string()))?;
    let progress = ProgressBar::new(views.len() as u64).with_style(style());
    let start = Instant::now();
    let mut visible = Visible::default();
    for (view, name) in views.iter().zip(data_set::names(views.len())) {
        let (colours, splats) = draw(view).map_err(|error| fail(error.to_string()))?;
        visible.add(&splats);
        let picture = pictures::picture(view.width, view.height, &colours);
        pictures::write_png(&arguments.out.join(name), &picture)?;
        progress.inc(1);
    }
    progress.finish_and_clear();
    visible.check().map_err(fail)?;
    if let Some(transforms) = &input.transforms {
        data_set::write(arguments, &input.scene, transforms)?;
    }
    if visible.most < count {
        terminal::note(format_args!(
            "note: the picture with most Gaussians shows {} of {count}; the others are culled",
            visible.most
        ));
    }
    let per_picture = 1000.0 * start.elapsed().as_secs_f64() / views.len() as f64;
    let (pictures, out) = (views.len(), arguments.out.display());
    terminal::line(format_args!(
        "{pictures} pictures in {out}, {per_picture:.0} ms each"
    ))
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{bar:32} {pos}/{len} {elapsed}, {eta} left")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}
