//! The Gaussians at the start: those of a file of points, or random ones.

use std::path::Path;

use rand::seq::index;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use splat::Gaussians;
use splat::density::prune;
use splat::encoding::Encoding;
use splat::io::{Colours, StoredScene};

use crate::common::terminal;
use crate::dataset::Dataset;
use crate::plan::Plan;

/// Value of the basis function of degree 0 everywhere: `1 / sqrt(4 pi)`.
const SH_C0: f32 = 0.282_094_8;
/// Opacity of a point at the start of 3DGS. The code of 3DGS-MCMC begins with 0.5 and smaller scales; both
/// strategies begin alike here.
const OPACITY: f32 = 0.1;
/// Least and greatest opacity of the Gaussians of a file. The logits of 0 and 1 are infinite.
const OPACITIES: [f32; 2] = [1e-3, 0.999];
/// Least standard deviation, relative to the median of all. The logarithm of zero is infinite.
const LEAST_SCALE: f32 = 1e-4;
/// Least and greatest depth of random points, relative to the distance of the scene.
const DEPTHS: [f64; 2] = [0.5, 2.5];

/// Returns the Gaussians at the start, as logarithms of scales, logits of opacities and harmonics of the
/// plan's degree. Their coordinates are relative to the origin of the data set.
///
/// # Errors
/// One line: the file is invalid, or no Gaussian has finite numbers.
pub(crate) fn gaussians(
    data: &Dataset,
    plan: &Plan,
    points: Option<&Path>,
) -> Result<Gaussians<Vec<f32>>, String> {
    let (scene, is_points, name) = source(data, plan, points)?;
    let gaussians = encoded(&scene, is_points, data, plan);
    if gaussians.count == 0 {
        return Err(format!(
            "{name}: expected a Gaussian with finite numbers to start from, got none"
        ));
    }
    if gaussians.count <= plan.gaussians {
        return Ok(gaussians);
    }
    let (count, most) = (gaussians.count, plan.gaussians);
    terminal::note(format_args!(
        "note: {name}: {most} of {count} Gaussians are drawn (--gaussians)"
    ));
    let mut rng = ChaCha8Rng::seed_from_u64(plan.seed);
    let mut keep = vec![false; count];
    for i in index::sample(&mut rng, count, most) {
        keep[i] = true;
    }
    let mut gaussians = gaussians;
    let pruned = prune(&mut gaussians, &keep);
    pruned.map_err(|error| error.to_string())?;
    Ok(gaussians)
}

/// Returns the scene of the start, whether it is made of points, and its name.
fn source(
    data: &Dataset,
    plan: &Plan,
    points: Option<&Path>,
) -> Result<(StoredScene, bool, String), String> {
    if let Some(path) = points.or(data.points.as_deref()) {
        let file = splat::io::read(path).map_err(|error| error.to_string())?;
        return Ok((file.scene, file.points, path.display().to_string()));
    }
    if data.focus.is_guess {
        let distance = data.focus.distance;
        terminal::note(format_args!(
            "note: the cameras do not look at one place, and there are no points (--points): the \
             distance of the scene is taken for {distance:.3}"
        ));
    }
    let scene = random(data, plan).map_err(|error| error.to_string())?;
    Ok((scene, true, "random points".to_owned()))
}

/// Returns random points. Each lies on the ray of a random pixel, and has its colour.
/// The depths are uniform.
fn random(data: &Dataset, plan: &Plan) -> Result<StoredScene, splat::RenderError> {
    let mut rng = ChaCha8Rng::seed_from_u64(plan.seed);
    let (mut means, mut colours) = (Vec::new(), Vec::new());
    let [near, far] = DEPTHS.map(|depth| depth * data.focus.distance);
    for _ in 0..plan.first_gaussians() {
        let photo = &data.trained[rng.random_range(0..data.trained.len())];
        let camera = &photo.view.camera;
        let x = rng.random_range(0..photo.picture.width());
        let y = rng.random_range(0..photo.picture.height());
        let depth = rng.random_range(near..far);
        let [right, down] = [
            (f64::from(x) + 0.5 - camera.cx) / camera.fx,
            (f64::from(y) + 0.5 - camera.cy) / camera.fy,
        ];
        let rows = camera.camera_from_world;
        let point = [right * depth, down * depth, depth];
        // The inverse of a rotation is its transpose.
        let world = |k: usize| {
            (0..3)
                .map(|i| rows[i][k] * (point[i] - rows[i][3]))
                .sum::<f64>()
        };
        means.extend([0, 1, 2].map(|k| world(k) as f32));
        colours.extend(
            photo
                .picture
                .get_pixel(x, y)
                .0
                .map(|byte| f32::from(byte) / 255.0),
        );
    }
    let mut scene = StoredScene::from_points(means, Some(colours))?;
    scene.origin = data.focus.origin;
    Ok(scene)
}

/// Returns the Gaussians of a scene that have finite numbers.
fn encoded(
    scene: &StoredScene,
    is_points: bool,
    data: &Dataset,
    plan: &Plan,
) -> Gaussians<Vec<f32>> {
    let encoding = Encoding::RAW.with_harmonics(plan.degree);
    let mut gaussians: Gaussians<Vec<f32>> = Gaussians {
        channels: 3,
        encoding,
        ..Gaussians::default()
    };
    let row = encoding.features_per_gaussian(3).unwrap_or(3);
    let shift: [f64; 3] = std::array::from_fn(|k| scene.origin[k] - data.focus.origin[k]);
    let mut scales: Vec<f32> = scene.scales.iter().copied().filter(|s| *s > 0.0).collect();
    let middle = scales.len() / 2;
    let least = match scales.get(middle) {
        Some(_) => LEAST_SCALE * *scales.select_nth_unstable_by(middle, f32::total_cmp).1,
        None => f32::MIN_POSITIVE,
    };
    for i in 0..scene.len() {
        let (mean, scale) = (&scene.means[3 * i..][..3], &scene.scales[3 * i..][..3]);
        let quaternion = &scene.quaternions[4 * i..][..4];
        let opacity = if is_points {
            OPACITY
        } else {
            scene.opacities[i]
        };
        let features = match &scene.colours {
            Colours::Constant(colours) => {
                let colours = colours[3 * i..][..3].iter();
                colours.map(|c| (c - 0.5) / SH_C0).collect()
            }
            Colours::Harmonics {
                degree,
                coefficients,
            } => {
                let stored = 3 * (*degree as usize + 1).pow(2);
                let coefficients = &coefficients[stored * i..][..stored.min(row)];
                coefficients.to_vec()
            }
            _ => Vec::new(),
        };
        let numbers = mean.iter().chain(scale).chain(quaternion).chain(&features);
        if !numbers.chain([&opacity]).all(|x| x.is_finite()) {
            continue;
        }
        let moved = (0..3).map(|k| (f64::from(mean[k]) + shift[k]) as f32);
        gaussians.means.extend(moved);
        gaussians.scales.extend(
            scale
                .iter()
                .map(|s| s.max(least.max(f32::MIN_POSITIVE)).ln()),
        );
        gaussians.quaternions.extend(quaternion);
        let opacity = opacity.clamp(OPACITIES[0], OPACITIES[1]);
        gaussians.opacities.push((opacity / (1.0 - opacity)).ln());
        gaussians.features.extend(&features);
        gaussians.count += 1;
        gaussians.features.resize(row * gaussians.count, 0.0);
    }
    gaussians
}
