//! The optimiser Adam (Kingma and Ba, 2015) for Gaussians, with one step size for each kind of number.

use rayon::prelude::*;
use splat::density::Revision;
use splat::{Gaussians, RenderError};

use crate::plan::StepSizes;

/// Decay of the mean gradient.
const MEAN_DECAY: f32 = 0.9;
/// Decay of the mean square.
const SQUARE_DECAY: f32 = 0.999;
/// Added to the divisor of a step (3DGS).
const FLOOR: f32 = 1e-15;
/// Gaussians of one task.
const TASK: usize = 1024;

/// The optimiser's state: the moments of every number, and the number of steps.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Adam {
    pub(crate) means: Gaussians<Vec<f32>>,
    pub(crate) squares: Gaussians<Vec<f32>>,
    pub(crate) steps: i32,
}

impl Adam {
    /// Returns the state before the first step.
    pub(crate) fn new(gaussians: &Gaussians<Vec<f32>>) -> Self {
        let zeros = gaussians.map(|buffer| vec![0.0; buffer.len()]);
        Self {
            means: zeros.clone(),
            squares: zeros,
            steps: 0,
        }
    }

    /// Moves `gaussians` against their gradient `v`.
    pub(crate) fn step(
        &mut self,
        gaussians: &mut Gaussians<Vec<f32>>,
        v: &Gaussians<Vec<f32>>,
        sizes: &StepSizes,
    ) {
        self.steps += 1;
        let correct = |decay: f32| 1.0 / (1.0 - decay.powi(self.steps));
        let [mean, square] = [MEAN_DECAY, SQUARE_DECAY].map(correct);
        let row = gaussians.features.len() / gaussians.count.max(1);
        let mut features = vec![sizes.harmonics; row];
        features[..3.min(row)].fill(sizes.colours);
        let (means, squares) = (&mut self.means, &mut self.squares);
        macro_rules! step {
            ($field:ident, $sizes:expr) => {
                let values = &mut gaussians.$field;
                let moments = [&mut means.$field, &mut squares.$field];
                let sizes: Vec<f32> = $sizes.iter().map(|&size| (size as f32) * mean).collect();
                step(values, &v.$field, moments, &sizes, square);
            };
        }
        step!(means, [sizes.means; 3]);
        step!(scales, [sizes.scales; 3]);
        step!(quaternions, [sizes.quaternions; 4]);
        step!(opacities, [sizes.opacities]);
        step!(features, features);
    }

    /// Follows a change of the list of Gaussians. The moments of new Gaussians are zero.
    pub(crate) fn revise(&mut self, revision: &Revision) -> Result<(), RenderError> {
        for moments in [&mut self.means, &mut self.squares] {
            *moments = Gaussians {
                count: revision.count(),
                ..moments.try_map(|rows| revision.moments(rows))?
            };
        }
        Ok(())
    }

    /// Sets the moments of the opacities that were reset to zero.
    pub(crate) fn forget_opacities(&mut self, reset: &Revision) -> Result<(), RenderError> {
        for moments in [&mut self.means, &mut self.squares] {
            moments.opacities = reset.moments(&moments.opacities)?;
        }
        Ok(())
    }
}

/// Applies one step to rows of numbers. `sizes` are the step sizes of one row.
fn step(
    values: &mut [f32],
    v: &[f32],
    [means, squares]: [&mut Vec<f32>; 2],
    sizes: &[f32],
    correction: f32,
) {
    // Without features of a row there is nothing to do, and no row can be cut.
    let task = (TASK * sizes.len()).max(1);
    let moments = means.par_chunks_mut(task).zip(squares.par_chunks_mut(task));
    let values = values.par_chunks_mut(task).zip(v.par_chunks(task));
    values
        .zip(moments)
        .for_each(|((values, v), (means, squares))| {
            let rows = sizes.iter().cycle().zip(values).zip(v);
            for (((size, value), &v), (mean, square)) in rows.zip(means.iter_mut().zip(squares)) {
                *mean += (1.0 - MEAN_DECAY) * (v - *mean);
                *square += (1.0 - SQUARE_DECAY) * (v * v - *square);
                *value -= size * *mean / ((*square * correction).sqrt() + FLOOR);
            }
        });
}
