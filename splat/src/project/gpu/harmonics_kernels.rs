//! Kernels of the vjp of harmonics. The gradient with respect to coefficients is a sum over views.
//! Those with respect to means and cameras arise from the direction of view.

use cubecl::prelude::*;

use crate::device::launch::{UNITS, cube_index, unit_index};
use crate::device::rows::{set_vec3_at, vec2_of, vec3_of};
use crate::formulas::single::finite::finite;
use crate::formulas::single::sh::{sh_term, view_offset, view_offset_vjp};
use crate::formulas::single::{Real, vec3};
use crate::math::Vec3;
use crate::project::CameraParams;
use crate::project::gpu::camera_row::{CAMERA, share_camera, sum_shared};
use crate::project::gpu::features::{
    FeatureSource, channel_sum, channel_sum_vjp, coefficient_index,
};
use crate::project::gpu::splat_rows::is_visible;
use crate::project::gpu::view_table::{camera_of, count_of, first_gaussian, first_splat, grain_of};

/// Computes the gradient with respect to the coefficients of one channel of one Gaussian per
/// thread. `views`, `starts` and `lists` are those of
/// [`geometry_kernel`](super::kernels::geometry_kernel).
#[cube(launch)]
pub(crate) fn coefficients_kernel(
    means: &Array<f32>,
    coefficients: &Array<f32>,
    views: &Array<u32>,
    v_features: &Array<f32>,
    extents: &Array<f32>,
    out: &mut Array<f32>,
    count: u32,
    channels: u32,
    starts: u32,
    lists: u32,
    #[comptime] source: FeatureSource,
) {
    let i = unit_index();
    if i < count {
        let n = i / channels;
        let c = i % channels;
        let used = comptime![source.used()];
        let mut sums = Array::<f32>::new(comptime![used as usize]);
        #[unroll]
        for k in 0..used {
            sums[k as usize] = 0.0;
        }
        let mean = vec3_of(means, n);
        let grain = n / UNITS;
        let from = views[(starts + grain) as usize];
        let to = views[(starts + grain + 1) as usize];
        for j in from..to {
            let view = views[(lists + j) as usize];
            let first = first_gaussian(views, view);
            let length = count_of(views, view);
            if n >= first && n - first < length {
                let m = first_splat(views, view) + (n - first);
                if is_visible(vec2_of(extents, m)) {
                    let direction = vec3::unit(view_offset(mean, camera_of(views, view)));
                    let sum = channel_sum(coefficients, direction, n, c, channels, source);
                    // A clamped channel has no gradient.
                    if finite(sum) && sum >= 0.0 {
                        let v = v_features[(m * channels + c) as usize];
                        #[unroll]
                        for k in 0..used {
                            sums[k as usize] += sh_term(k, direction) * v;
                        }
                    }
                }
            }
        }
        #[unroll]
        for k in 0..used {
            out[coefficient_index(n, k, c, channels, source) as usize] = sums[k as usize];
        }
        for k in used..comptime![source.stored()] {
            out[coefficient_index(n, k, c, channels, source) as usize] = 0.0;
        }
    }
}

/// Returns the gradient with respect to the vector from the camera's centre to Gaussian `n`,
/// through the features of its splat `m`. Returns zero if it is not finite, as at the camera's
/// centre.
#[cube]
fn offset_vjp(
    means: &Array<f32>,
    coefficients: &Array<f32>,
    v_features: &Array<f32>,
    camera: CameraParams<f32>,
    n: u32,
    m: u32,
    channels: u32,
    #[comptime] source: FeatureSource,
) -> Vec3<f32> {
    let offset = view_offset(vec3_of(means, n), camera);
    let direction = vec3::unit(offset);
    let mut x = 0.0f32;
    let mut y = 0.0f32;
    let mut z = 0.0f32;
    for c in 0..channels {
        let sum = channel_sum(coefficients, direction, n, c, channels, source);
        if finite(sum) && sum >= 0.0 {
            let v = v_features[(m * channels + c) as usize];
            let part = channel_sum_vjp(coefficients, direction, n, c, channels, v, source);
            x += part.x;
            y += part.y;
            z += part.z;
        }
    }
    let v_offset = vec3::unit_vjp(offset, Vec3::<Real> { x, y, z });
    let sound = finite(v_offset.x) && finite(v_offset.y) && finite(v_offset.z);
    x = v_offset.x;
    y = v_offset.y;
    z = v_offset.z;
    if !sound {
        x = 0.0;
        y = 0.0;
        z = 0.0;
    }
    Vec3::<Real> { x, y, z }
}

/// Adds the gradient through the direction of view to that with respect to the mean of one Gaussian
/// per thread.
#[cube(launch)]
pub(crate) fn directions_kernel(
    means: &Array<f32>,
    coefficients: &Array<f32>,
    views: &Array<u32>,
    v_features: &Array<f32>,
    extents: &Array<f32>,
    v_means: &mut Array<f32>,
    count: u32,
    channels: u32,
    starts: u32,
    lists: u32,
    #[comptime] source: FeatureSource,
) {
    let n = unit_index();
    if n < count {
        let before = vec3_of(v_means, n);
        let mut x = before.x;
        let mut y = before.y;
        let mut z = before.z;
        let grain = n / UNITS;
        let from = views[(starts + grain) as usize];
        let to = views[(starts + grain + 1) as usize];
        for j in from..to {
            let view = views[(lists + j) as usize];
            let first = first_gaussian(views, view);
            let length = count_of(views, view);
            if n >= first && n - first < length {
                let m = first_splat(views, view) + (n - first);
                if is_visible(vec2_of(extents, m)) {
                    let camera = camera_of(views, view);
                    let part = offset_vjp(
                        means,
                        coefficients,
                        v_features,
                        camera,
                        n,
                        m,
                        channels,
                        source,
                    );
                    x += part.x;
                    y += part.y;
                    z += part.z;
                }
            }
        }
        set_vec3_at(v_means, 3 * n, Vec3::<Real> { x, y, z });
    }
}

/// Adds the gradient through the directions of view to the partial gradients with respect to
/// cameras. Each workgroup sums the splats of one grain.
#[cube(launch)]
pub(crate) fn camera_directions_kernel(
    means: &Array<f32>,
    coefficients: &Array<f32>,
    views: &Array<u32>,
    v_features: &Array<f32>,
    extents: &Array<f32>,
    parts: &mut Array<f32>,
    grains: u32,
    cubes: u32,
    channels: u32,
    #[comptime] source: FeatureSource,
) {
    let mut sums = SharedMemory::<f32>::new((CAMERA * UNITS) as usize);
    let cube = cube_index();
    if cube < cubes {
        let grain = grain_of(views, grains, cube);
        let view = grain.view;
        let i = grain.first + UNIT_POS_X;
        let camera = camera_of(views, view);
        #[unroll]
        for k in 0..CAMERA {
            sums[(k * UNITS + UNIT_POS_X) as usize] = 0.0;
        }
        if i < count_of(views, view) {
            let m = first_splat(views, view) + i;
            if is_visible(vec2_of(extents, m)) {
                let n = first_gaussian(views, view) + i;
                let v_offset = offset_vjp(
                    means,
                    coefficients,
                    v_features,
                    camera,
                    n,
                    m,
                    channels,
                    source,
                );
                share_camera(&mut sums, view_offset_vjp(camera, v_offset));
            }
        }
        sync_cube();
        sum_shared(&mut sums);
        if UNIT_POS_X < CAMERA {
            parts[(cube * CAMERA + UNIT_POS_X) as usize] += sums[(UNIT_POS_X * UNITS) as usize];
        }
    }
}
