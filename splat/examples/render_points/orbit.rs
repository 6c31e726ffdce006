//! Cameras for a scene without cameras. They lie on a circle around the centre of the scene and
//! look at the centre.

use splat::Camera;
use splat::io::{StoredScene, StoredView};

/// Number of cameras on the circle.
const VIEWS: usize = 8;
/// Width and height of each picture, px.
const SIZE_PX: [usize; 2] = [800, 600];
/// Focal length, px: a horizontal field of view of 60 degrees.
const FOCAL_PX: f64 = 693.0;
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

/// Returns the cameras. The list is empty if no Gaussian has a finite mean.
pub(crate) fn around(scene: &StoredScene) -> Vec<StoredView> {
    let (means, _) = scene.means.as_chunks::<3>();
    let points: Vec<[f64; 3]> = means
        .iter()
        .map(|p| p.map(f64::from))
        .filter(|p| p.iter().all(|x| x.is_finite()))
        .collect();
    if points.is_empty() {
        return Vec::new();
    }
    // A few Gaussians far from the scene do not move the medians.
    let middle: [f64; 3] = std::array::from_fn(|axis| median(points.iter().map(|p| p[axis])));
    let spread = median(points.iter().map(|p| norm(difference(*p, middle))));
    let (scales, _) = scene.scales.as_chunks::<3>();
    let longest = |s: &[f32; 3]| f64::from(s[0].max(s[1]).max(s[2]));
    let size = median(scales.iter().map(longest).filter(|s| s.is_finite()));
    let radius = match (RADIUS * spread).max(RADIUS_OF_SCALE * size) {
        0.0 => 1.0,
        radius => radius,
    };
    let view = |i: usize| {
        let (sin, cos) = (std::f64::consts::TAU * i as f64 / VIEWS as f64).sin_cos();
        let offset = [radius * sin, -RISE * radius, -radius * cos];
        let eye = std::array::from_fn(|axis| middle[axis] + offset[axis]);
        let [width, height] = SIZE_PX;
        let camera = Camera::pinhole(FOCAL_PX, FOCAL_PX, width as f64 / 2.0, height as f64 / 2.0);
        let [near, far] = DEPTHS.map(|depth| depth * radius);
        StoredView {
            camera: camera
                .with_pose(looking(eye, middle))
                .with_depth_range(camera.near.min(near), camera.far.max(far)),
            width,
            height,
        }
    };
    (0..VIEWS).map(view).collect()
}

/// Returns the pose of a camera at `eye` that looks at `target`. The y axis of the world points
/// down in the picture.
fn looking(eye: [f64; 3], target: [f64; 3]) -> [[f64; 4]; 3] {
    let forward = unit(difference(target, eye));
    let right = unit(cross([0.0, 1.0, 0.0], forward));
    let down = cross(forward, right);
    [right, down, forward].map(|axis| {
        let shift = -(axis[0] * eye[0] + axis[1] * eye[1] + axis[2] * eye[2]);
        [axis[0], axis[1], axis[2], shift]
    })
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

/// Returns `a` scaled to length one. For a vector of length zero, returns the direction of z.
fn unit(a: [f64; 3]) -> [f64; 3] {
    let length = norm(a);
    if length > 0.0 {
        a.map(|x| x / length)
    } else {
        [0.0, 0.0, 1.0]
    }
}

fn cross(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    std::array::from_fn(|i| {
        let (j, k) = ((i + 1) % 3, (i + 2) % 3);
        a[j] * b[k] - a[k] * b[j]
    })
}
