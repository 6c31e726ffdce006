//! The sort stage in the large regime.
//!
//! The splats of all views are sorted by depth, then stably by view. Their hits are written in this
//! order, then sorted stably by tile. No key has more than 32 bits.

use cubecl::prelude::*;

use crate::binning::gpu::hits::LargeHits;
use crate::binning::gpu::rects::rect_of;
use crate::device::Gpu;
use crate::device::buffer::GpuBuffer;
use crate::device::launch::{cube_dim, grid_of_units, unit_index};
use crate::device::radix::{Pairs, bits_below, sort_pairs};
use crate::device::scan::exclusive_scan;
use crate::error::RenderError;
use crate::sort::gpu::lists::{LargeSorted, sort_key};
use crate::splats::Splats;

/// Returns the index of the last element of `ascending[0..len]` that is at most `x`. The first
/// element must be at most `x`.
#[cube]
fn last_at_most(ascending: &Array<u32>, len: u32, x: u32) -> u32 {
    let mut low = 0u32;
    let mut high = len;
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if ascending[middle as usize] <= x {
            low = middle;
        } else {
            high = middle;
        }
    }
    low
}

/// Writes the sort key of depth `m` to `keys[m]`, and `m` to `values[m]`.
#[cube(launch)]
fn key_depths(depths: &Array<f32>, keys: &mut Array<u32>, values: &mut Array<u32>, len: u32) {
    let m = unit_index();
    if m < len {
        keys[m as usize] = sort_key(depths[m as usize]);
        values[m as usize] = m;
    }
}

/// Writes the view of splat `order[p]` to `keys[p]`.
#[cube(launch)]
fn key_views(
    order: &Array<u32>,
    offsets: &Array<u32>,
    keys: &mut Array<u32>,
    len: u32,
    views: u32,
) {
    let p = unit_index();
    if p < len {
        keys[p as usize] = last_at_most(offsets, views, order[p as usize]);
    }
}

/// Writes the number of hits of splat `order[p]` to `counts[p]`. Writes 1 to `seen[p]` if the splat
/// has a hit, else 0.
#[cube(launch)]
fn count_in_order(
    order: &Array<u32>,
    rects: &Array<u32>,
    counts: &mut Array<u32>,
    seen: &mut Array<u32>,
    len: u32,
) {
    let p = unit_index();
    if p < len {
        let m = order[p as usize];
        let rect = rect_of(rects, m);
        let count = rect.columns * rect.rows;
        counts[p as usize] = count;
        seen[p as usize] = u32::min(count, 1u32);
    }
}

/// Writes the rank of each splat: the number of splats with hits before it in the depth order of
/// its view. The rank of a splat without hits is `u32::MAX`.
///
/// `order` is sorted by view. View `b` therefore has the positions `offsets[b] .. offsets[b + 1]`
/// in `order` too.
#[cube(launch)]
fn rank_splats(
    order: &Array<u32>,
    offsets: &Array<u32>,
    seen_before: &Array<u32>,
    ranks: &mut Array<u32>,
    len: u32,
    views: u32,
) {
    let p = unit_index();
    if p < len {
        let first = offsets[last_at_most(offsets, views, p) as usize];
        let before = seen_before[p as usize];
        let mut rank = 4_294_967_295u32;
        if seen_before[(p + 1) as usize] > before {
            rank = before - seen_before[first as usize];
        }
        let m = order[p as usize];
        ranks[m as usize] = rank;
    }
}

/// Writes the tile and the splat of every hit, in the order of views and depths. Tiles are numbered
/// through all views. `first_hit[p]` is the number of hits before the hits of splat `order[p]`.
#[cube(launch)]
#[expect(clippy::too_many_arguments, reason = "one argument per kernel buffer")]
fn deal_hits(
    first_hit: &Array<u32>,
    order: &Array<u32>,
    rects: &Array<u32>,
    offsets: &Array<u32>,
    tiles: &mut Array<u32>,
    splats: &mut Array<u32>,
    hits: u32,
    len: u32,
    views: u32,
    grid_columns: u32,
    tiles_per_view: u32,
) {
    let hit = unit_index();
    if hit < hits {
        let p = last_at_most(first_hit, len, hit);
        let m = order[p as usize];
        let view = last_at_most(offsets, views, p);
        let rect = rect_of(rects, m);
        let nth = hit - first_hit[p as usize];
        let tile = rect.first + nth / rect.columns * grid_columns + nth % rect.columns;
        tiles[hit as usize] = view * tiles_per_view + tile;
        splats[hit as usize] = m;
    }
}

/// Writes the number of slots of all tiles before `t` to `ranges[t]`, for `t <= tiles`.
#[cube(launch)]
fn find_ranges(sorted_tiles: &Array<u32>, ranges: &mut Array<u32>, hits: u32, tiles: u32) {
    let tile = unit_index();
    if tile <= tiles {
        let mut low = 0u32;
        let mut high = hits;
        while low < high {
            let middle = low + (high - low) / 2;
            if sorted_tiles[middle as usize] < tile {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        ranges[tile as usize] = low;
    }
}

/// Writes the slot of every hit to `slot_from_hit`. Hits are numbered by splat, and within a splat
/// by rows of tiles.
#[cube(launch)]
#[expect(clippy::too_many_arguments, reason = "one argument per kernel buffer")]
fn find_slots(
    sorted_tiles: &Array<u32>,
    splat_from_slot: &Array<u32>,
    rects: &Array<u32>,
    from_splat: &Array<u32>,
    slot_from_hit: &mut Array<u32>,
    hits: u32,
    grid_columns: u32,
    tiles_per_view: u32,
) {
    let slot = unit_index();
    if slot < hits {
        let tile = sorted_tiles[slot as usize] % tiles_per_view;
        let m = splat_from_slot[slot as usize];
        let rect = rect_of(rects, m);
        let row = tile / grid_columns - rect.first / grid_columns;
        let column = tile % grid_columns - rect.first % grid_columns;
        let nth = row * rect.columns + column;
        let hit = from_splat[m as usize] + nth;
        slot_from_hit[hit as usize] = slot;
    }
}

/// Sorts the hits of every tile by depth, ties by index.
pub(crate) fn sort<R: Runtime>(
    gpu: &Gpu<R>,
    splats: &Splats<&GpuBuffer>,
    hits: LargeHits,
) -> Result<LargeSorted, RenderError> {
    let offsets: Vec<u32> = splats.offsets.iter().map(|&m| m as u32).collect();
    let offsets = gpu.upload_words(&offsets)?;
    let order = depth_order(gpu, splats, &offsets)?;
    let (counts, rank_from_splat) = ranks(gpu, &hits, &order, &offsets)?;
    let pairs = deal(gpu, &hits, &order, &counts, &offsets)?;
    lists(gpu, hits, pairs, rank_from_splat)
}

/// Returns the splats `[M]`, sorted by view, then by depth, then by index.
fn depth_order<R: Runtime>(
    gpu: &Gpu<R>,
    splats: &Splats<&GpuBuffer>,
    offsets: &GpuBuffer,
) -> Result<GpuBuffer, RenderError> {
    let (len, views) = (splats.len(), splats.offsets.len() - 1);
    let pairs = Pairs {
        keys: gpu.empty("keys of depths [M]", len)?,
        values: gpu.empty("depth order [M]", len)?,
    };
    if len == 0 {
        return Ok(pairs.values);
    }
    key_depths::launch::<R>(
        &gpu.client,
        grid_of_units(len)?,
        cube_dim(),
        splats.depths.arg(),
        pairs.keys.arg(),
        pairs.values.arg(),
        len as u32,
    );
    let pairs = sort_pairs(gpu, pairs, u32::BITS)?;
    if views < 2 {
        return Ok(pairs.values);
    }
    key_views::launch::<R>(
        &gpu.client,
        grid_of_units(len)?,
        cube_dim(),
        pairs.values.arg(),
        offsets.arg(),
        pairs.keys.arg(),
        len as u32,
        views as u32,
    );
    Ok(sort_pairs(gpu, pairs, bits_below(views))?.values)
}

/// Returns the number of hits of each splat, indexed like `order`, and the rank of each splat,
/// indexed by splat.
fn ranks<R: Runtime>(
    gpu: &Gpu<R>,
    hits: &LargeHits,
    order: &GpuBuffer,
    offsets: &GpuBuffer,
) -> Result<(GpuBuffer, GpuBuffer), RenderError> {
    let len = order.len();
    let counts = gpu.empty("counts of tiles [M]", len)?;
    let ranks = gpu.empty("ranks [M]", len)?;
    if len == 0 {
        return Ok((counts, ranks));
    }
    let seen = gpu.empty("seen [M]", len)?;
    count_in_order::launch::<R>(
        &gpu.client,
        grid_of_units(len)?,
        cube_dim(),
        order.arg(),
        hits.rects.arg(),
        counts.arg(),
        seen.arg(),
        len as u32,
    );
    let seen_before = exclusive_scan(gpu, &seen, len + 1)?;
    rank_splats::launch::<R>(
        &gpu.client,
        grid_of_units(len)?,
        cube_dim(),
        order.arg(),
        offsets.arg(),
        seen_before.arg(),
        ranks.arg(),
        len as u32,
        hits.grid.size.views as u32,
    );
    Ok((counts, ranks))
}

/// Returns the tile and the splat of every hit, sorted by tile, then by depth.
fn deal<R: Runtime>(
    gpu: &Gpu<R>,
    hits: &LargeHits,
    order: &GpuBuffer,
    counts: &GpuBuffer,
    offsets: &GpuBuffer,
) -> Result<Pairs, RenderError> {
    let grid = &hits.grid;
    let pairs = Pairs {
        keys: gpu.empty("tiles of hits [K]", hits.count)?,
        values: gpu.empty("splats of hits [K]", hits.count)?,
    };
    if hits.count == 0 {
        return Ok(pairs);
    }
    let first_hit = exclusive_scan(gpu, counts, counts.len())?;
    deal_hits::launch::<R>(
        &gpu.client,
        grid_of_units(hits.count)?,
        cube_dim(),
        first_hit.arg(),
        order.arg(),
        hits.rects.arg(),
        offsets.arg(),
        pairs.keys.arg(),
        pairs.values.arg(),
        hits.count as u32,
        order.len() as u32,
        grid.size.views as u32,
        grid.columns as u32,
        grid.per_view() as u32,
    );
    sort_pairs(gpu, pairs, bits_below(grid.size.views * grid.per_view()))
}

/// Computes the slots of every tile and the slot of every hit. Returns all lists that the
/// compositor reads.
fn lists<R: Runtime>(
    gpu: &Gpu<R>,
    hits: LargeHits,
    pairs: Pairs,
    rank_from_splat: GpuBuffer,
) -> Result<LargeSorted, RenderError> {
    let LargeHits {
        grid,
        rects,
        from_splat,
        count,
        offsets,
    } = hits;
    let tiles = grid.size.views * grid.per_view();
    let ranges = gpu.empty("tile offsets [B tiles + 1]", tiles + 1)?;
    find_ranges::launch::<R>(
        &gpu.client,
        grid_of_units(tiles + 1)?,
        cube_dim(),
        pairs.keys.arg(),
        ranges.arg(),
        count as u32,
        tiles as u32,
    );
    let slot_from_hit = gpu.empty("slots of hits [K]", count)?;
    if count > 0 {
        find_slots::launch::<R>(
            &gpu.client,
            grid_of_units(count)?,
            cube_dim(),
            pairs.keys.arg(),
            pairs.values.arg(),
            rects.arg(),
            from_splat.arg(),
            slot_from_hit.arg(),
            count as u32,
            grid.columns as u32,
            grid.per_view() as u32,
        );
    }
    Ok(LargeSorted {
        grid,
        from_splat,
        splat_from_slot: pairs.values,
        slot_from_hit,
        ranges,
        rank_from_splat,
        hits: count,
        offsets,
    })
}
