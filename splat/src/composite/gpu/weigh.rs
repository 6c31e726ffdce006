//! The kernel of the statistics of splats (MATH eq. 23). The hits are replayed as by the vjp without
//! subgroups (`replay.rs`), with other sums.

#![expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "kernel code passes shared memory by reference"
)]

use cubecl::prelude::*;

use crate::binning::gpu::hits::TILE_SIDE;
use crate::composite::gpu::list::{TILE_WORDS, list_hits, load_rows, tile_hits};
use crate::composite::gpu::packed::{ROW, conic_of, depth_of, offset, opacity_of, row_of};
use crate::composite::gpu::partial_row::{ABSOLUTE_Y, LARGEST, STATISTICS, TOTAL, combined};
use crate::composite::gpu::partials::{Part, STEP, partial_at};
use crate::composite::gpu::pixel::{clear_unreached, walked};
use crate::composite::gpu::state::{PixelState, state_of};
use crate::composite::gpu::tile::{
    Layout, Pixel, Thresholds, Tile, in_tile, pair_if_near, pixel_of, tile_of,
};
use crate::device::launch::{UNITS, cube_index};
use crate::formulas::single::composite as formula;

/// The number of hits of a batch in shared memory.
const BATCH: u32 = 32;

/// The number of threads that sum one hit's pixels.
const SEGMENTS: u32 = UNITS / STEP;

/// The number of pixels in the run of one of these threads.
const RUN: u32 = UNITS / SEGMENTS;

/// The number of parts into which the last sums are divided.
const PARTS: u32 = 4;

/// The number of values that a thread passes on for a hit: the absolute gradient, x and y, and the
/// weight.
const PASSED: u32 = 3;

/// Returns the state of a pixel behind its last hit. A pixel outside the image has no hits.
#[cube]
fn first_state(
    state: &Array<u32>,
    tile: Tile,
    pixel: Pixel,
    layout: Layout,
    part: Part,
    #[comptime] with_depth: bool,
) -> PixelState {
    let mut transmittance = 1.0f32;
    let mut end = 0u32;
    let mut v_rest = 0.0f32;
    let mut v_depth = 0.0f32;
    if pixel.column < layout.width && pixel.row < layout.height {
        let row = (tile.view - part.first_view) * layout.height + pixel.row;
        let before = state_of(state, row * layout.width + pixel.column, true, with_depth);
        transmittance = before.transmittance;
        end = before.end;
        v_rest = before.v_rest;
        v_depth = before.v_depth;
    }
    PixelState {
        transmittance,
        end,
        v_rest,
        v_depth,
    }
}

/// Adds the features of splat `m` times the gradients with respect to those of a pixel.
#[cube]
fn add_features<F: Float>(
    before: f32,
    features: &Array<F>,
    v_features: &Array<f32>,
    m: u32,
    pixel: u32,
    part: Part,
) -> f32 {
    let mut sum = before;
    let first = m * part.channels;
    let first_v = pixel * part.channels;
    for c in 0..part.channels {
        let v = v_features[(first_v + c) as usize];
        sum = formula::add_weighted(sum, v, f32::cast_from(features[(first + c) as usize]));
    }
    sum
}

/// Combines the values that all threads passed on for [`STEP`] hits. `finals` receives [`PARTS`]
/// values for each statistic of each hit. All threads of the workgroup must call this function.
#[cube]
fn combine_pixels(exchange: &mut SharedMemory<f32>, finals: &mut SharedMemory<f32>) {
    sync_cube();
    // Every thread combines a run of pixels of one hit.
    let from = UNIT_POS_X / SEGMENTS * UNITS + UNIT_POS_X % SEGMENTS * RUN;
    let mut x = 0.0f32;
    let mut y = 0.0f32;
    let mut total = 0.0f32;
    let mut largest = 0.0f32;
    for j in 0..RUN {
        x += exchange[(from + j) as usize];
        y += exchange[(ABSOLUTE_Y * STEP * UNITS + from + j) as usize];
        let weight = exchange[(TOTAL * STEP * UNITS + from + j) as usize];
        total += weight;
        largest = combined(largest, weight, LARGEST);
    }
    sync_cube();
    exchange[UNIT_POS_X as usize] = x;
    exchange[(ABSOLUTE_Y * UNITS + UNIT_POS_X) as usize] = y;
    exchange[(TOTAL * UNITS + UNIT_POS_X) as usize] = total;
    exchange[(LARGEST * UNITS + UNIT_POS_X) as usize] = largest;
    sync_cube();
    // Every thread combines one part of one statistic of one hit.
    if UNIT_POS_X < STEP * STATISTICS * PARTS {
        let p = UNIT_POS_X % PARTS;
        let k = UNIT_POS_X / PARTS % STATISTICS;
        let g = UNIT_POS_X / PARTS / STATISTICS;
        let from = k * UNITS + g * SEGMENTS + p * (SEGMENTS / PARTS);
        let mut sum = 0.0f32;
        for i in 0..SEGMENTS / PARTS {
            sum = combined(sum, exchange[(from + i) as usize], k);
        }
        finals[UNIT_POS_X as usize] = sum;
    }
    sync_cube();
}

/// Combines the parts of statistic `k` of this thread's hit.
#[cube]
fn combine_parts(finals: &SharedMemory<f32>, k: u32) -> f32 {
    let mut sum = 0.0f32;
    for p in 0..PARTS {
        sum = combined(sum, finals[(UNIT_POS_X * PARTS + p) as usize], k);
    }
    sum
}

/// Computes the statistics of the hits of one tile per workgroup. The arguments are those of
/// `replay_kernel`. Each thread reads the gradients of its pixel for every hit, because no number of
/// channels would fit its registers.
#[cube(launch)]
pub(crate) fn weigh_kernel<F: Float>(
    packed: &Array<f32>,
    features: &Array<F>,
    list: &Array<u32>,
    ranges: &Array<u32>,
    state: &Array<u32>,
    v_features: &Array<f32>,
    partials: &mut Array<f32>,
    layout: Layout,
    thresholds: Thresholds,
    part: Part,
    #[comptime] large: bool,
    #[comptime] with_depth: bool,
) {
    let mut tile = SharedMemory::<u32>::new(TILE_WORDS);
    let mut splats = SharedMemory::<u32>::new(BATCH as usize);
    let mut indices = SharedMemory::<u32>::new(BATCH as usize);
    let mut rows = SharedMemory::<f32>::new((BATCH * ROW) as usize);
    let mut exchange = SharedMemory::<f32>::new((PASSED * STEP * UNITS) as usize);
    let mut finals = SharedMemory::<f32>::new((STEP * STATISTICS * PARTS) as usize);

    let cube = cube_index();
    if cube < part.cubes {
        let own_tile = tile_of(cube, layout, part.first_view);
        let own = pixel_of(own_tile, in_tile(0u32, UNIT_POS_X, TILE_SIDE, TILE_SIDE));
        tile_hits(
            ranges,
            &mut tile,
            own_tile.view,
            own_tile.global,
            layout,
            large,
        );

        // The state of this thread's pixel, updated back to front.
        let behind = first_state(state, own_tile, own, layout, part, with_depth);
        let mut transmittance = behind.transmittance;
        let mut v_rest = behind.v_rest;
        let pixel = (own_tile.view * layout.height + own.row) * layout.width + own.column;

        let alpha_max = thresholds.alpha_max;
        let mut top = walked(state, ranges, cube, own_tile.global, part, large);
        while top > 0 {
            let size = u32::min(BATCH, top);
            let bottom = top - size;
            sync_cube();
            list_hits(
                list,
                ranges,
                &tile,
                &mut splats,
                &mut indices,
                bottom,
                size,
                layout,
                large,
            );
            sync_cube();
            load_rows(packed, &splats, size, &mut rows);
            sync_cube();
            let mut left_over = size;
            while left_over > 0 {
                let step = u32::min(STEP, left_over);
                // Every thread computes its pixel.
                for g in 0..STEP {
                    let mut v_x = 0.0f32;
                    let mut v_y = 0.0f32;
                    let mut weight = 0.0f32;
                    if g < step {
                        let i = left_over - 1 - g;
                        let at = row_of(i);
                        if bottom + i < behind.end {
                            let hit = pair_if_near(&rows, at, own.x, own.y, thresholds);
                            if hit.counts {
                                let in_front = formula::in_front(transmittance, hit.alpha);
                                weight = formula::weight(hit.alpha, in_front);
                                let mut v_weight = 0.0f32;
                                if comptime![with_depth] {
                                    v_weight = behind.v_depth * depth_of(&rows, at);
                                }
                                let m = splats[i as usize];
                                v_weight =
                                    add_features(v_weight, features, v_features, m, pixel, part);
                                let v_alpha = formula::weight_vjp(in_front, v_weight, v_rest);
                                let opacity = opacity_of(&rows, at);
                                let v_sigma =
                                    formula::alpha_vjp(opacity, hit.falloff, alpha_max, v_alpha);
                                let d = offset(&rows, at, own.x, own.y);
                                let v_mean = formula::mean_vjp(conic_of(&rows, at), d, v_sigma);
                                v_x = f32::abs(v_mean.x);
                                v_y = f32::abs(v_mean.y);
                                v_rest = formula::rest(hit.alpha, v_weight, v_rest);
                                transmittance = in_front;
                            }
                        }
                    }
                    exchange[(g * UNITS + UNIT_POS_X) as usize] = v_x;
                    exchange[((ABSOLUTE_Y * STEP + g) * UNITS + UNIT_POS_X) as usize] = v_y;
                    exchange[((TOTAL * STEP + g) * UNITS + UNIT_POS_X) as usize] = weight;
                }
                combine_pixels(&mut exchange, &mut finals);
                if UNIT_POS_X < step * STATISTICS {
                    let index = indices[(left_over - 1 - UNIT_POS_X / STATISTICS) as usize];
                    let partial = partial_at(index, cube, layout, part, large);
                    if partial.wanted {
                        let k = UNIT_POS_X % STATISTICS;
                        partials[(partial.first + k) as usize] = combine_parts(&finals, k);
                    }
                }
                left_over -= step;
            }
            top = bottom;
        }
        let reached = walked(state, ranges, cube, own_tile.global, part, large);
        clear_unreached(ranges, &tile, partials, cube, reached, layout, part, large);
    }
}
