//! Changes of the number of Gaussians, with the functions of `splat::density`.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use splat::density::{
    DEAD_OPACITY, Growth, Pruning, add, grow, perturb, prune, relocate, reset_opacities,
};
use splat::{Gaussians, RenderError};

use super::State;
use crate::plan::{Change, Plan, Strategy};

/// Gradient above which a Gaussian is cloned or split, relative to half the longer side of the picture
/// (3DGS).
const GRADIENT: f64 = 2e-4;
/// Greatest scale of a cloned Gaussian, relative to the extent. Larger ones are split (3DGS).
const CLONED_SCALE: f64 = 0.01;
/// Greatest scale of a Gaussian that is not pruned, relative to the extent (3DGS).
const LARGEST_SCALE: f64 = 0.1;
/// Opacity to which opacities are reset (3DGS).
const RESET_OPACITY: f64 = 0.01;
/// Part of the Gaussians that a change adds at most (Kheradmand et al. 2024).
const ADDED_SHARE: f64 = 0.05;
/// Step of the noise, relative to the step size of the means (Kheradmand et al. 2024).
const NOISE: f64 = 5e5;
/// Weights of the mean opacity and the mean scale in the loss (Kheradmand et al. 2024).
const REGULARISATION: f64 = 0.01;

/// Adds the gradient of the regularisation of MCMC: the means of opacities and scales, with respect to
/// their logits and logarithms.
pub(crate) fn regularise(gaussians: &Gaussians<Vec<f32>>, v: &mut Gaussians<Vec<f32>>) {
    let weight = (REGULARISATION / gaussians.count as f64) as f32;
    for (v, logit) in v.opacities.iter_mut().zip(&gaussians.opacities) {
        let opacity = 1.0 / (1.0 + (-logit).exp());
        *v += weight * opacity * (1.0 - opacity);
    }
    for (v, log) in v.scales.iter_mut().zip(&gaussians.scales) {
        *v += weight / 3.0 * log.exp();
    }
}

/// Moves the Gaussians by the noise of MCMC. `means` is the step size of the means.
pub(crate) fn add_noise(
    gaussians: &mut Gaussians<Vec<f32>>,
    means: f64,
    rng: &mut ChaCha8Rng,
) -> Result<(), RenderError> {
    perturb(gaussians, NOISE * means, &mut uniform(rng))
}

impl State {
    /// Changes the number of Gaussians.
    pub(crate) fn revise(
        &mut self,
        plan: &Plan,
        change: Change,
        extent: f64,
        rng: &mut ChaCha8Rng,
    ) -> Result<(), RenderError> {
        let mut uniform = uniform(rng);
        match plan.strategy {
            Strategy::Mcmc => {
                let moved = relocate(&mut self.gaussians, DEAD_OPACITY, &mut uniform)?;
                self.adam.revise(&moved)?;
                let count = self.gaussians.count;
                let wanted = (ADDED_SHARE * count as f64).ceil() as usize;
                let room = plan.gaussians.saturating_sub(count);
                let added = add(&mut self.gaussians, wanted.min(room), &mut uniform)?;
                self.adam.revise(&added)?;
            }
            Strategy::Adaptive => {
                let gradients = self.observed.mean_gradients();
                let growth = Growth::new(GRADIENT, CLONED_SCALE * extent).with_most(plan.gaussians);
                let grown = grow(&mut self.gaussians, &gradients, &growth, &mut uniform)?;
                self.adam.revise(&grown)?;
                let mut pruning = Pruning::new(DEAD_OPACITY);
                if plan.was_reset(self.iteration) {
                    pruning = pruning.with_largest_scale(Some(LARGEST_SCALE * extent));
                }
                let keep = pruning.keep(&self.gaussians, &[])?;
                let pruned = prune(&mut self.gaussians, &keep)?;
                self.adam.revise(&pruned)?;
                if change == Change::Reset {
                    let reset = reset_opacities(&mut self.gaussians, RESET_OPACITY)?;
                    self.adam.forget_opacities(&reset)?;
                }
            }
        }
        self.observe_anew()
    }
}

/// Returns the source of random numbers that the functions of `splat::density` take.
fn uniform(rng: &mut ChaCha8Rng) -> impl FnMut() -> f64 {
    move || rng.random()
}
