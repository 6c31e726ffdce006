//! The sort stage on the CPU. The splats of each view are sorted by depth, then appended to the
//! lists of their tiles in this order. No list of a tile is sorted separately.

pub(crate) mod counting;
pub(crate) mod deal;
pub(crate) mod depth;
pub(crate) mod lists;
#[cfg(test)]
mod tests;

use rayon::prelude::*;

use crate::binning::grid::Hits;
use crate::error::RenderError;
use crate::host::simd::Simd;
use crate::host::workspace::Resources;
use crate::scalar::Scalar;
use crate::sort::cpu::counting::{into_atomic, into_plain};
use crate::sort::cpu::deal::Deal;
use crate::sort::cpu::depth::ViewSplats;
use crate::sort::cpu::lists::SortedHits;
use crate::splats::Splats;

/// Ranks per task when the ranks are initialised.
const RANKS_PER_TASK: usize = 1 << 14;

/// Sorts the hits of every view. Views are processed in parallel, and the blocks of a large view
/// are too.
///
/// The working memory is 24 bytes per splat that touches a tile, and at most 4 bytes per hit. Only
/// the views that are being processed take this memory.
pub(crate) fn sort<T: Scalar>(
    splats: &Splats<&[T]>,
    hits: Hits,
    Resources { simd, workspace }: Resources<'_, T>,
) -> Result<SortedHits, RenderError> {
    check_hits(splats, &hits, simd)?;
    let Hits {
        grid,
        offsets,
        rects,
        from_splat,
    } = hits;
    let memory = workspace.memory();
    let total = from_splat[splats.len()] as usize;
    // Every element of both buffers is written below, so their old contents do not matter.
    let splat_from_slot = into_atomic(workspace.indices("slots [K]", total)?);
    let slot_from_hit = into_atomic(workspace.indices("slots of hits [K]", total)?);
    let mut ranks = workspace.indices("ranks [M]", splats.len())?;
    ranks
        .par_chunks_mut(RANKS_PER_TASK)
        .for_each(|ranks| ranks.fill(u32::MAX));
    let rank_from_splat = into_atomic(ranks);
    let tiles = grid.per_view();
    let mut slots_from_tile = workspace.indices("tile offsets", grid.size.views * tiles + 1)?;
    slots_from_tile.fill(0);
    let deal = Deal {
        grid_columns: grid.columns,
        rects: &rects,
        hits_from_splat: &from_splat,
        rank_from_splat: &rank_from_splat,
        splat_from_slot: &splat_from_slot,
        slot_from_hit: &slot_from_hit,
    };
    let views = slots_from_tile[1..].par_chunks_exact_mut(tiles);
    let views = views.zip(splats.offsets.par_windows(2));
    views.try_for_each(|(tile_ends, offsets)| {
        let view = ViewSplats {
            depths: splats.depths,
            hits_from_splat: &from_splat,
            splats: offsets[0]..offsets[1],
        };
        let [first, end] = [offsets[0], offsets[1]].map(|m| from_splat[m]);
        let blocks = deal::blocks_for((end - first) as usize, tiles);
        let order = view.order(memory)?;
        deal.view(&order, first, tile_ends, blocks, memory)?;
        memory.give(order);
        Ok(())
    })?;
    memory.give(rects);
    Ok(SortedHits {
        grid,
        offsets,
        splat_from_slot: into_plain(splat_from_slot),
        slot_from_hit: into_plain(slot_from_hit),
        hits_from_splat: from_splat,
        slots_from_tile,
        rank_from_splat: into_plain(rank_from_splat),
    })
}

/// Checks that `hits` were made from `splats`.
fn check_hits<T: Scalar>(
    splats: &Splats<&[T]>,
    hits: &Hits,
    simd: Simd,
) -> Result<(), RenderError> {
    splats.check_views("hits", &hits.offsets)?;
    match hits.first_stranger(splats, simd) {
        None => Ok(()),
        Some(m) => Err(RenderError::shape(
            "hits",
            "the hits of these splats",
            format!("different tiles at splat {m}"),
        )),
    }
}
