//! Splats as the compositors on a device read them: rows of numbers side by side, and features of 16 bits.

use cubecl::prelude::*;
use half::f16;

use crate::config::RenderConfig;
use crate::device::Gpu;
use crate::device::buffer::GpuBuffer;
use crate::device::launch::{cube_dim, grid_of_units, unit_index};
use crate::error::{RenderError, checked_product};
use crate::project::gpu::forward::rounded_to_half;
use crate::sort::gpu::lists::SortedHits;
use crate::splats::Splats;

/// Numbers of a packed splat: its row ([`ROW`](super::cube_tile::ROW)), then its rank in two parts that `f32` holds exactly.
pub(crate) const PACKED: u32 = 11;

/// The lower part of a rank.
const RANK_PART: u32 = 1 << 16;

/// One unit per splat: gathers what the compositor reads.
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
        let at = m * PACKED;
        for k in 0..2u32 {
            packed[(at + k) as usize] = means[(2 * m + k) as usize];
            packed[(at + 6 + k) as usize] = extents[(2 * m + k) as usize];
        }
        for k in 0..3u32 {
            packed[(at + 2 + k) as usize] = conics[(3 * m + k) as usize];
        }
        packed[(at + 5) as usize] = opacities[m as usize];
        packed[(at + 8) as usize] = depths[m as usize];
        if comptime![ranked] {
            let rank = ranks[m as usize];
            packed[(at + 9) as usize] = f32::cast_from(rank % RANK_PART);
            packed[(at + 10) as usize] = f32::cast_from(rank / RANK_PART);
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

/// One unit per feature: the same in 16 bits. They hold it, but where a device takes subnormal numbers (below 2^-14) for zero.
#[cube(launch)]
fn narrow_kernel<F: Float>(features: &Array<f32>, halves: &mut Array<F>, count: u32) {
    let i = unit_index();
    if i < count {
        halves[i as usize] = F::cast_from(rounded_to_half(features[i as usize]));
    }
}

/// Features in 16 bits for the compositors to read, `[M, C]`, where they are rounded to that many and the device has numbers of 16 bits.
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

/// The rank of a packed splat.
#[cube]
pub(crate) fn rank_of(packed: &Array<f32>, m: u32) -> u32 {
    let at = m * PACKED + 9;
    u32::cast_from(packed[at as usize]) + u32::cast_from(packed[(at + 1) as usize]) * RANK_PART
}
