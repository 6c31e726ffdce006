//! The hits of every tile in depth order, as the CPU keeps them.

use crate::binning::grid::TileGrid;

/// The hits of every tile in depth order. A *slot* is an index in that order; slots of one tile,
/// and tiles of one view, are neighbours.
#[derive(Debug, Clone)]
pub struct SortedHits {
    pub(crate) grid: TileGrid,
    /// Where each view's splats begin, `[B + 1]`.
    pub(crate) offsets: Vec<usize>,
    /// `[K]`: which splat sits in a slot.
    pub(crate) splat_from_slot: Vec<u32>,
    /// `[K]`: the slot of a hit, hits numbered by splat as in [`Hits`](crate::stages::Hits).
    pub(crate) slot_from_hit: Vec<u32>,
    /// `[M + 1]`: the hits of each splat.
    pub(crate) hits_from_splat: Vec<u32>,
    /// `[B * tiles + 1]`: the slots of each tile.
    pub(crate) slots_from_tile: Vec<u32>,
    /// `[M]`: the rank of each splat in its view's depth order, culled ones left out (theirs is
    /// `u32::MAX`).
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
