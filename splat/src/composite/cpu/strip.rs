//! Strips: the unit of work of one task, and the parts of images that belong to a strip.

use std::ops::Range;

use crate::binning::grid::TileGrid;
use crate::composite::cpu::tile::{BLOCK_SIDE, MAX_LANES};
use crate::error::{RenderError, checked_product};
use crate::host::cut::cut;

/// The intended number of strips of a batch: enough to keep every thread of a large machine busy.
const STRIPS: usize = 256;

/// Consecutive tiles of one row of tiles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Strip {
    pub(crate) view: usize,
    pub(crate) tile_row: usize,
    /// Columns of the grid of tiles.
    pub(crate) columns: Range<usize>,
}

impl Strip {
    /// Returns the indices of the strip's tiles among the tiles of all views.
    pub(crate) fn tiles(&self, grid: &TileGrid) -> Range<usize> {
        let first = self.view * grid.per_view() + self.tile_row * grid.columns;
        first + self.columns.start..first + self.columns.end
    }
}

/// The strips of a batch, view by view, row by row, from left to right. If there are few rows of
/// tiles, each row is cut into several strips.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Strips {
    grid: TileGrid,
    /// Tiles of a strip. The last strip of a row can have fewer.
    step: usize,
    /// Strips of a row of tiles.
    per_row: usize,
}

impl Strips {
    pub(crate) fn new(grid: &TileGrid) -> Self {
        let rows = (grid.size.views * grid.rows).max(1);
        let pieces = STRIPS.div_ceil(rows).min(grid.columns).max(1);
        let step = grid.columns.div_ceil(pieces).max(1);
        Self {
            grid: *grid,
            step,
            per_row: grid.columns.div_ceil(step),
        }
    }

    /// Returns the height of a tile, px.
    pub(crate) fn tile_height(&self) -> usize {
        self.grid.tile_height
    }

    /// Returns the number of strips of a view.
    pub(crate) fn per_view(&self) -> usize {
        self.grid.rows * self.per_row
    }

    /// Returns the number of strips.
    pub(crate) fn len(&self) -> usize {
        self.grid.size.views * self.per_view()
    }

    /// Returns all strips in order.
    pub(crate) fn iter(self) -> impl Iterator<Item = Strip> {
        (0..self.len()).map(move |i| {
            let (view, of_view) = (i / self.per_view(), i % self.per_view());
            let (tile_row, of_row) = (of_view / self.per_row, of_view % self.per_row);
            Strip {
                view,
                tile_row,
                columns: self.columns(of_row),
            }
        })
    }

    /// Returns the columns of strip `number` of a row of tiles.
    fn columns(&self, number: usize) -> Range<usize> {
        let first = number * self.step;
        first..self.grid.columns.min(first + self.step)
    }

    /// Cuts `images` images, `[images, H, W, per_pixel]`, into the rows of pixels of each strip. A
    /// strip has as many consecutive rows in `rows` as a tile is high; those beyond the image are
    /// empty. `place(image, strip)` is the place of a strip of an image among all strips. The order of
    /// a view's strips is that of [`iter`](Self::iter). `rows` must be empty.
    pub(crate) fn cut_rows<'a, T>(
        &self,
        mut buffer: &'a mut [T],
        images: usize,
        per_pixel: usize,
        place: impl Fn(usize, usize) -> usize,
        rows: &mut Vec<&'a mut [T]>,
    ) {
        let (size, height) = (self.grid.size, self.grid.tile_height);
        rows.resize_with(images * self.per_view() * height, Default::default);
        for (image, y) in (0..images).flat_map(|image| (0..size.height).map(move |y| (image, y))) {
            let (tile_row, y) = (y / height, y % height);
            for of_row in 0..self.per_row {
                let columns = self.columns(of_row);
                let end = size.width.min(columns.end * self.grid.tile_width);
                let width = end - columns.start * self.grid.tile_width;
                let strip = place(image, tile_row * self.per_row + of_row);
                rows[strip * height + y] = cut(&mut buffer, width * per_pixel);
            }
        }
    }
}

/// The layout of the compositor's saved state. It has all blocks that contain a pixel of the image,
/// view by view, tile by tile. The blocks of a tile are ordered row by row. The blocks of a tile,
/// and of a strip, are therefore contiguous.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SavedBlocks {
    grid: TileGrid,
    /// Columns of blocks of an image.
    columns: usize,
    /// Rows of blocks of an image.
    rows: usize,
}

impl SavedBlocks {
    pub(crate) fn new(grid: &TileGrid) -> Self {
        Self {
            grid: *grid,
            columns: grid.size.width.div_ceil(BLOCK_SIDE),
            rows: grid.size.height.div_ceil(BLOCK_SIDE),
        }
    }

    /// Returns the number of lanes of all blocks.
    pub(crate) fn lanes(&self, what: &'static str) -> Result<usize, RenderError> {
        checked_product(
            what,
            &[self.grid.size.views, self.rows, self.columns, MAX_LANES],
        )
    }

    /// Returns the blocks of a strip's tiles.
    pub(crate) fn of_strip(&self, strip: &Strip) -> Range<usize> {
        // The sides of tiles are multiples of the side of a block.
        let per_tile = [self.grid.tile_width, self.grid.tile_height].map(|side| side / BLOCK_SIDE);
        let above = strip.tile_row * per_tile[1];
        let height = per_tile[1].min(self.rows - above);
        let first = (strip.view * self.rows + above) * self.columns;
        let left = |column: usize| (column * per_tile[0]).min(self.columns);
        first + left(strip.columns.start) * height..first + left(strip.columns.end) * height
    }

    /// Returns the blocks of one tile.
    pub(crate) fn of_tile(&self, view: usize, column: usize, tile_row: usize) -> Range<usize> {
        self.of_strip(&Strip {
            view,
            tile_row,
            columns: column..column + 1,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::binning::grid::TileSize;
    use crate::composite::cpu::tile::Tile;
    use crate::image::ImageSize;

    #[test]
    fn saved_blocks_of_tiles_follow_one_another() {
        let sizes = [[1, 1], [1, 70], [33, 1], [37, 53], [64, 96]];
        let tiles = [
            TileSize::Px8,
            TileSize::Px16,
            TileSize::Px32,
            TileSize::Px32x16,
        ];
        for ([height, width], tile) in sizes.into_iter().flat_map(|s| tiles.map(|t| (s, t))) {
            let size = ImageSize {
                views: 2,
                height,
                width,
            };
            let grid = TileGrid::new(size, tile);
            let saved = SavedBlocks::new(&grid);
            let mut end = 0;
            for strip in Strips::new(&grid).iter() {
                let of_strip = saved.of_strip(&strip);
                assert_eq!(of_strip.start, end);
                for column in strip.columns.clone() {
                    let of_tile = saved.of_tile(strip.view, column, strip.tile_row);
                    let tile = Tile::new(&grid, column, strip.tile_row);
                    assert_eq!(of_tile.start, end);
                    assert_eq!(of_tile.len(), tile.blocks().flatten().count());
                    end = of_tile.end;
                }
                assert_eq!(of_strip.end, end);
            }
            assert_eq!(saved.lanes("lanes").unwrap(), end * MAX_LANES);
        }
    }
}
