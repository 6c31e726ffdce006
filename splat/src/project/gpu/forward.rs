//! The projection on a device, one thread per splat. The vjp is in `backward.rs`.

use cubecl::prelude::*;

use crate::config::{FOOTPRINT_SLACK, RenderConfig};
use crate::device::Gpu;
use crate::device::buffer::GpuBuffer;
use crate::device::launch::{cube_dim, grid_of_units, unit_index};
use crate::error::{RenderError, checked_product};
use crate::formulas::single::binning::meets;
use crate::formulas::single::finite::finite;
use crate::formulas::single::{Real, binning, project as formula};
use crate::gaussians::Gaussians;
use crate::math::exp::sigma_at_on_device;
use crate::math::{Sym2, Vec2};
use crate::project::gpu::features::{FeatureSource, feature_of};
use crate::project::gpu::gaussian_rows::shape_of;
use crate::project::gpu::splat_rows::{SplatAllocation, SplatSections, set_splat};
use crate::project::gpu::view_table::{
    camera_of, first_gaussian, first_splat, view_of, view_table,
};
use crate::project::{ProjectConstants, Splat};
use crate::splats::Splats;
use crate::views::Views;

/// The settings of a projection in the form that kernels take.
#[derive(CubeType, CubeLaunch, Clone, Copy)]
pub(crate) struct Settings {
    pub(crate) blur: f32,
    pub(crate) compensation_floor: f32,
    pub(crate) antialias: u32,
}

impl Settings {
    /// Returns the launch argument for `config`.
    pub(crate) fn launch<R: Runtime>(config: &RenderConfig) -> SettingsLaunch<R> {
        let constants: ProjectConstants<f32> = config.project_constants();
        SettingsLaunch::new(
            constants.blur,
            constants.compensation_floor,
            u32::from(constants.antialias),
        )
    }
}

#[cube]
pub(crate) fn constants_of(settings: Settings) -> ProjectConstants<f32> {
    ProjectConstants::<Real> {
        blur: settings.blur,
        compensation_floor: settings.compensation_floor,
        antialias: settings.antialias != 0,
    }
}

/// Whether a splat's box contains a pixel centre of the image along one axis of `count` pixels. It
/// is enough to test the image's pixel centre that is nearest to `mean`.
#[cube]
pub(crate) fn meets_image(mean: f32, extent: f32, count: f32) -> bool {
    let mut nearest = f32::floor(mean) + 0.5;
    if nearest < 0.5 {
        nearest = 0.5;
    }
    if nearest > count - 0.5 {
        nearest = count - 0.5;
    }
    meets(mean, extent, nearest, nearest)
}

/// Rounds a finite `x` to the nearest value of IEEE binary16, ties to even. Values beyond the range
/// of binary16 are clamped to ±65,504.
///
/// The function works on the bits because a device does not necessarily have 16-bit floats.
#[cube]
pub(crate) fn rounded_to_half(x: f32) -> f32 {
    let bits: u32 = u32::reinterpret(x);
    let mut size: u32 = bits & 0x7fff_ffff;
    // The greatest finite value of binary16, 65,504.
    if size > 0x477f_e000 {
        size = 0x477f_e000;
    }
    let mut rounded: u32 = (size + 0xfff + ((size >> 13) & 1)) & 0xffff_e000u32;
    // Below 2^-14, binary16 values are 2^-24 apart, like binary32 values between 0.5 and 1.
    if size < 0x3880_0000 {
        let steps = u32::reinterpret(f32::reinterpret(size) + 0.5) - 0x3f00_0000;
        rounded = u32::reinterpret(f32::cast_from(steps) * 5.960_464_5e-8);
    }
    f32::reinterpret((bits & 0x8000_0000u32) | rounded)
}

/// Computes one splat per thread. The values of a culled splat are zero.
#[cube(launch)]
fn project_kernel(
    means: &Array<f32>,
    scales: &Array<f32>,
    quaternions: &Array<f32>,
    opacities: &Array<f32>,
    features: &Array<f32>,
    views: &Array<u32>,
    out: &mut Array<f32>,
    chosen: Settings,
    alpha_min: f32,
    slack: f32,
    width: f32,
    height: f32,
    view_count: u32,
    count: u32,
    channels: u32,
    sections: SplatSections,
    #[comptime] half_features: bool,
    #[comptime] raw: bool,
    #[comptime] source: FeatureSource,
) {
    let m = unit_index();
    if m < count {
        let view = view_of(views, view_count, m);
        let n = first_gaussian(views, view) + (m - first_splat(views, view));
        let shape = shape_of(means, scales, quaternions, opacities, n, raw);
        let camera = camera_of(views, view);
        let constants = constants_of(chosen);
        let footprint = formula::footprint(shape, camera, constants);
        let splat = formula::splat(shape, footprint, camera, constants);
        let mut seen = formula::is_sound(shape, footprint, splat, camera, alpha_min);
        let mut extent_x = 0.0f32;
        let mut extent_y = 0.0f32;
        if seen {
            let reach = binning::reach(sigma_at_on_device(splat.opacity, alpha_min), slack);
            let extents = binning::extents(footprint.covariance, reach);
            seen = finite(extents.x)
                && finite(extents.y)
                && meets_image(splat.mean.x, extents.x, width)
                && meets_image(splat.mean.y, extents.y, height);
            extent_x = extents.x;
            extent_y = extents.y;
        }
        if seen {
            for c in 0..channels {
                let mut feature =
                    feature_of(features, shape.mean, camera, n, m, c, channels, source);
                seen = seen && finite(feature);
                if comptime![half_features] {
                    feature = rounded_to_half(feature);
                }
                out[(sections.features + m * channels + c) as usize] = feature;
            }
        }
        if seen {
            let extent = Vec2::<Real> {
                x: extent_x,
                y: extent_y,
            };
            set_splat(out, sections, m, splat, extent);
        } else {
            set_splat(
                out,
                sections,
                m,
                no_splat(),
                Vec2::<Real> { x: 0.0, y: 0.0 },
            );
            for c in 0..channels {
                out[(sections.features + m * channels + c) as usize] = 0.0;
            }
        }
    }
}

/// Returns the values that are stored for a culled splat: zeros.
#[cube]
pub(crate) fn no_splat() -> Splat<f32> {
    Splat::<Real> {
        mean: Vec2::<Real> { x: 0.0, y: 0.0 },
        conic: Sym2::<Real> {
            xx: 0.0,
            xy: 0.0,
            yy: 0.0,
        },
        opacity: 0.0,
        depth: 0.0,
    }
}

/// Projects every Gaussian of every view.
pub(crate) fn project<R: Runtime>(
    gpu: &Gpu<R>,
    gaussians: &Gaussians<&GpuBuffer>,
    views: &Views,
    config: &RenderConfig,
) -> Result<Splats<GpuBuffer>, RenderError> {
    let offsets = views.splat_offsets()?;
    let (m, channels) = (offsets[views.len()], gaussians.channels);
    let elements = checked_product("splat features [M, C]", &[m, channels])?;
    let out = SplatAllocation::new(gpu, "splats [M, 9 + C]", m, elements, m)?;
    if m > 0 {
        let table = gpu.upload_words(&view_table(views, &offsets)?)?;
        project_kernel::launch::<R>(
            &gpu.client,
            grid_of_units(m)?,
            cube_dim(),
            gaussians.means.arg(),
            gaussians.scales.arg(),
            gaussians.quaternions.arg(),
            gaussians.opacities.arg(),
            gaussians.features.arg(),
            table.arg(),
            out.buffer.arg(),
            Settings::launch(config),
            config.alpha_min as f32,
            FOOTPRINT_SLACK as f32,
            views.width as f32,
            views.height as f32,
            views.len() as u32,
            m as u32,
            channels as u32,
            out.sections(),
            config.half_features,
            gaussians.encoding.raw,
            FeatureSource::of(gaussians.encoding),
        );
    }
    Ok(out.into_splats(offsets, channels))
}
