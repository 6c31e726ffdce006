//! The kernel of the backward compositor that uses no subgroups. One workgroup per tile walks the
//! tile's hits back to front, four at a time. Every thread computes the gradients of the four hits
//! at its pixel. Then the threads share the sums over the pixels, in a fixed order.

#![expect(
    clippy::too_many_lines,
    clippy::fn_params_excessive_bools,
    clippy::trivially_copy_pass_by_ref,
    reason = "a kernel is one function with flags, and passes shared memory by reference"
)]

use cubecl::prelude::*;

use crate::binning::gpu::hits::TILE_SIDE;
use crate::composite::Moments;
use crate::composite::gpu::list::{TILE_WORDS, load_batch, tile_hits};
use crate::composite::gpu::moments::{MOMENTS, PARTS, share_moments};
use crate::composite::gpu::packed::{ROW, offset, row_of};
use crate::composite::gpu::partials::{Part, STEP, write_hits};
use crate::composite::gpu::pixel::{clear_unreached, replay_hit, start_pixel, walked};
use crate::composite::gpu::tile::{InTile, Layout, Thresholds, pair_if_near, pixel_of, tile_of};
use crate::device::launch::{UNITS, cube_index};
use crate::formulas::single::{Real, composite as formula};

/// The number of hits of a batch in shared memory.
const BATCH: u32 = 32;

/// The number of threads that sum one hit's pixels.
const SEGMENTS: u32 = UNITS / STEP;

/// The number of pixels in the run of one of these threads.
const RUN: u32 = UNITS / SEGMENTS;

/// Sums over a thread's run of pixels for the thread's hit, which is one of the `step` hits
/// directly below `left_over` of a batch. Returns the moments, and writes the sums of the planes to
/// `by_planes`. If the thread has no hit, all sums are zero.
#[cube]
fn sum_run(
    rows: &SharedMemory<f32>,
    exchange: &SharedMemory<f32>,
    v_run: &Array<f32>,
    by_planes: &mut Array<f32>,
    left_over: u32,
    step: u32,
    run_x: f32,
    run_y: f32,
    #[comptime] planes: u32,
    #[comptime] outputs: u32,
    #[comptime] geometry: bool,
) -> Moments<f32> {
    let hit_of = UNIT_POS_X / SEGMENTS;
    let segment = UNIT_POS_X % SEGMENTS;
    let mut m_one = 0.0f32;
    let mut m_x = 0.0f32;
    let mut m_y = 0.0f32;
    let mut m_xx = 0.0f32;
    let mut m_xy = 0.0f32;
    let mut m_yy = 0.0f32;
    #[unroll]
    for k in 0..planes {
        by_planes[k as usize] = 0.0;
    }
    if hit_of < step {
        let at = row_of(left_over - 1 - hit_of);
        let from = hit_of * UNITS + segment * RUN;
        #[unroll]
        for j in 0..RUN {
            if comptime![geometry] {
                let d = offset(rows, at, run_x + f32::cast_from(j), run_y);
                let v_sigma = exchange[(from + j) as usize];
                let sum = Moments::<Real> {
                    one: m_one,
                    x: m_x,
                    y: m_y,
                    xx: m_xx,
                    xy: m_xy,
                    yy: m_yy,
                };
                let sum = formula::add_moments(sum, d, v_sigma);
                m_one = sum.one;
                m_x = sum.x;
                m_y = sum.y;
                m_xx = sum.xx;
                m_xy = sum.xy;
                m_yy = sum.yy;
            }
            let weight = exchange[(STEP * UNITS + from + j) as usize];
            #[unroll]
            for k in 0..outputs {
                by_planes[k as usize] = formula::add_weighted(
                    by_planes[k as usize],
                    weight,
                    v_run[(j * planes + k) as usize],
                );
            }
        }
    }
    Moments::<Real> {
        one: m_one,
        x: m_x,
        y: m_y,
        xx: m_xx,
        xy: m_xy,
        yy: m_yy,
    }
}

/// Computes the partials of one tile per workgroup. `v_features` is `[B, H, W, C]`, `state` holds
/// the states of the chunk's pixels, and `partials` is `[hits of the chunk, stride]`.
#[cube(launch)]
pub(crate) fn replay_kernel<F: Float>(
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
    #[comptime] channels: u32,
    #[comptime] large: bool,
    #[comptime] first: bool,
    #[comptime] geometry: bool,
    #[comptime] with_depth: bool,
    #[comptime] with_features: bool,
) {
    let depths = comptime!(u32::from(with_depth));
    let planes = comptime!(channels + depths);
    let moments_of = comptime!(if geometry { MOMENTS } else { 0u32 });
    let outputs = comptime!(if with_features { planes } else { depths });
    let sums = comptime!(moments_of + outputs);
    let exchanged = comptime!(if sums > 2 * STEP { sums } else { 2 * STEP });

    let mut tile = SharedMemory::<u32>::new(TILE_WORDS);
    let mut splats = SharedMemory::<u32>::new(BATCH as usize);
    let mut indices = SharedMemory::<u32>::new(BATCH as usize);
    let mut rows = SharedMemory::<f32>::new((BATCH * ROW) as usize);
    let mut values = SharedMemory::<f32>::new((BATCH * channels) as usize);
    let mut exchange = SharedMemory::<f32>::new((exchanged * UNITS) as usize);
    let mut finals = SharedMemory::<f32>::new((STEP * sums * PARTS) as usize);

    let cube = cube_index();
    if cube < part.cubes {
        let own_tile = tile_of(cube, layout, part.first_view);
        let within = InTile {
            column: UNIT_POS_X % TILE_SIDE,
            row: UNIT_POS_X / TILE_SIDE,
        };
        let own = pixel_of(own_tile, within);
        let x = own.x;
        let y = own.y;
        tile_hits(
            ranges,
            &mut tile,
            own_tile.view,
            own_tile.global,
            layout,
            large,
        );

        // The state of this thread's pixel, updated back to front.
        let mut v = Array::<f32>::new(planes as usize);
        let pixel = start_pixel(
            state, v_features, &mut v, own_tile, own, layout, part, channels, first, with_depth,
        );
        let mut transmittance = pixel.transmittance;
        let end = pixel.end;
        let mut v_rest = pixel.v_rest;

        // The pixels that this thread sums over, a run of one row, and their gradients.
        let segment = UNIT_POS_X % SEGMENTS;
        let run_x = f32::cast_from(own_tile.left + segment * RUN % TILE_SIDE) + 0.5;
        let run_y = f32::cast_from(own_tile.top + segment * RUN / TILE_SIDE) + 0.5;
        let mut v_run = Array::<f32>::new((RUN * planes) as usize);
        // Every thread passes its gradients to the threads that sum over its pixel.
        #[unroll]
        for k in 0..planes {
            sync_cube();
            exchange[UNIT_POS_X as usize] = v[k as usize];
            sync_cube();
            #[unroll]
            for j in 0..RUN {
                v_run[(j * planes + k) as usize] = exchange[(segment * RUN + j) as usize];
            }
        }

        let mut top = walked(state, ranges, cube, own_tile.global, part, large);
        while top > 0 {
            let size = u32::min(BATCH, top);
            let bottom = top - size;
            sync_cube();
            load_batch(
                packed,
                features,
                list,
                ranges,
                &tile,
                &mut splats,
                &mut indices,
                &mut rows,
                &mut values,
                bottom,
                size,
                part.channel,
                part.channels,
                layout,
                channels,
                large,
            );
            sync_cube();
            let mut left_over = size;
            while left_over > 0 {
                let step = u32::min(STEP, left_over);
                // Every thread computes its pixel.
                for g in 0..STEP {
                    let mut v_sigma = 0.0f32;
                    let mut weight = 0.0f32;
                    if g < step {
                        let i = left_over - 1 - g;
                        if bottom + i < end {
                            let hit = pair_if_near(&rows, row_of(i), x, y, thresholds);
                            if hit.counts {
                                let after = replay_hit(
                                    &rows,
                                    &values,
                                    i,
                                    hit,
                                    &v,
                                    transmittance,
                                    v_rest,
                                    thresholds,
                                    channels,
                                    geometry,
                                    with_depth,
                                );
                                transmittance = after.transmittance;
                                v_rest = after.v_rest;
                                v_sigma = after.v_sigma;
                                weight = after.weight;
                            }
                        }
                    }
                    exchange[(g * UNITS + UNIT_POS_X) as usize] = v_sigma;
                    exchange[((STEP + g) * UNITS + UNIT_POS_X) as usize] = weight;
                }
                sync_cube();
                // Every thread sums over a run of pixels of one hit.
                let mut by_planes = Array::<f32>::new(planes as usize);
                let moments = sum_run(
                    &rows,
                    &exchange,
                    &v_run,
                    &mut by_planes,
                    left_over,
                    step,
                    run_x,
                    run_y,
                    planes,
                    outputs,
                    geometry,
                );
                sync_cube();
                if comptime![geometry] {
                    share_moments(&mut exchange, moments);
                }
                #[unroll]
                for k in 0..outputs {
                    exchange[((moments_of + k) * UNITS + UNIT_POS_X) as usize] =
                        by_planes[k as usize];
                }
                sync_cube();
                // Every thread computes one part of one sum of one hit.
                if UNIT_POS_X < STEP * sums * PARTS {
                    let p = UNIT_POS_X % PARTS;
                    let k = UNIT_POS_X / PARTS % sums;
                    let g = UNIT_POS_X / PARTS / sums;
                    let from = k * UNITS + g * SEGMENTS + p * (SEGMENTS / PARTS);
                    let mut sum = 0.0f32;
                    for i in 0..SEGMENTS / PARTS {
                        sum += exchange[(from + i) as usize];
                    }
                    finals[UNIT_POS_X as usize] = sum;
                }
                sync_cube();
                write_hits(
                    &rows,
                    &finals,
                    &indices,
                    partials,
                    cube,
                    layout,
                    part,
                    left_over,
                    step,
                    STEP,
                    true,
                    channels,
                    large,
                    first,
                    geometry,
                    with_depth,
                    with_features,
                );
                left_over -= step;
            }
            top = bottom;
        }

        if comptime![first] {
            // Computed again, because keeping it over the loop would take a register.
            let reached = walked(state, ranges, cube, own_tile.global, part, large);
            clear_unreached(ranges, &tile, partials, cube, reached, layout, part, large);
        }
    }
}
