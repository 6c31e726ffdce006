//! The kernel of the backward compositor that uses subgroups (warps). It has one workgroup per
//! tile. Each subgroup has one block of the tile's pixels. Subgroups must be able to run
//! independently of each other.
//!
//! As in `replay.rs`, every thread computes the gradients of a hit at its pixel. A subgroup skips
//! hits that touch none of its pixels. The sums within a subgroup use shuffles instead of shared
//! memory. Subgroups wait for each other only before and after a batch. Then their sums are added
//! in order.

#![expect(
    clippy::too_many_lines,
    clippy::fn_params_excessive_bools,
    reason = "a kernel is one function, and its variants are flags"
)]

use cubecl::prelude::*;

use crate::composite::gpu::list::{TILE_WORDS, load_batch, tile_hits};
use crate::composite::gpu::moments::{MOMENTS, no_moments, set_moments};
use crate::composite::gpu::packed::{ROW, offset, row_of};
use crate::composite::gpu::partials::{Part, write_hits};
use crate::composite::gpu::pixel::{clear_unreached, replay_hit, start_pixel, walked};
use crate::composite::gpu::tile::{Layout, Thresholds, in_tile, pair_if_near, pixel_of, tile_of};
use crate::device::launch::{UNITS, cube_index};
use crate::formulas::single::composite as formula;

/// Returns the width of a subgroup's block of pixels. The block is as nearly square as powers of
/// two allow, so that a hit touches few blocks.
fn block_width(plane: u32) -> u32 {
    if plane < 32 { 4 } else { 8 }
}

/// Returns the number of hits of a batch in shared memory. It is the number of threads of a
/// subgroup, which takes up to 14 KB. If the device has at least 32 KiB of shared memory (`shared`
/// bytes), the batch is twice as large, and subgroups wait for each other half as often.
pub(crate) fn batch_of(plane: u32, shared: usize) -> u32 {
    if shared < 32 << 10 { plane } else { 2 * plane }
}

/// Returns the index of a thread in its subgroup. If subgroups are in order
/// (`Gpu::subgroups_in_order`), the index is computed from the thread's index in its workgroup.
/// This saves one register in a loop that uses all of its registers.
#[cube]
fn lane_of(#[comptime] plane: u32, #[comptime] in_order: bool) -> u32 {
    if comptime![in_order] {
        UNIT_POS_X % plane
    } else {
        UNIT_POS_PLANE
    }
}

/// Returns an upper bound of the number of sums that a thread has after [`sum_over_plane`] of
/// `count` values.
fn left_of(count: u32, plane: u32) -> u32 {
    (0..plane.ilog2()).fold(count, |count, _| count.div_ceil(2))
}

/// Sums each of the first `count` values of `numbers` over the threads of a subgroup whose indices
/// differ only in bit `mask` and the bits below. `lane` is the thread's index in its subgroup.
///
/// A thread with more than one value keeps half of its values, and sends the other half to thread
/// `lane ^ mask`. This takes about one shuffle per value, instead of one per value and bit. An odd
/// count is padded with an unused value. [`Share`] describes which sums each thread then has.
#[cube]
fn sum_over_plane(
    numbers: &mut Array<f32>,
    lane: u32,
    #[comptime] count: u32,
    #[comptime] mask: u32,
) {
    if comptime![mask > 0] {
        let half = comptime!(count.div_ceil(2));
        if comptime![count > 1] {
            let upper = lane & mask != 0;
            #[unroll]
            for j in 0..half {
                let low = numbers[j as usize];
                let high = numbers[(half + j) as usize];
                let other = plane_shuffle_xor(select(upper, low, high), mask);
                numbers[j as usize] = select(upper, high, low) + other;
            }
        } else {
            numbers[0] += plane_shuffle_xor(numbers[0], mask);
        }
        sum_over_plane(numbers, lane, half, comptime!(mask / 2));
    }
}

/// Returns the share of each thread of a subgroup after [`sum_over_plane`], as `[first, len]`, and
/// the upper bound of `len`.
pub(crate) fn shares(count: u32, plane: u32) -> (Vec<[u32; 2]>, u32) {
    let share = |lane| share(0, count, lane, count, plane / 2);
    let shares = (0..plane).map(share).map(|share| [share.first, share.len]);
    (shares.collect(), left_of(count, plane))
}

/// The sums that a thread has after [`sum_over_plane`]: `len` sums from `first` on. Every sum is in
/// exactly one thread.
#[derive(CubeType, Clone, Copy)]
struct Share {
    first: u32,
    len: u32,
}

/// Returns the share of the thread at `lane`, given that it has `len` of at most `count` values,
/// from `first` on.
#[cube]
fn share(first: u32, len: u32, lane: u32, #[comptime] count: u32, #[comptime] mask: u32) -> Share {
    if comptime![mask > 0] {
        let half = comptime!(count.div_ceil(2));
        let upper = lane & mask != 0;
        let mut from = first;
        let mut rest = u32::min(len, half);
        if upper {
            from = first + half;
            rest = len - rest;
        }
        share(from, rest, lane, half, comptime!(mask / 2))
    } else {
        Share { first, len }
    }
}

/// Computes the partials of one tile per workgroup. The arguments are those of `replay_kernel`,
/// then the number of threads of a subgroup, whether subgroups are in order, and the number of hits
/// of a batch ([`batch_of`]).
#[cube(launch)]
pub(crate) fn replay_planes_kernel<F: Float>(
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
    #[comptime] plane: u32,
    #[comptime] in_order: bool,
    #[comptime] batch: u32,
) {
    let depths = comptime!(u32::from(with_depth));
    let planes = comptime!(channels + depths);
    let moments_of = comptime!(if geometry { MOMENTS } else { 0u32 });
    let outputs = comptime!(if with_features { planes } else { depths });
    let sums = comptime!(moments_of + outputs);
    let mask = comptime!(plane / 2);
    let left = comptime!(left_of(sums, plane));

    let mut tile = SharedMemory::<u32>::new(TILE_WORDS);
    let mut splats = SharedMemory::<u32>::new(batch as usize);
    let mut indices = SharedMemory::<u32>::new(batch as usize);
    let mut rows = SharedMemory::<f32>::new((batch * ROW) as usize);
    let mut values = SharedMemory::<f32>::new((batch * channels) as usize);
    // The sums of every subgroup, by hit.
    let mut finals = SharedMemory::<f32>::new((UNITS / plane * batch * sums) as usize);

    let cube = cube_index();
    if cube < part.cubes {
        let own_tile = tile_of(cube, layout, part.first_view);
        let lane = lane_of(plane, in_order);
        let width = comptime!(block_width(plane));
        let height = comptime!(plane / width);
        let own = pixel_of(own_tile, in_tile(PLANE_POS, lane, width, height));
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

        let mut v = Array::<f32>::new(planes as usize);
        let pixel = start_pixel(
            state, v_features, &mut v, own_tile, own, layout, part, channels, first, with_depth,
        );
        let mut transmittance = pixel.transmittance;
        let end = pixel.end;
        let mut v_rest = pixel.v_rest;
        // The first of this thread's sums, or one past the last sum if the thread has none. If
        // threads have at most one sum, the length is not needed.
        let share = share(0u32, sums.runtime(), lane, sums, mask);
        let mut own_sum = share.first;
        if share.len == 0 {
            own_sum = sums.runtime();
        }

        let mut top = walked(state, ranges, cube, own_tile.global, part, large);
        while top > 0 {
            let size = u32::min(batch, top);
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
            for g in 0..size {
                let i = size - 1 - g;
                let at = row_of(i);
                let mut v_sigma = 0.0f32;
                let mut weight = 0.0f32;
                let mut counts = false;
                if bottom + i < end {
                    let hit = pair_if_near(&rows, at, x, y, thresholds);
                    if hit.counts {
                        counts = true;
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
                let to = (PLANE_POS * batch + g) * sums;
                if plane_any(counts) {
                    let mut numbers = Array::<f32>::new(comptime!(sums + sums % 2) as usize);
                    if comptime![sums % 2 == 1] {
                        numbers[sums as usize] = 0.0;
                    }
                    if comptime![geometry] {
                        let d = offset(&rows, at, x, y);
                        let moments = formula::add_moments(no_moments(), d, v_sigma);
                        set_moments(&mut numbers, moments);
                    }
                    #[unroll]
                    for k in 0..outputs {
                        numbers[(moments_of + k) as usize] = weight * v[k as usize];
                    }
                    sum_over_plane(&mut numbers, lane, sums, mask);
                    if comptime![left == 1] {
                        if own_sum < sums {
                            finals[(to + own_sum) as usize] = numbers[0];
                        }
                    } else {
                        #[unroll]
                        for j in 0..left {
                            if j < share.len {
                                finals[(to + own_sum + j) as usize] = numbers[j as usize];
                            }
                        }
                    }
                } else {
                    let mut k = lane;
                    while k < sums {
                        finals[(to + k) as usize] = 0.0;
                        k += plane;
                    }
                }
            }
            sync_cube();
            // Adds the sums of the subgroups in order to those of the first.
            let mut k = UNIT_POS_X;
            while k < size * sums {
                let mut sum = finals[k as usize];
                #[unroll]
                for p in 1..UNITS / plane {
                    sum += finals[(p * batch * sums + k) as usize];
                }
                finals[k as usize] = sum;
                k += CUBE_DIM_X;
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
                size,
                size,
                batch,
                false,
                channels,
                large,
                first,
                geometry,
                with_depth,
                with_features,
            );
            top = bottom;
        }
        if comptime![first] {
            // Computed again, because keeping it over the loop would take a register.
            let reached = walked(state, ranges, cube, own_tile.global, part, large);
            clear_unreached(ranges, &tile, partials, cube, reached, layout, part, large);
        }
    }
}
