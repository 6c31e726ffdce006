//! The place of a scene, from the poses of the cameras.

use splat::Camera;

use super::vectors::{Vector, dot, norm, plus, solve};

/// Factor of the extent of the cameras (3DGS).
const EXTENT: f64 = 1.1;
/// Weight of the mean of the cameras' centres, relative to that of one axis. It decides where the axes
/// are parallel.
const PRIOR: f64 = 1e-6;
/// The distances between cameras and scene, world units. The squares of others may not be finite numbers
/// of 32 bits.
const DISTANCES: std::ops::RangeInclusive<f64> = 1e-15..=1e15;

/// The place of a scene and its cameras.
pub(crate) struct Focus {
    /// Mean of the cameras' centres.
    pub(crate) origin: Vector,
    /// 1.1 times the distance of the farthest camera from the origin (3DGS), world units.
    spread: f64,
    /// The greater of `spread` and `distance`, world units.
    pub(crate) extent: f64,
    /// The median depth of the point that is nearest to the cameras' axes, world units.
    pub(crate) distance: f64,
    /// Whether the axes do not meet in front of the cameras, so that the distance is a guess.
    pub(crate) is_guess: bool,
}

impl Focus {
    /// Finds the place of the scene that cameras see, of which there must be at least one.
    ///
    /// # Errors
    /// One line: the cameras are too near each other, or too far away.
    pub(crate) fn of<'a>(cameras: impl Iterator<Item = &'a Camera>) -> Result<Self, String> {
        let axes: Vec<Axis> = cameras.map(Axis::of).collect();
        let weight = 1.0 / axes.len() as f64;
        let mean = |sum: Vector, axis: &Axis| plus(sum, weight, axis.centre);
        let origin = axes.iter().fold([0.0; 3], mean);
        let from_origin = axes
            .iter()
            .map(|axis| norm(plus(axis.centre, -1.0, origin)));
        let spread = EXTENT * from_origin.fold(0.0, f64::max);
        let focus = nearest(&axes, origin);
        let mut depths: Vec<f64> = axes.iter().map(|axis| axis.depth(focus)).collect();
        depths.sort_by(f64::total_cmp);
        let depth = depths.get(depths.len() / 2).copied().unwrap_or(0.0);
        // The cameras can look away from the point, or be at it.
        let is_guess = depth.is_nan() || depth <= 1e-3 * spread;
        let distance = match is_guess {
            false => depth,
            true if spread > 0.0 => spread,
            true => 1.0,
        };
        let extent = spread.max(distance);
        for (name, value) in [("extent", extent), ("distance", distance)] {
            if !DISTANCES.contains(&value) || !origin.iter().all(|x| x.is_finite()) {
                return Err(format!(
                    "frames: expected cameras with a distance of 1e-15 to 1e15 from the scene, got the \
                     {name} {value}"
                ));
            }
        }
        Ok(Self {
            origin,
            spread,
            extent,
            distance,
            is_guess,
        })
    }

    /// Replaces a distance that is a guess.
    pub(crate) fn know(&mut self, distance: f64) {
        if self.is_guess && DISTANCES.contains(&distance) {
            self.distance = distance;
            self.extent = self.spread.max(distance);
            self.is_guess = false;
        }
    }
}

/// The axis along which a camera looks.
struct Axis {
    centre: Vector,
    /// Of length one.
    direction: Vector,
}

impl Axis {
    fn of(camera: &Camera) -> Self {
        let rows = camera.camera_from_world;
        let axes = rows.map(|[x, y, z, _]| [x, y, z]);
        Self {
            centre: solve(axes, rows.map(|row| -row[3])),
            direction: axes[2],
        }
    }

    fn depth(&self, point: Vector) -> f64 {
        dot(plus(point, -1.0, self.centre), self.direction)
    }
}

/// Returns the point with the least sum of squared distances from the axes.
fn nearest(axes: &[Axis], origin: Vector) -> Vector {
    // The normal equations: a sum of projections onto the planes across the axes.
    let mut rows = [[0.0; 3]; 3];
    let mut right = [0.0; 3];
    for axis in axes {
        let offset = plus(axis.centre, -1.0, origin);
        let along = dot(axis.direction, offset);
        right = plus(plus(right, 1.0, offset), -along, axis.direction);
        for (k, row) in rows.iter_mut().enumerate() {
            row[k] += 1.0 + PRIOR;
            *row = plus(*row, -axis.direction[k], axis.direction);
        }
    }
    plus(origin, 1.0, solve(rows, right))
}
