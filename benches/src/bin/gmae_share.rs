//! Measures the share of splatting in a training step of the published Gaussian masked autoencoder:
//! `cargo run --release -p benches --bin gmae_share`.
//!
//! The program times four things alternately, so that other work on the machine affects all of them
//! alike:
//!
//! - a whole training step of the base preset: forward pass, loss, backward pass and optimiser;
//! - splatting (forward and backward) of the Gaussians that the model emits for the same images;
//! - splatting of equally many random Gaussians;
//! - splatting of eight times as many random Gaussians.
//!
//! A share depends on the speed of the splatting and on that of the network. Here both run on the
//! CPU, while the published share was measured on GPUs. The training step always decodes 512
//! Gaussians, also for the share of 4,096 Gaussians, so that only the splatting differs between the
//! rows.

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
/// The effect that arXiv 2501.03229 reports for more than a thousand Gaussians.
const PAPER_DENSE: &str = "major slow-downs";
/// Times splatting against a whole training step of a Gaussian masked autoencoder (ViT-B/16, 224 x
/// 224, 512 Gaussians).
#[derive(Debug, Parser)]
struct Args {
    /// Number of threads; 0 stands for the number of cores.
    #[arg(long, default_value_t = 0)]
    threads: usize,
    /// Images per training step.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..))]
    batch: u32,
    /// Timed training steps. One more step before them is not timed.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    steps: u32,
    /// Print JSON instead of a table.
    #[arg(long)]
    json: bool,
}

/// One splatting workload and the times of its runs, ms per image.
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
        // One micro-batch for every thread: the trainer runs micro-batches in parallel.
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

/// Returns the time of a training step, ms per image, and the rows of splatting.
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
    // Turn 0 is not timed.
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

/// Returns the scene that the model in its current state emits for `batch`.
fn emitted(trainer: &Trainer, batch: &Batch) -> Result<Workload, Box<dyn Error>> {
    let images = batch.masks.len();
    let gaussians = trainer.predict(batch)?.gaussians;
    Ok(Workload {
        name: "emitted".to_owned(),
        gaussians: buffers(gaussians.ok_or("the model predicts no Gaussians")?)?,
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

    /// Runs `bench` a few times, and keeps the times if `count` is set.
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

    /// Returns the share of a training step of `step` ms per image, in percent.
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
        config.images_per_piece(),
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
