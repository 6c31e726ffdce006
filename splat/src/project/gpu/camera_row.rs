//! Layout of the gradient with respect to a camera: the rows of `[R | t]`, then fx, fy, cx, cy.

use cubecl::prelude::*;

use crate::device::launch::UNITS;
use crate::math::Vec3;
use crate::project::CameraGradient;

/// Values per row of `[R | t]`.
const COLUMNS: u32 = 4;

/// Values per pose.
pub(crate) const POSE: u32 = 3 * COLUMNS;

/// Values per camera. One of each per thread fills the 16 KiB of shared memory that every device
/// has.
pub(crate) const CAMERA: u32 = POSE + 4;

/// Writes the gradient of this thread to shared memory. `sums` has one section per value of the
/// camera, and each section has one element per thread.
#[cube]
pub(crate) fn share_camera(sums: &mut SharedMemory<f32>, v: CameraGradient<f32>) {
    let r = v.rotation;
    let t = v.translation;
    share_row(sums, 0u32, r.r0, t.x);
    share_row(sums, COLUMNS, r.r1, t.y);
    share_row(sums, 2 * COLUMNS, r.r2, t.z);
    let at = UNIT_POS_X;
    sums[(at + POSE * UNITS) as usize] = v.intrinsics.fx;
    sums[(at + (POSE + 1) * UNITS) as usize] = v.intrinsics.fy;
    sums[(at + (POSE + 2) * UNITS) as usize] = v.intrinsics.cx;
    sums[(at + (POSE + 3) * UNITS) as usize] = v.intrinsics.cy;
}

/// Writes one row of the gradient to shared memory. `k` is the index of the row's first value
/// within the camera.
#[cube]
fn share_row(sums: &mut SharedMemory<f32>, #[comptime] k: u32, r: Vec3<f32>, t: f32) {
    let at = UNIT_POS_X;
    sums[(at + k * UNITS) as usize] = r.x;
    sums[(at + (k + 1) * UNITS) as usize] = r.y;
    sums[(at + (k + 2) * UNITS) as usize] = r.z;
    sums[(at + (k + 3) * UNITS) as usize] = t;
}

/// Sums every section of shared memory by halves into its first element. All threads must take
/// part.
#[cube]
pub(crate) fn sum_shared(sums: &mut SharedMemory<f32>) {
    let mut half = (UNITS / 2).runtime();
    while half > 0 {
        if UNIT_POS_X < half {
            #[unroll]
            for k in 0..CAMERA {
                let at = k * UNITS + UNIT_POS_X;
                sums[at as usize] += sums[(at + half) as usize];
            }
        }
        sync_cube();
        half /= 2;
    }
}
