//! `AdamW` without weight decay for one-dimensional parameters. The gradient is clipped by its norm
//! over all parameters.
//!
//! Burn's `AdamW` applies the same decay to all of its parameters. There are therefore two
//! instances, and the rank of a parameter decides which of them updates it.

use burn::optim::adaptor::OptimizerAdaptor;
use burn::optim::{AdamW, AdamWConfig, Optimizer as _};
use burn::record::{FullPrecisionSettings, NamedMpkBytesRecorder, Recorder, RecorderError};
use burn::tensor::backend::AutodiffBackend;

use super::gradient::Gradient;
use crate::config::Config;
use crate::model::Gmae;

/// `AdamW` epsilon.
const EPSILON: f32 = 1e-8;

type Adam<B> = OptimizerAdaptor<AdamW, Gmae<B>, B>;

/// The optimiser of a [`Gmae`].
#[derive(Clone)]
pub struct Optimizer<B: AutodiffBackend> {
    decayed: Adam<B>,
    undecayed: Adam<B>,
    clip_norm: f64,
}

impl<B: AutodiffBackend> Optimizer<B> {
    /// Creates an optimiser without history.
    pub fn new(config: &Config) -> Self {
        let adam = |decay: f64| {
            AdamWConfig::new()
                .with_beta_1(config.beta1 as f32)
                .with_beta_2(config.beta2 as f32)
                .with_epsilon(EPSILON)
                .with_weight_decay(decay as f32)
                .init()
        };
        Self {
            decayed: adam(config.weight_decay),
            undecayed: adam(0.0),
            clip_norm: config.clip_norm,
        }
    }

    /// Takes one step and returns the updated model. `norm` is the norm of `gradient`. If `norm`
    /// exceeds the configured `clip_norm`, the gradient is scaled down to `clip_norm`.
    pub fn step(
        &mut self,
        learning_rate: f64,
        model: Gmae<B>,
        gradient: Gradient,
        norm: f64,
    ) -> Gmae<B> {
        let scale = if norm > self.clip_norm {
            self.clip_norm / norm
        } else {
            1.0
        };
        let (decayed, undecayed) = gradient.split(&model, scale);
        let model = self.decayed.step(learning_rate, model, decayed);
        self.undecayed.step(learning_rate, model, undecayed)
    }

    /// Encodes both histories: first the history of decayed parameters, then the history of
    /// undecayed parameters.
    ///
    /// # Errors
    ///
    /// The error of the recorder if a history cannot be encoded.
    pub fn save(&self) -> Result<[Vec<u8>; 2], RecorderError> {
        let recorder = NamedMpkBytesRecorder::<FullPrecisionSettings>::new();
        let bytes = |adam: &Adam<B>| Recorder::<B>::record(&recorder, adam.to_record(), ());
        Ok([bytes(&self.decayed)?, bytes(&self.undecayed)?])
    }

    /// Returns the optimiser with the histories that [`Optimizer::save`] encoded.
    ///
    /// # Errors
    ///
    /// The error of the recorder if the bytes cannot be decoded.
    pub fn load(
        self,
        [decayed, undecayed]: [Vec<u8>; 2],
        device: &B::Device,
    ) -> Result<Self, RecorderError> {
        let recorder = NamedMpkBytesRecorder::<FullPrecisionSettings>::new();
        let record = |bytes| Recorder::<B>::load(&recorder, bytes, device);
        Ok(Self {
            decayed: self.decayed.load_record(record(decayed)?),
            undecayed: self.undecayed.load_record(record(undecayed)?),
            clip_norm: self.clip_norm,
        })
    }
}
