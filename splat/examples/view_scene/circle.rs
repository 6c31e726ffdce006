//! Cameras for a scene without cameras. They lie on a circle around the centre of the scene and
//! look at the centre.

use splat::{Camera, Gaussians, RenderError};

/// Horizontal field of view.
const FIELD_DEGREES: f64 = 60.0;
/// The direction in the world that points upwards in the pictures.
const UP: [f64; 3] = [0.0, -1.0, 0.0];
/// Radius of the circle, relative to the median distance of the Gaussians from the centre.
const RADIUS: f64 = 2.5;
/// Least radius of the circle, relative to the median of the Gaussians' standard deviations along
/// their longest axes. A single Gaussian is at distance zero from the centre.
const RADIUS_OF_SCALE: f64 = 8.0;
/// Height of the circle above the centre, relative to the radius. The y axis of the scene points
/// down.
const RISE: f64 = 0.3;
/// Least and greatest visible depth, relative to the radius.
const DEPTHS: [f64; 2] = [1e-3, 1e3];

/// The place and the size of a scene.
pub(crate) struct Extent {
    /// The median of each coordinate of the means, world units.
    middle: [f64; 3],
    /// Radius of the circle of the cameras, world units, above zero.
    pub(crate) radius: f64,
}

/// Returns the extent of the scene, or `None` if no Gaussian has a finite mean.
pub(crate) fn extent(gaussians: &Gaussians<&[f32]>) -> Option<Extent> {
    let (means, _) = gaussians.means.as_chunks::<3>();
    let points: Vec<[f64; 3]> = means
        .iter()
        .map(|p| p.map(f64::from))
        .filter(|p| p.iter().all(|x| x.is_finite()))
        .collect();
    if points.is_empty() {
        return None;
    }
    // A few Gaussians far from the scene do not move the medians.
    let middle: [f64; 3] = std::array::from_fn(|axis| median(points.iter().map(|p| p[axis])));
    let spread = median(points.iter().map(|p| norm(difference(*p, middle))));
    let (scales, _) = gaussians.scales.as_chunks::<3>();
    let longest = |s: &[f32; 3]| f64::from(s[0].max(s[1]).max(s[2]));
    let size = median(scales.iter().map(longest).filter(|s| s.is_finite()));
    let radius = match (RADIUS * spread).max(RADIUS_OF_SCALE * size) {
        0.0 => 1.0,
        radius => radius,
    };
    Some(Extent { middle, radius })
}

/// Returns `count` cameras for pictures of `width` x `height` px. The list is empty if no Gaussian
/// has a finite mean.
///
/// # Errors
/// [`RenderError::Config`] if the picture has no width, or if the Gaussians are so near each other,
/// and so far from the origin, that a camera would be at the place of their centre.
pub(crate) fn around(
    gaussians: &Gaussians<&[f32]>,
    count: usize,
    [width, height]: [usize; 2],
) -> Result<Vec<Camera>, RenderError> {
    let Some(Extent { middle, radius }) = extent(gaussians) else {
        return Ok(Vec::new());
    };
    let view = |i: usize| {
        let (sin, cos) = (std::f64::consts::TAU * i as f64 / count as f64).sin_cos();
        let offset = [radius * sin, -RISE * radius, -radius * cos];
        let eye = std::array::from_fn(|axis| middle[axis] + offset[axis]);
        let camera = Camera::from_fov(width, height, FIELD_DEGREES.to_radians())?;
        let [near, far] = DEPTHS.map(|depth| depth * radius);
        let range = (camera.near.min(near), camera.far.max(far));
        let camera = camera.look_at(eye, middle, UP)?;
        Ok(camera.with_depth_range(range.0, range.1))
    };
    (0..count).map(view).collect()
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

fn difference(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    std::array::from_fn(|i| a[i] - b[i])
}

fn norm(a: [f64; 3]) -> f64 {
    a.iter().map(|x| x * x).sum::<f64>().sqrt()
}
