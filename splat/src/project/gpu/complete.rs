//! Splats of ellipses on a device: their conics and extents.

use cubecl::prelude::*;

use crate::config::{FOOTPRINT_SLACK, RenderConfig};
use crate::device::Gpu;
use crate::device::buffer::GpuBuffer;
use crate::device::launch::{cube_dim, grid_of_units, unit_index};
use crate::device::rows::{set_sym2_at, sym2_of, vec2_of};
use crate::ellipse::{Ellipses, Shapes};
use crate::error::{RenderError, checked_product, try_reserved};
use crate::formulas::single::finite::finite;
use crate::formulas::single::{Real, binning, sym2};
use crate::math::exp::sigma_at_on_device;
use crate::math::{Sym2, Vec2};
use crate::project::Splat;
use crate::project::gpu::forward::{meets_image, no_splat, rounded_to_half};
use crate::project::gpu::splat_rows::{SplatAllocation, SplatSections, conic_index, set_splat};
use crate::splats::Splats;

/// Returns whether a matrix is positive definite. The products of the determinant are rounded, so
/// that a needle may be decided otherwise than on the CPU.
#[cube]
fn is_positive_definite(m: Sym2<f32>, det: f32) -> bool {
    m.xx > 0.0 && m.yy > 0.0 && det > 0.0 && finite(det)
}

#[cube]
fn is_finite(m: Sym2<f32>) -> bool {
    finite(m.xx) && finite(m.xy) && finite(m.yy)
}

/// Makes one splat per thread. The values of a culled splat are zero.
#[cube(launch)]
fn ellipses_kernel(
    means: &Array<f32>,
    shapes: &Array<f32>,
    opacities: &Array<f32>,
    depths: &Array<f32>,
    features: &Array<f32>,
    out: &mut Array<f32>,
    alpha_min: f32,
    slack: f32,
    width: f32,
    height: f32,
    count: u32,
    channels: u32,
    sections: SplatSections,
    #[comptime] covariances: bool,
    #[comptime] half_features: bool,
) {
    let m = unit_index();
    if m < count {
        let given = sym2_of(shapes, m);
        let det = given.xx * given.yy - given.xy * given.xy;
        let inverse = sym2::inverse(given, det);
        let mean = vec2_of(means, m);
        let opacity = opacities[m as usize];
        let depth = depths[m as usize];
        let mut seen = is_positive_definite(given, det)
            && is_finite(given)
            && is_finite(inverse)
            && finite(mean.x)
            && finite(mean.y)
            && finite(depth)
            && finite(opacity)
            && opacity >= alpha_min;
        let mut xx = given.xx;
        let mut xy = given.xy;
        let mut yy = given.yy;
        let mut variance_x = inverse.xx;
        let mut variance_y = inverse.yy;
        if comptime![covariances] {
            xx = inverse.xx;
            xy = inverse.xy;
            yy = inverse.yy;
            variance_x = given.xx;
            variance_y = given.yy;
        }
        let mut extent_x = 0.0f32;
        let mut extent_y = 0.0f32;
        if seen {
            let reach = binning::reach(sigma_at_on_device(opacity, alpha_min), slack);
            let variances = Sym2::<Real> {
                xx: variance_x,
                xy: 0.0,
                yy: variance_y,
            };
            let extents = binning::extents(variances, reach);
            seen = finite(extents.x)
                && finite(extents.y)
                && meets_image(mean.x, extents.x, width)
                && meets_image(mean.y, extents.y, height);
            extent_x = extents.x;
            extent_y = extents.y;
        }
        if seen {
            for c in 0..channels {
                let mut feature = features[(m * channels + c) as usize];
                seen = seen && finite(feature);
                if comptime![half_features] {
                    feature = rounded_to_half(feature);
                }
                out[(sections.features + m * channels + c) as usize] = feature;
            }
        }
        if seen {
            let splat = Splat::<Real> {
                mean,
                conic: Sym2::<Real> { xx, xy, yy },
                opacity,
                depth,
            };
            let extent = Vec2::<Real> {
                x: extent_x,
                y: extent_y,
            };
            set_splat(out, sections, m, splat, extent);
        } else {
            let extent = Vec2::<Real> { x: 0.0, y: 0.0 };
            set_splat(out, sections, m, no_splat(), extent);
            for c in 0..channels {
                out[(sections.features + m * channels + c) as usize] = 0.0;
            }
        }
    }
}

/// Computes the gradient with respect to one covariance per thread.
#[cube(launch)]
fn covariances_kernel(
    conics: &Array<f32>,
    v_conics: &Array<f32>,
    out: &mut Array<f32>,
    count: u32,
) {
    let m = unit_index();
    if m < count {
        let v = sym2::inverse_vjp(sym2_of(conics, m), sym2_of(v_conics, m));
        set_sym2_at(out, conic_index(0u32, m), v);
    }
}

/// Makes splats of ellipses.
pub(crate) fn ellipses<R: Runtime>(
    gpu: &Gpu<R>,
    given: &Ellipses<'_, &GpuBuffer>,
    [width, height]: [usize; 2],
    config: &RenderConfig,
) -> Result<Splats<GpuBuffer>, RenderError> {
    let (m, channels) = (given.len(), given.channels);
    let mut offsets = try_reserved("splat offsets [B + 1]", given.offsets.len())?;
    offsets.extend_from_slice(given.offsets);
    let elements = checked_product("splat features [M, C]", &[m, channels])?;
    let out = SplatAllocation::new(gpu, "splats [M, 9 + C]", m, elements, m)?;
    if m > 0 {
        ellipses_kernel::launch::<R>(
            &gpu.client,
            grid_of_units(m)?,
            cube_dim(),
            given.means.arg(),
            given.shapes.arg(),
            given.opacities.arg(),
            given.depths.arg(),
            given.features.arg(),
            out.buffer.arg(),
            config.alpha_min as f32,
            FOOTPRINT_SLACK as f32,
            width as f32,
            height as f32,
            m as u32,
            channels as u32,
            out.sections(),
            given.kind == Shapes::Covariances,
            config.half_features,
        );
    }
    Ok(out.into_splats(offsets, channels))
}

/// Vjp of [`ellipses`] for covariances.
pub(crate) fn ellipses_vjp<R: Runtime>(
    gpu: &Gpu<R>,
    splats: &Splats<&GpuBuffer>,
    v_conics: &GpuBuffer,
) -> Result<GpuBuffer, RenderError> {
    let m = splats.len();
    let out = gpu.empty("gradient with respect to covariances [M, 3]", 3 * m)?;
    if m > 0 {
        covariances_kernel::launch::<R>(
            &gpu.client,
            grid_of_units(m)?,
            cube_dim(),
            splats.conics.arg(),
            v_conics.arg(),
            out.arg(),
            m as u32,
        );
    }
    Ok(out)
}
