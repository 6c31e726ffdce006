//! Splats in the layout of the compositors on a device: rows of packed values, and 16-bit features.

use cubecl::prelude::*;
use half::f16;

use crate::composite::gpu::packed::{PACKED, set_packed, set_rank};
use crate::config::RenderConfig;
use crate::device::Gpu;
use crate::device::buffer::GpuBuffer;
use crate::device::launch::{cube_dim, grid_of_units, unit_index};
use crate::device::rows::vec2_of;
use crate::error::{RenderError, checked_product};
use crate::formulas::single::{Real, finite::finite};
use crate::math::Vec2;
use crate::project::Splat;
use crate::project::gpu::forward::rounded_to_half;
use crate::project::gpu::splat_rows::splat_of;
use crate::sort::gpu::lists::SortedHits;
use crate::splats::Splats;

/// Gathers the values that the compositor reads, with one thread per splat.
#[cube(launch)]
fn pack_kernel(
    means: &Array<f32>,
    conics: &Array<f32>,
    opacities: &Array<f32>,
    depths: &Array<f32>,
    extents: &Array<f32>,
    ranks: &Array<u32>,
    packed: &mut Array<f32>,
    count: u32,
    #[comptime] ranked: bool,
) {
    let m = unit_index();
    if m < count {
        let splat = splat_of(means, conics, opacities, depths, m);
        let extent = vec2_of(extents, m);
        let mut opacity = splat.opacity;
        let mut extent_x = extent.x;
        // A splat that counts in no pixel but can have extents: it gets a box without pixels, and
        // an opacity that is a valid divisor.
        if !finite(opacity) || opacity <= 0.0 {
            opacity = 1.0;
            extent_x = -1.0;
        }
        let splat = Splat::<Real> {
            mean: splat.mean,
            conic: splat.conic,
            opacity,
            depth: splat.depth,
        };
        let extent = Vec2::<Real> {
            x: extent_x,
            y: extent.y,
        };
        set_packed(packed, m, splat, extent);
        if comptime![ranked] {
            set_rank(packed, m, ranks[m as usize]);
        }
    }
}

/// Packs every splat, `[M, PACKED]`.
///
/// # Errors
/// Returns an error if the buffer is too large or cannot be allocated.
pub(crate) fn pack<R: Runtime>(
    gpu: &Gpu<R>,
    splats: &Splats<&GpuBuffer>,
    sorted: &SortedHits,
) -> Result<GpuBuffer, RenderError> {
    let m = splats.len();
    let words = checked_product("packed splats", &[m, PACKED as usize])?;
    let packed = gpu.empty("packed splats [M, 11]", words)?;
    let (ranks, ranked) = match sorted {
        SortedHits::Small(sorted) => (&sorted.order, false),
        SortedHits::Large(sorted) => (&sorted.rank_from_splat, true),
    };
    if m > 0 {
        pack_kernel::launch::<R>(
            &gpu.client,
            grid_of_units(m)?,
            cube_dim(),
            splats.means.arg(),
            splats.conics.arg(),
            splats.opacities.arg(),
            splats.depths.arg(),
            splats.extents.arg(),
            ranks.arg(),
            packed.arg(),
            m as u32,
            ranked,
        );
    }
    Ok(packed)
}

/// Converts features to 16 bits, with one thread per feature. The conversion is exact after
/// [`rounded_to_half()`], except on devices that flush subnormal numbers (below 2^-14) to zero.
#[cube(launch)]
fn narrow_kernel<F: Float>(features: &Array<f32>, halves: &mut Array<F>, count: u32) {
    let i = unit_index();
    if i < count {
        halves[i as usize] = F::cast_from(rounded_to_half(features[i as usize]));
    }
}

/// Returns the features in 16 bits, `[M, C]`. Returns `None` if `half_features` is off, if the
/// device has no 16-bit numbers, or if there are no features.
pub(crate) fn narrow<R: Runtime>(
    gpu: &Gpu<R>,
    splats: &Splats<&GpuBuffer>,
    config: &RenderConfig,
) -> Result<Option<GpuBuffer>, RenderError> {
    let count = splats.features.len();
    if !config.half_features || !gpu.has_halves() || count == 0 {
        return Ok(None);
    }
    let halves = gpu.empty("16-bit features [M, C]", count.div_ceil(2))?;
    narrow_kernel::launch::<f16, R>(
        &gpu.client,
        grid_of_units(count)?,
        cube_dim(),
        splats.features.arg(),
        halves.arg_of_halves(count),
        count as u32,
    );
    Ok(Some(halves))
}
