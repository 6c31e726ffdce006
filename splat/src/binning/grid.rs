//! Images cut into tiles, and the tiles that a splat touches.

use std::ops::Range;

use crate::binning::bounds::splat_pixels;
use crate::image::ImageSize;
use crate::scalar::Scalar;
use crate::splats::Splats;

/// The size of a tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TileSize {
    /// 8 x 8 px
    Px8,
    /// 16 x 16 px
    Px16,
    /// 32 x 32 px
    #[default]
    Px32,
    /// 32 px wide, 16 px high
    Px32x16,
}

impl TileSize {
    /// The width in pixels, a power of two.
    pub const fn width(self) -> usize {
        match self {
            Self::Px8 => 8,
            Self::Px16 => 16,
            Self::Px32 | Self::Px32x16 => 32,
        }
    }

    /// The height in pixels, a power of two.
    pub const fn height(self) -> usize {
        match self {
            Self::Px8 => 8,
            Self::Px16 | Self::Px32x16 => 16,
            Self::Px32 => 32,
        }
    }
}

/// A batch of images cut into tiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TileGrid {
    pub(crate) size: ImageSize,
    pub(crate) tile_width: usize,
    pub(crate) tile_height: usize,
    pub(crate) columns: usize,
    pub(crate) rows: usize,
}

impl TileGrid {
    pub(crate) fn new(size: ImageSize, tile: TileSize) -> Self {
        Self {
            size,
            tile_width: tile.width(),
            tile_height: tile.height(),
            columns: size.width.div_ceil(tile.width()),
            rows: size.height.div_ceil(tile.height()),
        }
    }

    /// Tiles of one view.
    pub(crate) fn per_view(&self) -> usize {
        self.columns * self.rows
    }

    /// The tiles that a splat touches.
    #[inline(always)]
    pub(crate) fn rect<T: Scalar>(&self, splats: &Splats<&[T]>, m: usize) -> TileRect {
        let [x, y] = splat_pixels(splats, m, self.size);
        if x.is_empty() || y.is_empty() {
            return TileRect::default();
        }
        // Sides of tiles are powers of two: a shift, for a division takes as long as all the rest.
        let tiles = |pixels: Range<usize>, side: usize| {
            let bits = side.trailing_zeros();
            pixels.start >> bits..((pixels.end - 1) >> bits) + 1
        };
        let (columns, rows) = (tiles(x, self.tile_width), tiles(y, self.tile_height));
        TileRect {
            first: (rows.start * self.columns + columns.start) as u32,
            columns: columns.len() as u32,
            rows: rows.len() as u32,
        }
    }
}

/// The tiles that a splat touches: a rectangle of its view's grid, all zero where it touches none.
///
/// 16 bits would not do: an image may be 2^22 px wide, 2^19 tiles, and one of at most 2^32 px may
/// have 2^26 tiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct TileRect {
    /// The number within the view of the first, tiles numbered by rows.
    pub(crate) first: u32,
    pub(crate) columns: u32,
    pub(crate) rows: u32,
}

impl TileRect {
    /// How many tiles.
    #[inline(always)]
    pub(crate) fn count(&self) -> u32 {
        self.columns * self.rows
    }
}

/// Which tiles each splat touches, and the running count of them.
#[derive(Debug, Clone)]
pub struct Hits {
    pub(crate) grid: TileGrid,
    /// Where each view's splats begin, `[B + 1]`.
    pub(crate) offsets: Vec<usize>,
    /// `[M]`: the tiles of each splat.
    pub(crate) rects: Vec<TileRect>,
    /// `[M + 1]`: the hits of splat `m` are numbered `from_splat[m] .. from_splat[m + 1]`, by rows
    /// of tiles.
    pub(crate) from_splat: Vec<u32>,
}
