//! The result of the sort stage on a device.

use std::sync::Arc;

use cubecl::prelude::*;

use crate::binning::grid::TileGrid;
use crate::device::buffer::GpuBuffer;
use crate::error::RenderError;
use crate::image::ImageSize;
use crate::splats::Splats;

/// The hits of every tile in depth order.
#[expect(clippy::large_enum_variant, reason = "there is one value per render")]
#[derive(Debug, Clone)]
pub enum SortedHits {
    /// Small regime: each tile has one bit per rank of its view.
    Small(SmallSorted),
    /// Large regime: each tile has a list of splats.
    Large(LargeSorted),
}

/// The depth order of every view, and one bit per tile and rank.
#[derive(Debug, Clone)]
pub struct SmallSorted {
    pub(crate) grid: TileGrid,
    /// P, the number of ranks per view: a power of two that is at least 32 and at least the number
    /// of splats of every view.
    pub(crate) ranks: usize,
    /// `[B, P]`: the splat of each rank. Culled splats come last, and `u32::MAX` fills the
    /// remaining ranks.
    pub(crate) order: GpuBuffer,
    /// `[B, tiles, P / 32]`: bit `r % 32` of word `r / 32` is set if the splat of rank `r` touches
    /// the tile.
    pub(crate) masks: GpuBuffer,
    /// `[B + 1]`: view `b` has the splats `offsets[b] .. offsets[b + 1]`.
    pub(crate) offsets: Vec<usize>,
}

/// The hits, numbered by splat and by tile.
#[derive(Debug, Clone)]
pub struct LargeSorted {
    pub(crate) grid: TileGrid,
    /// `[M + 1]`: splat `m` has the hits `from_splat[m] .. from_splat[m + 1]`, ordered by rows of
    /// tiles.
    pub(crate) from_splat: GpuBuffer,
    /// `[K]`: the splat of each slot. A slot is the index of a hit in the order of tiles, then
    /// depths.
    pub(crate) splat_from_slot: GpuBuffer,
    /// `[K]`: the slot of each hit.
    pub(crate) slot_from_hit: GpuBuffer,
    /// `[B tiles + 1]`: tile `t` has the slots `ranges[t] .. ranges[t + 1]`.
    pub(crate) ranges: GpuBuffer,
    /// `[M]`: the rank of each splat in the depth order of its view. The order contains only splats
    /// that touch a tile. The rank of every other splat is `u32::MAX`.
    pub(crate) rank_from_splat: GpuBuffer,
    /// The number K of hits.
    pub(crate) hits: usize,
    /// `[B + 1]`: view `b` has the splats `offsets[b] .. offsets[b + 1]`.
    pub(crate) offsets: Vec<usize>,
}

impl SortedHits {
    pub(crate) fn grid(&self) -> &TileGrid {
        match self {
            Self::Small(sorted) => &sorted.grid,
            Self::Large(sorted) => &sorted.grid,
        }
    }

    /// Returns the index of each view's first splat and, last, the number of splats, `[B + 1]`.
    fn offsets(&self) -> &[usize] {
        match self {
            Self::Small(sorted) => &sorted.offsets,
            Self::Large(sorted) => &sorted.offsets,
        }
    }

    /// Checks that `self` belongs to `splats`. It compares the number of views and the number of
    /// splats of each view. The host has no further data to compare.
    pub(crate) fn check(&self, splats: &Splats<&GpuBuffer>) -> Result<(), RenderError> {
        splats.check_views("sorted", self.offsets())
    }

    /// Returns the properties of the lists that are available on the host.
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

/// The properties of [`SortedHits`] that are available on the host. If they are equal for two
/// values, the buffers of the two values have equal lengths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) grid: TileGrid,
    /// `[B + 1]`: view `b` has the splats `offsets[b] .. offsets[b + 1]`.
    offsets: Arc<[usize]>,
    lists: Lists,
}

/// The length of the lists in each regime.
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

/// Returns an integer that sorts as `depth` does. 0 and -0 have equal keys. `Number::sort_key`
/// defines the same order.
#[cube]
pub(crate) fn sort_key(depth: f32) -> u32 {
    let bits = u32::reinterpret(depth);
    let mut key = bits | 0x8000_0000u32;
    if bits > 0x8000_0000u32 {
        key = !bits;
    }
    key
}
