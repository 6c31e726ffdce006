//! What splatting costs in a training step of the published Gaussian masked autoencoder: `cargo run --release -p benches --bin
//! gmae_share`.
//!
//! One process times, by turns, so that whatever else the machine does falls on all alike: a whole training step of the
//! base preset (forward, loss, backward, optimiser), and splatting alone (forward and backward) of the Gaussians that the
//! model of that step emits for the same images, of as many drawn ones, and of eight times as many drawn ones.

use std::error::Error;
use std::time::Instant;

use benches::{Workload, gmae};
use clap::Parser;
use gmae_reference::data::Shapes;
use gmae_reference::render::{buffers, settings};
use gmae_reference::sampling::{Batch, held_out};
use gmae_reference::train::Trainer;
use gmae_reference::{Config, Preset, camera};
use serde_json::{Value, json};
use splat::{Cpu, Image, RenderError, Views, Wanted, render, render_vjp};

/// How many times as many Gaussians the dense workload has: 8 x 512 = 4,096.
const DENSE: usize = 8;
/// Splatting runs per training step, of each workload.
const SPLATS_PER_STEP: usize = 5;
/// The share of a training step that arXiv 2501.03229 gives for splatting.
const PAPER: &str = "1.5 %";
/// What it says of more than a thousand Gaussians.
const PAPER_DENSE: &str = "major slow-downs";
/// The gradients that training needs.
const WANTED: Wanted = Wanted {
    backgrounds: false,
    cameras: false,
    ..Wanted::ALL
};

/// Times splatting against a whole training step of a Gaussian masked autoencoder (ViT-B/16, 224 x 224, 512 Gaussians).
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

/// Every measured time of one kind of splatting, seconds for the whole batch.
#[derive(Default)]
struct Times {
    forward: Vec<f64>,
    backward: Vec<f64>,
}

/// The median times of one row of the table, milliseconds per image.
struct Row {
    what: &'static str,
    per_image: usize,
    forward: f64,
    backward: f64,
    paper: &'static str,
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

/// Milliseconds per image of a training step, and of splatting.
fn measure(
    config: Config,
    threads: usize,
    steps: usize,
) -> Result<(f64, [Row; 3]), Box<dyn Error>> {
    let images = config.batch_size;
    eprintln!("building the model");
    let mut trainer = Trainer::new(config)?.on_threads(threads)?;
    let batch = held_out(&config, &Shapes::new(0, images, config.image_size)?, images)?;
    let (drawn, drawn_dense) = (gmae(images), dense(images)?);
    let mut step_seconds = Vec::new();
    let mut times = [(); 3].map(|()| Times::default());
    for step in 0..=steps {
        let emitted = emitted(&trainer, &batch)?;
        let mut seen = [(); 3].map(|()| Times::default());
        for (workload, times) in [&emitted, &drawn, &drawn_dense].into_iter().zip(&mut seen) {
            for _ in 0..SPLATS_PER_STEP {
                splat(workload, times)?;
            }
        }
        let started = Instant::now();
        let (loss, _) = trainer.step(&batch, config.peak_learning_rate())?;
        let seconds = started.elapsed().as_secs_f64();
        eprintln!("step {step} of {steps}: {seconds:.1} s, loss {loss:.4}");
        // Step 0 warms up.
        if step > 0 {
            step_seconds.push(seconds);
            for (all, seen) in times.iter_mut().zip(seen) {
                all.forward.extend(seen.forward);
                all.backward.extend(seen.backward);
            }
        }
    }
    let per_image = |seconds: Vec<f64>| 1e3 * median(seconds) / images as f64;
    let k = config.gaussians;
    let labels = [
        ("splatting, the model's Gaussians", k, PAPER),
        (
            "splatting, drawn Gaussians",
            drawn.gaussians.count / images,
            PAPER,
        ),
        (
            "splatting, drawn Gaussians",
            drawn_dense.gaussians.count / images,
            PAPER_DENSE,
        ),
    ];
    let mut times = times.into_iter();
    let rows = labels.map(|(what, count, paper)| {
        let Times { forward, backward } = times.next().unwrap_or_default();
        Row {
            what,
            per_image: count,
            forward: per_image(forward),
            backward: per_image(backward),
            paper,
        }
    });
    Ok((per_image(step_seconds), rows))
}

/// What the model, as of now, asks the splatter to render for `batch`.
fn emitted(trainer: &Trainer, batch: &Batch) -> Result<Workload, Box<dyn Error>> {
    let images = batch.masks.len();
    Ok(Workload {
        name: "emitted",
        gaussians: buffers(trainer.predict(batch)?.gaussians)?,
        views: camera::views(&trainer.config, images)?,
        backgrounds: vec![1.0; 3 * images],
        config: settings(&trainer.config),
    })
}

/// As [`gmae`] with [`DENSE`] times as many Gaussians in every view: those of that many views in one.
fn dense(images: usize) -> Result<Workload, RenderError> {
    let drawn = gmae(DENSE * images);
    let Views { width, height, .. } = drawn.views;
    let per_view = drawn.gaussians.count / images;
    Ok(Workload {
        name: "dense",
        views: Views::dense(width, height, drawn.views.cameras[0], images, per_view)?,
        backgrounds: drawn.backgrounds[..3 * images].to_vec(),
        ..drawn
    })
}

/// Renders `workload` and differentiates the mean squared difference from grey; adds the times to `times`.
fn splat(workload: &Workload, times: &mut Times) -> Result<(), RenderError> {
    let (backend, scene) = (Cpu::<f32>::new(), workload.scene());
    let started = Instant::now();
    let (image, saved) = render(&backend, &scene, &workload.config)?;
    times.forward.push(started.elapsed().as_secs_f64());
    let v_image = Image {
        features: image.features.iter().map(|x| x - 0.5).collect(),
        ..Image::default()
    };
    let started = Instant::now();
    let gradients = render_vjp(&backend, &scene, &saved, &v_image.as_slices(), WANTED)?;
    times.backward.push(started.elapsed().as_secs_f64());
    drop(std::hint::black_box(gradients));
    Ok(())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 {
        values[middle]
    } else {
        0.5 * (values[middle - 1] + values[middle])
    }
}

impl Row {
    fn total(&self) -> f64 {
        self.forward + self.backward
    }

    /// Percent of a training step of `step` ms per image.
    fn share(&self, step: f64) -> f64 {
        100.0 * self.total() / step
    }

    fn json(&self, step: f64) -> Value {
        json!({
            "what": self.what, "gaussians_per_image": self.per_image,
            "forward_ms_per_image": self.forward, "backward_ms_per_image": self.backward,
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
            row.per_image,
            row.forward,
            row.backward,
            row.total(),
            row.share(step),
            row.paper
        );
    }
}
