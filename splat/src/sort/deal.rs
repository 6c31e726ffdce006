//! Deals one view's splats, in depth order, to the lists of the tiles they touch: a counting sort, so each list is sorted as
//! it is made.

use std::sync::atomic::AtomicU32;

use crate::binning::cpu::TileRect;
use crate::error::{RenderError, try_filled};
use crate::sort::counting::{block_of, into_bins, store};

/// Hits that one task deals, and how many tasks at most.
const HITS_PER_BLOCK: usize = 16_384;
const MAX_BLOCKS: usize = 128;

/// What is read and filled in, all views together.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deal<'a> {
    pub(crate) grid_columns: usize,
    pub(crate) rects: &'a [TileRect],
    pub(crate) hits_from_splat: &'a [u32],
    pub(crate) rank_from_splat: &'a [AtomicU32],
    pub(crate) splat_from_slot: &'a [AtomicU32],
    pub(crate) slot_from_hit: &'a [AtomicU32],
}

/// The number of blocks for a view of `hits` hits: no more than leave the table of counts, 4 bytes per block and tile, smaller
/// than the list of hits.
pub(crate) fn blocks_for(hits: usize, tiles: usize) -> usize {
    (hits / HITS_PER_BLOCK.max(tiles)).clamp(1, MAX_BLOCKS)
}

impl Deal<'_> {
    /// Deals one view's splats, whose hits and so slots are numbered from `first`, and fills in where each tile's list ends
    /// (zeros on entry).
    pub(crate) fn view(
        &self,
        order: &[u32],
        first: u32,
        tile_ends: &mut [u32],
        blocks: usize,
    ) -> Result<(), RenderError> {
        let tiles = tile_ends.len();
        let mut table = Vec::new();
        let counts = if blocks == 1 {
            &mut *tile_ends
        } else {
            table = try_filled("counts of tiles", blocks * tiles, 0)?;
            table.as_mut_slice()
        };
        let count = |block: usize, row: &mut [u32]| {
            for rank in block_of(order.len(), blocks, block) {
                let m = order[rank] as usize;
                store(&self.rank_from_splat[m], rank as u32);
                for tiles in self.rects[m].rows(self.grid_columns) {
                    row[tiles].iter_mut().for_each(|count| *count += 1);
                }
            }
        };
        let put = |block: usize, row: &mut [u32]| {
            for rank in block_of(order.len(), blocks, block) {
                let m = order[rank];
                let mut hit = self.hits_from_splat[m as usize] as usize;
                for tiles in self.rects[m as usize].rows(self.grid_columns) {
                    let hits = &self.slot_from_hit[hit..hit + tiles.len()];
                    hit += tiles.len();
                    for (slot, slot_of_hit) in row[tiles].iter_mut().zip(hits) {
                        store(&self.splat_from_slot[*slot as usize], m);
                        store(slot_of_hit, *slot);
                        *slot += 1;
                    }
                }
            }
        };
        into_bins(counts, tiles, first, count, put);
        if blocks > 1 {
            tile_ends.copy_from_slice(&table[(blocks - 1) * tiles..]);
        }
        Ok(())
    }
}
