//! What splatting costs in a training step of the published Gaussian masked autoencoder: `cargo run --release -p benches --bin
//! gmae_share`.
//!
//! One process times, by turns, so that whatever else the machine does falls on all alike: a whole
//! training step of the base preset (forward, loss, backward, optimiser), and splatting alone
//! (forward and backward) of the Gaussians that the model of that step emits for the same images,
//! of as many drawn ones, and of eight times as many drawn ones.
//!
//! A share depends on how fast both halves are: here both run on the CPU, the published one is from
//! GPUs. The share of 4,096 Gaussians is of a step that decodes 512, so that only the splatting
//! differs between the rows.

use std::error::Error;
use std::time::{Duration, Instant};

use benches::{Bench, Recipe, Stage, Workload, gmae};
use clap::Parser;
use gmae_reference::data::Shapes;
use gmae_reference::model::Batch;
use gmae_reference::model::camera;
use gmae_reference::model::render::{buffers, settings};
use gmae_reference::training::{Trainer, held_out};
use gmae_reference::{Config, Preset};
use serde_json::{Value, json};
use splat::RenderError;

/// Gaussians per image of the dense workload.
const DENSE: usize = 4096;
/// Splatting runs per training step, of each workload.
const SPLATS_PER_STEP: usize = 5;
/// The share of a training step that arXiv 2501.03229 gives for splatting.
const PAPER: &str = "1.5 %";
/// What it says of more than a thousand Gaussians.
const PAPER_DENSE: &str = "major slow-downs";
/// Times splatting against a whole training step of a Gaussian masked autoencoder (ViT-B/16, 224 x
/// 224, 512 Gaussians).
#[derive(Debug, Parser)]
struct Args {
    /// Threads; as many as there are cores if 0.
    #[arg(long, default_value_t = 0)]
    threads: usize,
    /// Images per training step.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..))]
    batch: u32,
    /// Timed training steps, after one to warm up.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    steps: u32,
    /// Print JSON instead of a table.
    #[arg(long)]
    json: bool,
}

/// One kind of splatting and the times of its runs, milliseconds per image.
struct Row {
    what: &'static str,
    /// Gaussians per image.
    count: usize,
    paper: &'static str,
    forward: Vec<f64>,
    backward: Vec<f64>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();
    rayon::ThreadPoolBuilder::new()
        .num_threads(args.threads)
        .build_global()?;
    let threads = rayon::current_num_threads();
    let images = args.batch as usize;
    let config = Config {
        batch_size: images,
        // One piece for every thread: the way the trainer uses all of them.
        micro_batch: images.div_ceil(threads),
        ..Preset::Base.config()
    };
    let (step, rows) = measure(config, threads, args.steps as usize)?;
    if args.json {
        let rows: Vec<Value> = rows.iter().map(|row| row.json(step)).collect();
        let value = json!({
            "threads": threads, "batch": images, "steps": args.steps,
            "step_ms_per_image": step, "splatting": rows,
        });
        println!("{value:#}");
    } else {
        print_table(&config, threads, args.steps, step, &rows);
    }
    Ok(())
}

/// Milliseconds per image of a training step, and the rows of splatting.
fn measure(
    config: Config,
    threads: usize,
    steps: usize,
) -> Result<(f64, [Row; 3]), Box<dyn Error>> {
    let images = config.batch_size;
    eprintln!("building the model");
    let mut trainer = Trainer::new(config)?.on_threads(threads)?;
    let batch = held_out(&config, &Shapes::new(0, images, config.image_size)?, images)?;
    let few = gmae(images);
    let many = Recipe {
        per_view: DENSE,
        ..few
    };
    let mut rows = [
        Row::new("splatting, the model's", config.gaussians, PAPER),
        Row::new("splatting, drawn", few.per_view, PAPER),
        Row::new("splatting, drawn", many.per_view, PAPER_DENSE),
    ];
    let drawn = [Bench::new(few.draw()?)?, Bench::new(many.draw()?)?];
    let mut step_ms = Vec::new();
    // Turn 0 warms up.
    for turn in 0..=steps {
        let emitted = Bench::new(emitted(&trainer, &batch)?)?;
        for (row, bench) in rows.iter_mut().zip(std::iter::once(&emitted).chain(&drawn)) {
            row.run(bench, images, turn > 0)?;
        }
        drop(emitted);
        let started = Instant::now();
        let (loss, _) = trainer.step(&batch, config.peak_learning_rate())?;
        let time = started.elapsed();
        eprintln!("step {turn} of {steps}: {time:.1?}, loss {loss:.4}");
        if turn > 0 {
            step_ms.push(ms(time, images));
        }
    }
    Ok((median(&step_ms), rows))
}

/// What the model, as of now, asks the splatter to render for `batch`.
fn emitted(trainer: &Trainer, batch: &Batch) -> Result<Workload, Box<dyn Error>> {
    let images = batch.masks.len();
    Ok(Workload {
        name: "emitted".to_owned(),
        gaussians: buffers(trainer.predict(batch)?.gaussians)?,
        views: camera::views(&trainer.config, images)?,
        backgrounds: vec![1.0; 3 * images],
        config: settings(&trainer.config),
    })
}

fn ms(time: Duration, images: usize) -> f64 {
    1e3 * time.as_secs_f64() / images as f64
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 {
        sorted[middle]
    } else {
        0.5 * (sorted[middle - 1] + sorted[middle])
    }
}

impl Row {
    fn new(what: &'static str, count: usize, paper: &'static str) -> Self {
        Self {
            what,
            count,
            paper,
            forward: Vec::new(),
            backward: Vec::new(),
        }
    }

    /// Runs `bench` a few times; the times are kept if they are to `count`.
    fn run(&mut self, bench: &Bench, images: usize, count: bool) -> Result<(), RenderError> {
        for _ in 0..SPLATS_PER_STEP {
            let forward = bench.time(Stage::Render)?;
            let backward = bench.time(Stage::RenderVjp)?;
            if count {
                self.forward.push(ms(forward, images));
                self.backward.push(ms(backward, images));
            }
        }
        Ok(())
    }

    fn total(&self) -> f64 {
        median(&self.forward) + median(&self.backward)
    }

    /// Percent of a training step of `step` ms per image.
    fn share(&self, step: f64) -> f64 {
        100.0 * self.total() / step
    }

    fn json(&self, step: f64) -> Value {
        json!({
            "what": self.what, "gaussians_per_image": self.count,
            "forward_ms_per_image": median(&self.forward),
            "backward_ms_per_image": median(&self.backward),
            "share_percent": self.share(step), "paper": self.paper,
        })
    }
}

fn print_table(config: &Config, threads: usize, steps: u32, step: f64, rows: &[Row]) {
    println!(
        "base preset: {0} x {0} px in patches of {1}, {2} of {3} masked, k = {4}; {5} images in pieces of {6} on {threads} \
         threads; median of {steps} steps, of {7} runs of splatting; ms per image\n",
        config.image_size,
        config.patch_size,
        config.patches() - config.visible(),
        config.patches(),
        config.gaussians,
        config.batch_size,
        config.micro_batch,
        steps as usize * SPLATS_PER_STEP,
    );
    println!("| | Gaussians | forward | backward | total | of the step | paper |");
    println!("|---|---|---|---|---|---|---|");
    println!(
        "| training step | {} | | | {step:.1} | 100 % | |",
        config.gaussians
    );
    for row in rows {
        println!(
            "| {} | {} | {:.2} | {:.2} | {:.2} | {:.2} % | {} |",
            row.what,
            row.count,
            median(&row.forward),
            median(&row.backward),
            row.total(),
            row.share(step),
            row.paper
        );
    }
}
