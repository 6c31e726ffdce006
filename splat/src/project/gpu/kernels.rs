//! Kernels of the projection's vjp. The gradient with respect to a Gaussian is a sum over views.
//! The gradient with respect to a camera is a sum over Gaussians.

use cubecl::prelude::*;

use crate::device::launch::{UNITS, cube_index, unit_index};
use crate::device::rows::vec2_of;
use crate::formulas::single::project as formula;
use crate::project::gpu::camera_row::{CAMERA, POSE, share_camera, sum_shared};
use crate::project::gpu::forward::{Settings, constants_of};
use crate::project::gpu::gaussian_rows::{
    GaussianSections, add_shape, no_sums, set_shape, shape_of, shape_of_sums,
};
use crate::project::gpu::gradient_row::{gradient_of, has_gradient, set_gradient};
use crate::project::gpu::splat_rows::{is_visible, splat_of};
use crate::project::gpu::view_table::{camera_of, count_of, first_gaussian, first_splat, grain_of};

/// Packs the gradient with respect to one splat's geometry per thread.
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
        let v_splat = splat_of(means, conics, opacities, depths, m);
        set_gradient(packed, m, v_splat, is_visible(vec2_of(extents, m)));
    }
}

/// Computes the gradient with respect to one Gaussian's geometry per thread. It is summed in order
/// over the views that contain the Gaussian.
///
/// `views` contains the table of views, followed by the lists of views. Each grain of Gaussians has
/// one list. The start offsets of the lists begin at `starts`, and the lists at `lists`.
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
    sections: GaussianSections,
    #[comptime] raw: bool,
) {
    let n = unit_index();
    if n < count {
        let shape = shape_of(means, scales, quaternions, opacities, n, raw);
        let constants = constants_of(chosen);
        let mut sums = no_sums();
        let grain = n / UNITS;
        let from = views[(starts + grain) as usize];
        let to = views[(starts + grain + 1) as usize];
        for i in from..to {
            let view = views[(lists + i) as usize];
            let first = first_gaussian(views, view);
            let length = count_of(views, view);
            if n >= first && n - first < length {
                let m = first_splat(views, view) + (n - first);
                if has_gradient(packed, m) {
                    let camera = camera_of(views, view);
                    let v = formula::splat_vjp(shape, camera, constants, gradient_of(packed, m));
                    if comptime![raw] {
                        add_shape(&mut sums, formula::activation_vjp(shape, v.gaussian));
                    } else {
                        add_shape(&mut sums, v.gaussian);
                    }
                }
            }
        }
        set_shape(out, sections, n, shape_of_sums(&sums));
    }
}

/// Computes the gradient with respect to one feature of one Gaussian per thread. The projection
/// copies features, so the gradients with respect to the Gaussian's splats are summed.
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
            let first = first_gaussian(views, view);
            let length = count_of(views, view);
            if n >= first && n - first < length {
                let m = first_splat(views, view) + (n - first);
                sum += v_features[(m * channels + c) as usize];
            }
        }
        out[i as usize] = sum;
    }
}

/// Computes the partial gradient with respect to a camera, in the order of [`CAMERA`]. Each
/// workgroup sums the splats of one grain.
///
/// `views` contains the table of views, followed by the grains from `grains` on. A grain is stored
/// as its view and its first splat within the view.
#[cube(launch)]
pub(crate) fn camera_kernel(
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
    #[comptime] raw: bool,
) {
    let mut sums = SharedMemory::<f32>::new((CAMERA * UNITS) as usize);
    let cube = cube_index();
    if cube < cubes {
        let grain = grain_of(views, grains, cube);
        let view = grain.view;
        let i = grain.first + UNIT_POS_X;
        #[unroll]
        for k in 0..CAMERA {
            sums[(k * UNITS + UNIT_POS_X) as usize] = 0.0;
        }
        if i < count_of(views, view) {
            let m = first_splat(views, view) + i;
            if has_gradient(packed, m) {
                let n = first_gaussian(views, view) + i;
                let shape = shape_of(means, scales, quaternions, opacities, n, raw);
                let v = formula::splat_vjp(
                    shape,
                    camera_of(views, view),
                    constants_of(chosen),
                    gradient_of(packed, m),
                );
                share_camera(&mut sums, v.camera);
            }
        }
        sync_cube();
        sum_shared(&mut sums);
        if UNIT_POS_X < CAMERA {
            parts[(cube * CAMERA + UNIT_POS_X) as usize] = sums[(UNIT_POS_X * UNITS) as usize];
        }
    }
}

/// Sums one value of one view's camera gradient per thread, over the grains of the view in order.
/// The grains of view `b` are `firsts[b] .. firsts[b + 1]`. The poses of all views come first, and
/// the intrinsics begin at `intrinsics`.
#[cube(launch)]
pub(crate) fn sum_grains_kernel(
    parts: &Array<f32>,
    firsts: &Array<u32>,
    out: &mut Array<f32>,
    count: u32,
    intrinsics: u32,
) {
    let i = unit_index();
    if i < count {
        let view = i / CAMERA;
        let k = i % CAMERA;
        let mut sum = 0.0f32;
        for grain in firsts[view as usize]..firsts[(view + 1) as usize] {
            sum += parts[(grain * CAMERA + k) as usize];
        }
        if k < POSE {
            out[(view * POSE + k) as usize] = sum;
        } else {
            out[(intrinsics + view * (CAMERA - POSE) + k - POSE) as usize] = sum;
        }
    }
}
