//! What the forward and the backward compositor share: where a tile lies, and how its pixels are
//! kept.

use std::ops::Range;

use crate::binning::grid::TileGrid;
use crate::config::RenderConfig;
use crate::error::{RenderError, checked_product, try_filled};
use crate::scalar::Scalar;

/// The most lanes any instruction set takes at once.
pub(crate) const MAX_LANES: usize = 16;

/// The side of a block, px.
pub(crate) const BLOCK_SIDE: usize = 4;

/// The greatest width and height of a tile, px.
pub(crate) const MAX_TILE_SIDE: usize = 32;

/// Blocks from one row of them to the next, whatever the tile: a number that the compiler knows.
pub(crate) const BLOCK_COLUMNS: usize = MAX_TILE_SIDE / BLOCK_SIDE;

/// The blocks of the largest tile.
pub(crate) const BLOCKS: usize = BLOCK_COLUMNS * BLOCK_COLUMNS;

/// Rows of pixels between what is fetched to be written or read, and what is.
pub(crate) const ROWS_AHEAD: usize = 2 * BLOCK_SIDE;

/// One number for each pixel of a tile.
pub(crate) type Blocks<T> = Box<[Block<T>; BLOCKS]>;

/// One number for each pixel of a row of a tile.
pub(crate) type Row<T> = [T; MAX_TILE_SIDE];

/// One number for each pixel of a block of 4 x 4, row by row. The lanes of a vector are whole rows
/// of a block: one shape for all instruction sets, little wider than the small splats are, and
/// never across the ends of a cache line.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub(crate) struct Block<T>(pub(crate) [T; MAX_LANES]);

/// Some of the blocks of a tile, each the bit of its number.
pub(crate) type BlockSet = u64;
const _: () = assert!(BLOCKS == BlockSet::BITS as usize);

/// Takes the first block out of a set that has some; the compiler sees that its number is one.
#[inline(always)]
pub(crate) fn take_first(set: &mut BlockSet) -> usize {
    let block = set.trailing_zeros() as usize % BLOCKS;
    *set &= *set - 1;
    block
}

impl<T: Copy> Block<T> {
    /// The same number for every pixel.
    pub(crate) fn all(x: T) -> Self {
        Self([x; _])
    }

    /// The lanes of one part: as many rows as fill them.
    #[inline(always)]
    pub(crate) fn load<const LANES: usize>(&self, part: usize) -> [T; LANES] {
        let lanes = &self.0[part * LANES..(part + 1) * LANES];
        let mut out = [lanes[0]; LANES];
        out.copy_from_slice(lanes);
        out
    }

    /// The part of a row of the tile that lies in it.
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

/// Room for planes of values, block by block.
pub(crate) fn blocks_of_planes<T: Scalar>(planes: usize) -> Result<Vec<Block<T>>, RenderError> {
    let what = "values of a tile [blocks, C]";
    let count = checked_product(what, &[BLOCKS, planes])?;
    try_filled(what, count, Block::all(T::ZERO))
}

/// The settings the compositing formulas read, rounded to the scalar.
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

/// A tile: where it lies, and how much of it is inside the image.
///
/// Its pixels are kept by [`Block`]s, numbered row by row of blocks.
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

    /// The rows of blocks that reach into the image.
    pub(crate) fn block_rows(&self) -> Range<usize> {
        0..self.height.div_ceil(BLOCK_SIDE)
    }

    /// The blocks that reach into the image, row by row.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = Range<usize>> + Clone {
        self.block_rows().map(|row| self.blocks_of_row(row))
    }

    /// Whether it is cut off by the image's right or lower edge, of blocks that end there.
    pub(crate) fn cuts_blocks(&self) -> bool {
        !self.width.is_multiple_of(BLOCK_SIDE) || !self.height.is_multiple_of(BLOCK_SIDE)
    }

    /// The blocks that reach into the image.
    pub(crate) fn block_set(&self) -> BlockSet {
        self.blocks()
            .flatten()
            .fold(0, |set, block| set | 1 << block)
    }

    /// The y of a row's pixel centres.
    #[inline(always)]
    pub(crate) fn centre_y<T: Scalar>(&self, row: usize) -> T {
        T::from_f64((self.y + row) as f64 + 0.5)
    }

    /// The blocks of a row of blocks.
    #[inline(always)]
    pub(crate) fn blocks_of_row(&self, row: usize) -> Range<usize> {
        let first = row * BLOCK_COLUMNS;
        first..first + self.width.div_ceil(BLOCK_SIDE)
    }
}

/// Puts a row of a tile's pixels into its blocks, the first of which stands first, the others
/// `stride` apart.
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

/// Takes a row of a tile's pixels out of its blocks, laid out as for [`put_row`].
#[inline(always)]
pub(crate) fn take_row<T: Copy>(blocks: &[Block<T>], row: usize, out: &mut [T], stride: usize) {
    // Whole quads: of single numbers the compiler makes gathers, which take several times as long.
    let mut blocks = blocks.iter().step_by(stride);
    let (whole, rest) = out.as_chunks_mut();
    for (out, block) in whole.iter_mut().zip(&mut blocks) {
        *out = *block.quad(row);
    }
    if let (1.., Some(block)) = (rest.len(), blocks.next()) {
        rest.copy_from_slice(&block.quad(row)[..rest.len()]);
    }
}

/// The pixel centres of every row and column of blocks, those beyond the image included.
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

    /// Those of a tile.
    pub(crate) fn set(&mut self, tile: &Tile) {
        for (number, (x, y)) in self.x.iter_mut().zip(&mut self.y).enumerate() {
            let first = number * BLOCK_SIDE;
            for (lane, (x, y)) in x.0.iter_mut().zip(&mut y.0).enumerate() {
                *x = T::from_f64((tile.x + first + lane % BLOCK_SIDE) as f64 + 0.5);
                *y = tile.centre_y(first + lane / BLOCK_SIDE);
            }
        }
    }

    /// How far a block's are right of `x`, px: the same in every row.
    #[inline(always)]
    pub(crate) fn right_of<const LANES: usize>(&self, x: T, block: usize) -> [T; LANES] {
        self.x[block % BLOCK_COLUMNS]
            .load(0)
            .map(|centre| centre - x)
    }

    /// How far those of a part of a row of blocks are below `y`, px.
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
