//! Appends one view's splats, in depth order, to the lists of the tiles they touch. The method is a
//! stable counting sort by tile, so no list has to be sorted afterwards.

use std::sync::atomic::AtomicU32;

use rayon::prelude::*;

use crate::binning::grid::TileRect;
use crate::error::RenderError;
use crate::host::memory::Memory;
use crate::sort::cpu::counting::{block_of, into_bins, store};

/// Least number of hits per block if there are several blocks, and greatest number of blocks.
const HITS_PER_BLOCK: usize = 16_384;
const MAX_BLOCKS: usize = 128;

/// Least number of splats per task when the cards are gathered.
const SPLATS_PER_TASK: usize = 4096;

/// The inputs and outputs of [`Deal::view`], for all views together.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deal<'a> {
    /// Number of tiles in a row of a view's grid.
    pub(crate) grid_columns: usize,
    pub(crate) rects: &'a [TileRect],
    pub(crate) hits_from_splat: &'a [u32],
    pub(crate) rank_from_splat: &'a [AtomicU32],
    pub(crate) splat_from_slot: &'a [AtomicU32],
    pub(crate) slot_from_hit: &'a [AtomicU32],
}

/// The data of one splat that the loops over hits read. The cards are gathered in depth order
/// first, so that these loops read memory in sequence.
#[derive(Debug, Clone, Copy, Default)]
struct Card {
    splat: u32,
    first_hit: u32,
    rect: TileRect,
}

/// Returns the number of blocks for a view of `hits` hits and `tiles` tiles. With several blocks,
/// the table of counts takes 4 bytes per block and tile. The number of blocks is limited so that
/// the table is not larger than the list of hits.
pub(crate) fn blocks_for(hits: usize, tiles: usize) -> usize {
    (hits / HITS_PER_BLOCK.max(tiles)).clamp(1, MAX_BLOCKS)
}

impl Deal<'_> {
    /// Appends one view's splats to the lists of their tiles, and writes the rank of each splat.
    /// `order` contains the splats in depth order. The view's hits and slots are numbered from
    /// `first`. `tile_ends` must be zero on entry. On return it contains the end of each tile's
    /// list.
    pub(crate) fn view(
        &self,
        order: &[u32],
        first: u32,
        tile_ends: &mut [u32],
        blocks: usize,
        memory: &Memory,
    ) -> Result<(), RenderError> {
        let mut cards: Vec<Card> = memory.buffer("splats in depth order", order.len())?;
        let gather = |(rank, (card, &m)): (usize, (&mut Card, &u32))| {
            store(&self.rank_from_splat[m as usize], rank as u32);
            *card = Card {
                splat: m,
                first_hit: self.hits_from_splat[m as usize],
                rect: self.rects[m as usize],
            };
        };
        if blocks == 1 {
            cards.iter_mut().zip(order).enumerate().for_each(gather);
        } else {
            let gathered = cards.par_iter_mut().zip(order).enumerate();
            gathered.with_min_len(SPLATS_PER_TASK).for_each(gather);
        }
        let tiles = tile_ends.len();
        let mut table = Vec::new();
        let counts = if blocks == 1 {
            &mut *tile_ends
        } else {
            table = memory.buffer("counts of tiles", blocks * tiles)?;
            table.fill(0);
            table.as_mut_slice()
        };
        let cards_of = |block: usize| &cards[block_of(order.len(), blocks, block)];
        let count =
            |block: usize, row: &mut [u32]| count_tiles(cards_of(block), self.grid_columns, row);
        let put = |block: usize, row: &mut [u32]| {
            for card in cards_of(block) {
                self.put(card, row);
            }
        };
        into_bins(counts, tiles, first, memory, count, put)?;
        if blocks > 1 {
            tile_ends.copy_from_slice(&table[(blocks - 1) * tiles..]);
        }
        memory.give(table);
        memory.give(cards);
        Ok(())
    }

    /// Appends one splat to the lists of its tiles. `slots` contains the next free slot of each
    /// tile.
    #[inline(always)]
    fn put(&self, card: &Card, slots: &mut [u32]) {
        let Card {
            splat,
            first_hit,
            rect,
        } = *card;
        let hits = first_hit as usize..(first_hit + rect.count()) as usize;
        let (mut tile, mut left) = (rect.first as usize, rect.columns);
        let to_next_row = self.grid_columns + 1 - rect.columns as usize;
        // One loop over rows and columns: the branches of nested loops would be harder to predict.
        for slot_of_hit in &self.slot_from_hit[hits] {
            let slot = &mut slots[tile];
            store(&self.splat_from_slot[*slot as usize], splat);
            store(slot_of_hit, *slot);
            *slot += 1;
            left -= 1;
            let row_ends = left == 0;
            tile += if row_ends { to_next_row } else { 1 };
            left = if row_ends { rect.columns } else { left };
        }
    }
}

/// Counts the splats that touch each tile. `counts` must be zero on entry.
fn count_tiles(cards: &[Card], grid_columns: usize, counts: &mut [u32]) {
    // First, only the changes of the counts are stored, at the four corners of each rectangle. The
    // running sums below turn the changes into counts. The arithmetic is modulo 2^32.
    let tiles = counts.len();
    for Card { rect, .. } in cards {
        let top = rect.first as usize;
        let bottom = top + rect.rows as usize * grid_columns;
        let columns = rect.columns as usize;
        let corners = [
            (top, 1),
            (top + columns, u32::MAX),
            (bottom, u32::MAX),
            (bottom + columns, 1),
        ];
        for (corner, change) in corners {
            // A corner beyond the last tile changes no count.
            if corner < tiles {
                counts[corner] = counts[corner].wrapping_add(change);
            }
        }
    }
    for tile in grid_columns..tiles {
        counts[tile] = counts[tile].wrapping_add(counts[tile - grid_columns]);
    }
    let mut count = 0u32;
    for change in counts {
        count = count.wrapping_add(*change);
        *change = count;
    }
}
