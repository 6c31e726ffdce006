//! The Adam optimiser (Kingma and Ba, 2015), with one step size for each kind of parameter.

use crate::model::Parameters;

/// Decay of the mean gradient.
const MEAN_DECAY: f32 = 0.9;
/// Decay of the mean square. It is faster than the usual 0.999, because a run has only hundreds of
/// steps.
const SQUARE_DECAY: f32 = 0.99;
/// Added to the divisor of a step, so that the step is finite. It is far below the usual gradients
/// of a mean over pixels.
const FLOOR: f32 = 1e-15;

/// Step sizes at the start of the run.
pub(crate) struct StepSizes {
    /// px
    pub(crate) positions: f32,
    /// Natural logarithm of px
    pub(crate) log_scales: f32,
    /// Radians
    pub(crate) angles: f32,
    /// Opacity logits
    pub(crate) logits: f32,
    /// Colours, on a scale from 0 to 1
    pub(crate) colours: f32,
}

/// The optimiser's state: the moments of every parameter, and the number of steps.
#[derive(Default)]
pub(crate) struct Adam {
    moments: [Moments; 5],
    step: i32,
}

#[derive(Default)]
struct Moments {
    mean: Vec<f32>,
    square: Vec<f32>,
}

impl Adam {
    /// Applies one step to `parameters` with the gradient `v` and the step sizes `sizes * factor`.
    /// The moments of parameters that were added after the previous step start at zero.
    pub(crate) fn step(
        &mut self,
        parameters: &mut Parameters<f32>,
        v: &Parameters<f32>,
        sizes: &StepSizes,
        factor: f32,
    ) {
        self.step += 1;
        let correction = Correction {
            mean: 1.0 / (1.0 - MEAN_DECAY.powi(self.step)),
            square: 1.0 / (1.0 - SQUARE_DECAY.powi(self.step)),
        };
        let groups = [
            (&mut parameters.positions, &v.positions, sizes.positions),
            (&mut parameters.log_scales, &v.log_scales, sizes.log_scales),
            (&mut parameters.angles, &v.angles, sizes.angles),
            (&mut parameters.logits, &v.logits, sizes.logits),
            (&mut parameters.colours, &v.colours, sizes.colours),
        ];
        for (moments, (values, v, size)) in self.moments.iter_mut().zip(groups) {
            moments.apply(values, v, size * factor, &correction);
        }
        parameters.raise_scales();
    }
}

/// Factors that correct the bias of the moments, which start at zero.
struct Correction {
    mean: f32,
    square: f32,
}

impl Moments {
    fn apply(&mut self, values: &mut [f32], v: &[f32], size: f32, correction: &Correction) {
        self.mean.resize(values.len(), 0.0);
        self.square.resize(values.len(), 0.0);
        let moments = self.mean.iter_mut().zip(&mut self.square);
        for ((value, &v), (mean, square)) in values.iter_mut().zip(v).zip(moments) {
            *mean += (1.0 - MEAN_DECAY) * (v - *mean);
            *square += (1.0 - SQUARE_DECAY) * (v * v - *square);
            let spread = (*square * correction.square).sqrt() + FLOOR;
            *value -= size * *mean * correction.mean / spread;
        }
    }
}
