//! The kernels of the projection's vjp: gradients by Gaussians, summed over views, and by poses, summed over Gaussians.

use cubecl::prelude::*;

use crate::device::launch::{UNITS, cube_index, unit_index};
use crate::formulas::single::{Real, project as formula};
use crate::math::{Sym2, Vec2};
use crate::project::Splat;
use crate::project::gpu::forward::{Settings, VIEW, camera_of, constants_of, shape_of};

/// Numbers of a pose's gradient.
pub(crate) const POSE: u32 = 12;

/// Numbers of a packed gradient: mean 2, conic 3, opacity, depth, and 1 where the splat is visible.
pub(crate) const GRADIENT: u32 = 8;

/// One unit per splat: gathers the gradient by its geometry.
#[cube(launch)]
pub(crate) fn pack_gradients_kernel(
    means: &Array<f32>,
    conics: &Array<f32>,
    opacities: &Array<f32>,
    depths: &Array<f32>,
    extents: &Array<f32>,
    packed: &mut Array<f32>,
    count: u32,
) {
    let m = unit_index();
    if m < count {
        let at = m * GRADIENT;
        for k in 0..2u32 {
            packed[(at + k) as usize] = means[(2 * m + k) as usize];
        }
        for k in 0..3u32 {
            packed[(at + 2 + k) as usize] = conics[(3 * m + k) as usize];
        }
        packed[(at + 5) as usize] = opacities[m as usize];
        packed[(at + 6) as usize] = depths[m as usize];
        let mut visible = 0.0f32;
        if extents[(2 * m) as usize] > 0.0 && extents[(2 * m + 1) as usize] > 0.0 {
            visible = 1.0;
        }
        packed[(at + 7) as usize] = visible;
    }
}

#[cube]
fn is_visible(packed: &Array<f32>, m: u32) -> bool {
    packed[(m * GRADIENT + 7) as usize] > 0.0
}

#[cube]
fn v_splat_of(packed: &Array<f32>, m: u32) -> Splat<f32> {
    let at = m * GRADIENT;
    Splat::<Real> {
        mean: Vec2::<Real> {
            x: packed[at as usize],
            y: packed[(at + 1) as usize],
        },
        conic: Sym2::<Real> {
            xx: packed[(at + 2) as usize],
            xy: packed[(at + 3) as usize],
            yy: packed[(at + 4) as usize],
        },
        opacity: packed[(at + 5) as usize],
        depth: packed[(at + 6) as usize],
    }
}

/// One unit per Gaussian: its gradient, summed over the views that see it, in order. Behind the table of views lie, for every grain,
/// where its list of views begins (from `starts` on), and the lists (from `lists` on).
#[cube(launch)]
pub(crate) fn geometry_kernel(
    means: &Array<f32>,
    scales: &Array<f32>,
    quaternions: &Array<f32>,
    opacities: &Array<f32>,
    views: &Array<u32>,
    packed: &Array<f32>,
    out: &mut Array<f32>,
    chosen: Settings,
    count: u32,
    starts: u32,
    lists: u32,
    out_scales: u32,
    out_quaternions: u32,
    out_opacities: u32,
) {
    let n = unit_index();
    if n < count {
        let shape = shape_of(means, scales, quaternions, opacities, n);
        let constants = constants_of(chosen);
        let mut sums = Array::<f32>::new(11usize);
        #[unroll]
        for k in 0..11usize {
            sums[k] = 0.0;
        }
        let grain = n / UNITS;
        let from = views[(starts + grain) as usize];
        let to = views[(starts + grain + 1) as usize];
        for i in from..to {
            let view = views[(lists + i) as usize];
            let first = views[(view * VIEW + 1) as usize];
            let length = views[(view * VIEW + 2) as usize];
            if n >= first && n - first < length {
                let m = views[(view * VIEW) as usize] + (n - first);
                if is_visible(packed, m) {
                    let camera = camera_of(views, view);
                    let v = formula::splat_vjp(shape, camera, constants, v_splat_of(packed, m));
                    let v = v.gaussian;
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
            }
        }
        #[unroll]
        for k in 0..3u32 {
            out[(3 * n + k) as usize] = sums[k as usize];
            out[(out_scales + 3 * n + k) as usize] = sums[(3 + k) as usize];
        }
        #[unroll]
        for k in 0..4u32 {
            out[(out_quaternions + 4 * n + k) as usize] = sums[(6 + k) as usize];
        }
        out[(out_opacities + n) as usize] = sums[10];
    }
}

/// One unit per Gaussian and channel: a splat's features are its Gaussian's.
#[cube(launch)]
pub(crate) fn features_kernel(
    views: &Array<u32>,
    v_features: &Array<f32>,
    out: &mut Array<f32>,
    count: u32,
    channels: u32,
    starts: u32,
    lists: u32,
) {
    let i = unit_index();
    if i < count {
        let n = i / channels;
        let c = i % channels;
        let grain = n / UNITS;
        let mut sum = 0.0f32;
        let from = views[(starts + grain) as usize];
        let to = views[(starts + grain + 1) as usize];
        for k in from..to {
            let view = views[(lists + k) as usize];
            let first = views[(view * VIEW + 1) as usize];
            let length = views[(view * VIEW + 2) as usize];
            if n >= first && n - first < length {
                let m = views[(view * VIEW) as usize] + (n - first);
                sum += v_features[(m * channels + c) as usize];
            }
        }
        out[i as usize] = sum;
    }
}

/// One cube per grain of a view: the sum of its splats' gradients by the pose, rows `[R | t]`. Behind the table of views lie, from
/// `grains` on, the view of each grain and its first splat within the view.
#[cube(launch)]
pub(crate) fn pose_kernel(
    means: &Array<f32>,
    scales: &Array<f32>,
    quaternions: &Array<f32>,
    opacities: &Array<f32>,
    views: &Array<u32>,
    packed: &Array<f32>,
    parts: &mut Array<f32>,
    chosen: Settings,
    grains: u32,
    cubes: u32,
) {
    let mut sums = SharedMemory::<f32>::new((POSE * UNITS) as usize);
    let cube = cube_index();
    if cube < cubes {
        let view = views[(grains + 2 * cube) as usize];
        let i = views[(grains + 2 * cube + 1) as usize] + UNIT_POS_X;
        #[unroll]
        for k in 0..POSE {
            sums[(k * UNITS + UNIT_POS_X) as usize] = 0.0;
        }
        if i < views[(view * VIEW + 2) as usize] {
            let m = views[(view * VIEW) as usize] + i;
            if is_visible(packed, m) {
                let n = views[(view * VIEW + 1) as usize] + i;
                let shape = shape_of(means, scales, quaternions, opacities, n);
                let v = formula::splat_vjp(
                    shape,
                    camera_of(views, view),
                    constants_of(chosen),
                    v_splat_of(packed, m),
                );
                let r = v.camera.rotation;
                let t = v.camera.translation;
                let at = UNIT_POS_X;
                sums[at as usize] = r.r0.x;
                sums[(at + UNITS) as usize] = r.r0.y;
                sums[(at + 2 * UNITS) as usize] = r.r0.z;
                sums[(at + 3 * UNITS) as usize] = t.x;
                sums[(at + 4 * UNITS) as usize] = r.r1.x;
                sums[(at + 5 * UNITS) as usize] = r.r1.y;
                sums[(at + 6 * UNITS) as usize] = r.r1.z;
                sums[(at + 7 * UNITS) as usize] = t.y;
                sums[(at + 8 * UNITS) as usize] = r.r2.x;
                sums[(at + 9 * UNITS) as usize] = r.r2.y;
                sums[(at + 10 * UNITS) as usize] = r.r2.z;
                sums[(at + 11 * UNITS) as usize] = t.z;
            }
        }
        sync_cube();
        let mut half = (UNITS / 2).runtime();
        while half > 0 {
            if UNIT_POS_X < half {
                #[unroll]
                for k in 0..POSE {
                    let at = k * UNITS + UNIT_POS_X;
                    sums[at as usize] += sums[(at + half) as usize];
                }
            }
            sync_cube();
            half /= 2;
        }
        if UNIT_POS_X < POSE {
            parts[(cube * POSE + UNIT_POS_X) as usize] = sums[(UNIT_POS_X * UNITS) as usize];
        }
    }
}

/// One unit per view and number of its pose: the sum over the view's grains, in order. `firsts` are the grains' running count.
#[cube(launch)]
pub(crate) fn sum_grains_kernel(
    parts: &Array<f32>,
    firsts: &Array<u32>,
    out: &mut Array<f32>,
    count: u32,
) {
    let i = unit_index();
    if i < count {
        let view = i / POSE;
        let mut sum = 0.0f32;
        for grain in firsts[view as usize]..firsts[(view + 1) as usize] {
            sum += parts[(grain * POSE + i % POSE) as usize];
        }
        out[i as usize] = sum;
    }
}
