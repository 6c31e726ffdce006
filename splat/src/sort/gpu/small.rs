//! The sort stage in the small regime. One workgroup sorts each view in shared memory. A second
//! kernel then sets one bit for each tile and each splat that touches it.

use cubecl::prelude::*;

use crate::binning::gpu::hits::SmallHits;
use crate::device::Gpu;
use crate::device::buffer::GpuBuffer;
use crate::device::launch::{cube_dim, cube_index, grid, grid_of_units, unit_index};
use crate::device::rows::vec2_of;
use crate::error::{RenderError, checked_product};
use crate::formulas::single::binning::meets;
use crate::project::gpu::splat_rows::is_visible;
use crate::sort::gpu::lists::{SmallSorted, sort_key};
use crate::splats::Splats;

/// The key of culled splats and of slots beyond the end of a view. No depth has a greater key.
const LAST: u32 = u32::MAX;

/// Sorts the splats of one view per workgroup. A bitonic network of `ranks` slots sorts pairs of
/// key and index.
#[cube(launch)]
fn sort_kernel(
    depths: &Array<f32>,
    extents: &Array<f32>,
    offsets: &Array<u32>,
    order: &mut Array<u32>,
    views: u32,
    #[comptime] ranks: u32,
) {
    let view = cube_index();
    let mut keys = SharedMemory::<u32>::new(ranks as usize);
    let mut splats = SharedMemory::<u32>::new(ranks as usize);
    if view < views {
        let start = offsets[view as usize];
        let count = offsets[(view + 1) as usize] - start;
        let mut i = UNIT_POS_X;
        while i < ranks {
            let mut key = LAST.runtime();
            let mut splat = LAST.runtime();
            if i < count {
                let m = start + i;
                splat = m;
                if is_visible(vec2_of(extents, m)) {
                    key = sort_key(depths[m as usize]);
                }
            }
            keys[i as usize] = key;
            splats[i as usize] = splat;
            i += CUBE_DIM_X;
        }
        sync_cube();
        let mut block = 2u32;
        while block <= ranks {
            let mut step = block / 2;
            while step > 0 {
                let mut pair = UNIT_POS_X;
                while pair < ranks / 2 {
                    let low = 2 * step * (pair / step) + pair % step;
                    let high = low + step;
                    let ascending = (low & block) == 0;
                    let key_low = keys[low as usize];
                    let key_high = keys[high as usize];
                    let splat_low = splats[low as usize];
                    let splat_high = splats[high as usize];
                    let swapped =
                        key_low > key_high || (key_low == key_high && splat_low > splat_high);
                    if swapped == ascending {
                        keys[low as usize] = key_high;
                        keys[high as usize] = key_low;
                        splats[low as usize] = splat_high;
                        splats[high as usize] = splat_low;
                    }
                    pair += CUBE_DIM_X;
                }
                sync_cube();
                step /= 2;
            }
            block *= 2;
        }
        let mut i = UNIT_POS_X;
        while i < ranks {
            order[(view * ranks + i) as usize] = splats[i as usize];
            i += CUBE_DIM_X;
        }
    }
}

/// Computes one word of the masks per thread: 32 ranks of one tile.
#[cube(launch)]
fn mask_kernel(
    means: &Array<f32>,
    extents: &Array<f32>,
    order: &Array<u32>,
    masks: &mut Array<u32>,
    count: u32,
    words: u32,
    tiles: u32,
    columns: u32,
    width: u32,
    height: u32,
    side: u32,
) {
    let i = unit_index();
    if i < count {
        let word = i % words;
        let tile = i / words % tiles;
        let view = i / words / tiles;
        let left = tile % columns * side;
        let top = tile / columns * side;
        let right = u32::min(left + side, width) - 1;
        let bottom = u32::min(top + side, height) - 1;
        let first_x = f32::cast_from(left) + 0.5;
        let last_x = f32::cast_from(right) + 0.5;
        let first_y = f32::cast_from(top) + 0.5;
        let last_y = f32::cast_from(bottom) + 0.5;
        let mut bits = 0u32;
        for bit in 0..32u32 {
            let m = order[((view * words + word) * 32 + bit) as usize];
            if m != LAST {
                let mean = vec2_of(means, m);
                let extent = vec2_of(extents, m);
                if meets(mean.x, extent.x, first_x, last_x)
                    && meets(mean.y, extent.y, first_y, last_y)
                {
                    bits |= 1u32 << bit;
                }
            }
        }
        masks[i as usize] = bits;
    }
}

/// Sorts every view and sets the bits of its tiles.
pub(crate) fn sort<R: Runtime>(
    gpu: &Gpu<R>,
    splats: &Splats<&GpuBuffer>,
    hits: SmallHits,
) -> Result<SmallSorted, RenderError> {
    let SmallHits {
        grid: tiles,
        ranks,
        offsets,
    } = hits;
    let views = tiles.size.views;
    let words = checked_product("tile masks", &[views, tiles.per_view(), ranks / 32])?;
    let order = gpu.empty("order [B, P]", views.saturating_mul(ranks))?;
    let masks = gpu.empty("tile masks [B, tiles, P / 32]", words)?;
    if views > 0 {
        let starts: Vec<u32> = offsets.iter().map(|&m| m as u32).collect();
        let starts = gpu.upload_words(&starts)?;
        sort_kernel::launch::<R>(
            &gpu.client,
            grid(views)?,
            cube_dim(),
            splats.depths.arg(),
            splats.extents.arg(),
            starts.arg(),
            order.arg(),
            views as u32,
            ranks as u32,
        );
        mask_kernel::launch::<R>(
            &gpu.client,
            grid_of_units(words)?,
            cube_dim(),
            splats.means.arg(),
            splats.extents.arg(),
            order.arg(),
            masks.arg(),
            words as u32,
            (ranks / 32) as u32,
            tiles.per_view() as u32,
            tiles.columns as u32,
            tiles.size.width as u32,
            tiles.size.height as u32,
            tiles.tile_width as u32,
        );
    }
    Ok(SmallSorted {
        grid: tiles,
        ranks,
        order,
        masks,
        offsets,
    })
}
