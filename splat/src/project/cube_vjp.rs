//! Loops of the projection's vjp on a device: gradients by Gaussians, summed over views, and by poses, summed over Gaussians.

use cubecl::prelude::*;

use crate::backend::{ProjectGradients, Wanted};
use crate::camera::Views;
use crate::config::RenderConfig;
use crate::cube::{
    Cube, CubeBuffer, Sections, UNITS, cube_dim, cube_index, grid, grid_of_units, unit_index,
};
use crate::error::{RenderError, checked_product};
use crate::gaussians::{Gaussians, check_len};
use crate::math::{Sym2, Vec2};
use crate::project::cube::{
    Settings, SettingsLaunch, VIEW, camera_of, constants_of, shape_of, view_table,
};
use crate::project::{Splat, Splats};
use crate::single::{Real, project as formula};

/// Gaussians of one list of views, and of one partial sum by a pose.
const GRAIN: usize = UNITS as usize;

/// Numbers of a pose's gradient.
const POSE: u32 = 12;

/// Numbers of a packed gradient: mean 2, conic 3, opacity, depth, and 1 where the splat is visible.
const PACKED: u32 = 8;

/// One unit per splat: gathers the gradient by its geometry.
#[cube(launch)]
fn pack_kernel(
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
        let at = m * PACKED;
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
    packed[(m * PACKED + 7) as usize] > 0.0
}

#[cube]
fn v_splat_of(packed: &Array<f32>, m: u32) -> Splat<f32> {
    let at = m * PACKED;
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
fn geometry_kernel(
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
fn features_kernel(
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
fn pose_kernel(
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
fn sum_grains_kernel(parts: &Array<f32>, firsts: &Array<u32>, out: &mut Array<f32>, count: u32) {
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

/// Vjp of [`project`](crate::project::cube::project).
pub(crate) fn project_vjp<R: Runtime>(
    cube: &Cube<R>,
    gaussians: &Gaussians<&CubeBuffer>,
    views: &Views,
    config: &RenderConfig,
    splats: &Splats<&CubeBuffer>,
    v_splats: &Splats<&CubeBuffer>,
    wanted: Wanted,
) -> Result<ProjectGradients<CubeBuffer>, RenderError> {
    validate(gaussians, views, splats, v_splats, wanted)?;
    let none = cube.empty("no gradient", 0)?;
    let (count, channels) = (gaussians.count, gaussians.channels);
    let mut gradient = Gaussians {
        means: none.clone(),
        scales: none.clone(),
        quaternions: none.clone(),
        opacities: none.clone(),
        features: none.clone(),
        count,
        channels,
    };
    let tables = Tables::new(cube, views, count)?;
    let packed = if wanted.splat_geometry() {
        pack(cube, splats, v_splats)?
    } else {
        none.clone()
    };
    let arg = || Settings::launch::<R>(config);
    if wanted.geometry {
        let mut sections = Sections::new();
        sections.push(3 * count);
        let scales = sections.push(3 * count);
        let quaternions = sections.push(4 * count);
        let opacities = sections.push(count);
        let out = cube.empty("gradient by Gaussians [N, 11]", sections.total)?;
        if count > 0 {
            geometry_kernel::launch::<R>(
                &cube.client,
                grid_of_units(count),
                cube_dim(),
                gaussians.means.arg(),
                gaussians.scales.arg(),
                gaussians.quaternions.arg(),
                gaussians.opacities.arg(),
                tables.words.arg(),
                packed.arg(),
                out.arg(),
                arg(),
                count as u32,
                tables.starts as u32,
                tables.lists as u32,
                scales as u32,
                quaternions as u32,
                opacities as u32,
            );
        }
        gradient.means = out.section(0, 3 * count);
        gradient.scales = out.section(scales, 3 * count);
        gradient.quaternions = out.section(quaternions, 4 * count);
        gradient.opacities = out.section(opacities, count);
    }
    if wanted.features {
        let elements = checked_product("gradient by features [N, C]", &[count, channels])?;
        gradient.features = cube.empty("gradient by features [N, C]", elements)?;
        if elements > 0 {
            features_kernel::launch::<R>(
                &cube.client,
                grid_of_units(elements),
                cube_dim(),
                tables.words.arg(),
                v_splats.features.arg(),
                gradient.features.arg(),
                elements as u32,
                channels as u32,
                tables.starts as u32,
                tables.lists as u32,
            );
        }
    }
    let camera_from_world = if wanted.cameras {
        by_poses(cube, gaussians, views, &tables, &packed, arg)?
    } else {
        none
    };
    Ok(ProjectGradients {
        gaussians: gradient,
        camera_from_world,
    })
}

fn by_poses<R: Runtime>(
    cube: &Cube<R>,
    gaussians: &Gaussians<&CubeBuffer>,
    views: &Views,
    tables: &Tables,
    packed: &CubeBuffer,
    chosen: impl Fn() -> SettingsLaunch<R>,
) -> Result<CubeBuffer, RenderError> {
    let rows = checked_product("gradient by poses", &[views.len(), POSE as usize])?;
    let out = cube.empty("gradient by poses [B, 3, 4]", rows)?;
    let cubes = tables.grain_count;
    let parts = cube.empty("parts of the poses' gradients", cubes * POSE as usize)?;
    if cubes > 0 {
        pose_kernel::launch::<R>(
            &cube.client,
            grid(cubes),
            cube_dim(),
            gaussians.means.arg(),
            gaussians.scales.arg(),
            gaussians.quaternions.arg(),
            gaussians.opacities.arg(),
            tables.words.arg(),
            packed.arg(),
            parts.arg(),
            chosen(),
            tables.grains as u32,
            cubes as u32,
        );
    }
    if rows > 0 {
        sum_grains_kernel::launch::<R>(
            &cube.client,
            grid_of_units(rows),
            cube_dim(),
            parts.arg(),
            tables.grain_firsts.arg(),
            out.arg(),
            rows as u32,
        );
    }
    Ok(out)
}

fn validate(
    gaussians: &Gaussians<&CubeBuffer>,
    views: &Views,
    splats: &Splats<&CubeBuffer>,
    v_splats: &Splats<&CubeBuffer>,
    wanted: Wanted,
) -> Result<(), RenderError> {
    splats.validate(|buffer| buffer.len())?;
    let expected = views.splat_offsets()?;
    for (argument, offsets) in [
        ("splats.offsets", &splats.offsets),
        ("v_splats.offsets", &v_splats.offsets),
    ] {
        if *offsets != expected {
            let got = format!("{offsets:?}");
            return Err(RenderError::shape(
                argument,
                "the offsets of these views",
                got,
            ));
        }
    }
    let (m, c) = (splats.len(), gaussians.channels);
    if wanted.splat_geometry() {
        check_len("v_splats.means", "[M, 2]", &[m, 2], v_splats.means.len())?;
        check_len("v_splats.conics", "[M, 3]", &[m, 3], v_splats.conics.len())?;
        check_len("v_splats.opacities", "[M]", &[m], v_splats.opacities.len())?;
        check_len("v_splats.depths", "[M]", &[m], v_splats.depths.len())?;
    }
    if wanted.features {
        let got = v_splats.features.len();
        check_len("v_splats.features", "[M, C]", &[m, c], got)?;
    }
    Ok(())
}

fn pack<R: Runtime>(
    cube: &Cube<R>,
    splats: &Splats<&CubeBuffer>,
    v_splats: &Splats<&CubeBuffer>,
) -> Result<CubeBuffer, RenderError> {
    let m = splats.len();
    let words = checked_product("packed gradients", &[m, PACKED as usize])?;
    let packed = cube.empty("packed gradients [M, 8]", words)?;
    if m > 0 {
        pack_kernel::launch::<R>(
            &cube.client,
            grid_of_units(m),
            cube_dim(),
            v_splats.means.arg(),
            v_splats.conics.arg(),
            v_splats.opacities.arg(),
            v_splats.depths.arg(),
            splats.extents.arg(),
            packed.arg(),
            m as u32,
        );
    }
    Ok(packed)
}

/// The table of views with all that is known of it beforehand, in one buffer.
struct Tables {
    words: CubeBuffer,
    /// Where it says, for every grain of Gaussians, where its list of views begins.
    starts: usize,
    /// Where the lists begin.
    lists: usize,
    /// Where the grains of the views begin: view and first splat within it.
    grains: usize,
    grain_count: usize,
    /// `[B + 1]`: the running count of the views' grains.
    grain_firsts: CubeBuffer,
}

impl Tables {
    fn new<R: Runtime>(
        cube: &Cube<R>,
        views: &Views,
        gaussians: usize,
    ) -> Result<Self, RenderError> {
        let mut words = view_table(views, &views.splat_offsets()?)?;
        let starts = words.len();
        let tasks = gaussians.div_ceil(GRAIN);
        let touched = |range: &std::ops::Range<usize>| {
            if range.is_empty() {
                0..0
            } else {
                range.start / GRAIN..(range.end - 1) / GRAIN + 1
            }
        };
        // Two places on: what stands at t + 1 while the lists are filled is where list t goes on.
        words.resize(starts + tasks + 2, 0);
        for task in views.ranges.iter().flat_map(touched) {
            words[starts + task + 2] += 1;
        }
        for t in 2..tasks + 2 {
            words[starts + t] += words[starts + t - 1];
        }
        let total = words[starts + tasks + 1] as usize;
        let lists = words.len();
        words.resize(lists + total, 0);
        for (view, range) in views.ranges.iter().enumerate() {
            for task in touched(range) {
                let at = words[starts + task + 1] as usize;
                words[lists + at] = view as u32;
                words[starts + task + 1] += 1;
            }
        }
        let grains = words.len();
        let mut grain_firsts = vec![0u32];
        let mut grain_count = 0;
        for (view, range) in views.ranges.iter().enumerate() {
            for first in (0..range.len()).step_by(GRAIN) {
                words.extend([view as u32, first as u32]);
                grain_count += 1;
            }
            grain_firsts.push(grain_count as u32);
        }
        Ok(Self {
            words: cube.upload_words(&words)?,
            starts,
            lists,
            grains,
            grain_count,
            grain_firsts: cube.upload_words(&grain_firsts)?,
        })
    }
}
