//! The tile grid of an image, and the tiles that a splat touches.

use std::ops::Range;

use crate::binning::bounds::splat_pixels;
use crate::image::ImageSize;
use crate::scalar::Scalar;
use crate::splats::Splats;

/// The size of a tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TileSize {
    /// 8 x 8 px.
    Px8,
    /// 16 x 16 px.
    Px16,
    /// 32 x 32 px.
    #[default]
    Px32,
    /// 32 px wide, 16 px high.
    Px32x16,
}

impl TileSize {
    /// Returns the width in pixels, a power of two.
    pub const fn width(self) -> usize {
        match self {
            Self::Px8 => 8,
            Self::Px16 => 16,
            Self::Px32 | Self::Px32x16 => 32,
        }
    }

    /// Returns the height in pixels, a power of two.
    pub const fn height(self) -> usize {
        match self {
            Self::Px8 => 8,
            Self::Px16 | Self::Px32x16 => 16,
            Self::Px32 => 32,
        }
    }
}

/// The tile grid of a batch of images of one size.
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

    /// Returns the number of tiles of one view.
    pub(crate) fn per_view(&self) -> usize {
        self.columns * self.rows
    }

    /// Returns the tiles that splat `m` touches.
    #[inline(always)]
    pub(crate) fn rect<T: Scalar>(&self, splats: &Splats<&[T]>, m: usize) -> TileRect {
        let [x, y] = splat_pixels(splats, m, self.size);
        if x.is_empty() || y.is_empty() {
            return TileRect::default();
        }
        // Tile sides are powers of two: a shift avoids a division, which would double the time.
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

/// The tiles that a splat touches: a rectangle in the tile grid of its view. All fields are zero if
/// the splat touches no tile.
///
/// 16 bits per field are not enough. An image can be 2^22 px wide, which is 2^19 tiles. An image of
/// 2^32 px can have 2^26 tiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct TileRect {
    /// Index of the first tile. The tiles of a view are numbered by rows.
    pub(crate) first: u32,
    pub(crate) columns: u32,
    pub(crate) rows: u32,
}

impl TileRect {
    /// Returns the number of tiles.
    #[inline(always)]
    pub(crate) fn count(&self) -> u32 {
        self.columns * self.rows
    }
}

/// The tiles that each splat touches, and the running sum of their number. A *hit* is one (splat,
/// tile) pair.
#[derive(Debug, Clone)]
pub struct Hits {
    pub(crate) grid: TileGrid,
    /// `[B + 1]`: view `b` has the splats `offsets[b] .. offsets[b + 1]`.
    pub(crate) offsets: Vec<usize>,
    /// `[M]`: the tiles of each splat.
    pub(crate) rects: Vec<TileRect>,
    /// `[M + 1]`: splat `m` has the hits `from_splat[m] .. from_splat[m + 1]`, ordered by rows of
    /// tiles.
    pub(crate) from_splat: Vec<u32>,
}
