//! The state of a run, and one step of it.

use std::path::Path;

use burn::module::{AutodiffModule, Module};
use splat::RenderConfig;

use super::checkpoint::Checkpoint;
use super::gradient::Gradient;
use super::method::piece_gradient;
use super::optimizer::Optimizer;
use crate::backend::{Cpu, Device, Training, Trains};
use crate::config::Config;
use crate::error::Error;
use crate::model::render::settings;
use crate::model::{Batch, Gmae, Prediction, predict};
use crate::workers::Workers;

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

    /// The same run through a splatter with other settings than the configuration's, for tests and
    /// experiments. Checkpoints do not store them.
    #[must_use]
    pub fn with_render_settings(self, render_settings: RenderConfig) -> Self {
        Self {
            render_settings,
            ..self
        }
    }

    /// The run that `checkpoint` stores, on `device`. The checkpoint was read from `path` and may
    /// have been made on any device.
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

    /// The prediction of the current model for `batch`; no step is taken.
    ///
    /// # Errors
    ///
    /// As [`Batch::check`], and [`Error::Render`].
    pub fn predict(&self, batch: &Batch) -> Result<Prediction<B>, Error> {
        predict(&self.config, &self.model.valid(), batch)
    }

    /// Takes one step; returns the loss before it and the norm of the unclipped gradient.
    ///
    /// # Errors
    ///
    /// [`Error::NotFinite`] instead of a step that would spoil the model; otherwise as
    /// [`Batch::check`], and [`Error::Render`].
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
    /// As [`Batch::check`], and [`Error::Render`].
    pub fn gradient(&self, batch: &Batch) -> Result<(Gradient, f64), Error> {
        let (config, settings) = (&self.config, &self.render_settings);
        let pieces: Vec<_> = batch.pieces(config)?.collect();
        let (mut gradient, mut loss) = (Gradient::zero(), 0.0);
        for wave in pieces.chunks(self.workers.len()) {
            // Every piece has a graph of its own, and so a copy of the model that shares only its
            // numbers.
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
