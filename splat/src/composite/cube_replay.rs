//! The kernel of the backward compositor: one cube per tile walks its hits back to front, four at a time. Every unit works out
//! what the four are to its pixel; then the units share out the sums over the pixels, in an order that never changes.

#![expect(
    clippy::too_many_lines,
    clippy::fn_params_excessive_bools,
    reason = "a kernel"
)]

use cubecl::prelude::*;

use crate::composite::Moments;
use crate::composite::cube_partials::{GEOMETRY, PARTS, Part, STATE, STEP, write_step};
use crate::composite::cube_tile::{
    Layout, PREFIX, ROW, Thresholds, count_bits, load_hits, pair, rank_at,
};
use crate::cube::{UNITS, cube_index};
use crate::math::Vec2;
use crate::single::{Real, composite as formula};

/// Hits that are in shared memory at a time.
const BATCH: u32 = 32;

/// Units that sum one hit's pixels.
const SEGMENTS: u32 = UNITS / STEP;

/// Pixels of one such unit.
const RUN: u32 = UNITS / SEGMENTS;

/// See the file's doc. `v_features` is `[B, H, W, C]`, `state` that of the chunk's pixels, `partials` `[hits of the chunk, stride]`.
#[cube(launch)]
pub(crate) fn replay_kernel(
    packed: &Array<f32>,
    features: &Array<f32>,
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
    let moments_of = comptime!(if geometry { GEOMETRY } else { 0u32 });
    let outputs = comptime!(if with_features { planes } else { depths });
    let sums = comptime!(moments_of + outputs);
    let exchanged = comptime!(if sums > 2 * STEP { sums } else { 2 * STEP });

    let mut prefix = SharedMemory::<u32>::new(PREFIX);
    let mut splats = SharedMemory::<u32>::new(BATCH as usize);
    let mut targets = SharedMemory::<u32>::new(BATCH as usize);
    let mut rows = SharedMemory::<f32>::new((BATCH * ROW) as usize);
    let mut values = SharedMemory::<f32>::new((BATCH * channels) as usize);
    let mut exchange = SharedMemory::<f32>::new((exchanged * UNITS) as usize);
    let mut finals = SharedMemory::<f32>::new((STEP * sums * PARTS) as usize);
    let mut ends = SharedMemory::<u32>::new(UNITS as usize);

    let cube = cube_index();
    if cube < part.cubes {
        let view = part.first_view + cube / layout.tiles;
        let tile = cube % layout.tiles;
        let global_tile = view * layout.tiles + tile;
        let left = tile % layout.columns * 16;
        let top = tile / layout.columns * 16;
        let column = left + UNIT_POS_X % 16;
        let row = top + UNIT_POS_X / 16;
        let inside = column < layout.width && row < layout.height;
        let x = f32::cast_from(column) + 0.5;
        let y = f32::cast_from(row) + 0.5;
        let words = layout.ranks / 32;
        let base = global_tile * words;
        if comptime![!large] {
            count_bits(ranges, base, words, &mut prefix);
        }
        let mut start = 0u32;
        let mut count = prefix[words as usize];
        if comptime![large] {
            start = ranges[global_tile as usize];
            count = ranges[(global_tile + 1) as usize] - start;
        }

        // This unit's pixel on the way back to front.
        let mut transmittance = 1.0f32;
        let mut end = 0u32;
        let mut v_rest = 0.0f32;
        let mut v = Array::<f32>::new(planes as usize);
        #[unroll]
        for k in 0..planes {
            v[k as usize] = 0.0;
        }
        if inside {
            let local = ((view - part.first_view) * layout.height + row) * layout.width + column;
            let at = local * STATE;
            transmittance = f32::reinterpret(state[at as usize]);
            end = state[(at + 1) as usize];
            if comptime![first] {
                v_rest = f32::reinterpret(state[(at + 2) as usize]);
            }
            if comptime![with_depth] {
                v[0] = f32::reinterpret(state[(at + 3) as usize]);
            }
            let pixel = (view * layout.height + row) * layout.width + column;
            #[unroll]
            for c in 0..channels {
                v[(depths + c) as usize] =
                    v_features[(pixel * part.channels + part.channel + c) as usize];
            }
        }

        // The pixels this unit sums over: a run of one row, and what it needs to know of them.
        let hit_of = UNIT_POS_X / SEGMENTS;
        let segment = UNIT_POS_X % SEGMENTS;
        let run_x = f32::cast_from(left + segment * RUN % 16) + 0.5;
        let run_y = f32::cast_from(top + segment * RUN / 16) + 0.5;
        let mut v_run = Array::<f32>::new((RUN * planes) as usize);
        // Every unit lends its gradients to the one that sums over its pixel.
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

        // The greatest end of any pixel: the list is walked from there.
        ends[UNIT_POS_X as usize] = end;
        sync_cube();
        if UNIT_POS_X < 16 {
            let mut greatest = 0u32;
            for i in 0..16u32 {
                greatest = u32::max(greatest, ends[(UNIT_POS_X * 16 + i) as usize]);
            }
            finals[UNIT_POS_X as usize] = 0.0;
            ends[(UNIT_POS_X * 16) as usize] = greatest;
        }
        sync_cube();
        let mut reached = 0u32;
        for i in 0..16u32 {
            reached = u32::max(reached, ends[(i * 16) as usize]);
        }
        if comptime![large] {
            // Hits of other chunks in front of this one's are left out; those behind must be walked through.
            if start >= part.end_slot || start + count <= part.first_slot {
                reached = 0;
            }
        }

        let mut top_place = reached;
        while top_place > 0 {
            let size = u32::min(BATCH, top_place);
            let bottom = top_place - size;
            sync_cube();
            if UNIT_POS_X < size {
                let place = bottom + UNIT_POS_X;
                if comptime![large] {
                    splats[UNIT_POS_X as usize] = list[(start + place) as usize];
                    targets[UNIT_POS_X as usize] = start + place;
                } else {
                    let rank = rank_at(ranges, base, words, &prefix, place);
                    splats[UNIT_POS_X as usize] = list[(view * layout.ranks + rank) as usize];
                    targets[UNIT_POS_X as usize] = cube * layout.ranks + rank;
                }
            }
            sync_cube();
            load_hits(
                packed,
                features,
                &splats,
                size,
                &mut rows,
                &mut values,
                part.channel,
                part.channels,
                channels,
            );
            sync_cube();
            let mut left_over = size;
            while left_over > 0 {
                let step = u32::min(STEP, left_over);
                // Every unit its pixel.
                for g in 0..STEP {
                    let mut v_sigma = 0.0f32;
                    let mut weight = 0.0f32;
                    if g < step {
                        let i = left_over - 1 - g;
                        if bottom + i < end {
                            let at = i * ROW;
                            let hit = pair(&rows, at, x, y, thresholds);
                            if hit.counts {
                                transmittance = formula::in_front(transmittance, hit.alpha);
                                weight = formula::weight(hit.alpha, transmittance);
                                if comptime![geometry] {
                                    let mut v_weight = 0.0f32;
                                    if comptime![with_depth] {
                                        let z = rows[(at + 8) as usize];
                                        v_weight = formula::add_weighted(v_weight, v[0], z);
                                    }
                                    #[unroll]
                                    for c in 0..channels {
                                        v_weight = formula::add_weighted(
                                            v_weight,
                                            v[(depths + c) as usize],
                                            values[(i * channels + c) as usize],
                                        );
                                    }
                                    let v_alpha =
                                        formula::weight_vjp(transmittance, v_weight, v_rest);
                                    v_sigma = formula::alpha_vjp(
                                        rows[(at + 5) as usize],
                                        hit.falloff,
                                        thresholds.alpha_max,
                                        v_alpha,
                                    );
                                    v_rest = formula::rest(hit.alpha, v_weight, v_rest);
                                }
                            }
                        }
                    }
                    exchange[(g * UNITS + UNIT_POS_X) as usize] = v_sigma;
                    exchange[((STEP + g) * UNITS + UNIT_POS_X) as usize] = weight;
                }
                sync_cube();
                // Every unit a run of pixels of one hit.
                let mut m_one = 0.0f32;
                let mut m_x = 0.0f32;
                let mut m_y = 0.0f32;
                let mut m_xx = 0.0f32;
                let mut m_xy = 0.0f32;
                let mut m_yy = 0.0f32;
                let mut by_planes = Array::<f32>::new(planes as usize);
                #[unroll]
                for k in 0..planes {
                    by_planes[k as usize] = 0.0;
                }
                if hit_of < step {
                    let at = (left_over - 1 - hit_of) * ROW;
                    let from = hit_of * UNITS + segment * RUN;
                    #[unroll]
                    for j in 0..RUN {
                        if comptime![geometry] {
                            let d = Vec2::<Real> {
                                x: run_x + f32::cast_from(j) - rows[at as usize],
                                y: run_y - rows[(at + 1) as usize],
                            };
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
                sync_cube();
                if comptime![geometry] {
                    exchange[UNIT_POS_X as usize] = m_one;
                    exchange[(UNITS + UNIT_POS_X) as usize] = m_x;
                    exchange[(2 * UNITS + UNIT_POS_X) as usize] = m_y;
                    exchange[(3 * UNITS + UNIT_POS_X) as usize] = m_xx;
                    exchange[(4 * UNITS + UNIT_POS_X) as usize] = m_xy;
                    exchange[(5 * UNITS + UNIT_POS_X) as usize] = m_yy;
                }
                #[unroll]
                for k in 0..outputs {
                    exchange[((moments_of + k) * UNITS + UNIT_POS_X) as usize] =
                        by_planes[k as usize];
                }
                sync_cube();
                // Every unit a part of one sum of one hit.
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
                write_step(
                    &rows,
                    &finals,
                    &targets,
                    partials,
                    part,
                    left_over,
                    step,
                    channels,
                    large,
                    first,
                    geometry,
                    with_depth,
                    with_features,
                );
                left_over -= step;
            }
            top_place = bottom;
        }

        // Hits that no pixel reached.
        if comptime![first] {
            let mut i = UNIT_POS_X;
            while i < (count - reached) * part.stride {
                let place = reached + i / part.stride;
                if comptime![large] {
                    let slot = start + place;
                    if slot >= part.first_slot && slot < part.end_slot {
                        let to = (slot - part.first_slot) * part.stride + i % part.stride;
                        partials[to as usize] = 0.0;
                    }
                } else {
                    let rank = rank_at(ranges, base, words, &prefix, place);
                    let to = (cube * layout.ranks + rank) * part.stride + i % part.stride;
                    partials[to as usize] = 0.0;
                }
                i += CUBE_DIM_X;
            }
        }
    }
}
