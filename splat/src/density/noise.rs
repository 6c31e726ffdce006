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

/// The opacity above which a Gaussian does not move. Its factor is below 4e-9 there.
const STILL_OPACITY: f64 = 0.2;

/// Moves every valid Gaussian by a random vector, as a step of stochastic gradient Langevin dynamics
/// does (Kheradmand et al. 2024, eq. 8; MATH eq. 27).
///
/// The vector is `step sigmoid(-100 (o - 0.005)) Sigma eta` for the opacity `o`, the covariance `Sigma`
/// and three standard normal numbers `eta`, which are drawn in the order of the list. Only Gaussians
/// that are almost transparent move visibly. With an opacity above 0.2, where the factor is below
/// 4e-9, a Gaussian keeps its mean, and no number is drawn for it. `step` is in world units^-1. The
/// paper's code uses 5e5 times the learning rate of the means, in scenes whose extent is about one
/// unit. For an extent of L units, with step sizes of the means in proportion to L, that is 5e5 times
/// the step size divided by L^2. A mean that would not be finite keeps its value.
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
        let opacity = rows::opacity(gaussians, i);
        if opacity > STILL_OPACITY || !rows::is_valid(gaussians, i) {
            continue;
        }
        let factor = exp::sigmoid(STEEPNESS * (HALF_OPACITY - opacity));
        let (rotation, scale) = (rows::rotation(gaussians, i), rows::scales(gaussians, i));
        let along = vec3::apply_transposed(rotation, draws.normals());
        let along = vec3::times(vec3::times(scale, scale), along);
        let shift = vec3::scaled(step * factor, vec3::apply(rotation, along));
        rows::shift(gaussians, i, shift);
    }
    Ok(())
}
