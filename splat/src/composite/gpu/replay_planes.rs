//! The kernel of the backward compositor where threads form subgroups (warps) that work on their
//! own: one workgroup per tile, one block of its pixels per subgroup.
//!
//! As in `replay.rs` every thread works out what a hit is to its pixel. But a subgroup that a hit
//! does not touch passes it by, and what a touched one has to sum goes from thread to thread
//! without shared memory. Subgroups wait for each other only around a batch, after which their sums
//! are added in order.

#![expect(
    clippy::too_many_lines,
    clippy::fn_params_excessive_bools,
    reason = "a kernel"
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

/// Columns of the block of pixels of a subgroup: it is as nearly square as powers of two allow, for
/// a hit to touch few of them.
fn block_width(plane: u32) -> u32 {
    if plane < 32 { 4 } else { 8 }
}

/// Hits that are in shared memory at a time: as many as a subgroup has threads, which takes up to
/// 14 KB, or twice that where the device's `shared` bytes allow, so that subgroups wait for each
/// other half as often.
pub(crate) fn batch_of(plane: u32, shared: usize) -> u32 {
    if shared < 32 << 10 { plane } else { 2 * plane }
}

/// The index of a thread in its subgroup. Where subgroups are in order (`Gpu::subgroups_in_order`)
/// it follows from the thread's index in its workgroup: a register less, over a loop that has none
/// to spare.
#[cube]
fn lane_of(#[comptime] plane: u32, #[comptime] in_order: bool) -> u32 {
    if comptime![in_order] {
        UNIT_POS_X % plane
    } else {
        UNIT_POS_PLANE
    }
}

/// How many numbers a thread has left of `count` after [`sum_over_plane`].
fn left_of(count: u32, plane: u32) -> u32 {
    (0..plane.ilog2()).fold(count, |count, _| count.div_ceil(2))
}

/// Sums each of the first `count` of `numbers` over the threads of the subgroup that differ in the
/// bits of `mask` and below, `lane` being the thread's index in its subgroup. Threads keep half of
/// their numbers and give the other half to the thread across, as long as they have more than one:
/// a shuffle a number in all, not one for every number and bit. An odd count carries a number that
/// nobody asks for along. What threads have afterwards [`Share`] tells.
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

/// What each thread of a subgroup has after [`sum_over_plane`], as first and number of its sums,
/// and the most that any may have.
pub(crate) fn shares(count: u32, plane: u32) -> (Vec<[u32; 2]>, u32) {
    let share = |lane| share(0, count, lane, count, plane / 2);
    let shares = (0..plane).map(share).map(|share| [share.first, share.len]);
    (shares.collect(), left_of(count, plane))
}

/// Which sums a thread has after [`sum_over_plane`]: `len` from `first` on, every sum in one
/// thread.
#[derive(CubeType, Clone, Copy)]
struct Share {
    first: u32,
    len: u32,
}

/// The share of the thread at `lane`, of `len` numbers from `first` on out of `count`.
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

/// See the file's doc. The arguments are those of `replay_kernel`, then the threads of a subgroup,
/// whether subgroups are in order, and the hits of a batch ([`batch_of`]).
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
        // The first of this thread's sums, or past the last where it has none: enough to know of a
        // thread that has at most one.
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
            // The subgroups in order, into the sums of the first.
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
            // Asked again: kept over the loop, it would be a register more.
            let reached = walked(state, ranges, cube, own_tile.global, part, large);
            clear_unreached(ranges, &tile, partials, cube, reached, layout, part, large);
        }
    }
}
