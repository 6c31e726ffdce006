//! Cameras on a circle around a scene, which look at its centre.

mod ring;
pub(crate) mod vectors;

use splat::io::StoredView;
use splat::{Camera, Gaussians, RenderError};

use ring::Ring;
use vectors::{cross, norm, plus};

/// Horizontal field of view.
const FIELD_DEGREES: f64 = 60.0;
/// Radius of the circle, relative to the median distance of the Gaussians from the centre.
const RADIUS: f64 = 2.5;
/// Least radius of the circle, relative to the median of the Gaussians' standard deviations along
/// their longest axes. A single Gaussian is at distance zero from the centre.
const RADIUS_OF_SCALE: f64 = 8.0;
/// Greatest `near` and least `far` of a camera, relative to the radius. Without it, a scene of
/// millimetres in metres would be nearer than the usual `near`.
const DEPTHS: [f64; 2] = [1e-2, 1e3];

/// The place and the size of a scene.
pub(crate) struct Extent {
    /// The median of each coordinate of the means, world units.
    middle: [f64; 3],
    /// Radius of the circle of the cameras, world units, above zero.
    radius: f64,
}

impl Extent {
    /// Returns the camera with a depth range in which a scene of this size is visible.
    pub(crate) fn in_range(&self, camera: Camera) -> Camera {
        let [near, far] = DEPTHS.map(|depth| depth * self.radius);
        camera.with_depth_range(camera.near.min(near), camera.far.max(far))
    }
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
    let spread = median(points.iter().map(|p| norm(plus(*p, -1.0, middle))));
    let (scales, _) = gaussians.scales.as_chunks::<3>();
    let longest = |s: &[f32; 3]| f64::from(s[0].max(s[1]).max(s[2]));
    let size = median(scales.iter().map(longest).filter(|s| s.is_finite()));
    let radius = match (RADIUS * spread).max(RADIUS_OF_SCALE * size) {
        0.0 => 1.0,
        radius => radius,
    };
    Some(Extent { middle, radius })
}

/// Returns `count` cameras for pictures of `width` x `height` px. The circle is that of the cameras of
/// the scene's file, `stored`, if they look at one place. Otherwise it is one from which the whole scene
/// is seen. The list is empty if no Gaussian has a finite mean.
///
/// # Errors
/// [`RenderError::Config`] if the picture has no width, or if the Gaussians are so near each other,
/// and so far from the origin, that a camera would be at the place of their centre.
pub(crate) fn around(
    gaussians: &Gaussians<&[f32]>,
    stored: &[StoredView],
    count: usize,
    [width, height]: [usize; 2],
) -> Result<Vec<Camera>, RenderError> {
    let Some(extent) = extent(gaussians) else {
        return Ok(Vec::new());
    };
    let ring = Ring::of(&extent, stored);
    let (up, front) = (ring.up, front(ring.up));
    let side = cross(up, front);
    let view = |i: usize| {
        let (sin, cos) = (std::f64::consts::TAU * i as f64 / count as f64).sin_cos();
        let outward = plus(side.map(|x| sin * x), cos, front);
        let eye = plus(plus(ring.target, ring.rise, up), ring.radius, outward);
        let camera = Camera::from_fov(width, height, FIELD_DEGREES.to_radians())?;
        Ok(extent.in_range(camera.look_at(eye, ring.target, up)?))
    };
    (0..count).map(view).collect()
}

/// Returns the direction from the centre of the circle to the first camera, perpendicular to `up`: that
/// of -z, or of -y if `up` is nearest to the z axis.
fn front(up: [f64; 3]) -> [f64; 3] {
    let along_z = up[2].abs() > up[0].abs().max(up[1].abs());
    let axis = if along_z { 1 } else { 2 };
    let mut front = up.map(|x| x * up[axis]);
    front[axis] -= 1.0;
    let length = norm(front);
    front.map(|x| x / length)
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}
