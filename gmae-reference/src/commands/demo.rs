//! `demo`: trains on procedural pictures and writes a report. The command needs no data, no
//! checkpoint and no flag.

use std::path::Path;
use std::time::{Duration, Instant};

use burn::module::{AutodiffModule, Module};

use super::comparison::command;
use crate::backend::Trains;
use crate::config::Config;
use crate::data::{Dataset, Shapes};
use crate::error::Error;
use crate::evaluation::arrangement::arrangement;
use crate::evaluation::gallery::gallery;
use crate::evaluation::{held_out_loss, mean_colour_loss};
use crate::files::{expect_free, remove, write_atomically};
use crate::model::Batch;
use crate::report::{self, LossCurve, Numbers, ReportData};
use crate::terminal;
use crate::training::{
    Checkpoint, Decay, FILES, METRICS, Outcome, Plan, Sampler, Schedule, Trainer, held_out,
    metrics, train,
};

/// Name of the file that marks a folder as written by `demo`. In a marked folder, an interrupted
/// demo can be started again.
const MARKER: &str = ".demo";
const MARKER_TEXT: &[u8] =
    b"The files beside this one were written by the demo, which replaces them.\n";
/// Number of pictures in the training set. A demo of the default length uses fewer, so that no
/// picture is repeated.
const TRAINING_IMAGES: usize = 1 << 20;
/// Number of held-out pictures for the losses of the report.
const HELD_OUT_IMAGES: usize = 256;
/// Added to the seed of the held-out pictures, so that no picture is in both sets.
const HELD_OUT_SEED: u64 = 1 << 32;
/// Largest number of intervals between two measurements of the held-out loss.
const EVALUATIONS: usize = 12;
/// Number of steps that measure the speed, after one warm-up step.
const CALIBRATION_STEPS: usize = 8;
/// Training ends at this multiple of the requested time, in case the steps take longer than
/// measured.
const GRACE: f64 = 1.1;
/// Fraction of the training steps in which the learning rate rises.
const WARMUP: f64 = 0.05;

/// Trains on procedural pictures on `device` for about `seconds` seconds. Writes the report, the
/// checkpoint and the metrics to `output`.
///
/// The number of steps is computed from the measured speed before training, so that the learning
/// rate reaches zero in time. If the training takes 10 % longer than requested, it ends before its
/// last step. The files of an earlier demo in `output` are replaced.
///
/// # Errors
///
/// [`Error::Setting`] if `config` is invalid. [`Error::Argument`] if `seconds` is out of range, if
/// `output` contains files of other runs, or if another process writes to `output`. Any error of
/// training or of writing files.
pub(super) fn demo<B: Trains>(
    config: Config,
    seconds: f64,
    output: &Path,
    device: &B::Device,
) -> Result<Outcome, Error> {
    config.validate()?;
    check_seconds(seconds)?;
    let data = Shapes::new(config.seed, TRAINING_IMAGES, config.image_size)?.for_training();
    let unseen = Shapes::new(
        config.seed.wrapping_add(HELD_OUT_SEED),
        HELD_OUT_IMAGES,
        config.image_size,
    )?;
    let unseen = held_out(&config, &unseen, HELD_OUT_IMAGES)?;
    if !is_a_demos(output) {
        let names = [&FILES[..], &[METRICS, report::FILE]].concat();
        expect_free(output, &names, "or a folder of an earlier demo")?;
    }
    let mut plan = Plan::new(&config, output, data.len())?;
    // The lines of an earlier demo belong to another run.
    remove(&plan.metrics())?;
    let marker = output.join(MARKER);
    write_atomically(&marker, |file| file.write_all(MARKER_TEXT))
        .map_err(Error::file("writing", &marker))?;
    let mut trainer = Trainer::<B>::new_on(config, device.clone())?;
    let step_seconds = seconds_per_step::<B>(config, &data, device)?;
    let total_steps = ((seconds / step_seconds) as usize).max(2);
    let schedule = Schedule {
        peak: config.peak_learning_rate(),
        warmup_steps: (total_steps as f64 * WARMUP).ceil() as usize,
        total_steps,
        decay: Decay::Cosine,
    };
    plan.schedule = schedule;
    plan.last_step = total_steps;
    plan.deadline = Some(Instant::now() + Duration::from_secs_f64(seconds * GRACE));
    let start_loss = held_out_loss(&config, &trainer.model, &unseen)?;
    terminal::note(format_args!(
        "{total_steps} steps of {} images at {:.0} ms",
        config.batch_size,
        step_seconds * 1e3
    ));
    let started = Instant::now();
    let mut held_out: Vec<(f64, f64)> = start_loss.map(|loss| (0.0, loss)).into_iter().collect();
    let stride = total_steps.div_ceil(EVALUATIONS);
    let outcome = train(&mut trainer, &data, &plan, &mut |trainer| {
        if trainer.step % stride == 0 && trainer.step < total_steps {
            let loss = held_out_loss(&config, &trainer.model, &unseen)?;
            held_out.extend(loss.map(|loss| (trainer.step as f64, loss)));
        }
        Ok(())
    })?;
    let end_loss = held_out_loss(&config, &trainer.model, &unseen)?;
    held_out.extend(end_loss.map(|loss| (trainer.step as f64, loss)));
    let numbers = Numbers {
        start_loss,
        end_loss,
        baseline_loss: mean_colour_loss(&config, &unseen)?,
        images_per_second: (trainer.step * config.batch_size) as f64
            / started.elapsed().as_secs_f64(),
        seconds: started.elapsed().as_secs_f64(),
        steps: trainer.step,
        parameters: trainer.model.num_params(),
        gaussians: config.gaussians,
    };
    let path = report::write(
        output,
        &report_data(&trainer, &unseen, numbers, held_out, &plan)?,
    )?;
    terminal::line(summary(&numbers))?;
    terminal::line(format_args!(
        "{:.0} images/s; report {}",
        numbers.images_per_second,
        path.display()
    ))?;
    Ok(outcome)
}

/// Returns whether the files of a folder belong to an earlier demo, complete or interrupted. `demo`
/// replaces such files.
///
/// If the folder has a checkpoint, it must also have the marker or the report of a demo. The
/// checkpoint must be of a run over [`TRAINING_IMAGES`] images. If the folder has no checkpoint, it
/// must have the marker.
fn is_a_demos(folder: &Path) -> bool {
    let marked = folder.join(MARKER).is_file();
    if let Ok(checkpoint) = Checkpoint::load(folder) {
        let images = checkpoint.state.map(|state| state.data.images);
        return (marked || folder.join(report::FILE).is_file()) && images == Some(TRAINING_IMAGES);
    }
    // The demo was interrupted before its first checkpoint.
    marked && !FILES.iter().any(|name| folder.join(name).exists())
}

/// Formats the held-out loss at the start and at the end as one line.
fn summary(numbers: &Numbers) -> String {
    let (Some(start), Some(end)) = (numbers.start_loss, numbers.end_loss) else {
        return "nothing is masked: there is no held-out masked loss".to_owned();
    };
    let mut remarks = Vec::new();
    remarks.extend(
        numbers
            .ratio()
            .map(|ratio| format!("{ratio:.2} of the start")),
    );
    let colour = |loss: f64| format!("painting the mean visible colour: {loss:.4}");
    remarks.extend(numbers.baseline_loss.map(colour));
    format!(
        "held-out masked loss {start:.4} -> {end:.4} ({})",
        remarks.join("; ")
    )
}

fn check_seconds(seconds: f64) -> Result<(), Error> {
    if seconds > 0.0 && seconds <= 1e6 {
        return Ok(());
    }
    Err(Error::Argument {
        argument: "--seconds",
        expected: "a number above 0, at most 1000000".to_owned(),
        got: seconds.to_string(),
    })
}

/// Measures the time of one step with a temporary model.
fn seconds_per_step<B: Trains>(
    config: Config,
    data: &dyn Dataset,
    device: &B::Device,
) -> Result<f64, Error> {
    let mut trainer = Trainer::<B>::new_on(config, device.clone())?;
    let mut sampler = Sampler::new(config, data.len());
    let mut started = Instant::now();
    for step in 0..=CALIBRATION_STEPS {
        let batch = sampler.batch(data, step)?;
        trainer.step(&batch, config.peak_learning_rate() / 100.0)?;
        if step == 0 {
            started = Instant::now();
        }
    }
    Ok(started.elapsed().as_secs_f64() / CALIBRATION_STEPS as f64)
}

fn report_data<B: Trains>(
    trainer: &Trainer<B>,
    unseen: &Batch,
    numbers: Numbers,
    held_out: Vec<(f64, f64)>,
    plan: &Plan,
) -> Result<ReportData, Error> {
    let records = metrics::read(&plan.metrics())?;
    let train = records
        .iter()
        .map(|record| (record.step as f64, record.loss))
        .collect();
    let (config, model) = (&trainer.config, trainer.model.valid());
    let gallery = gallery(config, &model, unseen)?;
    // The page is about one run, which needs no name.
    let found = arrangement(config, "", &model, unseen)?;
    let (density, size_depth) = found.map(|found| (found.density, found.size_depth)).unzip();
    Ok(ReportData {
        title: "Gaussian masked autoencoder on procedural shapes".to_owned(),
        command: command(),
        numbers,
        configuration: config.entries(),
        notes: Vec::new(),
        loss: LossCurve { train, held_out },
        rows: gallery.rows,
        gaussians: gallery.gaussians,
        depths: gallery.depths,
        density,
        size_depth,
    })
}
