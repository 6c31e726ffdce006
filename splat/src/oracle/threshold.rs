//! The distance of a scene from the thresholds, at which a render is not differentiable.

use super::dual::Dual;
use super::pixel::{Pair, pixel};
use super::{centres, features_of_view, splats_of_view, validate};
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
    let mut all: Vec<Vec<f64>> = Vec::new();
    each_pixel(scene, config, |view, distances: &[(usize, f64)]| {
        let range = &scene.views.ranges[view];
        if all.len() <= view {
            all.resize_with(view + 1, Vec::new);
            all[view] = vec![f64::INFINITY; range.len()];
        }
        for &(i, distance) in distances {
            let own = &mut all[view][i];
            *own = own.min(distance);
        }
    })?;
    Ok(all)
}

/// Returns, for every pixel (view-major), whether a threshold is within the relative distance
/// `width`.
///
/// # Errors
/// The errors of [`render`](super::render).
pub(crate) fn near_thresholds(
    scene: &Scene<'_, &[f64]>,
    config: &RenderConfig,
    width: f64,
) -> Result<Vec<bool>, RenderError> {
    let mut near = Vec::new();
    each_pixel(scene, config, |_, distances: &[(usize, f64)]| {
        near.push(distances.iter().any(|&(_, distance)| distance <= width));
    })?;
    Ok(near)
}

/// Calls `each` with the view and the distances of every Gaussian that a pixel considers, for all
/// pixels of all views. A Gaussian can occur several times.
fn each_pixel(
    scene: &Scene<'_, &[f64]>,
    config: &RenderConfig,
    mut each: impl FnMut(usize, &[(usize, f64)]),
) -> Result<(), RenderError> {
    validate(scene, config)?;
    let away = |value: f64, threshold: f64| {
        let ratio = value / threshold;
        (ratio - 1.0).abs()
    };
    let channels = scene.gaussians.channels;
    for view in 0..scene.views.ranges.len() {
        let features = features_of_view(scene, view)?;
        let splats = splats_of_view::<0>(scene, config, view, &features, |x, _| Dual::constant(x));
        let background = &scene.backgrounds[view * channels..(view + 1) * channels];
        for at in centres(scene.views) {
            let (mut distances, mut in_front) = (Vec::new(), Vec::new());
            let observe = |pair: Pair| {
                let own = splats[pair.place].index;
                distances.push((own, away(pair.alpha, config.alpha_min)));
                distances.push((own, away(pair.alpha, config.alpha_max)));
                let Some(behind) = pair.behind else {
                    return;
                };
                in_front.push(own);
                // The end of a pixel depends on all splats in front.
                let end = away(behind, config.transmittance_min);
                let nearest = in_front.iter().map(|&splat| (splat, end));
                distances.extend(nearest);
            };
            pixel(&splats, at, &features, background, config, observe);
            each(view, &distances);
        }
    }
    Ok(())
}
