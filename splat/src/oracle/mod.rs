//! The specification of the renderer: evaluates every pixel times every visible Gaussian in `f64`,
//! with textbook formulas and without tiles. A Gaussian's box decides only whether it is visible.
//!
//! The gradients are computed from the same text with dual numbers (forward-mode differentiation).
//! No derivative is written by hand. At a clamp, the derivative is zero on the side of the
//! constant. A comparison with a threshold has no derivative.
//!
//! The oracle shares constants with the rest of the crate but no formula, so that tests can compare
//! the two. It is slow, because it is written for readability. The gradient of a pixel with K
//! composited splats takes `K^2` evaluations.

mod dual;
mod gradient;
mod harmonics;
mod pixel;
mod project;
#[cfg(feature = "check")]
mod threshold;

use crate::config::RenderConfig;
use crate::contributors::{Contributors, NO_CONTRIBUTOR};
use crate::encoding::Features;
use crate::error::RenderError;
use crate::gaussians::{Gaussians, check_len};
use crate::harmonics::Harmonics;
use crate::image::Image;
use crate::render::Scene;
use crate::views::Views;

use dual::Dual;
use pixel::{Pixel, pixel};
use project::{Inputs, Projected, project};

pub use gradient::render_vjp;
#[cfg(feature = "check")]
pub(crate) use harmonics::feature_sums;
pub use harmonics::{features, features_vjp};
#[cfg(feature = "check")]
pub(crate) use threshold::{near_thresholds, threshold_distances};

/// Checks the arguments of [`render`] and [`contributors`].
fn validate(scene: &Scene<'_, &[f64]>, config: &RenderConfig) -> Result<(), RenderError> {
    config.validate()?;
    scene
        .gaussians
        .validate_in(scene.views, |buffer| buffer.len())?;
    let dims = [scene.views.ranges.len(), scene.gaussians.channels];
    check_len("backgrounds", "[B, C]", &dims, scene.backgrounds.len())
}

/// Returns the features of the Gaussians of one view, one row per Gaussian of its range.
fn features_of_view(scene: &Scene<'_, &[f64]>, view: usize) -> Result<Vec<f64>, RenderError> {
    let (g, range) = (&scene.gaussians, scene.views.ranges[view].clone());
    let rows = |start: usize| {
        let end = start + range.len();
        Ok(g.features[start * g.channels..end * g.channels].to_vec())
    };
    match g.encoding.features {
        Features::PerGaussian => rows(range.start),
        Features::PerSplat => rows(scene.views.splat_offsets()?[view]),
        Features::Harmonics { .. } => {
            let mut all = Vec::new();
            for i in range {
                let own = harmonics_of(g, i);
                all.extend(features(own, &scene.views.cameras[view])?);
            }
            Ok(all)
        }
    }
}

/// Returns the harmonics of Gaussian `i`. They have degree 0 and no coefficients if its features
/// are not harmonics.
fn harmonics_of<'a>(g: &Gaussians<&'a [f64]>, i: usize) -> Harmonics<'a, f64> {
    let (degree, stored) = match g.encoding.features {
        Features::Harmonics { degree, stored } => (degree, stored),
        _ => (0, 0),
    };
    let row = stored * g.channels;
    Harmonics {
        degree,
        means: &g.means[3 * i..3 * i + 3],
        coefficients: &g.features[i * row..(i + 1) * row],
        stored,
        channels: g.channels,
    }
}

/// Projects the Gaussians of one view and sorts the visible ones by depth. `features` are those of
/// the view. `dual` makes a number of a value and its place in [`Inputs`].
fn splats_of_view<const N: usize>(
    scene: &Scene<'_, &[f64]>,
    config: &RenderConfig,
    view: usize,
    features: &[f64],
    dual: impl Fn(f64, usize) -> Dual<N>,
) -> Vec<Projected<N>> {
    let Views { width, height, .. } = *scene.views;
    let size = [width as f64, height as f64];
    let camera = &scene.views.cameras[view];
    let (g, channels) = (&scene.gaussians, scene.gaussians.channels);
    let one = |(row, i): (usize, usize)| {
        let inputs = Inputs::new(g, i, camera, &dual);
        let own = &features[row * channels..(row + 1) * channels];
        project(row, &inputs, camera, size, own, config)
    };
    let range = scene.views.ranges[view].clone().enumerate();
    let mut splats: Vec<_> = range.filter_map(one).collect();
    // The sort is stable: splats of equal depth stay in the order of their indices.
    // Here 0 and -0 are equal.
    let order = |a: f64, b: f64| a.partial_cmp(&b).unwrap_or(std::cmp::Ordering::Equal);
    splats.sort_by(|a, b| order(a.depth.value, b.depth.value));
    splats
}

/// Composites all pixels of a view from these splats, row by row.
fn pixels(
    scene: &Scene<'_, &[f64]>,
    config: &RenderConfig,
    view: usize,
    features: &[f64],
    splats: &[Projected<0>],
) -> impl Iterator<Item = Pixel<0>> {
    let channels = scene.gaussians.channels;
    let background = &scene.backgrounds[view * channels..(view + 1) * channels];
    centres(scene.views).map(move |at| pixel(splats, at, features, background, config, |_| ()))
}

/// Returns the centres of all pixels of a view, px.
fn centres(views: &Views) -> impl Iterator<Item = [f64; 2]> {
    let Views { width, height, .. } = *views;
    (0..height).flat_map(move |i| (0..width).map(move |j| [j as f64 + 0.5, i as f64 + 0.5]))
}

/// Renders `scene` with every output, regardless of `config.outputs`.
///
/// Returns features `[B, H, W, C]`, transmittance `[B, H, W]` and depth `[B, H, W]`. Layers
/// `[B, L, H, W, C]` and their transmittance `[B, L, H, W]` are present if `config.layers` is not
/// empty. `config.half_features` has no effect.
///
/// # Errors
/// - [`RenderError::Shape`] if a buffer of the scene or a list of its views has the wrong length,
///   or a range exceeds the number of Gaussians.
/// - [`RenderError::Config`] if a setting, a camera, the image size or the number of channels is
///   outside its domain.
/// - [`RenderError::Capacity`] if the number of pixels or splats exceeds 32-bit indices.
pub fn render(
    scene: &Scene<'_, &[f64]>,
    config: &RenderConfig,
) -> Result<Image<Vec<f64>>, RenderError> {
    validate(scene, config)?;
    let (mut features, mut transmittance, mut depth) = (vec![], vec![], vec![]);
    let (mut layers, mut layer_transmittance) = (vec![], vec![]);
    for view in 0..scene.views.ranges.len() {
        let own = features_of_view(scene, view)?;
        let splats = splats_of_view::<0>(scene, config, view, &own, |x, _| Dual::constant(x));
        for pixel in pixels(scene, config, view, &own, &splats) {
            features.extend(pixel.features.iter().map(|number| number.value));
            transmittance.push(pixel.transmittance.value);
            depth.push(pixel.depth.value);
        }
        for &limit in &config.layers {
            let nearest = &splats[..limit.min(splats.len())];
            for pixel in pixels(scene, config, view, &own, nearest) {
                layers.extend(pixel.features.iter().map(|number| number.value));
                layer_transmittance.push(pixel.transmittance.value);
            }
        }
    }
    let with_layers = !config.layers.is_empty();
    Ok(Image {
        features,
        transmittance: Some(transmittance),
        depth: Some(depth),
        layers: with_layers.then_some(layers),
        layer_transmittance: with_layers.then_some(layer_transmittance),
    })
}

/// Finds the contributors of every pixel of `scene`, regardless of `config.outputs`.
///
/// # Errors
/// The errors of [`render`].
pub fn contributors(
    scene: &Scene<'_, &[f64]>,
    config: &RenderConfig,
) -> Result<Contributors<Vec<f64>, Vec<u32>>, RenderError> {
    validate(scene, config)?;
    let (mut indices, mut weights, mut counts) = (vec![], vec![], vec![]);
    for view in 0..scene.views.ranges.len() {
        let own = features_of_view(scene, view)?;
        let splats = splats_of_view::<0>(scene, config, view, &own, |x, _| Dual::constant(x));
        for pixel in pixels(scene, config, view, &own, &splats) {
            // The first of several equal weights is the nearest.
            let mut largest = (NO_CONTRIBUTOR, 0.0);
            for &(place, weight) in &pixel.weights {
                if largest.0 == NO_CONTRIBUTOR || weight > largest.1 {
                    largest = (splats[place].index as u32, weight);
                }
            }
            indices.push(largest.0);
            weights.push(largest.1);
            counts.push(pixel.weights.len() as u32);
        }
    }
    Ok(Contributors::new(indices, weights, counts))
}

/// Returns the composited splats of every pixel, front to back: the index within the view, and the
/// weight.
///
/// # Errors
/// The errors of [`render`].
#[cfg(feature = "check")]
pub(crate) fn weights(
    scene: &Scene<'_, &[f64]>,
    config: &RenderConfig,
) -> Result<Vec<Vec<(u32, f64)>>, RenderError> {
    validate(scene, config)?;
    let mut all = Vec::new();
    for view in 0..scene.views.ranges.len() {
        let own = features_of_view(scene, view)?;
        let splats = splats_of_view::<0>(scene, config, view, &own, |x, _| Dual::constant(x));
        for pixel in pixels(scene, config, view, &own, &splats) {
            let weights = pixel.weights.iter();
            let own = |&(place, weight): &(usize, f64)| (splats[place].index as u32, weight);
            all.push(weights.map(own).collect());
        }
    }
    Ok(all)
}
