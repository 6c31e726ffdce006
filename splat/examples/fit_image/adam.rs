//! Adam (Kingma and Ba, 2015), with a step size for every kind of parameter.

use crate::model::Parameters;

/// Decay of the mean gradient.
const MEAN_DECAY: f32 = 0.9;
/// Decay of the mean square: quicker than the usual 0.999, for a run of hundreds of steps.
const SQUARE_DECAY: f32 = 0.99;
/// Keeps the division finite; far below any gradient of a mean over pixels.
const FLOOR: f32 = 1e-15;

/// Step sizes at the start of the run.
pub(crate) struct StepSizes {
    /// px
    pub(crate) positions: f32,
    /// Of the logarithm.
    pub(crate) log_scales: f32,
    /// Radians.
    pub(crate) angles: f32,
    /// Of the opacity's logit.
    pub(crate) logits: f32,
    /// Of a colour in [0, 1].
    pub(crate) colours: f32,
}

/// The moments of every parameter.
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
    /// Moves `parameters` against the gradient `v`, by `sizes` times `factor`. Parameters that are
    /// new since the last step start with moments of zero.
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

/// Factors that remove the bias of the moments towards zero, their start.
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
