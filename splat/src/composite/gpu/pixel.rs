//! Operations on one pixel and one tile that both kernels of the backward compositor share: the
//! initial state of a pixel, the replay of one hit, and the number of hits to walk.

#![expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "kernel code passes shared memory by reference"
)]

use cubecl::prelude::*;

use crate::composite::gpu::list::{count_again, list_index};
use crate::composite::gpu::packed::{depth_of, opacity_of, row_of};
use crate::composite::gpu::partials::{Part, partial_at};
use crate::composite::gpu::state::{state_of, tile_end};
use crate::composite::gpu::tile::{Layout, Pair, Pixel, Thresholds, Tile};
use crate::formulas::single::composite as formula;

/// The state of a pixel behind its last hit.
#[derive(CubeType, Clone, Copy)]
pub(crate) struct Start {
    pub(crate) transmittance: f32,
    /// One past the index of the pixel's last hit in its tile's list.
    pub(crate) end: u32,
    /// The gradient with respect to the transmittance behind the last hit. Zero in all launches but
    /// the first.
    pub(crate) v_rest: f32,
}

/// Returns the initial state of a pixel of a tile. Writes the gradients with respect to its depth
/// and features to `v`, depth first.
#[cube]
pub(crate) fn start_pixel(
    state: &Array<u32>,
    v_features: &Array<f32>,
    v: &mut Array<f32>,
    tile: Tile,
    pixel: Pixel,
    layout: Layout,
    part: Part,
    #[comptime] channels: u32,
    #[comptime] first: bool,
    #[comptime] with_depth: bool,
) -> Start {
    let depths = comptime!(u32::from(with_depth));
    let planes = comptime!(channels + depths);
    let mut transmittance = 1.0f32;
    let mut end = 0u32;
    let mut v_rest = 0.0f32;
    #[unroll]
    for k in 0..planes {
        v[k as usize] = 0.0;
    }
    let column = pixel.column;
    let row = pixel.row;
    if column < layout.width && row < layout.height {
        let local = ((tile.view - part.first_view) * layout.height + row) * layout.width + column;
        let before = state_of(state, local, first, with_depth);
        transmittance = before.transmittance;
        end = before.end;
        v_rest = before.v_rest;
        if comptime![with_depth] {
            v[0] = before.v_depth;
        }
        let pixel = (tile.view * layout.height + row) * layout.width + column;
        #[unroll]
        for c in 0..channels {
            v[(depths + c) as usize] =
                v_features[(pixel * part.channels + part.channel + c) as usize];
        }
    }
    Start {
        transmittance,
        end,
        v_rest,
    }
}

/// The state of a pixel in front of a hit, and the hit's weight and gradient there.
#[derive(CubeType, Clone, Copy)]
pub(crate) struct Replayed {
    pub(crate) transmittance: f32,
    pub(crate) v_rest: f32,
    pub(crate) v_sigma: f32,
    pub(crate) weight: f32,
}

/// Removes hit `i` of a batch from a pixel. The hit must count.
#[cube]
pub(crate) fn replay_hit(
    rows: &SharedMemory<f32>,
    values: &SharedMemory<f32>,
    i: u32,
    hit: Pair,
    v: &Array<f32>,
    transmittance: f32,
    v_rest: f32,
    thresholds: Thresholds,
    #[comptime] channels: u32,
    #[comptime] geometry: bool,
    #[comptime] with_depth: bool,
) -> Replayed {
    let depths = comptime!(u32::from(with_depth));
    let before = formula::in_front(transmittance, hit.alpha);
    let weight = formula::weight(hit.alpha, before);
    let mut v_sigma = 0.0f32;
    let mut rest = v_rest;
    if comptime![geometry] {
        let at = row_of(i);
        let mut v_weight = 0.0f32;
        if comptime![with_depth] {
            v_weight = formula::add_weighted(v_weight, v[0], depth_of(rows, at));
        }
        #[unroll]
        for c in 0..channels {
            v_weight = formula::add_weighted(
                v_weight,
                v[(depths + c) as usize],
                values[(i * channels + c) as usize],
            );
        }
        let v_alpha = formula::weight_vjp(before, v_weight, v_rest);
        v_sigma = formula::alpha_vjp(
            opacity_of(rows, at),
            hit.falloff,
            thresholds.alpha_max,
            v_alpha,
        );
        rest = formula::rest(hit.alpha, v_weight, v_rest);
    }
    Replayed {
        transmittance: before,
        v_rest: rest,
        v_sigma,
        weight,
    }
}

/// Returns how many hits of its tile workgroup `cube` walks: up to the last hit that any pixel
/// reached, or none if no hit of the tile belongs to this chunk. `global` is the tile's index among
/// the tiles of all views. `cut_ends_kernel` has limited the end of the tile to the length of its
/// list.
///
/// The number comes from buffers that the kernel only reads, not from other threads. A compiler can
/// therefore prove that all threads make equally many steps, and accepts barriers in the loop.
#[cube]
pub(crate) fn walked(
    state: &Array<u32>,
    ranges: &Array<u32>,
    cube: u32,
    global: u32,
    part: Part,
    #[comptime] large: bool,
) -> u32 {
    let mut walked = tile_end(state, part.reached, cube);
    if comptime![large] {
        // A tile without a hit in this chunk is skipped. Other tiles are walked from their end,
        // since the hits behind the chunk change the state of the pixels.
        if ranges[global as usize] >= part.end_slot
            || ranges[(global + 1) as usize] <= part.first_slot
        {
            walked = 0;
        }
    }
    walked
}

/// Writes zero partials for the hits of a tile from number `reached` on, which no pixel reached.
/// All threads of the workgroup share the work.
#[cube]
pub(crate) fn clear_unreached(
    ranges: &Array<u32>,
    tile: &SharedMemory<u32>,
    partials: &mut Array<f32>,
    cube: u32,
    reached: u32,
    layout: Layout,
    part: Part,
    #[comptime] large: bool,
) {
    let count = count_again(tile);
    let mut i = UNIT_POS_X;
    // Not negative: `cut_ends_kernel` limits `reached` to `count`.
    while i < (count - reached) * part.stride {
        let hit = reached + i / part.stride;
        let index = list_index(ranges, tile, hit, layout, large);
        let partial = partial_at(index, cube, layout, part, large);
        if partial.wanted {
            partials[(partial.first + i % part.stride) as usize] = 0.0;
        }
        i += CUBE_DIM_X;
    }
}
