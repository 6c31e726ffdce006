//! Measures the cost of the optional outputs of a forward render: the contributors of every pixel,
//! and prefix images.
//!
//! ```text
//! cargo run --release -p benches --no-default-features --bin outputs -- --threads 1
//! ```
//!
//! Each round renders every variant once, so that a slow moment of the machine affects all of them.
//! The table shows the median over the rounds of the time relative to the render of the same round
//! without optional outputs, with its quartiles.

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::Instant;

use benches::{Recipe, gmae, gmae_heavy, image_fit, scene};
use clap::Parser;
use splat::{Cpu, Outputs, RenderConfig, RenderError, Workspace, render};

/// Times the optional outputs of a render.
#[derive(Parser)]
struct Arguments {
    /// Number of threads.
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// Timed rounds. Two more warm up.
    #[arg(long, default_value_t = 15)]
    rounds: usize,
    /// Times prefix images. Their buffers are so large that they disturb the times of other
    /// outputs, which are therefore timed in a run of their own.
    #[arg(long)]
    prefixes: bool,
}

/// A name and the settings of a render of a scene with a number of Gaussians per view.
type Variant = (&'static str, fn(usize) -> RenderConfig);

/// The variant that all others are compared with.
const NOTHING: Variant = ("no optional output", |_| RenderConfig::default());

const PLANES: [Variant; 3] = [
    NOTHING,
    ("contributors", |_| {
        RenderConfig::default().with_outputs(Outputs::NONE.with_contributors(true))
    }),
    ("transmittance", |_| {
        RenderConfig::default().with_outputs(Outputs::NONE.with_transmittance(true))
    }),
];

const PREFIXES: [Variant; 4] = [
    NOTHING,
    ("8 prefixes", |count| prefixes(count, 8)),
    ("64 prefixes", |count| prefixes(count, 64)),
    ("64 prefixes, with transmittance", |count| {
        prefixes(count, 64).with_outputs(Outputs::NONE.with_transmittance(true))
    }),
];

/// Settings with prefix images of groups of equal count.
fn prefixes(count: usize, groups: usize) -> RenderConfig {
    RenderConfig::default().with_layers((1..=groups).map(|group| group * count / groups).collect())
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(arguments.threads);
    let done = match pool.build() {
        Ok(pool) => {
            let variants: &[Variant] = if arguments.prefixes {
                &PREFIXES
            } else {
                &PLANES
            };
            pool.install(|| run(variants, arguments.rounds.max(1)))
        }
        Err(error) => Err(error.to_string()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(variants: &[Variant], rounds: usize) -> Result<(), String> {
    let mut out = io::stdout().lock();
    let mut line = |text: String| writeln!(out, "{text}").map_err(|error| error.to_string());
    line("| workload | output | ms | relative | quartiles |".to_owned())?;
    line("|---|---|---|---|---|".to_owned())?;
    // One view each, so that 64 prefixes fit in memory.
    for recipe in [gmae(1), gmae_heavy(1), image_fit(), scene()] {
        let times = times(&recipe, variants, rounds).map_err(|error| error.to_string())?;
        for (variant, (name, _)) in variants.iter().enumerate() {
            let own: Vec<f64> = times.iter().map(|round| round[variant]).collect();
            let relative: Vec<f64> = times
                .iter()
                .map(|round| round[variant] / round[0])
                .collect();
            line(format!(
                "| {} | {name} | {:.2} | {:.3} | {:.3} to {:.3} |",
                recipe.name,
                1e3 * quantile(&own, 0.5),
                quantile(&relative, 0.5),
                quantile(&relative, 0.25),
                quantile(&relative, 0.75),
            ))?;
        }
    }
    Ok(())
}

/// Returns the seconds of every variant, round by round.
fn times(
    recipe: &Recipe,
    variants: &[Variant],
    rounds: usize,
) -> Result<Vec<Vec<f64>>, RenderError> {
    const WARM_UP: usize = 2;
    let workload = recipe.draw()?;
    let workspace = Workspace::new();
    let backend = Cpu::<f32>::new().with_workspace(&workspace);
    let mut found = Vec::with_capacity(rounds);
    for round in 0..rounds + WARM_UP {
        let mut seconds = Vec::with_capacity(variants.len());
        for (_, settings) in variants {
            let settings = settings(recipe.per_view);
            let begun = Instant::now();
            let rendered = render(&backend, &workload.scene(), &settings)?;
            seconds.push(begun.elapsed().as_secs_f64());
            workspace.recycle(rendered);
        }
        if round >= WARM_UP {
            found.push(seconds);
        }
    }
    Ok(found)
}

/// Returns the value below which a part of the values lies.
fn quantile(values: &[f64], part: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[((sorted.len() - 1) as f64 * part).round() as usize]
}
