//! Splats as the compositors on a device read them: rows of numbers side by side, and features of
//! 16 bits.

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

/// One thread per splat: gathers what the compositor reads.
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
        // A splat that can count nowhere, but has extents: a box that holds no pixel, and an
        // opacity that can be divided by.
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

/// One thread per feature: the same in 16 bits. They hold it, but where a device takes subnormal
/// numbers (below 2^-14) for zero.
#[cube(launch)]
fn narrow_kernel<F: Float>(features: &Array<f32>, halves: &mut Array<F>, count: u32) {
    let i = unit_index();
    if i < count {
        halves[i as usize] = F::cast_from(rounded_to_half(features[i as usize]));
    }
}

/// Features in 16 bits for the compositors to read, `[M, C]`, where they are rounded to that many
/// and the device has numbers of 16 bits.
pub(crate) fn narrow<R: Runtime>(
    gpu: &Gpu<R>,
    splats: &Splats<&GpuBuffer>,
    config: &RenderConfig,
) -> Result<Option<GpuBuffer>, RenderError> {
    let count = splats.features.len();
    if !config.half_features || !gpu.has_halves() || count == 0 {
        return Ok(None);
    }
    let halves = gpu.empty("features of 16 bits [M, C]", count.div_ceil(2))?;
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
