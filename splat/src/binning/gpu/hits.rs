//! The hits of splats as a device keeps them.

use crate::binning::grid::TileGrid;
use crate::device::buffer::GpuBuffer;

/// What [`Backend::bin`](crate::Backend::bin) found out.
#[derive(Debug, Clone)]
pub enum Hits {
    /// Nothing yet: the bits of the tiles are set once the ranks are known.
    Small(SmallHits),
    /// How many tiles each splat touches.
    Large(LargeHits),
}

/// The sizes of the small regime.
#[derive(Debug, Clone)]
pub struct SmallHits {
    pub(crate) grid: TileGrid,
    /// P: a power of two, at least 32 and the length of the longest view.
    pub(crate) ranks: usize,
    /// Where each view's splats begin, `[B + 1]`.
    pub(crate) offsets: Vec<usize>,
}

/// px, the side of a tile on a device: one thread per pixel of it.
pub(crate) const TILE_SIDE: u32 = 16;

/// The running count of the hits of the large regime.
#[derive(Debug, Clone)]
pub struct LargeHits {
    pub(crate) grid: TileGrid,
    /// `[M, 3]`: the tiles of each splat, as `TileRect` has them: the number in its view of the
    /// first, columns, rows.
    pub(crate) rects: GpuBuffer,
    /// `[M + 1]`: the hits of splat `m` are numbered `from_splat[m] .. from_splat[m + 1]`, by rows
    /// of tiles.
    pub(crate) from_splat: GpuBuffer,
    /// The number K of hits: read back from the device.
    pub(crate) count: usize,
    /// Where each view's splats begin, `[B + 1]`.
    pub(crate) offsets: Vec<usize>,
}
