//! The result of the sort stage on the CPU.

use crate::binning::grid::TileGrid;

/// The hits of every tile in depth order.
///
/// A *slot* is an index in this order. The slots of one tile are consecutive, and so are the tiles
/// of one view.
#[derive(Debug, Clone)]
pub struct SortedHits {
    pub(crate) grid: TileGrid,
    /// `[B + 1]`: view `b` has the splats `offsets[b] .. offsets[b + 1]`.
    pub(crate) offsets: Vec<usize>,
    /// `[K]`: the splat of each slot.
    pub(crate) splat_from_slot: Vec<u32>,
    /// `[K]`: the slot of each hit. Hits are numbered by splat as in [`Hits`](crate::stages::Hits).
    pub(crate) slot_from_hit: Vec<u32>,
    /// `[M + 1]`: splat `m` has the hits `hits_from_splat[m] .. hits_from_splat[m + 1]`.
    pub(crate) hits_from_splat: Vec<u32>,
    /// `[B * tiles + 1]`: tile `t` has the slots `slots_from_tile[t] .. slots_from_tile[t + 1]`.
    pub(crate) slots_from_tile: Vec<u32>,
    /// `[M]`: the rank of each splat in the depth order of its view. The order contains only splats
    /// that touch a tile. The rank of every other splat is `u32::MAX`.
    pub(crate) rank_from_splat: Vec<u32>,
}

impl SortedHits {
    /// Returns the number K of hits, which are (splat, tile) pairs.
    pub fn hits(&self) -> usize {
        self.splat_from_slot.len()
    }

    /// Returns the slots of a tile. Tiles are numbered through all views.
    pub(crate) fn slots_of_tile(&self, tile: usize) -> std::ops::Range<usize> {
        self.slots_from_tile[tile] as usize..self.slots_from_tile[tile + 1] as usize
    }

    /// Returns the slots of consecutive tiles.
    pub(crate) fn slots_of_tiles(&self, tiles: std::ops::Range<usize>) -> std::ops::Range<usize> {
        self.slots_from_tile[tiles.start] as usize..self.slots_from_tile[tiles.end] as usize
    }

    /// Returns the splats of a tile, front to back.
    pub(crate) fn splats_of_tile(&self, tile: usize) -> &[u32] {
        &self.splat_from_slot[self.slots_of_tile(tile)]
    }
}
