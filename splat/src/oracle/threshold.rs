//! The distance of a scene from the thresholds, at which a render is not differentiable.

use super::dual::Dual;
use super::pixel::{Pair, pixel};
use super::{centres, splats_of_view, validate};
use crate::config::RenderConfig;
use crate::error::RenderError;
use crate::render::Scene;

/// Returns the relative distance of every Gaussian of every view from the nearest threshold, over
/// all pixels. It is infinite for a Gaussian that no pixel considers.
///
/// The thresholds are `alpha_min` and `alpha_max` for alpha, and `transmittance_min` for the
/// transmittance behind a splat. The latter depends on all splats in front.
///
/// # Errors
/// The errors of [`render`](super::render).
pub(crate) fn threshold_distances(
    scene: &Scene<'_, &[f64]>,
    config: &RenderConfig,
) -> Result<Vec<Vec<f64>>, RenderError> {
    validate(scene, config)?;
    let away = |value: f64, threshold: f64| {
        let ratio = value / threshold;
        (ratio - 1.0).abs()
    };
    let channels = scene.gaussians.channels;
    let one_view = |(view, range): (usize, &std::ops::Range<usize>)| {
        let splats = splats_of_view::<0>(scene, config, view, |x, _| Dual::constant(x));
        let mut distances = vec![f64::INFINITY; range.len()];
        let background = &scene.backgrounds[view * channels..(view + 1) * channels];
        for at in centres(scene.views) {
            let mut in_front: Vec<usize> = Vec::new();
            let observe = |pair: Pair| {
                let own = splats[pair.place].index - range.start;
                let alpha = away(pair.alpha, config.alpha_min);
                let alpha = alpha.min(away(pair.alpha, config.alpha_max));
                distances[own] = distances[own].min(alpha);
                let Some(behind) = pair.behind else {
                    return;
                };
                in_front.push(own);
                let end = away(behind, config.transmittance_min);
                for &splat in &in_front {
                    distances[splat] = distances[splat].min(end);
                }
            };
            pixel(
                &splats,
                at,
                scene.gaussians.features,
                background,
                config,
                observe,
            );
        }
        distances
    };
    Ok(scene
        .views
        .ranges
        .iter()
        .enumerate()
        .map(one_view)
        .collect())
}
