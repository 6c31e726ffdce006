//! The place and the size of a scene.

use splat::{Camera, Gaussians};

use super::vectors::{norm, plus};

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
    pub(super) middle: [f64; 3],
    /// Radius of the circle of the cameras, world units, above zero.
    pub(super) radius: f64,
}

impl Extent {
    /// Returns the extent of the scene, or `None` if no Gaussian has a finite mean.
    pub(crate) fn of(gaussians: &Gaussians<&[f32]>) -> Option<Self> {
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
        Some(Self { middle, radius })
    }

    /// Returns the camera with a depth range in which a scene of this size is visible.
    pub(crate) fn in_range(&self, camera: Camera) -> Camera {
        let [near, far] = DEPTHS.map(|depth| depth * self.radius);
        camera.with_depth_range(camera.near.min(near), camera.far.max(far))
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}
