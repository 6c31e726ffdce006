//! Cameras for a scene without cameras: on a circle around its middle, towards it.

use splat::Camera;

use crate::cloud::{Cloud, Shot};

/// Pictures around the circle.
const SHOTS: usize = 8;
/// Size of each, px.
const SIZE_PX: [usize; 2] = [800, 600];
/// Focal length, px: a field of view of 60 degrees across.
const FOCAL_PX: f64 = 693.0;
/// Radius of the circle, in median distances of the Gaussians from the middle.
const RADIUS: f64 = 2.5;
/// How far above the middle the circle lies, in radii. The scene's y points down.
const RISE: f64 = 0.3;

/// The cameras. None if no Gaussian has a finite mean.
pub(crate) fn around(cloud: &Cloud) -> Vec<Shot> {
    let wide = |p: &[f32]| [f64::from(p[0]), f64::from(p[1]), f64::from(p[2])];
    let points: Vec<[f64; 3]> = cloud
        .means
        .chunks_exact(3)
        .map(wide)
        .filter(|p| p.iter().all(|x| x.is_finite()))
        .collect();
    // Medians, so that a few stray Gaussians do not move the circle.
    let middle: [f64; 3] = std::array::from_fn(|axis| median(points.iter().map(|p| p[axis])));
    let radius = RADIUS * median(points.iter().map(|p| norm(difference(*p, middle))));
    if points.is_empty() {
        return Vec::new();
    }
    let shot = |i: usize| {
        let (sin, cos) = (std::f64::consts::TAU * i as f64 / SHOTS as f64).sin_cos();
        let offset = [radius * sin, -RISE * radius, -radius * cos];
        let eye = std::array::from_fn(|axis| middle[axis] + offset[axis]);
        let [width, height] = SIZE_PX;
        let camera = Camera::pinhole(FOCAL_PX, FOCAL_PX, width as f64 / 2.0, height as f64 / 2.0);
        Shot {
            camera: camera.with_pose(looking(eye, middle)),
            width,
            height,
        }
    };
    (0..SHOTS).map(shot).collect()
}

/// The pose of a camera at `eye` that looks at `target`, the world's y pointing down in the
/// picture.
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

/// `a` at length one. For a vector of length zero, the direction of z.
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
