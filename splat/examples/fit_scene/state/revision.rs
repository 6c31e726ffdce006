//! Changes of the number of Gaussians, with the functions of `splat::density`.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use splat::activation::{
    opacities_from_logits, opacities_from_logits_vjp, scales_from_logs, scales_from_logs_vjp,
};
use splat::density::{
    DEAD_OPACITY, Growth, Pruning, add, grow, perturb, prune, relocate, reset_opacities,
};
use splat::{Gaussians, RenderError};

use super::adam::Adam;
use crate::plan::{Change, Strategy};

/// Gradient above which a Gaussian is cloned or split, in a picture that is two units long (3DGS).
const GRADIENT: f64 = 2e-4;
/// Greatest scale of a cloned Gaussian, relative to the extent. Larger ones are split (3DGS).
const CLONED_SCALE: f64 = 0.01;
/// Greatest scale of a Gaussian that is not pruned, relative to the extent (3DGS).
const LARGEST_SCALE: f64 = 0.1;
/// Opacity to which opacities are reset (3DGS).
const RESET_OPACITY: f64 = 0.01;
/// Part of the Gaussians that a change adds at most (Kheradmand et al. 2024).
const ADDED_SHARE: f64 = 0.05;
/// Step of the noise, relative to the step size of the means, in a scene whose extent is one unit
/// (Kheradmand et al. 2024).
const NOISE: f64 = 5e5;
/// Weights of the mean opacity and of the mean scale, relative to the extent, in the loss (Kheradmand et
/// al. 2024).
const REGULARISATION: f64 = 0.01;

/// Adds the gradient of the regularisation of MCMC: of the mean opacity and the mean scale, with respect to
/// logits and logarithms.
pub(crate) fn regularise(
    gaussians: &Gaussians<Vec<f32>>,
    v: &mut Gaussians<Vec<f32>>,
    extent: f64,
) -> Result<(), RenderError> {
    let weight = REGULARISATION / gaussians.count as f64;
    let opacities = opacities_from_logits(&gaussians.opacities);
    let v_opacities = vec![weight as f32; opacities.len()];
    let v_logits = opacities_from_logits_vjp(&opacities, &v_opacities)?;
    let scales = scales_from_logs(&gaussians.scales);
    let v_scales = vec![(weight / (3.0 * extent)) as f32; scales.len()];
    let v_logs = scales_from_logs_vjp(&scales, &v_scales)?;
    add_to(&mut v.opacities, &v_logits);
    add_to(&mut v.scales, &v_logs);
    Ok(())
}

fn add_to(sums: &mut [f32], values: &[f32]) {
    sums.iter_mut()
        .zip(values)
        .for_each(|(sum, value)| *sum += value);
}

/// Moves the Gaussians by the noise of MCMC. `means` is the step size of the means, and `extent` that of
/// the cameras, world units. The noise is in proportion to the extent, as the scene is.
pub(crate) fn add_noise(
    gaussians: &mut Gaussians<Vec<f32>>,
    means: f64,
    extent: f64,
    rng: &mut ChaCha8Rng,
) -> Result<(), RenderError> {
    perturb(
        gaussians,
        NOISE * means / (extent * extent),
        &mut uniform(rng),
    )
}

/// Changes the number of Gaussians. `gradients` are the mean gradients of their means, and `extent` is
/// that of the cameras, world units.
pub(crate) fn revise(
    gaussians: &mut Gaussians<Vec<f32>>,
    adam: &mut Adam,
    gradients: &[f64],
    change: Change,
    extent: f64,
    rng: &mut ChaCha8Rng,
) -> Result<(), RenderError> {
    let mut uniform = uniform(rng);
    match change.strategy {
        Strategy::Mcmc => {
            let moved = relocate(gaussians, DEAD_OPACITY, &mut uniform)?;
            adam.revise(&moved)?;
            let wanted = (ADDED_SHARE * gaussians.count as f64).ceil() as usize;
            let room = change.most.saturating_sub(gaussians.count);
            let added = add(gaussians, wanted.min(room), &mut uniform)?;
            adam.revise(&added)
        }
        Strategy::Adaptive => {
            let growth = Growth::new(GRADIENT, CLONED_SCALE * extent).with_most(change.most);
            let grown = grow(gaussians, gradients, &growth, &mut uniform)?;
            adam.revise(&grown)?;
            let largest = change.prunes_large.then_some(LARGEST_SCALE * extent);
            let pruning = Pruning::new(DEAD_OPACITY).with_largest_scale(largest);
            let keep = pruning.keep(gaussians, &[])?;
            let pruned = prune(gaussians, &keep)?;
            adam.revise(&pruned)?;
            if change.resets {
                let reset = reset_opacities(gaussians, RESET_OPACITY)?;
                adam.forget_opacities(&reset)?;
            }
            Ok(())
        }
    }
}

/// Returns the source of random numbers that the functions of `splat::density` take.
fn uniform(rng: &mut ChaCha8Rng) -> impl FnMut() -> f64 {
    move || rng.random()
}
