//! The noise of 3DGS-MCMC.

use super::draws::Draws;
use super::rows;
use crate::error::RenderError;
use crate::formulas::double::vec3;
use crate::gaussians::Gaussians;
use crate::math::exp;
use crate::number::Number;

/// The steepness `k` of the noise's factor (Kheradmand et al. 2024, eq. 8).
const STEEPNESS: f64 = 100.0;

/// The opacity at which the factor is one half: `1 - t` with the paper's `t = 0.995`.
const HALF_OPACITY: f64 = 0.005;

/// Moves every valid Gaussian by a random vector, as a step of stochastic gradient Langevin dynamics
/// does (Kheradmand et al. 2024, eq. 8; MATH eq. 27).
///
/// The vector is `step sigmoid(-100 (o - 0.005)) Sigma eta` for the opacity `o`, the covariance `Sigma`
/// and three standard normal numbers `eta`, which are drawn in the order of the list. Only Gaussians
/// that are almost transparent move visibly. `step` is in world units^-1. The paper's code uses 5e5
/// times the learning rate of the means. A mean that would not be finite keeps its value.
///
/// # Errors
/// - [`RenderError::Config`] if `step` is not finite.
/// - The errors of the [module](super#errors).
pub fn perturb<T: Number>(
    gaussians: &mut Gaussians<Vec<T>>,
    step: f64,
    uniform: &mut dyn FnMut() -> f64,
) -> Result<(), RenderError> {
    rows::check(gaussians)?;
    if !step.is_finite() {
        return Err(RenderError::config("step", "a finite number", step));
    }
    let mut draws = Draws::new(uniform);
    for i in 0..gaussians.count {
        if !rows::is_valid(gaussians, i) {
            continue;
        }
        let factor = exp::sigmoid(STEEPNESS * (HALF_OPACITY - rows::opacity(gaussians, i)));
        let (rotation, scale) = (rows::rotation(gaussians, i), rows::scales(gaussians, i));
        let along = vec3::apply_transposed(rotation, draws.normals());
        let along = vec3::times(vec3::times(scale, scale), along);
        let shift = vec3::scaled(step * factor, vec3::apply(rotation, along));
        rows::shift(gaussians, i, shift);
    }
    Ok(())
}
