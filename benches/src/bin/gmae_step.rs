//! Times a training step of GMAE and of MAE, and the step of GMAE in `PyTorch`:
//! `cargo run --release -p benches --bin gmae_step -- --torch PYTHON`.
//!
//! The measurements are taken alternately, so that other work on the machine affects all alike:
//! whole steps of [`Trainer`] with each method on all threads, and the script
//! `benches/peers/torch_gmae.py` on as many threads. The script leaves the render and its loss out,
//! so that it does less work.
//!
//! A further measurement splits one piece of a batch, on one thread, into its parts. Each part is
//! timed with its own backward pass. A whole step also adds the gradients of the pieces.

use std::error::Error;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use clap::Parser;
use gmae_reference::backend::{Cpu, Device, Training};
use gmae_reference::config::Method;
use gmae_reference::data::Shapes;
use gmae_reference::model::pixels::images;
use gmae_reference::model::render::settings as render_settings;
use gmae_reference::model::{Batch, Decoded, Gaussians, Patches, Visible};
use gmae_reference::training::{Optimizer, Target, Trainer, held_out};
use gmae_reference::{Config, Preset};
use serde_json::Value;

/// The presets that are timed by default.
const PRESETS: [Preset; 3] = [Preset::Nano, Preset::Small, Preset::Base];
/// The parts of a step, in their order. The decoder includes the head. For MAE, the image is put
/// together from patches instead of rendered.
const PARTS: [&str; 5] = ["data", "encoder", "decoder", "image", "loss"];

/// Times training steps of GMAE, MAE and `PyTorch`.
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
    let count = config.batch_size;
    let batch = held_out(&config, &Shapes::new(0, count, config.image_size)?, count)?;
    let mut runs = Vec::new();
    for method in [Method::Gmae, Method::Mae] {
        let mut trainer = Trainer::new(Config { method, ..config })?.on_threads(args.threads)?;
        trainer.step(&batch, 1e-4)?;
        runs.push(Run {
            trainer,
            step: f64::INFINITY,
            update: f64::INFINITY,
        });
    }
    let mut torch = None::<Value>;
    for _ in 0..args.rounds {
        for run in &mut runs {
            run.round(&batch, args.steps)?;
        }
        if let Some(python) = &args.torch {
            let found = peer(python, &config, args, threads)?;
            let faster = |old: &Value| found["step"].as_f64() < old["step"].as_f64();
            if torch.as_ref().is_none_or(faster) {
                torch = Some(found);
            }
        }
    }
    println!("{name}: {count} images on {threads} threads");
    for run in &runs {
        run.print(&batch, args.steps)?;
    }
    println!("  ratio MAE/GMAE {:.2}", runs[1].step / runs[0].step);
    if let Some(torch) = torch {
        let part = |name: &str| torch[name].as_f64().unwrap_or(f64::NAN);
        println!(
            "  PyTorch {:.1} images/s; encoder {:.1}, decoder {:.1}, backward {:.1}, optimiser {:.1} of {:.1} ms",
            1e3 * count as f64 / part("step"),
            part("encoder"),
            part("decoder"),
            part("backward"),
            part("optimiser"),
            part("step")
        );
        println!(
            "  ratio PyTorch/GMAE {:.2}",
            1e-3 * part("step") / runs[0].step
        );
    }
    Ok(())
}

/// A method and its fastest times, seconds.
struct Run {
    trainer: Trainer,
    /// A whole step.
    step: f64,
    /// The optimiser.
    update: f64,
}

impl Run {
    /// Takes one round of steps. Its result is their median.
    fn round(&mut self, batch: &Batch, steps: u32) -> Result<(), Box<dyn Error>> {
        let mut times = Vec::new();
        for _ in 0..steps {
            times.push(seconds(|| self.trainer.step(batch, 1e-4).map(drop))?);
        }
        times.sort_by(f64::total_cmp);
        // The script reports the median of its steps as well.
        self.step = self.step.min(times[times.len() / 2]);
        self.update = self.update.min(optimiser(&self.trainer, batch)?);
        Ok(())
    }

    fn print(&self, batch: &Batch, steps: u32) -> Result<(), Box<dyn Error>> {
        let images = batch.masks.len() as f64;
        println!(
            "  {:?}: {:.1} images/s; a step {:.1} ms, of which the optimiser {:.1} ms",
            self.trainer.config.method,
            images / self.step,
            1e3 * self.step,
            1e3 * self.update
        );
        let parts = parts(&self.trainer, batch, steps)?;
        let sum: f64 = parts.iter().sum();
        print!("    CPU ms per image, forward and backward:");
        for (part, ms) in PARTS.iter().zip(parts) {
            print!(" {part} {ms:.2} ({:.1} %)", 100.0 * ms / sum);
        }
        println!();
        Ok(())
    }
}

/// Times one step of the optimiser, with its history in memory.
fn optimiser(trainer: &Trainer, batch: &Batch) -> Result<f64, Box<dyn Error>> {
    let mut optimizer = Optimizer::new(&trainer.config);
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
    trainer: &Trainer,
    batch: &Batch,
    steps: u32,
) -> Result<[f64; PARTS.len()], Box<dyn Error>> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    let mut best = [f64::INFINITY; PARTS.len()];
    for _ in 0..=steps {
        let found = pool.install(|| piece(trainer, batch));
        let (found, images) = found.map_err(|error| error.to_string())?;
        for (best, seconds) in best.iter_mut().zip(found) {
            *best = best.min(1e3 * seconds / images as f64);
        }
    }
    Ok(best)
}

/// The seconds of each part of the first piece, and its images. The gradient of a part begins at
/// the sum of its outputs, and ends at its inputs.
fn piece(
    trainer: &Trainer,
    batch: &Batch,
) -> Result<([f64; PARTS.len()], usize), gmae_reference::Error> {
    let (config, device) = (&trainer.config, Device::default());
    let Some(piece) = batch.pieces(config)?.next() else {
        return Ok(([0.0; PARTS.len()], 1));
    };
    let (pixels, masks) = (&piece.pixels, &piece.masks);
    let mut marks = vec![Instant::now()];
    let visible = Visible::<Training<Cpu>>::new(config, pixels, masks, &device)?;
    let target = Target::new(config, config.loss, pixels, masks)?;
    marks.push(Instant::now());
    let latents = trainer.model.encode(&visible);
    drop(latents.clone().sum().backward());
    marks.push(Instant::now());
    let decoded = trainer.model.decode(leaf(&latents), &visible);
    drop(sum(&decoded).backward());
    marks.push(Instant::now());
    let image = images(config, &render_settings(config), leaves(&decoded))?;
    drop(image.clone().sum().backward());
    marks.push(Instant::now());
    drop(target.loss(leaf(&image))?.backward());
    Training::<Cpu>::sync(&device).ok();
    marks.push(Instant::now());
    let mut seconds = [0.0; PARTS.len()];
    for (part, pair) in seconds.iter_mut().zip(marks.windows(2)) {
        *part = (pair[1] - pair[0]).as_secs_f64();
    }
    Ok((seconds, masks.len()))
}

/// Returns the values of a tensor as an input of a new graph.
fn leaf<const D: usize>(of: &Tensor<Training, D>) -> Tensor<Training, D> {
    Tensor::from_inner(of.clone().inner()).require_grad()
}

fn leaves(of: &Decoded<Training>) -> Decoded<Training> {
    match of {
        Decoded::Gaussians(of) => Decoded::Gaussians(Gaussians {
            means: leaf(&of.means),
            scales: leaf(&of.scales),
            quaternions: leaf(&of.quaternions),
            colours: leaf(&of.colours),
            opacities: leaf(&of.opacities),
            images: of.images,
        }),
        Decoded::Patches(of) => Decoded::Patches(Patches {
            values: leaf(&of.values),
            images: of.images,
        }),
    }
}

fn sum(of: &Decoded<Training>) -> Tensor<Training, 1> {
    match of {
        Decoded::Gaussians(of) => {
            of.means.clone().sum()
                + of.scales.clone().sum()
                + of.quaternions.clone().sum()
                + of.colours.clone().sum()
                + of.opacities.clone().sum()
        }
        Decoded::Patches(of) => of.values.clone().sum(),
    }
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
