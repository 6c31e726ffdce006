//! The specification of the renderer: evaluates every pixel times every visible Gaussian in `f64`,
//! with textbook formulas and without tiles. A Gaussian's box decides only whether it is visible.
//!
//! The oracle shares constants with the rest of the crate but no formula, so that tests can compare
//! the two. It is slow, because it is written for readability.

use crate::camera::{Camera, Projection, Views};
use crate::config::{COMPENSATION_FLOOR, FOOTPRINT_SLACK, RenderConfig, TANGENT_MARGIN};
use crate::contributors::{Contributors, NO_CONTRIBUTOR};
use crate::error::RenderError;
use crate::gaussians::{Gaussians, check_len};
use crate::image::Image;
use crate::render::Scene;

type Mat<const R: usize, const C: usize> = [[f64; C]; R];

/// One projected Gaussian: index, centre (px), inverse covariance (xx, xy, yy, px^-2), opacity and
/// depth.
type Projected = (usize, [f64; 2], [f64; 3], f64, f64);

fn product<const R: usize, const K: usize, const C: usize>(
    a: &Mat<R, K>,
    b: &Mat<K, C>,
) -> Mat<R, C> {
    std::array::from_fn(|i| std::array::from_fn(|j| (0..K).map(|k| a[i][k] * b[k][j]).sum()))
}

fn transpose<const R: usize, const C: usize>(a: &Mat<R, C>) -> Mat<C, R> {
    std::array::from_fn(|i| std::array::from_fn(|j| a[j][i]))
}

fn rotation(q: &[f64]) -> Mat<3, 3> {
    let norm = q.iter().map(|x| x * x).sum::<f64>().sqrt();
    let [w, x, y, z] = [q[0] / norm, q[1] / norm, q[2] / norm, q[3] / norm];
    [
        [
            1.0 - 2.0 * (y * y + z * z),
            2.0 * (x * y - w * z),
            2.0 * (x * z + w * y),
        ],
        [
            2.0 * (x * y + w * z),
            1.0 - 2.0 * (x * x + z * z),
            2.0 * (y * z - w * x),
        ],
        [
            2.0 * (x * z - w * y),
            2.0 * (y * z + w * x),
            1.0 - 2.0 * (x * x + y * y),
        ],
    ]
}

/// Projects Gaussian `i`. Returns `None` if it is culled.
fn project(
    g: &Gaussians<&[f64]>,
    i: usize,
    camera: &Camera,
    size: [f64; 2],
    config: &RenderConfig,
) -> Option<Projected> {
    let w: Mat<3, 3> = camera.camera_from_world.map(|[a, b, c, _]| [a, b, c]);
    let mean = &g.means[3 * i..3 * i + 3];
    let [x, y, z]: [f64; 3] = std::array::from_fn(|r| {
        w[r][0] * mean[0] + w[r][1] * mean[1] + w[r][2] * mean[2] + camera.camera_from_world[r][3]
    });
    let (fx, fy, cx, cy) = (camera.fx, camera.fy, camera.cx, camera.cy);
    let parallel = camera.projection == Projection::Orthographic;
    let margin = [
        TANGENT_MARGIN * 0.5 * size[0] / fx,
        TANGENT_MARGIN * 0.5 * size[1] / fy,
    ];
    let u = (x / z)
        .max(-(cx / fx) - margin[0])
        .min((size[0] - cx) / fx + margin[0]);
    let v = (y / z)
        .max(-(cy / fy) - margin[1])
        .min((size[1] - cy) / fy + margin[1]);
    let jacobian = if parallel {
        [[fx, 0.0, 0.0], [0.0, fy, 0.0]]
    } else {
        [[fx / z, 0.0, -fx * u / z], [0.0, fy / z, -fy * v / z]]
    };
    let divisor = if camera.projection == Projection::Pinhole {
        z
    } else {
        1.0
    };
    let centre = [fx * x / divisor + cx, fy * y / divisor + cy];
    let turn = rotation(&g.quaternions[4 * i..4 * i + 4]);
    let scale = &g.scales[3 * i..3 * i + 3];
    let stretched: Mat<3, 3> =
        turn.map(|row| [row[0] * scale[0], row[1] * scale[1], row[2] * scale[2]]);
    let world = product(&stretched, &transpose(&stretched));
    let in_camera = product(&product(&w, &world), &transpose(&w));
    let sharp = product(&product(&jacobian, &in_camera), &transpose(&jacobian));
    let [a, b, c] = [
        sharp[0][0] + config.blur,
        sharp[0][1],
        sharp[1][1] + config.blur,
    ];
    let det = a * c - b * b;
    let ratio = (sharp[0][0] * sharp[1][1] - b * b) / det;
    let factor = if config.antialias {
        ratio.max(COMPENSATION_FLOOR).sqrt()
    } else {
        1.0
    };
    let opacity = g.opacities[i] * factor;
    let conic = [c / det, -b / det, a / det];
    let features = &g.features[i * g.channels..(i + 1) * g.channels];
    let length = g.quaternions[4 * i..4 * i + 4]
        .iter()
        .map(|x| x * x)
        .sum::<f64>();
    let finite = length.is_finite()
        && conic
            .iter()
            .chain(&centre)
            .chain(features)
            .all(|x| x.is_finite())
        && opacity.is_finite();
    let kept = z >= camera.near && z <= camera.far && z.is_finite() && finite && det > 0.0;
    let reach = (opacity / config.alpha_min).ln().max(0.0) + FOOTPRINT_SLACK;
    let seen = opacity >= config.alpha_min
        && (0..2).all(|axis| {
            // Whether a pixel centre k + 0.5, 0 <= k < size, lies in the box of the ellipse sigma =
            // reach.
            let half = (2.0 * reach * [a, c][axis]).sqrt();
            let first = (centre[axis] - half - 0.5).ceil().max(0.0);
            first < size[axis] && first + 0.5 <= centre[axis] + half
        });
    (kept && seen).then_some((i, centre, conic, opacity, z))
}

/// One composited pixel.
struct Pixel {
    /// The features over the background, `[C]`.
    features: Vec<f64>,
    transmittance: f64,
    depth: f64,
    /// The index of the Gaussian with the largest weight, and this weight.
    strongest: Option<(usize, f64)>,
    /// The number of composited Gaussians.
    count: u32,
}

/// Composites the nearest `limit` splats at one pixel of one view.
fn pixel(
    splats: &[Projected],
    limit: usize,
    at: [f64; 2],
    scene: &Scene<'_, &[f64]>,
    view: usize,
    config: &RenderConfig,
) -> Pixel {
    let c = scene.gaussians.channels;
    let mut features = vec![0.0; c];
    let (mut transmittance, mut depth) = (1.0, 0.0);
    let (mut strongest, mut count) = (None, 0);
    for &(i, centre, conic, opacity, z) in &splats[..limit.min(splats.len())] {
        let (dx, dy) = (at[0] - centre[0], at[1] - centre[1]);
        let sigma = 0.5 * (conic[0] * dx * dx + conic[2] * dy * dy) + conic[1] * dx * dy;
        let alpha = (opacity * (-sigma).exp()).min(config.alpha_max);
        if sigma < 0.0 || alpha < config.alpha_min {
            continue;
        }
        let behind = transmittance * (1.0 - alpha);
        if behind <= config.transmittance_min {
            break;
        }
        for (sum, f) in features
            .iter_mut()
            .zip(&scene.gaussians.features[i * c..(i + 1) * c])
        {
            *sum += alpha * transmittance * f;
        }
        depth += alpha * transmittance * z;
        let weight = alpha * transmittance;
        if strongest.is_none_or(|(_, largest)| weight > largest) {
            strongest = Some((i, weight));
        }
        count += 1;
        transmittance = behind;
    }
    for (sum, background) in features
        .iter_mut()
        .zip(&scene.backgrounds[view * c..(view + 1) * c])
    {
        *sum += transmittance * background;
    }
    Pixel {
        features,
        transmittance,
        depth,
        strongest,
        count,
    }
}

/// Checks the arguments of [`render`] and [`contributors`].
fn validate(scene: &Scene<'_, &[f64]>, config: &RenderConfig) -> Result<(), RenderError> {
    config.validate()?;
    scene.gaussians.validate(|buffer| buffer.len())?;
    scene.views.validate(scene.gaussians.count)?;
    let dims = [scene.views.ranges.len(), scene.gaussians.channels];
    check_len("backgrounds", "[B, C]", &dims, scene.backgrounds.len())
}

/// Projects the Gaussians of one view and sorts the visible ones by depth.
fn splats_of_view(scene: &Scene<'_, &[f64]>, config: &RenderConfig, view: usize) -> Vec<Projected> {
    let Views { width, height, .. } = *scene.views;
    let size = [width as f64, height as f64];
    let camera = &scene.views.cameras[view];
    let range = scene.views.ranges[view].clone();
    let mut splats: Vec<Projected> = range
        .filter_map(|i| project(&scene.gaussians, i, camera, size, config))
        .collect();
    // The sort is stable: splats of equal depth stay in the order of their indices.
    splats.sort_by(|a, b| a.4.partial_cmp(&b.4).unwrap_or(std::cmp::Ordering::Equal));
    splats
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
        let splats = splats_of_view(scene, config, view);
        for at in centres(scene.views) {
            let found = pixel(&splats, usize::MAX, at, scene, view, config);
            features.extend(found.features);
            transmittance.push(found.transmittance);
            depth.push(found.depth);
        }
        for &limit in &config.layers {
            for at in centres(scene.views) {
                let found = pixel(&splats, limit, at, scene, view, config);
                layers.extend(found.features);
                layer_transmittance.push(found.transmittance);
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
    for (view, range) in scene.views.ranges.iter().enumerate() {
        let splats = splats_of_view(scene, config, view);
        for at in centres(scene.views) {
            let found = pixel(&splats, usize::MAX, at, scene, view, config);
            let (index, weight) = match found.strongest {
                Some((i, weight)) => ((i - range.start) as u32, weight),
                None => (NO_CONTRIBUTOR, 0.0),
            };
            indices.push(index);
            weights.push(weight);
            counts.push(found.count);
        }
    }
    Ok(Contributors::new(indices, weights, counts))
}
