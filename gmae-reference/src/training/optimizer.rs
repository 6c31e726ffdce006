//! `AdamW` without weight decay for one-dimensional parameters. The gradient is clipped by its norm
//! over all parameters.
//!
//! A step applies the same decay to all of its parameters. There are therefore two
//! instances, and the rank of a parameter decides which of them updates it.

use burn::optim::adaptor::OptimizerAdaptor;
use burn::optim::{
    AdamWState, AdaptiveMomentumState, LearningRate, Optimizer as _, SimpleOptimizer,
};
use burn::record::{FullPrecisionSettings, NamedMpkBytesRecorder, Recorder, RecorderError};
use burn::tensor::Tensor;

use super::gradient::Gradient;
use crate::backend::Training;
use crate::config::Config;
use crate::model::Gmae;
use crate::ops::cpu::adam::AdamStep;
use crate::ops::{Moments, Operations};

/// `AdamW` epsilon.
const EPSILON: f64 = 1e-8;

/// Burn's bookkeeping of the histories, with [`Adam`] as the step.
type Adaptor<B> = OptimizerAdaptor<Adam, Gmae<Training<B>>, Training<B>>;

/// The step of `AdamW` on one parameter. Its history has the type of Burn's `AdamW` without
/// `AMSGrad`, so that checkpoints of earlier versions can be read.
#[derive(Clone, Copy, Debug)]
struct Adam {
    beta1: f64,
    beta2: f64,
    decay: f64,
}

impl<B: Operations> SimpleOptimizer<B> for Adam {
    type State<const D: usize> = AdamWState<B, D>;

    fn step<const D: usize>(
        &self,
        rate: LearningRate,
        x: Tensor<B, D>,
        g: Tensor<B, D>,
        state: Option<Self::State<D>>,
    ) -> (Tensor<B, D>, Option<Self::State<D>>) {
        let zeros = || AdaptiveMomentumState::new(0, g.zeros_like(), g.zeros_like());
        let old = state.map_or_else(zeros, |state| state.momentum);
        let moments = Moments {
            first: old.moment_1,
            second: old.moment_2,
        };
        let step = AdamStep {
            rate,
            beta1: self.beta1,
            beta2: self.beta2,
            epsilon: EPSILON,
            decay: self.decay,
            time: i32::try_from(old.time)
                .unwrap_or(i32::MAX - 1)
                .saturating_add(1),
        };
        let (x, moments) = B::adam(x, g, moments, &step);
        let momentum =
            AdaptiveMomentumState::new(old.time.saturating_add(1), moments.first, moments.second);
        (x, Some(AdamWState::new(momentum)))
    }

    fn to_device<const D: usize>(mut state: Self::State<D>, device: &B::Device) -> Self::State<D> {
        state.momentum = state.momentum.to_device(device);
        state
    }
}

/// The optimiser of a [`Gmae`].
#[derive(Clone)]
pub struct Optimizer<B: Operations> {
    decayed: Adaptor<B>,
    undecayed: Adaptor<B>,
    clip_norm: f64,
}

impl<B: Operations> Optimizer<B> {
    /// Creates an optimiser without history.
    pub fn new(config: &Config) -> Self {
        let adam = |decay: f64| {
            OptimizerAdaptor::from(Adam {
                beta1: config.beta1,
                beta2: config.beta2,
                decay,
            })
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
        model: Gmae<Training<B>>,
        gradient: Gradient,
        norm: f64,
    ) -> Gmae<Training<B>> {
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
        let bytes =
            |adam: &Adaptor<B>| Recorder::<Training<B>>::record(&recorder, adam.to_record(), ());
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
        let record = |bytes| Recorder::<Training<B>>::load(&recorder, bytes, device);
        Ok(Self {
            decayed: self.decayed.load_record(record(decayed)?),
            undecayed: self.undecayed.load_record(record(undecayed)?),
            clip_norm: self.clip_norm,
        })
    }
}
