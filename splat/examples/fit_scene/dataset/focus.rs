//! The place of a scene, from the poses of the cameras.

use splat::Camera;

/// Factor of the extent of the cameras (3DGS).
const EXTENT: f64 = 1.1;
/// Weight of the point that is nearest to the cameras' centres, relative to that of one axis. It decides
/// where the axes are parallel.
const TOWARDS_CENTRE: f64 = 1e-6;

pub(super) struct Place {
    /// Mean of the cameras' centres.
    pub(super) origin: [f64; 3],
    pub(super) extent: f64,
    pub(super) distance: f64,
}

impl Place {
    /// Finds the place of the scene that cameras see, of which there must be at least one.
    pub(super) fn of<'a>(cameras: impl Iterator<Item = &'a Camera>) -> Self {
        let axes: Vec<Axis> = cameras.map(Axis::of).collect();
        let count = axes.len() as f64;
        let mean = |k: usize| axes.iter().map(|axis| axis.centre[k]).sum::<f64>() / count;
        let origin = [0, 1, 2].map(mean);
        let from_origin = axes
            .iter()
            .map(|axis| norm(difference(axis.centre, origin)));
        let extent = EXTENT * from_origin.fold(0.0, f64::max);
        let focus = nearest(&axes, origin);
        let mut depths: Vec<f64> = axes.iter().map(|axis| axis.depth(focus)).collect();
        depths.sort_by(f64::total_cmp);
        // The cameras can look away from the point, or be at it.
        let distance = match depths.get(depths.len() / 2) {
            Some(&depth) if depth > 1e-3 * extent => depth,
            _ if extent > 0.0 => extent,
            _ => 1.0,
        };
        Self {
            origin,
            extent: extent.max(distance),
            distance,
        }
    }
}

/// The axis along which a camera looks.
struct Axis {
    centre: [f64; 3],
    /// Of length one.
    direction: [f64; 3],
}

impl Axis {
    fn of(camera: &Camera) -> Self {
        let rows = camera.camera_from_world;
        let centre = |k: usize| -rows.iter().map(|row| row[k] * row[3]).sum::<f64>();
        let [x, y, z, _] = rows[2];
        Self {
            centre: [0, 1, 2].map(centre),
            direction: [x, y, z],
        }
    }

    fn depth(&self, point: [f64; 3]) -> f64 {
        dot(difference(point, self.centre), self.direction)
    }
}

/// Returns the point with the least sum of squared distances from the axes.
fn nearest(axes: &[Axis], origin: [f64; 3]) -> [f64; 3] {
    // The normal equations: a sum of projections onto the planes across the axes.
    let mut matrix = [[0.0; 3]; 3];
    let mut right = [0.0; 3];
    for axis in axes {
        let offset = difference(axis.centre, origin);
        let along = dot(axis.direction, offset);
        for i in 0..3 {
            right[i] += offset[i] - axis.direction[i] * along;
            for j in 0..3 {
                let unit = if i == j { 1.0 + TOWARDS_CENTRE } else { 0.0 };
                matrix[i][j] += unit - axis.direction[i] * axis.direction[j];
            }
        }
    }
    let [a, b, c] = matrix;
    let determinant = dot(a, cross(b, c));
    // The matrix is symmetric, so that its rows are its columns.
    let solved = [
        dot(right, cross(b, c)),
        dot(a, cross(right, c)),
        dot(a, cross(b, right)),
    ];
    std::array::from_fn(|k| origin[k] + solved[k] / determinant)
}

fn difference(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    std::array::from_fn(|k| a[k] - b[k])
}

fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn cross(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    std::array::from_fn(|k| {
        let (i, j) = ((k + 1) % 3, (k + 2) % 3);
        a[i] * b[j] - a[j] * b[i]
    })
}

fn norm(a: [f64; 3]) -> f64 {
    dot(a, a).sqrt()
}
