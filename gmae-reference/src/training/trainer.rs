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
    /// Number of steps taken.
    pub step: usize,
    /// The current model.
    pub model: Gmae<Training<B>>,
    optimizer: Optimizer<B>,
    render_settings: RenderConfig,
    workers: Workers,
    device: B::Device,
}

impl Trainer {
    /// Calls [`Trainer::new_on`] with the CPU.
    ///
    /// # Errors
    ///
    /// All errors of [`Trainer::new_on`].
    pub fn new(config: Config) -> Result<Self, Error> {
        Self::new_on(config, Device::default())
    }

    /// Calls [`Trainer::resume_on`] with the CPU.
    ///
    /// # Errors
    ///
    /// All errors of [`Trainer::resume_on`].
    pub fn resume(checkpoint: &Checkpoint, path: &Path) -> Result<Self, Error> {
        Self::resume_on(checkpoint, path, Device::default())
    }
}

impl<B: Trains> Trainer<B> {
    /// Creates a run on `device` that has taken no step. The initial weights are the same on every
    /// device.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] if `config` is invalid. [`Error::Threads`] if threads cannot be started.
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

    /// Returns the run with `threads` worker threads, or one per core if `threads` is 0. The
    /// results do not depend on the number of threads.
    ///
    /// # Errors
    ///
    /// [`Error::Threads`] if the operating system cannot start the threads.
    pub fn on_threads(self, threads: usize) -> Result<Self, Error> {
        Ok(Self {
            workers: Workers::new(threads)?,
            ..self
        })
    }

    /// Returns the run with other render settings than those of `config`, for tests and
    /// experiments. Checkpoints do not store these settings.
    #[must_use]
    pub fn with_render_settings(self, render_settings: RenderConfig) -> Self {
        Self {
            render_settings,
            ..self
        }
    }

    /// Restores the run of `checkpoint` on `device`. The checkpoint can have been made on any
    /// device. `path` is the file that an error names.
    ///
    /// # Errors
    ///
    /// [`Error::Checkpoint`] if the checkpoint cannot be decoded. [`Error::Threads`] if threads
    /// cannot be started.
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

    /// Creates a checkpoint of the current state. `images` is the number of images in the data set.
    ///
    /// # Errors
    ///
    /// [`Error::Checkpoint`] if the state cannot be encoded.
    pub fn checkpoint(&self, images: usize) -> Result<Checkpoint, Error> {
        Checkpoint::new(self.config, self.step, images, &self.model, &self.optimizer)
    }

    /// Computes the prediction of the current model for `batch`. No step is taken.
    ///
    /// # Errors
    ///
    /// All errors of [`predict`].
    pub fn predict(&self, batch: &Batch) -> Result<Prediction<B>, Error> {
        predict(&self.config, &self.model.valid(), batch)
    }

    /// Takes one optimiser step. Returns the loss before the step and the norm of the gradient
    /// before clipping.
    ///
    /// # Errors
    ///
    /// [`Error::NotFinite`] if the loss or the norm is not finite. The model is then unchanged. All
    /// errors of [`Trainer::gradient`].
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

    /// Computes the gradient and the loss of a batch. Both are means over the images. The pieces
    /// are added in order.
    ///
    /// # Errors
    ///
    /// All errors of [`Batch::check`]. [`Error::Length`] if the masks of a piece have different
    /// numbers of visible patches. [`Error::Argument`] if the loss averages over masked patches and
    /// an image has none. [`Error::Render`] if the renderer fails.
    pub fn gradient(&self, batch: &Batch) -> Result<(Gradient, f64), Error> {
        let (config, settings) = (&self.config, &self.render_settings);
        let pieces: Vec<_> = batch.pieces(config)?.collect();
        let (mut gradient, mut loss) = (Gradient::zero(), 0.0);
        for wave in pieces.chunks(self.workers.len()) {
            // Every piece needs its own autodiff graph. `fork` makes a copy of the model for it,
            // which shares only the parameter values.
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
