//! The place of the circle: around what the cameras of a file look at, or else around the scene.

use splat::io::StoredView;

use super::extent::Extent;
use super::vectors::{Vector, dot, norm, plus, solve};

/// The direction in the world that points upwards, without cameras that state it.
const UP: Vector = [0.0, -1.0, 0.0];
/// Height of the circle above the centre of a scene, relative to the radius.
const RISE: f64 = 0.3;
/// Weight of what is known without the directions of the cameras, relative to them. It decides where
/// they leave the answer open.
const PRIOR: f64 = 1e-3;
/// The least share of the distance to the centre that lies along the direction of view. Less is that of
/// cameras that look elsewhere.
const LEAST_COSINE: f64 = 0.5;
/// The least distance of the cameras from the centre, across `up`, relative to that to the centre.
const LEAST_SINE: f64 = 0.1;

/// A circle of cameras.
pub(super) struct Ring {
    /// The point at which the cameras look.
    pub(super) target: Vector,
    /// The axis of the circle, of length 1.
    pub(super) up: Vector,
    /// Radius, world units, above zero.
    pub(super) radius: f64,
    /// Height above the target, world units.
    pub(super) rise: f64,
}

impl Ring {
    /// Returns the circle of the cameras of a file, or that around a scene.
    pub(super) fn of(extent: &Extent, views: &[StoredView]) -> Self {
        let poses: Vec<Pose> = views.iter().map(Pose::of).collect();
        let up = up(&poses).unwrap_or(UP);
        Self::through(&poses, up, extent).unwrap_or(Self {
            target: extent.middle,
            up,
            radius: extent.radius,
            rise: RISE * extent.radius,
        })
    }

    /// Returns the circle with the mean distance and height of cameras that look at one place, or `None`
    /// if they do not.
    fn through(poses: &[Pose], up: Vector, extent: &Extent) -> Option<Self> {
        let target = target(poses, extent.middle);
        let mean = |value: &dyn Fn(&Pose, Vector) -> f64| {
            let values = poses
                .iter()
                .map(|pose| value(pose, plus(pose.eye, -1.0, target)));
            values.sum::<f64>() / poses.len() as f64
        };
        let distance = mean(&|_, offset| norm(offset));
        let depth = mean(&|pose, offset| -dot(pose.forward, offset));
        let rise = mean(&|_, offset| dot(offset, up));
        let radius = mean(&|_, offset| norm(plus(offset, -dot(offset, up), up)));
        let looks = depth > LEAST_COSINE * distance && radius > LEAST_SINE * distance;
        (looks && distance.is_finite()).then_some(Self {
            target,
            up,
            radius,
            rise,
        })
    }
}

/// The place and the axes of a camera in the world.
struct Pose {
    eye: Vector,
    right: Vector,
    up: Vector,
    forward: Vector,
}

impl Pose {
    fn of(view: &StoredView) -> Self {
        let rows = view.camera.camera_from_world;
        let [right, down, forward] = rows.map(|[x, y, z, _]| [x, y, z]);
        Self {
            eye: solve([right, down, forward], rows.map(|row| -row[3])),
            right,
            up: down.map(|x| -x),
            forward,
        }
    }
}

/// Returns the upward direction in the world, or `None` if the cameras have none in common. Cameras are
/// seldom rolled, so that it is perpendicular to their axes to the right. Where those are parallel, the
/// mean of the cameras' upward directions decides. That mean alone would be tilted: cameras on one side
/// look down on the scene.
fn up(poses: &[Pose]) -> Option<Vector> {
    let count = poses.len() as f64;
    let sum = |sum: Vector, pose: &Pose| plus(sum, 1.0 / count, pose.up);
    let mean = poses.iter().fold([0.0; 3], sum);
    let mut rows = diagonal(PRIOR);
    for pose in poses {
        add_square(&mut rows, 1.0 / count, pose.right);
    }
    let up = solve(rows, mean);
    let length = norm(up);
    let up = up.map(|x| x / length);
    // The cosine of the angle between it and the cameras' own directions.
    (dot(up, mean) > LEAST_COSINE).then_some(up)
}

/// Returns the point that is nearest to the lines of sight, in the mean of the squares of the distances.
/// Where they are parallel, it is the nearest to `middle`.
fn target(poses: &[Pose], middle: Vector) -> Vector {
    let mut rows = diagonal(PRIOR);
    // Relative to the middle, of which the weight is `PRIOR`.
    let mut sum = [0.0; 3];
    let weight = 1.0 / poses.len() as f64;
    for pose in poses {
        let offset = plus(pose.eye, -1.0, middle);
        let across = plus(offset, -dot(offset, pose.forward), pose.forward);
        sum = plus(sum, weight, across);
        (0..3).for_each(|k| rows[k][k] += weight);
        add_square(&mut rows, -weight, pose.forward);
    }
    plus(middle, 1.0, solve(rows, sum))
}

fn diagonal(value: f64) -> [Vector; 3] {
    [[value, 0.0, 0.0], [0.0, value, 0.0], [0.0, 0.0, value]]
}

/// Adds the products of all pairs of components.
fn add_square(rows: &mut [Vector; 3], weight: f64, a: Vector) {
    for (row, x) in rows.iter_mut().zip(a) {
        *row = plus(*row, weight * x, a);
    }
}
