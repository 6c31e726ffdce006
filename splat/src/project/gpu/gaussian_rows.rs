//! Reads the geometry of Gaussians on a device, and writes the gradient with respect to it. The
//! gradient is one buffer with a section per field, and the means come first.

use cubecl::prelude::*;

use crate::device::rows::{quaternion_of, set_quaternion_at, set_vec3_at, vec3_of};
use crate::formulas::single::Real;
use crate::math::exp::{exp_on_device, sigmoid_on_device};
use crate::math::{Quaternion, Vec3};
use crate::project::GaussianShape;

/// Number of values in a Gaussian's geometry.
const SHAPE: usize = 11;

/// Start indices, in words, of the sections after the means.
#[derive(CubeType, CubeLaunch, Clone, Copy)]
pub(crate) struct GaussianSections {
    scales: u32,
    quaternions: u32,
    opacities: u32,
}

/// Reads the geometry of Gaussian `n`, and activates raw parameters (MATH eq. 20).
#[cube]
pub(crate) fn shape_of(
    means: &Array<f32>,
    scales: &Array<f32>,
    quaternions: &Array<f32>,
    opacities: &Array<f32>,
    n: u32,
    #[comptime] raw: bool,
) -> GaussianShape<f32> {
    let given = vec3_of(scales, n);
    let mut x = given.x;
    let mut y = given.y;
    let mut z = given.z;
    let mut opacity = opacities[n as usize];
    if comptime![raw] {
        x = exp_on_device(x);
        y = exp_on_device(y);
        z = exp_on_device(z);
        opacity = sigmoid_on_device(opacity);
    }
    GaussianShape::<Real> {
        mean: vec3_of(means, n),
        scale: Vec3::<Real> { x, y, z },
        quaternion: quaternion_of(quaternions, n),
        opacity,
    }
}

/// Writes the geometry of Gaussian `n`.
#[cube]
pub(crate) fn set_shape(
    out: &mut Array<f32>,
    sections: GaussianSections,
    n: u32,
    shape: GaussianShape<f32>,
) {
    set_vec3_at(out, 3 * n, shape.mean);
    set_vec3_at(out, sections.scales + 3 * n, shape.scale);
    set_quaternion_at(out, sections.quaternions + 4 * n, shape.quaternion);
    out[(sections.opacities + n) as usize] = shape.opacity;
}

/// Returns sums that are all zero.
#[cube]
pub(crate) fn no_sums() -> Array<f32> {
    let mut sums = Array::<f32>::new(SHAPE);
    #[unroll]
    for k in 0..SHAPE {
        sums[k] = 0.0;
    }
    sums
}

/// Adds the gradient `v` to the sums of a thread.
#[cube]
pub(crate) fn add_shape(sums: &mut Array<f32>, v: GaussianShape<f32>) {
    sums[0] += v.mean.x;
    sums[1] += v.mean.y;
    sums[2] += v.mean.z;
    sums[3] += v.scale.x;
    sums[4] += v.scale.y;
    sums[5] += v.scale.z;
    sums[6] += v.quaternion.w;
    sums[7] += v.quaternion.x;
    sums[8] += v.quaternion.y;
    sums[9] += v.quaternion.z;
    sums[10] += v.opacity;
}

/// Returns the sums as a gradient.
#[cube]
pub(crate) fn shape_of_sums(sums: &Array<f32>) -> GaussianShape<f32> {
    GaussianShape::<Real> {
        mean: Vec3::<Real> {
            x: sums[0],
            y: sums[1],
            z: sums[2],
        },
        scale: Vec3::<Real> {
            x: sums[3],
            y: sums[4],
            z: sums[5],
        },
        quaternion: Quaternion::<Real> {
            w: sums[6],
            x: sums[7],
            y: sums[8],
            z: sums[9],
        },
        opacity: sums[10],
    }
}
