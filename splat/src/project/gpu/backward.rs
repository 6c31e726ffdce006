//! Launches of the projection's vjp on a device. The gradient with respect to a Gaussian is a sum
//! over views. The gradient with respect to a pose is a sum over Gaussians.

use cubecl::prelude::*;

use crate::config::RenderConfig;
use crate::device::Gpu;
use crate::device::buffer::{GpuBuffer, validate_splats};
use crate::device::launch::{Sections, UNITS, cube_dim, grid, grid_of_units};
use crate::encoding::Features;
use crate::error::{RenderError, checked_product};
use crate::gaussians::Gaussians;
use crate::gradients::{ProjectGradients, Wanted};
use crate::project::gpu::camera_row::{CAMERA, POSE};
use crate::project::gpu::features::FeatureSource;
use crate::project::gpu::forward::Settings;
use crate::project::gpu::gaussian_rows::GaussianSectionsLaunch;
use crate::project::gpu::gradient_row::GRADIENT;
use crate::project::gpu::harmonics_kernels::{
    camera_directions_kernel, coefficients_kernel, directions_kernel,
};
use crate::project::gpu::kernels::{
    camera_kernel, features_kernel, geometry_kernel, pack_gradients_kernel, sum_grains_kernel,
};
use crate::project::gpu::view_table::{push_grain, view_table};
use crate::project::views_of_tasks::{ViewsOfTasks, validate_vjp};
use crate::splats::Splats;
use crate::views::Views;

/// Number of Gaussians that share one list of views, and number of Gaussians per partial gradient
/// with respect to a pose.
const GRAIN: usize = UNITS as usize;

/// The inputs of all parts of [`project_vjp`].
struct Backward<'a, R: Runtime> {
    gpu: &'a Gpu<R>,
    gaussians: &'a Gaussians<&'a GpuBuffer>,
    config: &'a RenderConfig,
    source: FeatureSource,
    /// The extents of the splats. Those of a culled splat are zero.
    extents: &'a GpuBuffer,
    /// The gradient with respect to the splats' features, `[M, C]`.
    v_features: &'a GpuBuffer,
    tables: Tables,
    /// The packed gradient with respect to the splats' geometry, `[M, 8]`. It is empty if neither
    /// the gradient with respect to the geometry nor with respect to the poses is wanted.
    packed: GpuBuffer,
}

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
    let packed = if wanted.gaussian_geometry() {
        pack(gpu, splats, v_splats)?
    } else {
        none.clone()
    };
    let pass = Backward {
        gpu,
        gaussians,
        config,
        source: FeatureSource::of(gaussians.encoding),
        extents: splats.extents,
        v_features: v_splats.features,
        tables: Tables::new(gpu, views, gaussians.count)?,
        packed,
    };
    let mut gradient = if wanted.geometry {
        pass.by_geometry()?
    } else {
        gaussians.map(|_| none.clone())
    };
    if wanted.geometry && gaussians.encoding.features_have_direction() {
        pass.add_directions(&gradient.means)?;
    }
    gradient.features = match gaussians.encoding.features {
        _ if !wanted.features => none.clone(),
        Features::PerGaussian => pass.by_features()?,
        // The two share their memory, as the docs of `Backend::project_vjp` say.
        Features::PerSplat => v_splats.features.clone(),
        Features::Harmonics { .. } => pass.by_coefficients()?,
    };
    let mut gradients = ProjectGradients {
        gaussians: gradient,
        camera_from_world: none.clone(),
        intrinsics: none,
    };
    if wanted.cameras || wanted.intrinsics {
        let (poses, intrinsics) = pass.by_cameras(views, wanted)?;
        if wanted.cameras {
            gradients.camera_from_world = poses;
        }
        if wanted.intrinsics {
            gradients.intrinsics = intrinsics;
        }
    }
    Ok(gradients)
}

impl<R: Runtime> Backward<'_, R> {
    /// Returns the gradient with respect to the geometry of the Gaussians. Its `features` buffer is
    /// empty.
    fn by_geometry(&self) -> Result<Gaussians<GpuBuffer>, RenderError> {
        let Gaussians {
            count, channels, ..
        } = *self.gaussians;
        let mut sections = Sections::new();
        sections.push(3 * count);
        let scales = sections.push(3 * count);
        let quaternions = sections.push(4 * count);
        let opacities = sections.push(count);
        let what = "gradient with respect to Gaussians [N, 11]";
        let out = self.gpu.empty(what, sections.total)?;
        if count > 0 {
            geometry_kernel::launch::<R>(
                &self.gpu.client,
                grid_of_units(count)?,
                cube_dim(),
                self.gaussians.means.arg(),
                self.gaussians.scales.arg(),
                self.gaussians.quaternions.arg(),
                self.gaussians.opacities.arg(),
                self.tables.words.arg(),
                self.packed.arg(),
                out.arg(),
                Settings::launch::<R>(self.config),
                count as u32,
                self.tables.starts as u32,
                self.tables.lists as u32,
                GaussianSectionsLaunch::new(scales as u32, quaternions as u32, opacities as u32),
                self.gaussians.encoding.raw,
            );
        }
        Ok(Gaussians {
            means: out.section(0, 3 * count),
            scales: out.section(scales, 3 * count),
            quaternions: out.section(quaternions, 4 * count),
            opacities: out.section(opacities, count),
            features: self.gpu.empty("no gradient", 0)?,
            count,
            channels,
            encoding: self.gaussians.encoding,
        })
    }

    /// Returns the gradient with respect to the features, `[N, C]`.
    fn by_features(&self) -> Result<GpuBuffer, RenderError> {
        let what = "gradient with respect to features [N, C]";
        let channels = self.gaussians.channels;
        let elements = checked_product(what, &[self.gaussians.count, channels])?;
        let out = self.gpu.empty(what, elements)?;
        if elements > 0 {
            features_kernel::launch::<R>(
                &self.gpu.client,
                grid_of_units(elements)?,
                cube_dim(),
                self.tables.words.arg(),
                self.v_features.arg(),
                out.arg(),
                elements as u32,
                channels as u32,
                self.tables.starts as u32,
                self.tables.lists as u32,
            );
        }
        Ok(out)
    }

    /// Returns the gradient with respect to the coefficients of harmonics, `[N, K, C]`.
    fn by_coefficients(&self) -> Result<GpuBuffer, RenderError> {
        let what = "gradient with respect to features [N, K, C]";
        let out = self.gpu.empty(what, self.gaussians.features.len())?;
        let channels = self.gaussians.channels;
        let rows = self.gaussians.count * channels;
        if rows > 0 {
            coefficients_kernel::launch::<R>(
                &self.gpu.client,
                grid_of_units(rows)?,
                cube_dim(),
                self.gaussians.means.arg(),
                self.gaussians.features.arg(),
                self.tables.words.arg(),
                self.v_features.arg(),
                self.extents.arg(),
                out.arg(),
                rows as u32,
                channels as u32,
                self.tables.starts as u32,
                self.tables.lists as u32,
                self.source,
            );
        }
        Ok(out)
    }

    /// Adds the gradient through the directions of view to that with respect to the means.
    fn add_directions(&self, v_means: &GpuBuffer) -> Result<(), RenderError> {
        let count = self.gaussians.count;
        if count > 0 {
            directions_kernel::launch::<R>(
                &self.gpu.client,
                grid_of_units(count)?,
                cube_dim(),
                self.gaussians.means.arg(),
                self.gaussians.features.arg(),
                self.tables.words.arg(),
                self.v_features.arg(),
                self.extents.arg(),
                v_means.arg(),
                count as u32,
                self.gaussians.channels as u32,
                self.tables.starts as u32,
                self.tables.lists as u32,
                self.source,
            );
        }
        Ok(())
    }

    /// Returns the gradients with respect to the poses, `[B, 3, 4]`, and to the intrinsics, `[B,
    /// 4]`.
    fn by_cameras(
        &self,
        views: &Views,
        wanted: Wanted,
    ) -> Result<(GpuBuffer, GpuBuffer), RenderError> {
        let (gpu, tables) = (self.gpu, &self.tables);
        let what = "gradient with respect to cameras [B, 16]";
        let rows = checked_product(what, &[views.len(), CAMERA as usize])?;
        let [poses, lenses] = [POSE, CAMERA - POSE].map(|width| width as usize * views.len());
        let mut sections = Sections::new();
        sections.push(poses);
        let intrinsics = sections.push(lenses);
        let out = gpu.empty(what, sections.total)?;
        let parts = self.camera_parts(wanted)?;
        if rows > 0 {
            sum_grains_kernel::launch::<R>(
                &gpu.client,
                grid_of_units(rows)?,
                cube_dim(),
                parts.arg(),
                tables.grain_firsts.arg(),
                out.arg(),
                rows as u32,
                intrinsics as u32,
            );
        }
        Ok((out.section(0, poses), out.section(intrinsics, lenses)))
    }

    /// Returns the partial gradients with respect to cameras, one row per grain.
    fn camera_parts(&self, wanted: Wanted) -> Result<GpuBuffer, RenderError> {
        let (gpu, tables) = (self.gpu, &self.tables);
        let cubes = tables.grain_count;
        let what = "partial gradients with respect to cameras";
        let parts = gpu.empty(what, checked_product(what, &[cubes, CAMERA as usize])?)?;
        if cubes == 0 {
            return Ok(parts);
        }
        camera_kernel::launch::<R>(
            &gpu.client,
            grid(cubes)?,
            cube_dim(),
            self.gaussians.means.arg(),
            self.gaussians.scales.arg(),
            self.gaussians.quaternions.arg(),
            self.gaussians.opacities.arg(),
            tables.words.arg(),
            self.packed.arg(),
            parts.arg(),
            Settings::launch::<R>(self.config),
            tables.grains as u32,
            cubes as u32,
            self.gaussians.encoding.raw,
        );
        if wanted.cameras && self.gaussians.encoding.features_have_direction() {
            camera_directions_kernel::launch::<R>(
                &gpu.client,
                grid(cubes)?,
                cube_dim(),
                self.gaussians.means.arg(),
                self.gaussians.features.arg(),
                tables.words.arg(),
                self.v_features.arg(),
                self.extents.arg(),
                parts.arg(),
                tables.grains as u32,
                cubes as u32,
                self.gaussians.channels as u32,
                self.source,
            );
        }
        Ok(parts)
    }
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

/// The table of views and, in the same buffer after it, the lists that the kernels of the vjp read.
pub(super) struct Tables {
    pub(super) words: GpuBuffer,
    /// Index in `words` of the start offsets of the lists of views, one per grain of Gaussians.
    pub(super) starts: usize,
    /// Index in `words` of the lists of views.
    pub(super) lists: usize,
    /// Index in `words` of the grains of all views. A grain is stored as its view and its first
    /// splat within the view.
    grains: usize,
    grain_count: usize,
    /// `[B + 1]`: the running sum of the number of grains per view. The first element is zero.
    grain_firsts: GpuBuffer,
}

impl Tables {
    pub(super) fn new<R: Runtime>(
        gpu: &Gpu<R>,
        views: &Views,
        gaussians: usize,
    ) -> Result<Self, RenderError> {
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
                push_grain(&mut words, view, first);
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
