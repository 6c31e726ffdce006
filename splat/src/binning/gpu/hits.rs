//! The result of the bin stage on a device.

use crate::binning::grid::TileGrid;
use crate::device::buffer::GpuBuffer;

/// The result of [`Backend::bin`](crate::Backend::bin) on a GPU.
#[derive(Debug, Clone)]
pub enum Hits {
    /// Small regime: sizes only. The sort stage finds the tiles of each splat, because a tile's
    /// bits are numbered by depth rank.
    Small(SmallHits),
    /// Large regime: the tiles of each splat and the running sum of the hits.
    Large(LargeHits),
}

/// The sizes of the small regime.
#[derive(Debug, Clone)]
pub struct SmallHits {
    pub(crate) grid: TileGrid,
    /// P, the number of ranks per view: a power of two that is at least 32 and at least the number
    /// of splats of every view.
    pub(crate) ranks: usize,
    /// `[B + 1]`: view `b` has the splats `offsets[b] .. offsets[b + 1]`.
    pub(crate) offsets: Vec<usize>,
}

/// Side of a tile on a device, px. A workgroup has one thread per pixel of a tile.
pub(crate) const TILE_SIDE: u32 = 16;

/// The tiles of each splat and the running sum of the hits, in the large regime.
#[derive(Debug, Clone)]
pub struct LargeHits {
    pub(crate) grid: TileGrid,
    /// `[M, 3]`: the tiles of each splat as in `TileRect`. A row contains the index of the first
    /// tile within the view, the number of columns and the number of rows.
    pub(crate) rects: GpuBuffer,
    /// `[M + 1]`: splat `m` has the hits `from_splat[m] .. from_splat[m + 1]`, ordered by rows of
    /// tiles.
    pub(crate) from_splat: GpuBuffer,
    /// The number K of hits, read back from the device.
    pub(crate) count: usize,
    /// `[B + 1]`: view `b` has the splats `offsets[b] .. offsets[b + 1]`.
    pub(crate) offsets: Vec<usize>,
}
