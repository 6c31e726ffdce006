//! The state of a run, and one step of it.

use std::hash::{BuildHasher, Hasher, RandomState};

use burn::module::{AutodiffModule, Module, ModuleVisitor, Param};
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use sha2::{Digest, Sha256};
use splat::RenderConfig;

use super::checkpoint::{Checkpoint, DataId, SavedMoments, Snapshot, State};
use super::gradient::Gradient;
use super::optimizer::Optimizer;
use super::sampling::Piece;
use super::schedule::Schedule;
use super::task::{Pretraining, Task};
use crate::backend::{Cpu, Device, Trains};
use crate::config::{Config, Tuning};
use crate::error::Error;
use crate::model::{Autoencoder, Batch, Prediction, predict};
use crate::workers::Workers;

/// The contribution of some pieces to the gradient and the loss of a batch.
pub(super) struct Part {
    pub(super) gradient: Gradient,
    pub(super) loss: f64,
    /// Number of images of the pieces.
    pub(super) images: usize,
}

impl Part {
    /// The contribution of no pieces: zero.
    pub(super) fn none() -> Self {
        Self {
            gradient: Gradient::zero(),
            loss: 0.0,
            images: 0,
        }
    }
}

/// The state of a run.
pub struct Trainer<B: Trains = Cpu, T: Task<B> = Pretraining> {
    /// The settings.
    pub config: Config,
    /// Number of steps taken.
    pub step: usize,
    /// The current model.
    pub model: T::Model,
    /// The lowest mean loss of an epoch at whose end a snapshot was kept.
    pub(super) best: Option<f64>,
    optimizer: Optimizer<B>,
    name: String,
    task: T,
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
    pub fn resume(checkpoint: &Checkpoint) -> Result<Self, Error> {
        Self::resume_on(checkpoint, Device::default())
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
        Self::of(config, None, device)
    }

    /// Returns the run with other render settings than those of `config`, for tests and
    /// experiments. Checkpoints do not store these settings.
    #[must_use]
    pub fn with_render_settings(self, render_settings: RenderConfig) -> Self {
        Self {
            task: Pretraining { render_settings },
            ..self
        }
    }

    /// Creates a run of `config` that has taken no step and starts from the weights of
    /// `checkpoint`.
    ///
    /// # Errors
    ///
    /// [`Error::OtherConfig`] if a setting that shapes the model differs. [`Error::Setting`] if
    /// `config` is invalid. [`Error::Checkpoint`] if a tensor is missing, has another shape or is
    /// not finite. [`Error::Threads`] if threads cannot be started.
    pub fn start_from(
        checkpoint: &Checkpoint,
        config: Config,
        device: B::Device,
    ) -> Result<Self, Error> {
        checkpoint.expect_shape(&config)?;
        let model = checkpoint.model(&device)?;
        Ok(Self {
            model,
            ..Self::new_on(config, device)?
        })
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
        let norm = self.apply(gradient, loss, learning_rate)?;
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
        let pieces = batch.pieces(&self.config)?;
        let pieces = pieces.map(|piece| Ok(Piece::unlabelled(piece)));
        let part = self.accumulate(batch.masks.len(), pieces, &mut |_| {})?;
        Ok((part.gradient, part.loss))
    }
}

impl<B: Trains, T: Task<B>> Trainer<B, T> {
    /// Creates a run of `config` that trains a model with the settings `finetuning` from the
    /// encoder of `checkpoint`.
    ///
    /// # Errors
    ///
    /// [`Error::OtherConfig`] if a setting that shapes the model differs. [`Error::Setting`] if
    /// `config` or `finetuning` is invalid. [`Error::Checkpoint`] if a tensor of the encoder is
    /// missing, has another shape or is not finite. [`Error::Threads`] if threads cannot be
    /// started.
    pub fn finetune(
        checkpoint: &Checkpoint,
        config: Config,
        finetuning: Tuning,
        device: B::Device,
    ) -> Result<Self, Error> {
        checkpoint.expect_shape(&config)?;
        let finetuning = finetuning.starting_from(checkpoint.fingerprint());
        let mut trainer = Self::of(config, Some(finetuning), device)?;
        let encoder = checkpoint.encoder(trainer.device())?;
        let model = trainer.task.model(&config, encoder);
        trainer.set_model(model);
        Ok(trainer)
    }

    /// Replaces the model of a run that has taken no step.
    fn set_model(&mut self, model: T::Model) {
        self.optimizer = Optimizer::new(&self.config).with_rates(self.task.rates(&model));
        self.model = model;
    }

    /// Creates a run on `device` that has taken no step. `finetuning` are the settings of a model
    /// that is trained from an encoder.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] if `config` is invalid or `finetuning` does not fit the task.
    /// [`Error::Threads`] if threads cannot be started.
    pub fn of(
        config: Config,
        finetuning: Option<Tuning>,
        device: B::Device,
    ) -> Result<Self, Error> {
        config.validate()?;
        let task = T::new(&config, finetuning)?;
        let model = task.model(&config, Autoencoder::new(&config, &device));
        Ok(Self {
            config,
            step: 0,
            optimizer: Optimizer::new(&config).with_rates(task.rates(&model)),
            model,
            name: Self::new_name(),
            best: None,
            task,
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

    /// Restores the run of `checkpoint` on `device`. The checkpoint can have been made on any
    /// device.
    ///
    /// # Errors
    ///
    /// [`Error::Checkpoint`] if the checkpoint has no state, if a tensor is missing, has another
    /// shape or is not finite, or if the files have changed since they were read.
    /// [`Error::Threads`] if threads cannot be started.
    pub fn resume_on(checkpoint: &Checkpoint, device: B::Device) -> Result<Self, Error> {
        let state = checkpoint.expect_state()?;
        let config = checkpoint.config;
        let task = T::new(&config, checkpoint.finetuning)?;
        let model = task.model(&config, Autoencoder::new(&config, &device));
        let model = checkpoint.weights(model, &device)?;
        let optimizer = checkpoint.optimizer(&model, &device)?;
        Ok(Self {
            config,
            step: state.step,
            optimizer: optimizer.with_rates(task.rates(&model)),
            model,
            name: state.run.clone(),
            best: state.best,
            task,
            workers: B::workers()?,
            device,
        })
    }

    /// Returns a checksum of everything that processes must share in order to train together:
    /// settings, data, step and weights.
    pub(crate) fn digest(&self, data: &DataId) -> Vec<u8> {
        let mut hasher = Sha256::new();
        let finetuning = self.task.finetuning();
        hasher.update(format!(
            "{:?} {finetuning:?} {data} {}",
            self.config, self.step
        ));
        let mut values = Vec::new();
        let mut visitor = Parameters(&mut values);
        self.model.visit(&mut visitor);
        hasher.update(bytemuck::cast_slice::<f32, u8>(&values));
        hasher.finalize().to_vec()
    }

    /// Returns a random name for a new run. It does not depend on the seed, so that two runs with
    /// the same settings have different names.
    pub(crate) fn new_name() -> String {
        format!("{:016x}", RandomState::new().build_hasher().finish())
    }

    /// The name of the run. Its checkpoints store the name, and its metrics are tied to it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The device of the model.
    pub(super) fn device(&self) -> &B::Device {
        &self.device
    }

    /// Creates a snapshot of the current state. `schedule` and `data` are those of the run.
    pub fn snapshot(&self, schedule: Schedule, data: DataId) -> Snapshot<B, T::Inner> {
        let state = State::new(&self.config, &self.name, self.step, schedule, data);
        let state = State {
            best: self.best,
            ..state
        };
        Snapshot {
            config: self.config,
            finetuning: self.task.finetuning(),
            run: Some((state, SavedMoments::of(&self.optimizer, &self.model))),
            model: self.model.valid(),
        }
    }

    /// Computes the contribution of `pieces` to the gradient and the loss of a batch of `images`
    /// images. `done` is called with the number of images of each finished piece.
    ///
    /// # Errors
    ///
    /// The errors of `pieces` and all errors of [`Trainer::gradient`].
    pub(super) fn accumulate(
        &self,
        images: usize,
        pieces: impl Iterator<Item = Result<Piece, Error>>,
        done: &mut dyn FnMut(usize),
    ) -> Result<Part, Error> {
        let (config, task, device) = (&self.config, &self.task, &self.device);
        // Every piece needs its own autodiff graph. `fork` makes a copy of the model for it, which
        // shares only the parameter values.
        let work = pieces.map(|piece| {
            let piece = piece?;
            Ok::<_, Error>((piece, self.model.clone().fork(device)))
        });
        let mut part = Part::none();
        self.workers.run(
            work,
            |(piece, model): (Piece, T::Model)| {
                let count = piece.batch.masks.len();
                (count, task.gradient(config, &model, &piece, device))
            },
            |(count, result)| {
                let (piece, piece_loss) = result?;
                let weight = count as f64 / images as f64;
                let sum = std::mem::replace(&mut part.gradient, Gradient::zero());
                part.gradient = sum.plus(piece, weight, &self.model);
                part.loss += weight * piece_loss;
                part.images += count;
                done(count);
                Ok(())
            },
        )?;
        Ok(part)
    }

    /// Takes the optimiser step of a gradient and its loss. Returns the norm of the gradient before
    /// clipping.
    ///
    /// # Errors
    ///
    /// [`Error::NotFinite`] if the loss or the norm is not finite. The model is then unchanged.
    pub(super) fn apply(
        &mut self,
        gradient: Gradient,
        loss: f64,
        learning_rate: f64,
    ) -> Result<f64, Error> {
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
        Ok(norm)
    }
}

/// Collects the values of all parameters.
struct Parameters<'a>(&'a mut Vec<f32>);

impl<B: Backend> ModuleVisitor<B> for Parameters<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
        let data = param.val().into_data().convert::<f32>();
        self.0.extend(data.as_slice::<f32>().unwrap_or_default());
    }
}
