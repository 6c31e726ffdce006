//! The training loop.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use burn::module::{AutodiffModule, Module};
use burn::tensor::ElementConversion;
use splat::RenderConfig;

use crate::Error;
use crate::backend::{Cpu, Device, Training, Trains};
use crate::config::Config;
use crate::data::Dataset;
use crate::evaluation::evaluate::{Prediction, predict};
use crate::model::render::{render, settings};
use crate::model::{Gmae, Mask, Visible};
use crate::terminal::interrupt;
use crate::terminal::progress::Progress;
use crate::training::checkpoint::Checkpoint;
use crate::training::gradient::Gradient;
use crate::training::loss::Target;
use crate::training::metrics::{Metrics, Record};
use crate::training::optimizer::Optimizer;
use crate::training::sampling::{Batch, Sampler};
use crate::training::schedule::Schedule;
use crate::training::workers::Workers;

/// Time between two checkpoints of a run that is not interrupted.
const CHECKPOINT_INTERVAL: Duration = Duration::from_mins(1);

/// Whether a run went through.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// It went to its last step.
    Finished,
    /// It was asked to stop, and saved.
    Interrupted,
}

/// Where a run writes, and until when it goes on.
#[derive(Debug)]
pub struct Plan {
    /// The learning rate of every step.
    pub schedule: Schedule,
    /// Steps after which to stop, at most the schedule's.
    pub last_step: usize,
    /// When to stop in any case.
    pub deadline: Option<Instant>,
    /// The checkpoint file.
    pub checkpoint: PathBuf,
    /// The metrics file.
    pub metrics: PathBuf,
}

/// The state of a run.
pub struct Trainer<B: Trains = Cpu> {
    /// The settings.
    pub config: Config,
    /// Steps taken.
    pub step: usize,
    /// The model as of now.
    pub model: Gmae<Training<B>>,
    optimizer: Optimizer<Training<B>>,
    render_settings: RenderConfig,
    workers: Workers,
    device: B::Device,
}

/// Trains until `plan.last_step` or `plan.deadline`, or until interrupted; each way the last thing written is a checkpoint.
/// After every step `watch` is shown the run.
///
/// # Errors
///
/// [`Error::NotFinite`] if the loss stops being a number, and whatever reading data or writing files brings. The
/// last checkpoint stays usable.
pub fn train<B: Trains>(
    trainer: &mut Trainer<B>,
    data: &dyn Dataset,
    plan: &Plan,
    watch: &mut dyn FnMut(&Trainer<B>) -> Result<(), Error>,
) -> Result<Outcome, Error> {
    let mut sampler = Sampler::new(trainer.config, data.len());
    let mut metrics = Metrics::resume(&plan.metrics, trainer.step)?;
    let mut progress = Progress::new(trainer.step, plan.last_step);
    let mut saved = Instant::now();
    while trainer.step < plan.last_step {
        let started = Instant::now();
        let batch = sampler.batch(data, trainer.step)?;
        let learning_rate = plan.schedule.learning_rate(trainer.step);
        let (loss, gradient_norm) = trainer.step(&batch, learning_rate)?;
        let record = Record {
            step: trainer.step,
            epoch: (trainer.step - 1) / sampler.steps_per_epoch(),
            loss,
            learning_rate,
            gradient_norm,
            images_per_second: batch.masks.len() as f64 / started.elapsed().as_secs_f64(),
        };
        metrics.append(&record)?;
        progress.show(&record);
        watch(trainer)?;
        let interrupted = interrupt::requested();
        let over = trainer.step == plan.last_step
            || plan.deadline.is_some_and(|end| Instant::now() >= end);
        if interrupted || over || saved.elapsed() > CHECKPOINT_INTERVAL {
            trainer.checkpoint(data.len())?.save(&plan.checkpoint)?;
            saved = Instant::now();
        }
        if interrupted {
            return Ok(Outcome::Interrupted);
        }
        if over {
            break;
        }
    }
    Ok(Outcome::Finished)
}

impl Trainer {
    /// [`Trainer::new_on`] the CPU.
    ///
    /// # Errors
    ///
    /// As [`Trainer::new_on`].
    pub fn new(config: Config) -> Result<Self, Error> {
        Self::new_on(config, Device::default())
    }

    /// [`Trainer::resume_on`] the CPU.
    ///
    /// # Errors
    ///
    /// As [`Trainer::resume_on`].
    pub fn resume(checkpoint: &Checkpoint, path: &Path) -> Result<Self, Error> {
        Self::resume_on(checkpoint, path, Device::default())
    }
}

impl<B: Trains> Trainer<B> {
    /// A run about to take its first step on `device`. Its weights are the same on every one.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] if `config` cannot work, [`Error::Threads`].
    pub fn new_on(config: Config, device: B::Device) -> Result<Self, Error> {
        config.validate()?;
        Ok(Self {
            config,
            step: 0,
            model: Gmae::new(&config, &device),
            optimizer: Optimizer::new(&config),
            render_settings: settings(&config),
            workers: B::workers()?,
            device,
        })
    }

    /// The same run on `threads` threads; as many as there are cores if 0. No result depends on it.
    ///
    /// # Errors
    ///
    /// [`Error::Threads`] if the operating system refuses.
    pub fn on_threads(self, threads: usize) -> Result<Self, Error> {
        Ok(Self {
            workers: Workers::new(threads)?,
            ..self
        })
    }

    /// The same run through a splatter with other settings than the configuration's, for tests and experiments; no
    /// checkpoint knows of them.
    #[must_use]
    pub fn with_render_settings(self, render_settings: RenderConfig) -> Self {
        Self {
            render_settings,
            ..self
        }
    }

    /// A run where `checkpoint`, read from `path` and made on any device, left it; on `device`.
    ///
    /// # Errors
    ///
    /// [`Error::Checkpoint`] if it cannot be decoded, [`Error::Threads`].
    pub fn resume_on(
        checkpoint: &Checkpoint,
        path: &Path,
        device: B::Device,
    ) -> Result<Self, Error> {
        Ok(Self {
            config: checkpoint.header.config,
            step: checkpoint.header.step,
            model: checkpoint.model(path, &device)?,
            optimizer: checkpoint.optimizer(path, &device)?,
            render_settings: settings(&checkpoint.header.config),
            workers: B::workers()?,
            device,
        })
    }

    /// The state as a checkpoint of a run over `images` images.
    ///
    /// # Errors
    ///
    /// [`Error::Checkpoint`] if it cannot be encoded.
    pub fn checkpoint(&self, images: usize) -> Result<Checkpoint, Error> {
        Checkpoint::new(self.config, self.step, images, &self.model, &self.optimizer)
    }

    /// What the model makes of `batch` as of now; no step is taken.
    ///
    /// # Errors
    ///
    /// [`Error::Length`] for a batch of the wrong size, [`Error::Render`].
    pub fn predict(&self, batch: &Batch) -> Result<Prediction<B>, Error> {
        predict(&self.config, &self.model.valid(), batch)
    }

    /// Takes one step; returns the loss before it and the norm of the unclipped gradient.
    ///
    /// # Errors
    ///
    /// [`Error::NotFinite`] instead of a step that would spoil the model, [`Error::Length`] for a batch of the
    /// wrong size, [`Error::Render`].
    pub fn step(&mut self, batch: &Batch, learning_rate: f64) -> Result<(f64, f64), Error> {
        let (gradient, loss) = self.gradient(batch)?;
        let norm = gradient.norm(&self.model);
        if !(loss.is_finite() && norm.is_finite()) {
            return Err(Error::NotFinite {
                step: self.step + 1,
                loss,
                norm,
            });
        }
        let model = self.model.clone();
        self.model = self.optimizer.step(learning_rate, model, gradient, norm);
        self.step += 1;
        Ok((loss, norm))
    }

    /// Gradient and loss of a batch: the mean over its images, added up piece by piece in order.
    ///
    /// # Errors
    ///
    /// [`Error::Length`] for a batch of the wrong size, [`Error::Render`].
    pub fn gradient(&self, batch: &Batch) -> Result<(Gradient, f64), Error> {
        let (config, settings) = (&self.config, &self.render_settings);
        let pieces: Vec<_> = batch.pieces(config).collect();
        let (mut gradient, mut loss) = (Gradient::zero(), 0.0);
        for wave in pieces.chunks(self.workers.len()) {
            // Every piece has a graph of its own, and so a copy of the model that shares only its numbers.
            let work = wave
                .iter()
                .map(|piece| (*piece, self.model.clone().fork(&self.device)));
            let results = self
                .workers
                .run(work.collect(), |((pixels, masks), model)| {
                    piece_gradient(config, settings, &model, pixels, masks, &self.device)
                });
            for (result, (_, masks)) in results.into_iter().zip(wave) {
                let (piece, piece_loss) = result?;
                let weight = masks.len() as f64 / batch.masks.len() as f64;
                gradient = gradient.plus(piece, weight, &self.model);
                loss += weight * piece_loss;
            }
        }
        Ok((gradient, loss))
    }
}

/// Gradient and loss of one piece of a batch: the whole method.
fn piece_gradient<B: Trains>(
    config: &Config,
    settings: &RenderConfig,
    model: &Gmae<Training<B>>,
    pixels: &[f32],
    masks: &[Mask],
    device: &B::Device,
) -> Result<(Gradient, f64), Error> {
    let visible = Visible::new(config, pixels, masks, device)?;
    let gaussians = model.forward(&visible);
    let images = render(config, settings, gaussians)?;
    let loss = Target::new(config, config.loss, pixels, masks)?.loss(images);
    let value = loss.clone().into_scalar().elem::<f64>();
    Ok((Gradient::of(loss.backward(), model), value))
}
