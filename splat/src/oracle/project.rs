//! The projection of one Gaussian, with textbook formulas.

use super::dual::Dual;
use crate::camera::{Camera, Projection};
use crate::config::{COMPENSATION_FLOOR, FOOTPRINT_SLACK, RenderConfig, TANGENT_MARGIN};
use crate::gaussians::Gaussians;

type Mat<const R: usize, const C: usize, const N: usize> = [[Dual<N>; C]; R];

/// One projected Gaussian.
#[derive(Clone, Copy)]
pub(super) struct Projected<const N: usize> {
    /// The index of the Gaussian within its view.
    pub(super) index: usize,
    /// px
    pub(super) centre: [Dual<N>; 2],
    /// The inverse covariance: xx, xy and yy, px^-2.
    pub(super) conic: [Dual<N>; 3],
    pub(super) opacity: Dual<N>,
    /// Camera z, world units.
    pub(super) depth: Dual<N>,
}

/// The number of values in [`Inputs`].
pub(super) const INPUTS: usize = 27;

/// What the projection of one Gaussian depends on, apart from constants.
pub(super) struct Inputs<const N: usize> {
    mean: [Dual<N>; 3],
    scale: [Dual<N>; 3],
    quaternion: [Dual<N>; 4],
    opacity: Dual<N>,
    pose: Mat<3, 4, N>,
    /// fx, fy, cx, cy
    intrinsics: [Dual<N>; 4],
}

impl<const N: usize> Inputs<N> {
    /// The values of Gaussian `i`, then the pose, row by row, then the intrinsics. `dual` makes a
    /// number of a value and its place in this order.
    pub(super) fn new(
        g: &Gaussians<&[f64]>,
        i: usize,
        camera: &Camera,
        dual: impl Fn(f64, usize) -> Dual<N>,
    ) -> Self {
        let pose = camera.camera_from_world;
        let intrinsics = [camera.fx, camera.fy, camera.cx, camera.cy];
        let mut scale = std::array::from_fn(|k| dual(g.scales[3 * i + k], 3 + k));
        let mut opacity = dual(g.opacities[i], 10);
        if g.encoding.raw {
            (scale, opacity) = (scale.map(Dual::exp), opacity.sigmoid());
        }
        Self {
            mean: std::array::from_fn(|k| dual(g.means[3 * i + k], k)),
            scale,
            quaternion: std::array::from_fn(|k| dual(g.quaternions[4 * i + k], 6 + k)),
            opacity,
            intrinsics: std::array::from_fn(|k| dual(intrinsics[k], 23 + k)),
            pose: std::array::from_fn(|r| {
                std::array::from_fn(|c| dual(pose[r][c], 11 + 4 * r + c))
            }),
        }
    }
}

fn product<const R: usize, const K: usize, const C: usize, const N: usize>(
    a: &Mat<R, K, N>,
    b: &Mat<K, C, N>,
) -> Mat<R, C, N> {
    std::array::from_fn(|i| std::array::from_fn(|j| (0..K).map(|k| a[i][k] * b[k][j]).sum()))
}

fn transpose<const R: usize, const C: usize, const N: usize>(a: &Mat<R, C, N>) -> Mat<C, R, N> {
    std::array::from_fn(|i| std::array::from_fn(|j| a[j][i]))
}

/// The rotation of a quaternion w, x, y, z of any length.
fn rotation<const N: usize>(q: [Dual<N>; 4]) -> Mat<3, 3, N> {
    let norm = q.map(|x| x * x).into_iter().sum::<Dual<N>>().sqrt();
    let [w, x, y, z] = q.map(|a| a / norm);
    let twice = |a: Dual<N>| a * 2.0;
    let rest = |a: Dual<N>| -twice(a) + 1.0;
    [
        [
            rest(y * y + z * z),
            twice(x * y - w * z),
            twice(x * z + w * y),
        ],
        [
            twice(x * y + w * z),
            rest(x * x + z * z),
            twice(y * z - w * x),
        ],
        [
            twice(x * z - w * y),
            twice(y * z + w * x),
            rest(x * x + y * y),
        ],
    ]
}

/// The map from camera coordinates to pixels, at one point.
struct Map<const N: usize> {
    /// The image of the point, px.
    centre: [Dual<N>; 2],
    /// The derivatives of the image with respect to the point.
    jacobian: Mat<2, 3, N>,
}

/// Maps a point to the image of a camera. The Jacobian is that at the nearest point whose tangents
/// are within a margin of the camera's whole image, of which the image may be a part.
fn map<const N: usize>(
    [x, y, z]: [Dual<N>; 3],
    [fx, fy, cx, cy]: [Dual<N>; 4],
    camera: &Camera,
    size: [f64; 2],
) -> Map<N> {
    let whole = camera
        .whole
        .map_or(size, |sides| sides.map(|side| side as f64));
    let corner = camera.corner.map(|side| side as f64);
    let zero = Dual::constant(0.0);
    let tangent = |ratio: Dual<N>, focal: Dual<N>, principal: Dual<N>, side: f64| {
        let margin = Dual::constant(TANGENT_MARGIN * 0.5 * side) / focal;
        let low = -(principal / focal) - margin;
        let high = (-principal + side) / focal + margin;
        ratio.clamped(low, high)
    };
    let (u, v) = (
        tangent(x / z, fx, cx, whole[0]),
        tangent(y / z, fy, cy, whole[1]),
    );
    let jacobian = if camera.projection == Projection::Orthographic {
        [[fx, zero, zero], [zero, fy, zero]]
    } else {
        [[fx / z, zero, -(u * fx / z)], [zero, fy / z, -(v * fy / z)]]
    };
    let divisor = if camera.projection == Projection::Pinhole {
        z
    } else {
        Dual::constant(1.0)
    };
    Map {
        centre: [
            x * fx / divisor + (cx + -corner[0]),
            y * fy / divisor + (cy + -corner[1]),
        ],
        jacobian,
    }
}

/// Projects Gaussian `i`, with its `features` in this view, to an image of `size` px. Returns
/// `None` if it is culled.
pub(super) fn project<const N: usize>(
    i: usize,
    inputs: &Inputs<N>,
    camera: &Camera,
    size: [f64; 2],
    features: &[f64],
    config: &RenderConfig,
) -> Option<Projected<N>> {
    let pose = &inputs.pose;
    let w: Mat<3, 3, N> = pose.map(|[a, b, c, _]| [a, b, c]);
    let [[x], [y], [z]] = product(&w, &inputs.mean.map(|x| [x]));
    let point = [x + pose[0][3], y + pose[1][3], z + pose[2][3]];
    let depth = point[2];
    let Map { centre, jacobian } = map(point, inputs.intrinsics, camera, size);

    let [s0, s1, s2] = inputs.scale;
    let stretched = rotation(inputs.quaternion).map(|[a, b, c]| [a * s0, b * s1, c * s2]);
    let world = product(&stretched, &transpose(&stretched));
    let in_camera = product(&product(&w, &world), &transpose(&w));
    let sharp = product(&product(&jacobian, &in_camera), &transpose(&jacobian));
    let b = sharp[0][1];
    let (a, c) = (sharp[0][0] + config.blur, sharp[1][1] + config.blur);
    let det = a * c - b * b;
    let mut opacity = inputs.opacity;
    if config.antialias {
        let ratio = (sharp[0][0] * sharp[1][1] - b * b) / det;
        opacity = opacity * ratio.at_least(COMPENSATION_FLOOR).sqrt();
    }
    let projected = Projected {
        index: i,
        centre,
        conic: [c / det, -b / det, a / det],
        opacity,
        depth,
    };
    let kept = depth.value >= camera.near
        && depth.value <= camera.far
        && det.value > 0.0
        && is_finite(&projected, inputs, features);
    let variances = [a.value, c.value];
    (kept && is_seen(&projected, variances, size, config)).then_some(projected)
}

/// Returns true if the splat, the features and the length of the quaternion are finite.
fn is_finite<const N: usize>(splat: &Projected<N>, inputs: &Inputs<N>, features: &[f64]) -> bool {
    let squares = inputs.quaternion.map(|x| x.value * x.value);
    let numbers = splat.centre.iter().chain(&splat.conic);
    numbers
        .chain([&splat.opacity, &splat.depth])
        .map(|number| number.value)
        .chain(features.iter().copied())
        .chain([squares.iter().sum()])
        .all(f64::is_finite)
}

/// Returns true if the splat can reach `alpha_min`, and if a pixel centre k + 0.5 with
/// 0 <= k < size lies in the box of the ellipse in which it can.
fn is_seen<const N: usize>(
    splat: &Projected<N>,
    variances: [f64; 2],
    size: [f64; 2],
    config: &RenderConfig,
) -> bool {
    let opacity = splat.opacity.value;
    let reach = (opacity / config.alpha_min).ln().max(0.0) + FOOTPRINT_SLACK;
    opacity >= config.alpha_min
        && (0..2).all(|axis| {
            let centre = splat.centre[axis].value;
            let half = (2.0 * reach * variances[axis]).sqrt();
            let first = (centre - half - 0.5).ceil().max(0.0);
            first < size[axis] && first + 0.5 <= centre + half
        })
}
