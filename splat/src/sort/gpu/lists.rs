//! The hits of every tile in depth order, as a device keeps them.

use cubecl::prelude::*;

use crate::binning::grid::TileGrid;
use crate::device::buffer::GpuBuffer;
use crate::error::RenderError;
use crate::splats::Splats;

/// The hits of every tile in depth order.
#[expect(clippy::large_enum_variant, reason = "one per render")]
#[derive(Debug, Clone)]
pub enum SortedHits {
    /// A bit per splat of the view.
    Small(SmallSorted),
    /// A list of splats.
    Large(LargeSorted),
}

/// The order of every view, and a bit per tile and rank.
#[derive(Debug, Clone)]
pub struct SmallSorted {
    pub(crate) grid: TileGrid,
    /// P: a power of two, at least 32 and the length of the longest view.
    pub(crate) ranks: usize,
    /// `[B, P]`: the splat of each rank; culled splats last, then `u32::MAX`.
    pub(crate) order: GpuBuffer,
    /// `[B, tiles, P / 32]`: bit `r % 32` of word `r / 32` says whether the splat of rank `r` touches the tile.
    pub(crate) masks: GpuBuffer,
    /// The number M of splats.
    pub(crate) splats: usize,
}

/// Lists of hits by splat and by tile.
#[derive(Debug, Clone)]
pub struct LargeSorted {
    pub(crate) grid: TileGrid,
    /// `[M + 1]`: the hits of splat `m` are numbered `from_splat[m] .. from_splat[m + 1]`, by rows of tiles.
    pub(crate) from_splat: GpuBuffer,
    /// `[K]`: the splat of each slot; slots are hits numbered by tile, in depth order.
    pub(crate) splat_from_slot: GpuBuffer,
    /// `[K]`: the slot of each hit.
    pub(crate) slot_from_hit: GpuBuffer,
    /// `[B tiles + 1]`: tile `t` has the slots `ranges[t] .. ranges[t + 1]`.
    pub(crate) ranges: GpuBuffer,
    /// `[M]`: the rank of each visible splat in its view, from the nearest.
    pub(crate) rank_from_splat: GpuBuffer,
    /// The number K of hits.
    pub(crate) hits: usize,
    /// The number M of splats.
    pub(crate) splats: usize,
}

impl SortedHits {
    pub(crate) fn grid(&self) -> &TileGrid {
        match self {
            Self::Small(sorted) => &sorted.grid,
            Self::Large(sorted) => &sorted.grid,
        }
    }

    /// Checks that `self` was made from `splats`.
    pub(crate) fn check(&self, splats: &Splats<&GpuBuffer>) -> Result<(), RenderError> {
        let count = match self {
            Self::Small(sorted) => sorted.splats,
            Self::Large(sorted) => sorted.splats,
        };
        if count == splats.len() && self.grid().size.views + 1 == splats.offsets.len() {
            return Ok(());
        }
        Err(RenderError::shape(
            "sorted",
            format!("the hits of these {} splats", splats.len()),
            format!("the hits of {count} splats"),
        ))
    }
}

/// An integer that sorts as the number does; equal for 0 and -0 (as `Scalar::sort_key`).
#[cube]
pub(crate) fn sort_key(depth: f32) -> u32 {
    let bits = u32::reinterpret(depth);
    let mut key = bits | 0x8000_0000u32;
    if bits > 0x8000_0000u32 {
        key = !bits;
    }
    key
}
