//! `AdamW` without weight decay for one-dimensional parameters. The gradient is clipped by its norm
//! over all parameters.

use std::collections::HashMap;

use burn::module::{Module, ModuleMapper, Param, ParamId};
use burn::tensor::Tensor;

use super::gradient::Gradient;
use crate::backend::Training;
use crate::config::Config;
use crate::ops::cpu::adam::AdamStep;
use crate::ops::{Moments, Operations};

/// `AdamW` epsilon.
const EPSILON: f64 = 1e-8;

/// The optimiser of a model.
#[derive(Clone, Debug)]
pub struct Optimizer<B: Operations> {
    /// Moments of each parameter, as vectors. A parameter without a step has none.
    moments: HashMap<ParamId, Moments<Tensor<B, 1>>>,
    /// Factors on the learning rate of single parameters. All other parameters have factor 1.
    rates: HashMap<ParamId, f64>,
    /// Number of steps taken.
    time: usize,
    beta1: f64,
    beta2: f64,
    decay: f64,
    clip_norm: f64,
}

impl<B: Operations> Optimizer<B> {
    /// Creates an optimiser without history.
    pub fn new(config: &Config) -> Self {
        Self::restored(config, 0, HashMap::new())
    }

    /// Creates an optimiser that has taken `time` steps, with the moments of each parameter.
    pub(super) fn restored(
        config: &Config,
        time: usize,
        moments: HashMap<ParamId, Moments<Tensor<B, 1>>>,
    ) -> Self {
        Self {
            moments,
            rates: HashMap::new(),
            time,
            beta1: config.beta1,
            beta2: config.beta2,
            decay: config.weight_decay,
            clip_norm: config.clip_norm,
        }
    }

    /// Returns the optimiser with factors on the learning rate of single parameters.
    #[must_use]
    pub fn with_rates(self, rates: HashMap<ParamId, f64>) -> Self {
        Self { rates, ..self }
    }

    /// The moments of a parameter as vectors, if the parameter has taken a step.
    pub(super) fn moments(&self, id: ParamId) -> Option<&Moments<Tensor<B, 1>>> {
        self.moments.get(&id)
    }

    /// Takes one step and returns the updated model. `norm` is the norm of `gradient`. If `norm`
    /// exceeds the configured `clip_norm`, the gradient is scaled down to `clip_norm`.
    ///
    /// A parameter without a gradient is not changed.
    pub fn step<M: Module<Training<B>>>(
        &mut self,
        learning_rate: f64,
        model: M,
        gradient: Gradient,
        norm: f64,
    ) -> M {
        let scale = if norm > self.clip_norm {
            self.clip_norm / norm
        } else {
            1.0
        };
        self.time = self.time.saturating_add(1);
        model.map(&mut Update {
            optimizer: self,
            gradient,
            scale,
            rate: learning_rate,
        })
    }
}

/// One step, applied to each parameter.
struct Update<'a, B: Operations> {
    optimizer: &'a mut Optimizer<B>,
    gradient: Gradient,
    scale: f64,
    rate: f64,
}

impl<B: Operations> ModuleMapper<Training<B>> for Update<'_, B> {
    fn map_float<const D: usize>(
        &mut self,
        param: Param<Tensor<Training<B>, D>>,
    ) -> Param<Tensor<Training<B>, D>> {
        let Some(mut g) = self.gradient.take::<B, D>(param.id) else {
            return param;
        };
        let (id, x, mapper) = param.consume();
        let x = x.inner();
        if self.scale != 1.0 {
            g = B::add_scaled(None, g, self.scale);
        }
        let shape = x.dims();
        let len: usize = shape.iter().product();
        let (x, g) = (x.reshape([len]), g.reshape([len]));
        let moments = self.optimizer.moments.remove(&id);
        let moments = moments.unwrap_or_else(|| Moments {
            first: g.zeros_like(),
            second: g.zeros_like(),
        });
        let step = AdamStep {
            rate: self.rate * self.optimizer.rates.get(&id).unwrap_or(&1.0),
            beta1: self.optimizer.beta1,
            beta2: self.optimizer.beta2,
            epsilon: EPSILON,
            decay: if D > 1 { self.optimizer.decay } else { 0.0 },
            time: i32::try_from(self.optimizer.time).unwrap_or(i32::MAX),
        };
        let (x, moments) = B::adam::<1>(x, g, moments, &step);
        self.optimizer.moments.insert(id, moments);
        let x = Tensor::from_inner(x.reshape(shape)).require_grad();
        Param::from_mapped_value(id, x, mapper)
    }
}
