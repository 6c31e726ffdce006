//! One depth sort per view, then splats are dealt to their tiles' lists in that order: no tile is ever sorted by itself.

use rayon::prelude::*;

use crate::binning::cpu::{Hits, TileGrid};
use crate::error::{RenderError, try_filled};
use crate::project::Splats;
use crate::scalar::Scalar;

/// The hits of every tile in depth order. A *slot* is a place in that order; slots of one tile, and tiles of one view, are
/// neighbours.
#[derive(Debug, Clone)]
pub struct SortedHits {
    pub(crate) grid: TileGrid,
    /// `[K]`: which splat sits in a slot.
    pub(crate) splat_from_slot: Vec<u32>,
    /// `[K]`: the slot of a hit, hits numbered by splat as in [`Hits`].
    pub(crate) slot_from_hit: Vec<u32>,
    /// `[M + 1]`: the hits of each splat.
    pub(crate) hits_from_splat: Vec<u32>,
    /// `[B * tiles + 1]`: the slots of each tile.
    pub(crate) slots_from_tile: Vec<u32>,
    /// `[M]`: place of each splat in its view's depth order, culled ones left out (theirs is `u32::MAX`).
    pub(crate) rank_from_splat: Vec<u32>,
}

impl SortedHits {
    /// The number K of (splat, tile) pairs.
    pub fn hits(&self) -> usize {
        self.splat_from_slot.len()
    }

    /// The slots of a tile, tiles numbered through all views.
    pub(crate) fn slots_of_tile(&self, tile: usize) -> std::ops::Range<usize> {
        self.slots_from_tile[tile] as usize..self.slots_from_tile[tile + 1] as usize
    }

    /// The splats of a tile, front to back.
    pub(crate) fn splats_of_tile(&self, tile: usize) -> &[u32] {
        &self.splat_from_slot[self.slots_of_tile(tile)]
    }
}

/// What one view fills in: its own part of every buffer.
struct ViewPart<'a> {
    view: usize,
    ranks: &'a mut [u32],
    slots: &'a mut [u32],
    slot_from_hit: &'a mut [u32],
    tile_ends: &'a mut [u32],
    first_hit: u32,
}

/// Cuts the first `n` elements off `rest`.
#[expect(clippy::mut_mut, reason = "the slice itself is replaced")]
pub(crate) fn cut<'a, T>(rest: &mut &'a mut [T], n: usize) -> &'a mut [T] {
    let (head, tail) = std::mem::take(rest).split_at_mut(n);
    *rest = tail;
    head
}

/// Sorts every view.
pub(crate) fn sort<T: Scalar>(
    splats: &Splats<&[T]>,
    hits: Hits,
) -> Result<SortedHits, RenderError> {
    let Hits { grid, from_splat } = hits;
    if from_splat.len() != splats.len() + 1 || grid.size.views + 1 != splats.offsets.len() {
        return Err(RenderError::shape(
            "hits",
            format!("the hits of these {} splats", splats.len()),
            format!("the hits of {} splats", from_splat.len() - 1),
        ));
    }
    let fits = |m: usize| {
        let [columns, rows] = grid.tiles(splats, m);
        columns.len() * rows.len() == (from_splat[m + 1] - from_splat[m]) as usize
    };
    let strange = (0..splats.len())
        .into_par_iter()
        .with_min_len(1024)
        .find_first(|&m| !fits(m));
    if let Some(m) = strange {
        return Err(RenderError::shape(
            "hits",
            "the hits of these splats",
            format!("others at splat {m}"),
        ));
    }
    let total = from_splat[splats.len()] as usize;
    let mut sorted = SortedHits {
        grid,
        splat_from_slot: try_filled("slots [K]", total, 0)?,
        slot_from_hit: try_filled("slots of hits [K]", total, 0)?,
        hits_from_splat: from_splat,
        slots_from_tile: try_filled("tile offsets", grid.size.views * grid.per_view() + 1, 0)?,
        rank_from_splat: try_filled("ranks [M]", splats.len(), u32::MAX)?,
    };
    let mut slots = sorted.splat_from_slot.as_mut_slice();
    let mut slot_from_hit = sorted.slot_from_hit.as_mut_slice();
    let mut tile_ends = &mut sorted.slots_from_tile[1..];
    let mut ranks = sorted.rank_from_splat.as_mut_slice();
    let offsets = &sorted.hits_from_splat;
    let parts: Vec<ViewPart<'_>> = (0..grid.size.views)
        .map(|view| {
            let (begin, end) = (splats.offsets[view], splats.offsets[view + 1]);
            let count = (offsets[end] - offsets[begin]) as usize;
            ViewPart {
                view,
                ranks: cut(&mut ranks, end - begin),
                slots: cut(&mut slots, count),
                slot_from_hit: cut(&mut slot_from_hit, count),
                tile_ends: cut(&mut tile_ends, grid.per_view()),
                first_hit: offsets[begin],
            }
        })
        .collect();
    parts
        .into_par_iter()
        .for_each(|part| sort_view(splats, &grid, offsets, part));
    Ok(sorted)
}

/// Fills one view's part.
fn sort_view<T: Scalar>(
    splats: &Splats<&[T]>,
    grid: &TileGrid,
    hits_from_splat: &[u32],
    part: ViewPart<'_>,
) {
    let begin = splats.offsets[part.view];
    let order = depth_order(splats, hits_from_splat, part.view);
    for (rank, &m) in order.iter().enumerate() {
        part.ranks[m as usize - begin] = rank as u32;
    }
    // Count, sum up, deal: at last every cursor stands at the end of its tile's list.
    let mut cursors = vec![0u32; part.tile_ends.len()];
    for &m in &order {
        for tile in grid.tiles_of(splats, m as usize) {
            cursors[tile] += 1;
        }
    }
    let mut total = 0;
    for cursor in &mut cursors {
        total += std::mem::replace(cursor, total);
    }
    for &m in &order {
        let first = (hits_from_splat[m as usize] - part.first_hit) as usize;
        for (hit, tile) in grid.tiles_of(splats, m as usize).enumerate() {
            let slot = cursors[tile];
            cursors[tile] += 1;
            part.slots[slot as usize] = m;
            part.slot_from_hit[first + hit] = part.first_hit + slot;
        }
    }
    for (end, cursor) in part.tile_ends.iter_mut().zip(cursors) {
        *end = part.first_hit + cursor;
    }
}

/// The splats of a view that touch any tile, by ascending depth, ties by index.
fn depth_order<T: Scalar>(splats: &Splats<&[T]>, hits_from_splat: &[u32], view: usize) -> Vec<u32> {
    let mut keyed: Vec<(u64, u32)> = (splats.offsets[view]..splats.offsets[view + 1])
        .filter(|&m| hits_from_splat[m + 1] > hits_from_splat[m])
        .map(|m| (splats.depths[m].sort_key(), m as u32))
        .collect();
    // No two keys are equal, so an unstable sort gives the one order there is.
    keyed.par_sort_unstable();
    keyed.into_iter().map(|(_, m)| m).collect()
}
