//! Layout of the gradient with respect to a pose: the rows of `[R | t]`.

use cubecl::prelude::*;

use crate::device::launch::UNITS;
use crate::math::Vec3;
use crate::project::CameraGradient;

/// Values per row of `[R | t]`.
const COLUMNS: u32 = 4;

/// Values per pose.
pub(crate) const POSE: u32 = 12;

/// Writes the gradient of this thread to shared memory. `sums` has one section per value of the
/// pose, and each section has one element per thread.
#[cube]
pub(crate) fn share_pose(sums: &mut SharedMemory<f32>, v: CameraGradient<f32>) {
    let r = v.rotation;
    let t = v.translation;
    share_row(sums, 0u32, r.r0, t.x);
    share_row(sums, COLUMNS, r.r1, t.y);
    share_row(sums, 2 * COLUMNS, r.r2, t.z);
}

/// Writes one row of the gradient to shared memory. `k` is the index of the row's first value
/// within the pose.
#[cube]
fn share_row(sums: &mut SharedMemory<f32>, #[comptime] k: u32, r: Vec3<f32>, t: f32) {
    let at = UNIT_POS_X;
    sums[(at + k * UNITS) as usize] = r.x;
    sums[(at + (k + 1) * UNITS) as usize] = r.y;
    sums[(at + (k + 2) * UNITS) as usize] = r.z;
    sums[(at + (k + 3) * UNITS) as usize] = t;
}
