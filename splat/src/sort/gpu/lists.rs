//! The hits of every tile in depth order, as a device keeps them.

use std::sync::Arc;

use cubecl::prelude::*;

use crate::binning::grid::TileGrid;
use crate::device::buffer::GpuBuffer;
use crate::error::RenderError;
use crate::image::ImageSize;
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
    /// `[B, tiles, P / 32]`: bit `r % 32` of word `r / 32` says whether the splat of rank `r`
    /// touches the tile.
    pub(crate) masks: GpuBuffer,
    /// Where each view's splats begin, `[B + 1]`.
    pub(crate) offsets: Vec<usize>,
}

/// Lists of hits by splat and by tile.
#[derive(Debug, Clone)]
pub struct LargeSorted {
    pub(crate) grid: TileGrid,
    /// `[M + 1]`: the hits of splat `m` are numbered `from_splat[m] .. from_splat[m + 1]`, by rows
    /// of tiles.
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
    /// Where each view's splats begin, `[B + 1]`.
    pub(crate) offsets: Vec<usize>,
}

impl SortedHits {
    pub(crate) fn grid(&self) -> &TileGrid {
        match self {
            Self::Small(sorted) => &sorted.grid,
            Self::Large(sorted) => &sorted.grid,
        }
    }

    /// Where each view's splats begin, `[B + 1]`.
    fn offsets(&self) -> &[usize] {
        match self {
            Self::Small(sorted) => &sorted.offsets,
            Self::Large(sorted) => &sorted.offsets,
        }
    }

    /// Checks that `self` was made from `splats`, as far as the host knows: the views, and the
    /// splats of each.
    pub(crate) fn check(&self, splats: &Splats<&GpuBuffer>) -> Result<(), RenderError> {
        splats.check_views("sorted", self.offsets())
    }

    /// What the host knows of the lists.
    pub(crate) fn identity(&self) -> Identity {
        Identity {
            grid: *self.grid(),
            offsets: self.offsets().into(),
            lists: match self {
                Self::Small(sorted) => Lists::Small {
                    ranks: sorted.ranks,
                },
                Self::Large(sorted) => Lists::Large { hits: sorted.hits },
            },
        }
    }
}

/// What the host knows of [`SortedHits`]. Lists that are equal in this are alike in every length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) grid: TileGrid,
    /// Where each view's splats begin, `[B + 1]`.
    offsets: Arc<[usize]>,
    lists: Lists,
}

/// The lists of a regime.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lists {
    Small { ranks: usize },
    Large { hits: usize },
}

impl std::fmt::Display for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ImageSize {
            views,
            height,
            width,
        } = self.grid.size;
        write!(f, "{views} views of {width} x {height} px, ")?;
        let splats = self.offsets.last().copied().unwrap_or(0);
        write!(f, "{splats} splats, ")?;
        match self.lists {
            Lists::Small { ranks } => write!(f, "regime Small with {ranks} ranks"),
            Lists::Large { hits } => write!(f, "regime Large with {hits} hits"),
        }
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
