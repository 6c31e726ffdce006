//! Measures renders without gradients, frame after frame: 200,000 Gaussians with harmonics of degree
//! 3 at 1280 x 720 px, seen by a camera that moves.
//!
//! ```text
//! cargo run --release -p benches --no-default-features --bin frames -- --threads 1
//! ```
//!
//! Each round renders one frame in every way, so that a slow moment of the machine affects all of
//! them. With one thread, the milliseconds are those of the CPU. The table shows the medians over the
//! rounds, and the time relative to the render of the same round that saves a state and allocates
//! its memory.

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::Instant;

use benches::{Recipe, scene};
use clap::Parser;
use splat::encoding::Encoding;
use splat::pack::{Alpha, TransferFunction};
use splat::{Cpu, RenderConfig, RenderError, Scene, SpatialOrder, Views, Workspace, render};

/// Times renders without gradients.
#[derive(Parser)]
struct Arguments {
    /// Number of threads.
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// Timed rounds. Three more warm up.
    #[arg(long, default_value_t = 30)]
    rounds: usize,
}

/// The degree of the harmonics, and the number of coefficients of a channel.
const DEGREE: u32 = 3;
const COEFFICIENTS: usize = 16;

const NAMES: [&str; 4] = [
    "`render`, fresh memory",
    "`render`, recycled memory",
    "`render_into`",
    "`render_rgba8_into`",
];

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(arguments.threads);
    let done = match pool.build() {
        Ok(pool) => pool
            .install(|| run(arguments.rounds.max(1)))
            .map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    let written =
        done.and_then(|table| writeln!(io::stdout(), "{table}").map_err(|error| error.to_string()));
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(rounds: usize) -> Result<String, RenderError> {
    const WARM_UP: usize = 3;
    let recipe = Recipe {
        per_view: 200_000,
        ..scene()
    };
    let workload = recipe.draw()?;
    let drawn = workload.scene();
    let coefficients = coefficients(recipe.per_view);
    let order = SpatialOrder::of(drawn.gaussians.means)?;
    let rows = |buffer: &[f32]| order.sort_rows(buffer);
    let means = rows(drawn.gaussians.means)?;
    let scales = rows(drawn.gaussians.scales)?;
    let quaternions = rows(drawn.gaussians.quaternions)?;
    let opacities = rows(drawn.gaussians.opacities)?;
    let gaussians = splat::Gaussians {
        means: &means[..],
        scales: &scales,
        quaternions: &quaternions,
        opacities: &opacities,
        features: &coefficients,
        encoding: Encoding::PLAIN.with_harmonics(DEGREE),
        ..drawn.gaussians
    };
    let workspace = Workspace::new();
    let recycling = Cpu::<f32>::new().with_workspace(&workspace);
    let [frames, screen] = [Cpu::<f32>::new(), Cpu::<f32>::new()];
    let config = RenderConfig::default();
    let pixels = recipe.width * recipe.height;
    let (mut features, mut bytes) = (vec![0.0; 3 * pixels], vec![0; 4 * pixels]);
    let mut found = Vec::with_capacity(rounds);
    for round in 0..rounds + WARM_UP {
        let camera = drawn.views.cameras[0];
        let camera = camera.moved([0.002 * round as f64, 0.0, 0.0, 0.0, 0.0, 0.0]);
        let views = Views::single(recipe.width, recipe.height, camera, recipe.per_view);
        let scene = Scene {
            gaussians,
            views: &views,
            backgrounds: &[0.0; 3],
        };
        let mut seconds = [0.0; NAMES.len()];
        for (way, seconds) in seconds.iter_mut().enumerate() {
            let begun = Instant::now();
            match way {
                0 => drop(render(&Cpu::<f32>::new(), &scene, &config)?),
                1 => workspace.recycle(render(&recycling, &scene, &config)?),
                2 => drop(frames.render_into(&scene, &config, &mut features)?),
                _ => drop(screen.render_rgba8_into(
                    &scene,
                    &config,
                    TransferFunction::Linear,
                    Alpha::Opaque,
                    &mut bytes,
                )?),
            }
            *seconds = begun.elapsed().as_secs_f64();
        }
        if round >= WARM_UP {
            found.push(seconds);
        }
    }
    Ok(table(&found))
}

/// Returns coefficients of colours around grey.
fn coefficients(count: usize) -> Vec<f32> {
    let small = |i: usize| ((i * 7919 % 1000) as f32 / 1000.0 - 0.5) * 0.2;
    (0..3 * COEFFICIENTS * count).map(small).collect()
}

fn table(found: &[[f64; NAMES.len()]]) -> String {
    let row = |(way, name): (usize, &&str)| {
        let own = median(found.iter().map(|round| round[way]));
        let relative = median(found.iter().map(|round| round[way] / round[0]));
        format!("| {name} | {:.1} | {relative:.3} |", 1e3 * own)
    };
    let head = ["| way | ms | relative |", "|---|---|---|"].map(str::to_owned);
    let rows = head.into_iter().chain(NAMES.iter().enumerate().map(row));
    rows.collect::<Vec<_>>().join("\n")
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}
