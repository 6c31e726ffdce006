//! The kernels before and after the replay: initial states, the gradient with respect to the
//! background, and the sums of partials by splat.

use cubecl::prelude::*;

use crate::binning::gpu::hits::TILE_SIDE;
use crate::composite::gpu::list::list_length;
use crate::composite::gpu::partial_row::{Target, combined, statistic_index, target_index};
use crate::composite::gpu::state::{PixelState, cut_end, set_state, set_tile_end, tile_end};
use crate::composite::gpu::tile::{Layout, tile_of};
use crate::device::launch::{UNITS, cube_index, unit_index};
use crate::formulas::single::composite as formula;

/// The number of pixels that one workgroup sums for the gradient with respect to the background.
pub(crate) const PIXELS: u32 = 64 * UNITS;

/// Writes the initial state of every pixel for the replay, with one workgroup per tile of a chunk.
/// Writes the greatest end of each tile from word `reached` on.
#[cube(launch)]
pub(crate) fn state_kernel(
    transmittance: &Array<f32>,
    ends: &Array<u32>,
    v_features: &Array<f32>,
    v_transmittance: &Array<f32>,
    v_depth: &Array<f32>,
    backgrounds: &Array<f32>,
    state: &mut Array<u32>,
    layout: Layout,
    first_view: u32,
    cubes: u32,
    reached: u32,
    channels: u32,
    #[comptime] with_transmittance: bool,
    #[comptime] with_depth: bool,
) {
    let mut greatest = SharedMemory::<u32>::new(UNITS as usize);
    let cube = cube_index();
    if cube < cubes {
        let tile = tile_of(cube, layout, first_view);
        let column = tile.left + UNIT_POS_X % TILE_SIDE;
        let row = tile.top + UNIT_POS_X / TILE_SIDE;
        let mut end = 0u32;
        if column < layout.width && row < layout.height {
            let local = (tile.view - first_view) * layout.height + row;
            let pixel = (tile.view * layout.height + row) * layout.width + column;
            let mut v_rest = 0.0f32;
            if comptime![with_transmittance] {
                v_rest = v_transmittance[pixel as usize];
            }
            for c in 0..channels {
                let v = v_features[(pixel * channels + c) as usize];
                let background = backgrounds[(tile.view * channels + c) as usize];
                v_rest = formula::add_weighted(v_rest, v, background);
            }
            end = ends[pixel as usize];
            let mut v_z = 0.0f32;
            if comptime![with_depth] {
                v_z = v_depth[pixel as usize];
            }
            let before = PixelState {
                transmittance: transmittance[pixel as usize],
                end,
                v_rest,
                v_depth: v_z,
            };
            set_state(state, local * layout.width + column, before);
        }
        greatest[UNIT_POS_X as usize] = end;
        sync_cube();
        let mut half = (UNITS / 2).runtime();
        while half > 0 {
            if UNIT_POS_X < half {
                let other = greatest[(UNIT_POS_X + half) as usize];
                greatest[UNIT_POS_X as usize] = u32::max(greatest[UNIT_POS_X as usize], other);
            }
            sync_cube();
            half /= 2;
        }
        if UNIT_POS_X == 0 {
            set_tile_end(state, reached, cube, greatest[0]);
        }
    }
}

/// Limits the ends that [`state_kernel`] wrote to the length of the tile's list, with one workgroup
/// per tile of a chunk. Ends that a compositor saved for these lists are within the limit. Ends
/// saved for other lists of the same shape can exceed it, and the replay would then read past the
/// list.
#[cube(launch)]
pub(crate) fn cut_ends_kernel(
    ranges: &Array<u32>,
    state: &mut Array<u32>,
    layout: Layout,
    first_view: u32,
    cubes: u32,
    reached: u32,
    #[comptime] large: bool,
) {
    let cube = cube_index();
    if cube < cubes {
        let tile = tile_of(cube, layout, first_view);
        let count = list_length(ranges, tile.global, layout, large);
        let column = tile.left + UNIT_POS_X % TILE_SIDE;
        let row = tile.top + UNIT_POS_X / TILE_SIDE;
        if column < layout.width && row < layout.height {
            let local = (tile.view - first_view) * layout.height + row;
            cut_end(state, local * layout.width + column, count);
        }
        if UNIT_POS_X == 0 {
            let end = u32::min(tile_end(state, reached, cube), count);
            set_tile_end(state, reached, cube, end);
        }
    }
}

/// Computes partial sums of the gradient with respect to the background, with one workgroup per
/// view, channel and block of [`PIXELS`].
#[cube(launch)]
pub(crate) fn background_kernel(
    transmittance: &Array<f32>,
    v_features: &Array<f32>,
    parts: &mut Array<f32>,
    cubes: u32,
    blocks: u32,
    pixels: u32,
    channels: u32,
) {
    let mut sums = SharedMemory::<f32>::new(UNITS as usize);
    let cube = cube_index();
    if cube < cubes {
        let block = cube % blocks;
        let c = cube / blocks % channels;
        let view = cube / blocks / channels;
        let end = u32::min(pixels, (block + 1) * PIXELS);
        let mut i = block * PIXELS + UNIT_POS_X;
        let mut sum = 0.0f32;
        while i < end {
            let pixel = view * pixels + i;
            let v = v_features[(pixel * channels + c) as usize];
            sum = formula::add_weighted(sum, transmittance[pixel as usize], v);
            i += CUBE_DIM_X;
        }
        sums[UNIT_POS_X as usize] = sum;
        sync_cube();
        let mut half = (UNITS / 2).runtime();
        while half > 0 {
            if UNIT_POS_X < half {
                sums[UNIT_POS_X as usize] += sums[(UNIT_POS_X + half) as usize];
            }
            sync_cube();
            half /= 2;
        }
        if UNIT_POS_X == 0 {
            parts[cube as usize] = sums[0];
        }
    }
}

/// Sums each row of `parts` in order, with one thread per row.
#[cube(launch)]
pub(crate) fn sum_rows_kernel(parts: &Array<f32>, out: &mut Array<f32>, rows: u32, length: u32) {
    let i = unit_index();
    if i < rows {
        let mut sum = 0.0f32;
        for k in 0..length {
            sum += parts[(i * length + k) as usize];
        }
        out[i as usize] = sum;
    }
}

/// Sums the partials of each splat over the tiles, with one thread per rank of a view and element
/// of a partial.
#[cube(launch)]
pub(crate) fn gather_small_kernel(
    partials: &Array<f32>,
    order: &Array<u32>,
    masks: &Array<u32>,
    out: &mut Array<f32>,
    target: Target,
    first_view: u32,
    count: u32,
    ranks: u32,
    tiles: u32,
    #[comptime] geometry: bool,
    #[comptime] with_depth: bool,
    #[comptime] statistics: bool,
) {
    let i = unit_index();
    if i < count {
        let k = i % target.stride;
        let rank = i / target.stride % ranks;
        let local = i / target.stride / ranks;
        let view = first_view + local;
        let m = order[(view * ranks + rank) as usize];
        if m != u32::MAX {
            let words = ranks / 32;
            let mut sum = 0.0f32;
            for tile in 0..tiles {
                let word = masks[((view * tiles + tile) * words + rank / 32) as usize];
                if (word >> (rank % 32)) & 1 == 1 {
                    let hit = (local * tiles + tile) * ranks + rank;
                    let partial = partials[(hit * target.stride + k) as usize];
                    if comptime![statistics] {
                        sum = combined(sum, partial, k);
                    } else {
                        sum += partial;
                    }
                }
            }
            if comptime![statistics] {
                out[statistic_index(target, m, k) as usize] = sum;
            } else {
                out[target_index(target, m, k, geometry, with_depth) as usize] = sum;
            }
        }
    }
}

/// Sums the partials of each splat over those of its hits that lie in this chunk, with one thread
/// per splat and element of a partial. The sum continues from the previous chunk.
#[cube(launch)]
pub(crate) fn gather_large_kernel(
    partials: &Array<f32>,
    from_splat: &Array<u32>,
    slot_from_hit: &Array<u32>,
    out: &mut Array<f32>,
    target: Target,
    count: u32,
    first_slot: u32,
    end_slot: u32,
    #[comptime] geometry: bool,
    #[comptime] with_depth: bool,
    #[comptime] statistics: bool,
) {
    let i = unit_index();
    if i < count {
        let k = i % target.stride;
        let m = i / target.stride;
        let to = if comptime![statistics] {
            statistic_index(target, m, k)
        } else {
            target_index(target, m, k, geometry, with_depth)
        };
        let mut sum = 0.0f32;
        if first_slot > 0 {
            sum = out[to as usize];
        }
        for hit in from_splat[m as usize]..from_splat[(m + 1) as usize] {
            let slot = slot_from_hit[hit as usize];
            if slot >= first_slot && slot < end_slot {
                let partial = partials[((slot - first_slot) * target.stride + k) as usize];
                if comptime![statistics] {
                    sum = combined(sum, partial, k);
                } else {
                    sum += partial;
                }
            }
        }
        out[to as usize] = sum;
    }
}

/// Writes zeros, with one thread per word.
#[cube(launch)]
pub(crate) fn zero_kernel(out: &mut Array<f32>, first: u32, count: u32) {
    let i = unit_index();
    if i < count {
        out[(first + i) as usize] = 0.0;
    }
}
