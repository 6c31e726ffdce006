//! Times a training step of the masked autoencoder, and the same step in `PyTorch`:
//! `cargo run --release -p benches --bin gmae_step -- --torch PYTHON`.
//!
//! Two measurements are taken alternately, so that other work on the machine affects both alike:
//! whole steps of [`Trainer`] on all threads, and the script `benches/peers/torch_gmae.py` on as
//! many threads. The script leaves the render and its loss out, so that it does less work.
//!
//! A third measurement splits one piece of a batch, on one thread, into its parts. A whole step
//! also adds the gradients of the pieces.

use std::error::Error;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use burn::tensor::backend::Backend;
use clap::Parser;
use gmae_reference::backend::{Cpu, Device, Training};
use gmae_reference::data::Shapes;
use gmae_reference::model::pixels::images;
use gmae_reference::model::render::settings as render_settings;
use gmae_reference::model::{Batch, Visible};
use gmae_reference::training::{Gradient, Optimizer, Target, Trainer, held_out};
use gmae_reference::{Config, Preset};
use serde_json::Value;

/// The presets that are timed by default.
const PRESETS: [Preset; 3] = [Preset::Nano, Preset::Small, Preset::Base];
/// The parts of a step, in their order.
const PARTS: [&str; 6] = ["data", "encoder", "decoder", "splat", "loss", "backward"];

/// Times a training step of the masked autoencoder against `PyTorch`.
#[derive(Debug, Parser)]
struct Args {
    /// Presets to time. By default nano, small and base.
    #[arg(long, value_enum)]
    config: Vec<Preset>,
    /// Number of threads; 0 stands for the number of cores.
    #[arg(long, default_value_t = 0)]
    threads: usize,
    /// Images per step. By default 16.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..))]
    batch: u32,
    /// Images per piece; 0 chooses by memory and batch size.
    #[arg(long, default_value_t = 0)]
    micro_batch: usize,
    /// Timed steps of each program in a round. Steps before them are not timed.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    steps: u32,
    /// Rounds of both programs, alternately. A round's result is the median of its steps. The
    /// fastest round of each program counts.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// A Python interpreter with the package `torch`. Without it `PyTorch` is left out.
    #[arg(long)]
    torch: Option<PathBuf>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();
    rayon::ThreadPoolBuilder::new()
        .num_threads(args.threads)
        .build_global()?;
    let presets = if args.config.is_empty() {
        &PRESETS[..]
    } else {
        &args.config
    };
    for preset in presets {
        let config = Config {
            batch_size: args.batch as usize,
            micro_batch: args.micro_batch,
            ..preset.config()
        };
        time(&format!("{preset:?}").to_lowercase(), config, &args)?;
    }
    Ok(())
}

fn time(name: &str, config: Config, args: &Args) -> Result<(), Box<dyn Error>> {
    let threads = rayon::current_num_threads();
    let images = config.batch_size;
    let mut trainer = Trainer::new(config)?.on_threads(args.threads)?;
    let batch = held_out(&config, &Shapes::new(0, images, config.image_size)?, images)?;
    trainer.step(&batch, 1e-4)?;
    let (mut ours, mut update, mut torch) = (f64::INFINITY, f64::INFINITY, None::<Value>);
    for _ in 0..args.rounds {
        let mut steps = Vec::new();
        for _ in 0..args.steps {
            steps.push(seconds(|| trainer.step(&batch, 1e-4).map(drop))?);
        }
        steps.sort_by(f64::total_cmp);
        // The script reports the median of its steps as well.
        ours = ours.min(steps[steps.len() / 2]);
        update = update.min(optimiser(&config, &trainer, &batch)?);
        if let Some(python) = &args.torch {
            let found = peer(python, &config, args, threads)?;
            let faster = |old: &Value| found["step"].as_f64() < old["step"].as_f64();
            if torch.as_ref().is_none_or(faster) {
                torch = Some(found);
            }
        }
    }
    let per_second = |seconds: f64| images as f64 / seconds;
    println!("{name}: {images} images on {threads} threads");
    println!(
        "  gmae-reference {:.1} images/s; a step {:.1} ms, of which the optimiser {:.1} ms",
        per_second(ours),
        1e3 * ours,
        1e3 * update
    );
    let parts = parts(&config, &trainer, &batch, args.steps)?;
    print!("  CPU ms per image:");
    for (part, ms) in PARTS.iter().zip(parts) {
        print!(" {part} {ms:.2}");
    }
    println!();
    if let Some(torch) = torch {
        let part = |name: &str| torch[name].as_f64().unwrap_or(f64::NAN);
        println!(
            "  PyTorch {:.1} images/s; encoder {:.1}, decoder {:.1}, backward {:.1}, optimiser {:.1} of {:.1} ms",
            per_second(1e-3 * part("step")),
            part("encoder"),
            part("decoder"),
            part("backward"),
            part("optimiser"),
            part("step")
        );
        println!("  ratio {:.2}", 1e-3 * part("step") / ours);
    }
    Ok(())
}

/// Times one step of the optimiser, with its history in memory.
fn optimiser(config: &Config, trainer: &Trainer, batch: &Batch) -> Result<f64, Box<dyn Error>> {
    let mut optimizer = Optimizer::new(config);
    let mut model = trainer.model.clone();
    let mut last = 0.0;
    for _ in 0..2 {
        let (gradient, _) = trainer.gradient(batch)?;
        let started = Instant::now();
        let norm = gradient.norm(&model);
        model = optimizer.step(1e-4, model, gradient, norm);
        last = started.elapsed().as_secs_f64();
    }
    Ok(last)
}

/// Times the parts of one piece on one thread, CPU ms per image: for each part, its fastest of
/// `steps + 1` runs.
fn parts(
    config: &Config,
    trainer: &Trainer,
    batch: &Batch,
    steps: u32,
) -> Result<[f64; PARTS.len()], Box<dyn Error>> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    let mut best = [f64::INFINITY; PARTS.len()];
    for _ in 0..=steps {
        let found = pool.install(|| piece(config, trainer, batch));
        let (found, images) = found.map_err(|error| error.to_string())?;
        for (best, seconds) in best.iter_mut().zip(found) {
            *best = best.min(1e3 * seconds / images as f64);
        }
    }
    Ok(best)
}

/// The seconds of each part of the first piece, and its images.
fn piece(
    config: &Config,
    trainer: &Trainer,
    batch: &Batch,
) -> Result<([f64; PARTS.len()], usize), gmae_reference::Error> {
    let device = Device::default();
    let Some(piece) = batch.pieces(config)?.next() else {
        return Ok(([0.0; PARTS.len()], 1));
    };
    let (pixels, masks) = (&piece.pixels, &piece.masks);
    let mut marks = vec![Instant::now()];
    let visible = Visible::<Training<Cpu>>::new(config, pixels, masks, &device)?;
    let target = Target::new(config, config.loss, pixels, masks)?;
    marks.push(Instant::now());
    let latents = trainer.model.encode(&visible);
    marks.push(Instant::now());
    let decoded = trainer.model.decode(latents, &visible);
    marks.push(Instant::now());
    let image = images(config, &render_settings(config), decoded)?;
    marks.push(Instant::now());
    let loss = target.loss(image)?;
    marks.push(Instant::now());
    drop(Gradient::of(loss.backward(), &trainer.model));
    Training::<Cpu>::sync(&device).ok();
    marks.push(Instant::now());
    let mut seconds = [0.0; PARTS.len()];
    for (part, pair) in seconds.iter_mut().zip(marks.windows(2)) {
        *part = (pair[1] - pair[0]).as_secs_f64();
    }
    Ok((seconds, masks.len()))
}

fn seconds<T, E>(run: impl FnOnce() -> Result<T, E>) -> Result<f64, E> {
    let started = Instant::now();
    run()?;
    Ok(started.elapsed().as_secs_f64())
}

/// Runs the script and returns its times, ms.
fn peer(
    python: &PathBuf,
    config: &Config,
    args: &Args,
    threads: usize,
) -> Result<Value, Box<dyn Error>> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/torch_gmae.py");
    let mut settings = serde_json::to_value(config)?;
    settings["visible"] = config.visible().into();
    let output = Command::new(python)
        .arg(script)
        .args(["--config", &settings.to_string()])
        .args(["--batch", &args.batch.to_string()])
        .args(["--steps", &args.steps.to_string()])
        .args(["--threads", &threads.to_string()])
        .output()?;
    if !output.status.success() {
        let reason = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{script} failed with {}: {reason}", output.status).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}
