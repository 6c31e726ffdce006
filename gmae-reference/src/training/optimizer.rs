//! `AdamW` with one-dimensional parameters undecayed, and clipping by the norm of the whole
//! gradient.
//!
//! Burn's `AdamW` has one decay for everything it steps, so there are two of them; which one steps
//! a parameter is decided by the parameter's rank.

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
    /// An optimiser without history.
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

    /// Takes one step with a gradient whose norm is `norm`.
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

    /// Both histories as bytes: of decayed, of undecayed parameters.
    ///
    /// # Errors
    ///
    /// The error of the recorder.
    pub fn save(&self) -> Result<[Vec<u8>; 2], RecorderError> {
        let recorder = NamedMpkBytesRecorder::<FullPrecisionSettings>::new();
        let bytes = |adam: &Adam<B>| Recorder::<B>::record(&recorder, adam.to_record(), ());
        Ok([bytes(&self.decayed)?, bytes(&self.undecayed)?])
    }

    /// The optimiser with the histories that [`Optimizer::save`] made.
    ///
    /// # Errors
    ///
    /// The error of the recorder if the bytes are not such histories.
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
