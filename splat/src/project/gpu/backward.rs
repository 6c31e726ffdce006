//! Loops of the projection's vjp on a device: gradients by Gaussians, summed over views, and by poses, summed over Gaussians.

use cubecl::prelude::*;

use crate::camera::Views;
use crate::config::RenderConfig;
use crate::device::Gpu;
use crate::device::buffer::{GpuBuffer, validate_splats};
use crate::device::launch::{Sections, UNITS, cube_dim, grid, grid_of_units};
use crate::error::{RenderError, checked_product};
use crate::gaussians::Gaussians;
use crate::gradients::{ProjectGradients, Wanted};
use crate::project::gpu::forward::{Settings, SettingsLaunch, view_table};
use crate::project::gpu::kernels::{
    GRADIENT, POSE, features_kernel, geometry_kernel, pack_gradients_kernel, pose_kernel,
    sum_grains_kernel,
};
use crate::project::views_of_tasks::{ViewsOfTasks, validate_vjp};
use crate::splats::Splats;

/// Gaussians of one list of views, and of one partial sum by a pose.
const GRAIN: usize = UNITS as usize;

/// Vjp of [`project`](crate::project::gpu::forward::project).
pub(crate) fn project_vjp<R: Runtime>(
    gpu: &Gpu<R>,
    gaussians: &Gaussians<&GpuBuffer>,
    views: &Views,
    config: &RenderConfig,
    splats: &Splats<&GpuBuffer>,
    v_splats: &Splats<&GpuBuffer>,
    wanted: Wanted,
) -> Result<ProjectGradients<GpuBuffer>, RenderError> {
    validate_splats(splats)?;
    validate_vjp(gaussians, views, splats, v_splats, wanted, |x| x.len())?;
    let none = gpu.empty("no gradient", 0)?;
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
    let tables = Tables::new(gpu, views, count)?;
    let packed = if wanted.splat_geometry() {
        pack(gpu, splats, v_splats)?
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
        let out = gpu.empty("gradient by Gaussians [N, 11]", sections.total)?;
        if count > 0 {
            geometry_kernel::launch::<R>(
                &gpu.client,
                grid_of_units(count)?,
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
        gradient.features = gpu.empty("gradient by features [N, C]", elements)?;
        if elements > 0 {
            features_kernel::launch::<R>(
                &gpu.client,
                grid_of_units(elements)?,
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
        by_poses(gpu, gaussians, views, &tables, &packed, arg)?
    } else {
        none
    };
    Ok(ProjectGradients {
        gaussians: gradient,
        camera_from_world,
    })
}

fn by_poses<R: Runtime>(
    gpu: &Gpu<R>,
    gaussians: &Gaussians<&GpuBuffer>,
    views: &Views,
    tables: &Tables,
    packed: &GpuBuffer,
    chosen: impl Fn() -> SettingsLaunch<R>,
) -> Result<GpuBuffer, RenderError> {
    let rows = checked_product("gradient by poses", &[views.len(), POSE as usize])?;
    let out = gpu.empty("gradient by poses [B, 3, 4]", rows)?;
    let cubes = tables.grain_count;
    let parts = gpu.empty("parts of the poses' gradients", cubes * POSE as usize)?;
    if cubes > 0 {
        pose_kernel::launch::<R>(
            &gpu.client,
            grid(cubes)?,
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
            &gpu.client,
            grid_of_units(rows)?,
            cube_dim(),
            parts.arg(),
            tables.grain_firsts.arg(),
            out.arg(),
            rows as u32,
        );
    }
    Ok(out)
}

fn pack<R: Runtime>(
    gpu: &Gpu<R>,
    splats: &Splats<&GpuBuffer>,
    v_splats: &Splats<&GpuBuffer>,
) -> Result<GpuBuffer, RenderError> {
    let m = splats.len();
    let words = checked_product("packed gradients", &[m, GRADIENT as usize])?;
    let packed = gpu.empty("packed gradients [M, 8]", words)?;
    if m > 0 {
        pack_gradients_kernel::launch::<R>(
            &gpu.client,
            grid_of_units(m)?,
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
    words: GpuBuffer,
    /// Where it says, for every grain of Gaussians, where its list of views begins.
    starts: usize,
    /// Where the lists begin.
    lists: usize,
    /// Where the grains of the views begin: view and first splat within it.
    grains: usize,
    grain_count: usize,
    /// `[B + 1]`: the running count of the views' grains.
    grain_firsts: GpuBuffer,
}

impl Tables {
    fn new<R: Runtime>(gpu: &Gpu<R>, views: &Views, gaussians: usize) -> Result<Self, RenderError> {
        let mut words = view_table(views, &views.splat_offsets()?)?;
        let starts = words.len();
        let of_grains = ViewsOfTasks::new(gaussians, GRAIN, views)?;
        words.extend(of_grains.starts);
        let lists = words.len();
        words.extend(of_grains.list);
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
            words: gpu.upload_words(&words)?,
            starts,
            lists,
            grains,
            grain_count,
            grain_firsts: gpu.upload_words(&grain_firsts)?,
        })
    }
}
