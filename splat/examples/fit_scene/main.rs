//! Optimises a scene of Gaussians from photographs with known cameras.
//!
//! ```text
//! cargo run --release -p splat --example view_scene -- \
//!     scene.ply --views 24 --size 324x210 --transforms --out photographs
//! cargo run --release -p splat --example fit_scene -- photographs --out out
//! ```
//!
//! The folder contains `transforms.json` (Nerfstudio, instant-ngp, `view_scene`), or
//! `transforms_train.json` (Blender), and the pictures that it names. Every eighth picture is held out:
//! it is not trained on, and measures the result. The program writes `scene.ply`, `report.html` with
//! the error of every picture, and `checkpoint.safetensors`, from which `--resume` continues.
//!
//! Exit code 0: the run is complete and all files are written. Exit code 2: the arguments or a file are
//! invalid, or a file cannot be written. Exit code 130: the run was interrupted, and all files are
//! written from its last step.

mod arguments;
mod checkpoint;
#[path = "../common/mod.rs"]
mod common;
mod dataset;
mod initial;
mod interrupt;
mod plan;
mod progress;
mod report;
mod state;

use std::process::ExitCode;

use clap::Parser;

use arguments::Arguments;
use common::{files, terminal};
use dataset::Dataset;
use progress::Progress;
use report::Report;
use state::{End, State};

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(End::Interrupted) => ExitCode::from(interrupt::EXIT_CODE),
        outcome => common::exit(outcome.map(|_| ())),
    }
}

fn run(arguments: &Arguments) -> Result<End, String> {
    let (folder, out, plan) = (&arguments.folder, &arguments.out, arguments.plan());
    let mut data = Dataset::read(folder, arguments.hold_out as usize, arguments.max_side)?;
    let start = initial::gaussians(&data, &plan, arguments.points.as_deref())?;
    data.start_from(&start);
    files::writable_folder(out)?;
    let mut state = State::new(start)?;
    if arguments.resume {
        state = checkpoint::read(out, &plan, &data)?;
    } else {
        checkpoint::remove(&out.join(checkpoint::NAME))?;
    }
    interrupt::install()?;
    terminal::line(format_args!("{data}, Gaussians: {}", state.gaussians.count))?;
    let progress = Progress::new(&plan, state.iteration);
    while state.iteration < plan.iterations && !interrupt::requested() {
        let loss = state.step(&data, &plan)?;
        progress.step(&state, loss);
        if state.iteration.is_multiple_of(checkpoint::EVERY) {
            checkpoint::write(out, &plan, &data, &state)?;
        }
    }
    progress.finish();
    checkpoint::write(out, &plan, &data, &state)?;
    state.write_scene(&out.join("scene.ply"), data.focus.origin)?;
    let report = Report::new(&data, &plan, &state)?;
    report.write(out)?;
    let path = out.join(report::NAME);
    terminal::line(format_args!("{report}; report in {}", path.display()))?;
    Ok(state.end(&plan))
}
