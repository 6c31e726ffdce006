//! Loops of the projection on a device: one unit per splat. Its vjp is in `cube_vjp.rs`.

use cubecl::prelude::*;

use crate::camera::Views;
use crate::config::{FOOTPRINT_SLACK, RenderConfig};
use crate::device::Gpu;
use crate::device::buffer::GpuBuffer;
use crate::device::launch::{Sections, cube_dim, finite, grid_of_units, unit_index};
use crate::error::{RenderError, checked_product, try_filled};
use crate::formulas::single::binning::meets;
use crate::formulas::single::{Real, binning, project as formula, quat};
use crate::gaussians::Gaussians;
use crate::math::exp::sigma_at_on_device;
use crate::math::{Mat3, Quaternion, Vec3};
use crate::project::CameraParams;
use crate::project::{Footprint, GaussianShape, ProjectConstants, Splat};
use crate::splats::Splats;

/// Words of one view in a table of views: its first splat, its first Gaussian, its number of Gaussians, then the camera.
pub(crate) const VIEW: u32 = 27;

/// The settings of a projection as a kernel takes them.
#[derive(CubeType, CubeLaunch, Clone, Copy)]
pub(crate) struct Settings {
    pub(crate) blur: f32,
    pub(crate) compensation_floor: f32,
    pub(crate) antialias: u32,
}

impl Settings {
    /// The launch argument for `config`.
    pub(crate) fn launch<R: Runtime>(config: &RenderConfig) -> SettingsLaunch<R> {
        let constants: ProjectConstants<f32> = config.project_constants();
        SettingsLaunch::new(
            constants.blur,
            constants.compensation_floor,
            u32::from(constants.antialias),
        )
    }
}

/// The table of views, [`VIEW`] words each.
pub(crate) fn view_table(views: &Views, offsets: &[usize]) -> Result<Vec<u32>, RenderError> {
    let words = checked_product("table of views", &[views.len(), VIEW as usize])?;
    let mut table = try_filled("table of views", words, 0u32)?;
    let rows = table.chunks_exact_mut(VIEW as usize);
    for (view, row) in rows.enumerate() {
        let p = views.cameras[view].params::<f32>(views.width, views.height);
        let range = &views.ranges[view];
        row[0] = offsets[view] as u32;
        row[1] = range.start as u32;
        row[2] = range.len() as u32;
        let numbers = [p.rotation.r0, p.rotation.r1, p.rotation.r2, p.translation];
        let numbers = numbers.into_iter().flat_map(|v| [v.x, v.y, v.z]);
        let rest = [
            p.fx,
            p.fy,
            p.cx,
            p.cy,
            p.near,
            p.far,
            p.tan_x_min,
            p.tan_x_max,
            p.tan_y_min,
            p.tan_y_max,
        ];
        for (word, number) in row[3..].iter_mut().zip(numbers.chain(rest)) {
            *word = number.to_bits();
        }
        row[25] = u32::from(p.perspective_centre);
        row[26] = u32::from(p.perspective_footprint);
    }
    Ok(table)
}

#[cube]
fn number(views: &Array<u32>, at: u32) -> f32 {
    f32::reinterpret(views[at as usize])
}

#[cube]
fn vec3_of_words(views: &Array<u32>, at: u32) -> Vec3<f32> {
    Vec3::<Real> {
        x: number(views, at),
        y: number(views, at + 1),
        z: number(views, at + 2),
    }
}

/// The camera of a view.
#[cube]
pub(crate) fn camera_of(views: &Array<u32>, view: u32) -> CameraParams<f32> {
    let at = view * VIEW + 3;
    CameraParams::<Real> {
        rotation: Mat3::<Real> {
            r0: vec3_of_words(views, at),
            r1: vec3_of_words(views, at + 3),
            r2: vec3_of_words(views, at + 6),
        },
        translation: vec3_of_words(views, at + 9),
        fx: number(views, at + 12),
        fy: number(views, at + 13),
        cx: number(views, at + 14),
        cy: number(views, at + 15),
        near: number(views, at + 16),
        far: number(views, at + 17),
        tan_x_min: number(views, at + 18),
        tan_x_max: number(views, at + 19),
        tan_y_min: number(views, at + 20),
        tan_y_max: number(views, at + 21),
        perspective_centre: views[(at + 22) as usize] != 0,
        perspective_footprint: views[(at + 23) as usize] != 0,
    }
}

#[cube]
fn vec3_at(x: &Array<f32>, at: u32) -> Vec3<f32> {
    Vec3::<Real> {
        x: x[at as usize],
        y: x[(at + 1) as usize],
        z: x[(at + 2) as usize],
    }
}

/// The geometry of Gaussian `n`.
#[cube]
pub(crate) fn shape_of(
    means: &Array<f32>,
    scales: &Array<f32>,
    quaternions: &Array<f32>,
    opacities: &Array<f32>,
    n: u32,
) -> GaussianShape<f32> {
    GaussianShape::<Real> {
        mean: vec3_at(means, 3 * n),
        scale: vec3_at(scales, 3 * n),
        quaternion: Quaternion::<Real> {
            w: quaternions[(4 * n) as usize],
            x: quaternions[(4 * n + 1) as usize],
            y: quaternions[(4 * n + 2) as usize],
            z: quaternions[(4 * n + 3) as usize],
        },
        opacity: opacities[n as usize],
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

/// The view that has splat `m`: the last one that begins at `m` or before and is not empty.
#[cube]
pub(crate) fn view_of(views: &Array<u32>, count: u32, m: u32) -> u32 {
    let mut low = 0u32;
    let mut high = count;
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if views[(middle * VIEW) as usize] <= m {
            low = middle;
        } else {
            high = middle;
        }
    }
    low
}

/// The gate of the renderer, as on the CPU: false where the Gaussian is culled.
#[cube]
fn is_sound(
    shape: GaussianShape<f32>,
    footprint: Footprint<f32>,
    splat: Splat<f32>,
    camera: CameraParams<f32>,
) -> bool {
    let length = quat::norm(shape.quaternion);
    let z = footprint.centre.z;
    length > 0.0
        && finite(length)
        && z >= camera.near
        && z <= camera.far
        && finite(z)
        && footprint.det > 0.0
        && finite(footprint.det)
        && finite(splat.conic.xx * splat.conic.yy)
        && finite(splat.conic.xx)
        && finite(splat.conic.xy)
        && finite(splat.conic.yy)
        && finite(splat.mean.x)
        && finite(splat.mean.y)
        && finite(splat.opacity)
}

/// Whether the box holds some pixel centre of `0..count`: if any, then one of the two nearest the splat's centre, or the border.
#[cube]
fn meets_image(mean: f32, extent: f32, count: f32) -> bool {
    let mut nearest = f32::floor(mean) + 0.5;
    if nearest < 0.5 {
        nearest = 0.5;
    }
    if nearest > count - 0.5 {
        nearest = count - 0.5;
    }
    meets(mean, extent, nearest, nearest)
}

/// The nearest number of IEEE binary16, of two equally near ones the even one; beyond the greatest that one. `x` is finite.
///
/// On the bits, since a device need not have numbers of 16 bits.
#[cube]
pub(crate) fn rounded_to_half(x: f32) -> f32 {
    let bits: u32 = u32::reinterpret(x);
    let mut size: u32 = bits & 0x7fff_ffff;
    // 65,504.
    if size > 0x477f_e000 {
        size = 0x477f_e000;
    }
    let mut rounded: u32 = (size + 0xfff + ((size >> 13) & 1)) & 0xffff_e000u32;
    // Below 2^-14 its numbers are 2^-24 apart, as those of binary32 are between a half and one.
    if size < 0x3880_0000 {
        let steps = u32::reinterpret(f32::reinterpret(size) + 0.5) - 0x3f00_0000;
        rounded = u32::reinterpret(f32::cast_from(steps) * 5.960_464_5e-8);
    }
    f32::reinterpret((bits & 0x8000_0000u32) | rounded)
}

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
    out_conics: u32,
    out_opacities: u32,
    out_depths: u32,
    out_features: u32,
    out_extents: u32,
    #[comptime] half_features: bool,
) {
    let m = unit_index();
    if m < count {
        let view = view_of(views, view_count, m);
        let at = view * VIEW;
        let n = views[(at + 1) as usize] + (m - views[at as usize]);
        let shape = shape_of(means, scales, quaternions, opacities, n);
        let camera = camera_of(views, view);
        let constants = constants_of(chosen);
        let footprint = formula::footprint(shape, camera, constants);
        let splat = formula::splat(shape, footprint, camera, constants);
        let mut seen = is_sound(shape, footprint, splat, camera) && splat.opacity >= alpha_min;
        for c in 0..channels {
            seen = seen && finite(features[(n * channels + c) as usize]);
        }
        let mut extent_x = 0.0f32;
        let mut extent_y = 0.0f32;
        if seen {
            let mut reach = sigma_at_on_device(splat.opacity, alpha_min);
            if reach < 0.0 {
                reach = 0.0;
            }
            let extents = binning::extents(footprint.covariance, reach + slack);
            seen = finite(extents.x)
                && finite(extents.y)
                && meets_image(splat.mean.x, extents.x, width)
                && meets_image(splat.mean.y, extents.y, height);
            extent_x = extents.x;
            extent_y = extents.y;
        }
        if seen {
            out[(2 * m) as usize] = splat.mean.x;
            out[(2 * m + 1) as usize] = splat.mean.y;
            out[(out_conics + 3 * m) as usize] = splat.conic.xx;
            out[(out_conics + 3 * m + 1) as usize] = splat.conic.xy;
            out[(out_conics + 3 * m + 2) as usize] = splat.conic.yy;
            out[(out_opacities + m) as usize] = splat.opacity;
            out[(out_depths + m) as usize] = splat.depth;
            out[(out_extents + 2 * m) as usize] = extent_x;
            out[(out_extents + 2 * m + 1) as usize] = extent_y;
            for c in 0..channels {
                let mut feature = features[(n * channels + c) as usize];
                if comptime![half_features] {
                    feature = rounded_to_half(feature);
                }
                out[(out_features + m * channels + c) as usize] = feature;
            }
        } else {
            for k in 0..2u32 {
                out[(2 * m + k) as usize] = 0.0;
                out[(out_extents + 2 * m + k) as usize] = 0.0;
            }
            for k in 0..3u32 {
                out[(out_conics + 3 * m + k) as usize] = 0.0;
            }
            out[(out_opacities + m) as usize] = 0.0;
            out[(out_depths + m) as usize] = 0.0;
            for c in 0..channels {
                out[(out_features + m * channels + c) as usize] = 0.0;
            }
        }
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
    let mut sections = Sections::new();
    let means = sections.push(2 * m);
    let conics = sections.push(3 * m);
    let opacities = sections.push(m);
    let depths = sections.push(m);
    let features = sections.push(elements);
    let extents = sections.push(2 * m);
    let out = gpu.empty("splats [M, 9 + C]", sections.total)?;
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
            out.arg(),
            Settings::launch(config),
            config.alpha_min as f32,
            FOOTPRINT_SLACK as f32,
            views.width as f32,
            views.height as f32,
            views.len() as u32,
            m as u32,
            channels as u32,
            conics as u32,
            opacities as u32,
            depths as u32,
            features as u32,
            extents as u32,
            config.half_features,
        );
    }
    Ok(Splats {
        means: out.section(means, 2 * m),
        conics: out.section(conics, 3 * m),
        opacities: out.section(opacities, m),
        depths: out.section(depths, m),
        features: out.section(features, elements),
        half_features: None,
        extents: out.section(extents, 2 * m),
        offsets,
        channels,
    })
}
