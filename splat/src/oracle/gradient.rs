//! The gradients of a render, with dual numbers.

use super::dual::Dual;
use super::pixel::pixel;
use super::project::{INPUTS, Projected};
use super::{centres, features_of_view, features_vjp, harmonics_of, splats_of_view, validate};
use crate::config::RenderConfig;
use crate::encoding::Features;
use crate::error::RenderError;
use crate::gaussians::Gaussians;
use crate::gradients::Gradients;
use crate::image::{Image, ImageSize};
use crate::render::Scene;

/// The number of values of a splat that a pixel depends on: centre 2, conic 3, opacity and depth.
const OUTPUTS: usize = 7;

/// The values of a splat in the order of [`OUTPUTS`].
fn row<const N: usize>(splat: &Projected<N>) -> [Dual<N>; OUTPUTS] {
    let ([x, y], [xx, xy, yy]) = (splat.centre, splat.conic);
    [x, y, xx, xy, yy, splat.opacity, splat.depth]
}

/// The splat with these values.
fn splat_of<const N: usize>(
    index: usize,
    [x, y, xx, xy, yy, opacity, depth]: [Dual<N>; OUTPUTS],
) -> Projected<N> {
    Projected {
        index,
        centre: [x, y],
        conic: [xx, xy, yy],
        opacity,
        depth,
    }
}

/// The gradient with respect to the outputs of one pixel.
struct Cotangent<'a> {
    features: &'a [f64],
    transmittance: f64,
    depth: f64,
}

impl<'a> Cotangent<'a> {
    /// The part of `v_image` for pixel `at`, counted over all views.
    fn new(v_image: &Image<&'a [f64]>, at: usize, channels: usize) -> Self {
        let plane = |plane: Option<&[f64]>| plane.map_or(0.0, |plane| plane[at]);
        Self {
            features: &v_image.features[at * channels..(at + 1) * channels],
            transmittance: plane(v_image.transmittance),
            depth: plane(v_image.depth),
        }
    }
}

/// Computes the gradients of [`render`](super::render) with respect to every input of `scene`.
///
/// `v_image` is the gradient of a loss with respect to the image: features `[B, H, W, C]` and,
/// optionally, transmittance `[B, H, W]` and depth `[B, H, W]`. The gradients are those of
/// [`render_vjp`](crate::render_vjp). `config.layers` and `config.outputs` have no effect.
///
/// The time grows with the square of the number of splats that a pixel composites.
///
/// # Errors
/// - The errors of [`render`](super::render).
/// - [`RenderError::Shape`] if a buffer of `v_image` has the wrong length, or `v_image.layers` or
///   `v_image.layer_transmittance` is present.
pub fn render_vjp(
    scene: &Scene<'_, &[f64]>,
    config: &RenderConfig,
    v_image: &Image<&[f64]>,
) -> Result<Gradients<Vec<f64>>, RenderError> {
    validate(scene, config)?;
    let (g, views) = (&scene.gaussians, scene.views);
    let (n, channels, count) = (g.count, g.channels, views.len());
    let size = ImageSize {
        views: count,
        height: views.height,
        width: views.width,
    };
    v_image.validate_gradient(size, channels, |buffer| buffer.len())?;
    let mut gradients = Gradients {
        gaussians: Gaussians {
            means: vec![0.0; 3 * n],
            scales: vec![0.0; 3 * n],
            quaternions: vec![0.0; 4 * n],
            opacities: vec![0.0; n],
            features: vec![0.0; g.features.len()],
            count: n,
            channels,
            encoding: g.encoding,
        },
        backgrounds: vec![0.0; channels * count],
        camera_from_world: vec![0.0; 12 * count],
        intrinsics: vec![0.0; 4 * count],
        splats: None,
        statistics: None,
    };
    for view in 0..count {
        let features = features_of_view(scene, view)?;
        let splats = splats_of_view::<INPUTS>(scene, config, view, &features, Dual::variable);
        let v = composite_vjp(scene, config, v_image, view, &features, &splats);
        add(&mut gradients.backgrounds[view * channels..], &v.background);
        for (splat, v_splat) in splats.iter().zip(&v.splats) {
            let index = views.ranges[view].start + splat.index;
            add_inputs(splat, v_splat, index, view, &mut gradients);
            let v_features = &v.features[splat.index * channels..][..channels];
            add_features(scene, view, splat.index, v_features, &mut gradients)?;
        }
    }
    Ok(gradients)
}

/// The gradients with respect to the inputs of the compositor in one view.
struct ViewGradient {
    /// One row per splat.
    splats: Vec<[f64; OUTPUTS]>,
    /// One row per Gaussian of the view.
    features: Vec<f64>,
    background: Vec<f64>,
}

/// Adds the gradient with respect to the features of Gaussian `row` of a view to those with respect
/// to the inputs that they are made of.
fn add_features(
    scene: &Scene<'_, &[f64]>,
    view: usize,
    row: usize,
    v_features: &[f64],
    gradients: &mut Gradients<Vec<f64>>,
) -> Result<(), RenderError> {
    let (g, to) = (&scene.gaussians, &mut gradients.gaussians);
    let index = scene.views.ranges[view].start + row;
    match g.encoding.features {
        Features::PerGaussian => add(&mut to.features[index * g.channels..], v_features),
        Features::PerSplat => {
            let splat = scene.views.splat_offsets()?[view] + row;
            add(&mut to.features[splat * g.channels..], v_features);
        }
        Features::Harmonics { stored, .. } => {
            let own = harmonics_of(g, index);
            let v = features_vjp(own, &scene.views.cameras[view], v_features)?;
            add(&mut to.means[3 * index..], &v.means);
            add(
                &mut to.features[index * stored * g.channels..],
                &v.coefficients,
            );
            let pose = v.camera_from_world.as_flattened();
            add(&mut gradients.camera_from_world[12 * view..], pose);
        }
    }
    Ok(())
}

/// Adds `part` to the first numbers of `to`.
fn add(to: &mut [f64], part: &[f64]) {
    to.iter_mut().zip(part).for_each(|(to, part)| *to += part);
}

/// Computes the gradients with respect to the splats, the features and the background of a view.
fn composite_vjp(
    scene: &Scene<'_, &[f64]>,
    config: &RenderConfig,
    v_image: &Image<&[f64]>,
    view: usize,
    features: &[f64],
    splats: &[Projected<INPUTS>],
) -> ViewGradient {
    let channels = scene.gaussians.channels;
    let mut v_features = vec![0.0; features.len()];
    let mut v_background = vec![0.0; channels];
    let background = &scene.backgrounds[view * channels..(view + 1) * channels];
    let plain = |splat: &Projected<INPUTS>| {
        splat_of::<0>(splat.index, row(splat).map(|x| Dual::constant(x.value)))
    };
    let plain: Vec<_> = splats.iter().map(plain).collect();
    let mut v_splats = vec![[0.0; OUTPUTS]; splats.len()];
    for (pixel_in_view, at) in centres(scene.views).enumerate() {
        let pixel_of_all = view * scene.views.width * scene.views.height + pixel_in_view;
        let v = Cotangent::new(v_image, pixel_of_all, channels);
        let found = pixel(&plain, at, features, background, config, |_| ());
        // The pixel is linear in the features and in the background.
        for &(place, weight) in &found.weights {
            let to = &mut v_features[splats[place].index * channels..];
            to.iter_mut()
                .zip(v.features)
                .for_each(|(to, v)| *to += weight * v);
        }
        let rest = found.transmittance.value;
        v_background
            .iter_mut()
            .zip(v.features)
            .for_each(|(to, v)| *to += rest * v);

        // Each composited splat becomes variable in turn. The others are constant.
        let places: Vec<usize> = found.weights.iter().map(|&(place, _)| place).collect();
        let constant = |&place: &usize| {
            let splat = &plain[place];
            splat_of(splat.index, row(splat).map(|x| Dual::constant(x.value)))
        };
        let mut list: Vec<Projected<OUTPUTS>> = places.iter().map(constant).collect();
        for (k, &place) in places.iter().enumerate() {
            let values = row(&list[k]);
            let variable = |i: usize| Dual::variable(values[i].value, i);
            let moving = splat_of(list[k].index, std::array::from_fn(variable));
            let fixed = std::mem::replace(&mut list[k], moving);
            let found = pixel(&list, at, features, background, config, |_| ());
            list[k] = fixed;
            let outputs = found.features.iter().zip(v.features).map(|(f, &v)| *f * v);
            let loss = outputs.sum::<Dual<OUTPUTS>>()
                + found.transmittance * v.transmittance
                + found.depth * v.depth;
            for (to, slope) in v_splats[place].iter_mut().zip(loss.slopes) {
                *to += slope;
            }
        }
    }
    ViewGradient {
        splats: v_splats,
        features: v_features,
        background: v_background,
    }
}

/// Adds the gradient with respect to the inputs of the projection of Gaussian `i`: `v_splat` times
/// the derivatives of the splat.
fn add_inputs(
    splat: &Projected<INPUTS>,
    v_splat: &[f64; OUTPUTS],
    i: usize,
    view: usize,
    gradients: &mut Gradients<Vec<f64>>,
) {
    let outputs = row(splat);
    let v: [f64; INPUTS] = std::array::from_fn(|input| {
        let terms = outputs
            .iter()
            .zip(v_splat)
            .map(|(output, v)| v * output.slopes[input]);
        terms.sum()
    });
    let g = &mut gradients.gaussians;
    add(&mut g.means[3 * i..], &v[..3]);
    add(&mut g.scales[3 * i..], &v[3..6]);
    add(&mut g.quaternions[4 * i..], &v[6..10]);
    add(&mut g.opacities[i..], &v[10..11]);
    add(&mut gradients.camera_from_world[12 * view..], &v[11..23]);
    add(&mut gradients.intrinsics[4 * view..], &v[23..]);
}
