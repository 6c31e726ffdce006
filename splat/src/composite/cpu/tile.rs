//! The geometry of a tile and the layout of its pixels, for the forward and the backward
//! compositor.

use std::ops::Range;

use crate::binning::grid::TileGrid;
use crate::config::RenderConfig;
use crate::error::{RenderError, checked_product, try_filled};
use crate::scalar::Scalar;

/// The greatest number of lanes of any instruction set.
pub(crate) const MAX_LANES: usize = 16;

/// The side of a block, px.
pub(crate) const BLOCK_SIDE: usize = 4;

/// The greatest width and height of a tile, px.
pub(crate) const MAX_TILE_SIDE: usize = 32;

/// The stride between rows of blocks. It is the same for every tile size, hence a compile-time
/// constant.
pub(crate) const BLOCK_COLUMNS: usize = MAX_TILE_SIDE / BLOCK_SIDE;

/// The number of blocks of the largest tile.
pub(crate) const BLOCKS: usize = BLOCK_COLUMNS * BLOCK_COLUMNS;

/// Prefetch distance for rows of pixels.
pub(crate) const ROWS_AHEAD: usize = 2 * BLOCK_SIDE;

/// One value for each pixel of a tile.
pub(crate) type Blocks<T> = Box<[Block<T>; BLOCKS]>;

/// One value for each pixel of a row of a tile.
pub(crate) type Row<T> = [T; MAX_TILE_SIDE];

/// One value for each pixel of a block of 4 x 4, row by row. The lanes of a vector are whole rows
/// of a block. This shape suits all instruction sets, and it is little wider than a small splat.
/// The alignment keeps vectors from crossing a cache line.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub(crate) struct Block<T>(pub(crate) [T; MAX_LANES]);

/// A set of blocks of a tile. Bit `i` stands for block `i`.
pub(crate) type BlockSet = u64;
const _: () = assert!(BLOCKS == BlockSet::BITS as usize);

/// Removes the first block from a set that is not empty, and returns its index. The remainder shows
/// the compiler that the index is within bounds.
#[inline(always)]
pub(crate) fn take_first(set: &mut BlockSet) -> usize {
    let block = set.trailing_zeros() as usize % BLOCKS;
    *set &= *set - 1;
    block
}

impl<T: Copy> Block<T> {
    /// Returns a block with the same value for every pixel.
    pub(crate) fn all(x: T) -> Self {
        Self([x; _])
    }

    /// Loads the lanes of one part, which is as many rows as fill the lanes.
    #[inline(always)]
    pub(crate) fn load<const LANES: usize>(&self, part: usize) -> [T; LANES] {
        let lanes = &self.0[part * LANES..(part + 1) * LANES];
        let mut out = [lanes[0]; LANES];
        out.copy_from_slice(lanes);
        out
    }

    /// Returns the values of a row of the tile that lie in this block.
    #[inline(always)]
    pub(crate) fn quad(&self, row: usize) -> &[T; BLOCK_SIDE] {
        &self.0.as_chunks().0[row % BLOCK_SIDE]
    }

    /// Stores the lanes of one part.
    #[inline(always)]
    pub(crate) fn store<const LANES: usize>(&mut self, part: usize, lanes: [T; LANES]) {
        let first = part * LANES;
        self.0[first..first + LANES].copy_from_slice(&lanes);
    }
}

/// Allocates planes of values for the blocks of a tile.
///
/// # Errors
/// Returns an error if the size overflows or the allocation fails.
pub(crate) fn blocks_of_planes<T: Scalar>(planes: usize) -> Result<Vec<Block<T>>, RenderError> {
    let what = "values of a tile [blocks, C]";
    let count = checked_product(what, &[BLOCKS, planes])?;
    try_filled(what, count, Block::all(T::ZERO))
}

/// The settings that the compositing formulas read, rounded to the scalar.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Constants<T> {
    pub(crate) alpha_min: T,
    pub(crate) alpha_max: T,
    pub(crate) transmittance_min: T,
    /// `1 / alpha_min`
    pub(crate) inverse_alpha_min: T,
}

impl<T: Scalar> Constants<T> {
    pub(crate) fn new(config: &RenderConfig) -> Self {
        Self {
            alpha_min: T::from_f64(config.alpha_min),
            alpha_max: T::from_f64(config.alpha_max),
            transmittance_min: T::from_f64(config.transmittance_min),
            inverse_alpha_min: T::from_f64(1.0 / config.alpha_min),
        }
    }
}

/// The position of a tile, and the size of the part that lies inside the image, in px.
///
/// The pixels of a tile are stored in [`Block`]s, numbered row by row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tile {
    pub(crate) x: usize,
    pub(crate) y: usize,
    pub(crate) width: usize,
    pub(crate) height: usize,
}

impl Tile {
    pub(crate) fn new(grid: &TileGrid, column: usize, row: usize) -> Self {
        let (x, y) = (column * grid.tile_width, row * grid.tile_height);
        Self {
            x,
            y,
            width: grid.tile_width.min(grid.size.width - x),
            height: grid.tile_height.min(grid.size.height - y),
        }
    }

    /// Returns the rows of blocks that contain a pixel of the image.
    pub(crate) fn block_rows(&self) -> Range<usize> {
        0..self.height.div_ceil(BLOCK_SIDE)
    }

    /// Returns the blocks that contain a pixel of the image, row by row.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = Range<usize>> + Clone {
        self.block_rows().map(|row| self.blocks_of_row(row))
    }

    /// Returns whether the right or the lower edge of the image cuts through a block.
    pub(crate) fn cuts_blocks(&self) -> bool {
        !self.width.is_multiple_of(BLOCK_SIDE) || !self.height.is_multiple_of(BLOCK_SIDE)
    }

    /// Returns the set of blocks that contain a pixel of the image.
    pub(crate) fn block_set(&self) -> BlockSet {
        self.blocks()
            .flatten()
            .fold(0, |set, block| set | 1 << block)
    }

    /// Returns the y of the pixel centres of a row, px.
    #[inline(always)]
    pub(crate) fn centre_y<T: Scalar>(&self, row: usize) -> T {
        T::from_f64((self.y + row) as f64 + 0.5)
    }

    /// Returns the blocks of a row of blocks that contain a pixel of the image.
    #[inline(always)]
    pub(crate) fn blocks_of_row(&self, row: usize) -> Range<usize> {
        let first = row * BLOCK_COLUMNS;
        first..first + self.width.div_ceil(BLOCK_SIDE)
    }
}

/// Writes a row of a tile's pixels to the tile's blocks. `blocks` starts with the first block of
/// the tile. Consecutive blocks are `stride` elements apart.
#[inline(always)]
pub(crate) fn put_row<T: Copy>(
    row: usize,
    pixels: &Row<T>,
    blocks: &mut [Block<T>],
    stride: usize,
) {
    let first = row / BLOCK_SIDE * BLOCK_COLUMNS * stride;
    let blocks = blocks[first..].iter_mut().step_by(stride);
    let (quads, _) = pixels.as_chunks::<BLOCK_SIDE>();
    for (quad, block) in quads.iter().zip(blocks) {
        block.0.as_chunks_mut().0[row % BLOCK_SIDE] = *quad;
    }
}

/// Reads a row of a tile's pixels from its blocks. `blocks` starts with the first block of that
/// row. Consecutive blocks are `stride` elements apart.
#[inline(always)]
pub(crate) fn take_row<T: Copy>(blocks: &[Block<T>], row: usize, out: &mut [T], stride: usize) {
    // Whole quads: for single values the compiler emits gathers, which are several times slower.
    let mut blocks = blocks.iter().step_by(stride);
    let (whole, rest) = out.as_chunks_mut();
    for (out, block) in whole.iter_mut().zip(&mut blocks) {
        *out = *block.quad(row);
    }
    if let (1.., Some(block)) = (rest.len(), blocks.next()) {
        rest.copy_from_slice(&block.quad(row)[..rest.len()]);
    }
}

/// The pixel centres of every row and column of blocks, including those beyond the image.
#[derive(Debug, Clone)]
pub(crate) struct Centres<T> {
    x: [Block<T>; BLOCK_COLUMNS],
    y: [Block<T>; BLOCK_COLUMNS],
}

impl<T: Scalar> Centres<T> {
    pub(crate) fn new() -> Self {
        let zeros = [Block::all(T::ZERO); _];
        Self { x: zeros, y: zeros }
    }

    /// Sets the pixel centres to those of `tile`.
    pub(crate) fn set(&mut self, tile: &Tile) {
        for (number, (x, y)) in self.x.iter_mut().zip(&mut self.y).enumerate() {
            let first = number * BLOCK_SIDE;
            for (lane, (x, y)) in x.0.iter_mut().zip(&mut y.0).enumerate() {
                *x = T::from_f64((tile.x + first + lane % BLOCK_SIDE) as f64 + 0.5);
                *y = tile.centre_y(first + lane / BLOCK_SIDE);
            }
        }
    }

    /// Returns the distances of a block's pixel centres to the right of `x`, px. They are equal in
    /// every row.
    #[inline(always)]
    pub(crate) fn right_of<const LANES: usize>(&self, x: T, block: usize) -> [T; LANES] {
        self.x[block % BLOCK_COLUMNS]
            .load(0)
            .map(|centre| centre - x)
    }

    /// Returns the distances of the pixel centres in a part of a row of blocks below `y`, px.
    #[inline(always)]
    pub(crate) fn below<const LANES: usize>(
        &self,
        y: T,
        block_row: usize,
        part: usize,
    ) -> [T; LANES] {
        self.y[block_row % BLOCK_COLUMNS]
            .load(part)
            .map(|centre| centre - y)
    }
}
