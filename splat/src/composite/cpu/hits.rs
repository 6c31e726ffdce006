//! The hits of a tile, and the blocks of pixels in which each can count.

use std::hint::select_unpredictable;
use std::ops::Range;

use crate::binning::bounds::{first_whole, last_whole};
use crate::composite::cpu::tile::{
    BLOCK_COLUMNS, BLOCK_SIDE, Block, BlockSet, Centres, Constants, MAX_LANES, MAX_TILE_SIDE, Tile,
};
use crate::config::FOOTPRINT_SLACK;
use crate::error::{RenderError, checked_product, try_filled};
use crate::host::prefetch::prefetch_to_read;
use crate::math::{Sym2, Vec2};
use crate::number::Number;
use crate::scalar::Scalar;
use crate::scalar::rounding::Arithmetic;
use crate::splats::Splats;

/// The number of hits of a batch.
pub(crate) const BATCH: usize = 16;

/// One value for each hit of a batch.
type Column<T> = [T; BATCH];

/// Consecutive hits of a tile's list, stored as columns. Per-hit values are then computed for the
/// whole batch at once.
#[derive(Debug, Clone)]
pub(crate) struct Batch<T> {
    mean: [Column<T>; 2],
    conic: [Column<T>; 3],
    opacity: Column<T>,
    /// The first column, and the first row, of the tile that the splat's box contains.
    first: [Column<u32>; 2],
    /// One past the last column, and one past the last row.
    end: [Column<u32>; 2],
    // See `Hit`.
    slope: Column<T>,
    inverse: Column<T>,
    half_width_squared: Column<T>,
    /// `[BATCH, planes]`: the depth if it has a plane, then the features.
    values: Vec<T>,
    planes: usize,
}

impl<T: Scalar> Batch<T> {
    /// Creates a batch of hits with `planes` values each.
    ///
    /// # Errors
    /// Returns an error if the size overflows or the allocation fails.
    pub(crate) fn new(planes: usize) -> Result<Self, RenderError> {
        let zeros = [T::ZERO; _];
        let what = "values of hits [16, C]";
        let values = checked_product(what, &[BATCH, planes])?;
        Ok(Self {
            mean: [zeros; _],
            conic: [zeros; _],
            opacity: zeros,
            first: [[0; _]; _],
            end: [[0; _]; _],
            slope: zeros,
            inverse: zeros,
            half_width_squared: zeros,
            values: try_filled(what, values, T::ZERO)?,
            planes,
        })
    }

    /// Loads at most [`BATCH`] splats. `PLANES` is the number of values of a splat, or 0 to read it
    /// at run time.
    #[inline(always)]
    pub(crate) fn load<const PLANES: usize>(
        &mut self,
        splats: &Splats<&[T]>,
        hits: &[u32],
        tile: &Tile,
        constants: &Constants<T>,
    ) {
        let mut extent = [[T::ZERO; BATCH]; 2];
        let values = self.values.chunks_exact_mut(self.planes);
        for ((k, &m), values) in (0..BATCH).zip(hits).zip(values) {
            let m = m as usize;
            for axis in 0..2 {
                self.mean[axis][k] = splats.means[2 * m + axis];
                extent[axis][k] = splats.extents[2 * m + axis];
            }
            let conic = splats.conic(m);
            self.conic[0][k] = conic.xx;
            self.conic[1][k] = conic.xy;
            self.conic[2][k] = conic.yy;
            self.opacity[k] = splats.opacities[m];
            match values.first_chunk_mut::<PLANES>() {
                Some(values) if PLANES > 0 => load_values(splats, m, values),
                _ => load_values(splats, m, values),
            }
        }
        let mut visible = [false; BATCH];
        for k in 0..BATCH {
            visible[k] = (extent[0][k] > T::ZERO) & (extent[1][k] > T::ZERO);
        }
        for (axis, start, count) in [(0, tile.x, tile.width), (1, tile.y, tile.height)] {
            let (start, count) = (start as f64, count as f64);
            for k in 0..BATCH {
                let (centre, half) = (self.mean[axis][k].to_f64(), extent[axis][k].to_f64());
                let first = first_whole(centre - half - 0.5 - start, count);
                let end = last_whole(centre + half + 0.5 - start, count);
                let end = select_unpredictable(visible[k], end, 0.0);
                self.first[axis][k] = first.nearest();
                self.end[axis][k] = end.nearest();
            }
        }
        for k in 0..BATCH {
            // The chord of a row (MATH eq. 16): the terms that are equal in all rows.
            let (xx, xy) = (self.conic[0][k], self.conic[1][k]);
            let reach =
                (self.opacity[k] * constants.inverse_alpha_min).ln() + T::from_f64(FOOTPRINT_SLACK);
            self.slope[k] = -xy / xx;
            self.inverse[k] = T::ONE / (extent[1][k] * extent[1][k]);
            self.half_width_squared[k] = (reach + reach) / xx;
        }
    }

    /// Prefetches the data that [`load`](Self::load) reads for the first splats of a list.
    /// Consecutive splats of a list are scattered in memory.
    #[inline(always)]
    pub(crate) fn fetch(&self, splats: &Splats<&[T]>, hits: &[u32]) {
        for &m in hits.iter().take(BATCH) {
            let m = m as usize;
            prefetch_to_read(&splats.means[2 * m..2 * m + 2]);
            prefetch_to_read(&splats.extents[2 * m..2 * m + 2]);
            prefetch_to_read(&splats.conics[3 * m..3 * m + 3]);
            prefetch_to_read(&splats.opacities[m..=m]);
            splats.fetch_features(m);
            if self.planes > splats.channels {
                prefetch_to_read(&splats.depths[m..=m]);
            }
        }
    }

    /// Returns hit `k` of the batch.
    #[inline(always)]
    pub(crate) fn hit(&self, k: usize) -> Hit<T> {
        Hit {
            mean: Vec2 {
                x: self.mean[0][k],
                y: self.mean[1][k],
            },
            conic: Sym2 {
                xx: self.conic[0][k],
                xy: self.conic[1][k],
                yy: self.conic[2][k],
            },
            opacity: self.opacity[k],
            rows: self.first[1][k] as usize..self.end[1][k] as usize,
            columns: [
                T::from_f64(f64::from(self.first[0][k])),
                T::from_f64(f64::from(self.end[0][k])),
            ],
            slope: self.slope[k],
            inverse: self.inverse[k],
            half_width_squared: self.half_width_squared[k],
        }
    }

    /// Returns the values that hit `k` adds to the planes, before weighting.
    #[inline(always)]
    pub(crate) fn values(&self, k: usize) -> &[T] {
        &self.values[k * self.planes..(k + 1) * self.planes]
    }
}

impl<T: Scalar> Splats<&[T]> {
    /// Writes the features of splat `m` to `out`.
    #[inline(always)]
    fn load_features(&self, m: usize, out: &mut [T]) {
        let row = m * self.channels..(m + 1) * self.channels;
        if let Some(halves) = &self.half_features {
            for (out, half) in out.iter_mut().zip(&halves[row]) {
                *out = T::from_f64(half.to_f64());
            }
        } else if let ([r, g, b], [red, green, blue]) = (&mut *out, &self.features[row.clone()]) {
            // The usual number of channels, written out: a call to copy three values takes longer
            // than the copies.
            (*r, *g, *b) = (*red, *green, *blue);
        } else {
            out.copy_from_slice(&self.features[row]);
        }
    }

    /// Prefetches the features of splat `m`.
    #[inline(always)]
    fn fetch_features(&self, m: usize) {
        let row = m * self.channels..(m + 1) * self.channels;
        match &self.half_features {
            Some(halves) => prefetch_to_read(&halves[row]),
            None => prefetch_to_read(&self.features[row]),
        }
    }
}

/// Loads the values of a splat for the planes: its depth if it has a plane, then its features.
#[inline(always)]
fn load_values<T: Scalar>(splats: &Splats<&[T]>, m: usize, values: &mut [T]) {
    let channels = splats.channels;
    let (depth, features) = values.split_at_mut(values.len() - channels);
    if let [depth] = depth {
        *depth = splats.depths[m];
    }
    splats.load_features(m, features);
}

/// A splat, with its bounds relative to one tile.
#[derive(Debug, Clone)]
pub(crate) struct Hit<T: Scalar> {
    pub(crate) mean: Vec2<T>,
    pub(crate) conic: Sym2<T>,
    pub(crate) opacity: T,
    /// The rows of the tile that the splat's box contains.
    pub(crate) rows: Range<usize>,
    /// The first column of the tile that the splat's box contains, and one past the last.
    columns: [T; 2],
    /// How far the centre of the chord moves from one row to the next, px.
    slope: T,
    /// The reciprocal square of half the height of the splat's box, 1/px^2.
    inverse: T,
    /// The square of half the chord through the splat's centre, px^2.
    half_width_squared: T,
}

impl<T: Scalar> Hit<T> {
    /// Returns the rows of blocks that the splat's box touches.
    #[inline(always)]
    pub(crate) fn block_rows(&self) -> Range<usize> {
        self.rows.start / BLOCK_SIDE..self.rows.end.div_ceil(BLOCK_SIDE)
    }

    /// Finds the blocks that the ellipse `sigma <= reach` touches (MATH eq. 16), clipped to the
    /// splat's box and the tile. Also computes the terms of sigma that are equal along each row.
    ///
    /// The splat counts in no pixel of the other blocks. The ends of a chord are computed relative
    /// to the tile, so they are small numbers. Their rounding error is far below the slack of the
    /// reach, wherever in the image the tile lies.
    #[inline(always)]
    pub(crate) fn cover<A: Arithmetic<T>, const LANES: usize>(
        &self,
        tile: &Tile,
        centres: &Centres<T>,
        coverage: &mut Coverage<T>,
    ) {
        const { assert!(LANES.is_multiple_of(BLOCK_SIDE) && MAX_LANES <= MAX_PARTS * LANES) };
        self.find_columns::<LANES>(tile, coverage);
        coverage.blocks = [0; _];
        for block_row in self.block_rows() {
            for part in 0..MAX_LANES / LANES {
                let row = block_row * BLOCK_SIDE + part * (LANES / BLOCK_SIDE);
                let columns = &coverage.columns[row..row + LANES / BLOCK_SIDE];
                let columns = columns.iter().fold(0, |any, &columns| any | columns);
                coverage.blocks[part] |= BlockSet::from(columns) << (block_row * BLOCK_COLUMNS);
                let down = centres.below::<LANES>(self.mean.y, block_row, part);
                let (mut along, mut rest) = ([T::ZERO; LANES], [T::ZERO; LANES]);
                for lane in 0..LANES {
                    let of_row = A::sigma_of_row(self.conic, down[lane]);
                    (along[lane], rest[lane]) = (of_row.x, of_row.y);
                }
                let rows = &mut coverage.rows[block_row];
                rows.down.store(part, down);
                rows.along.store(part, along);
                rows.rest.store(part, rest);
            }
        }
    }

    /// Finds the columns of blocks that the chord of each row touches.
    #[inline(always)]
    fn find_columns<const LANES: usize>(&self, tile: &Tile, coverage: &mut Coverage<T>) {
        let centre = self.mean.x - T::from_f64(tile.x as f64);
        let bounds = self.columns;
        let rows = self.rows.start as u32..self.rows.end as u32;
        let mut row = self.rows.start / BLOCK_SIDE * BLOCK_SIDE;
        while row < self.rows.end {
            let first_y = tile.centre_y::<T>(row);
            let mut columns = [0; LANES];
            for lane in 0..LANES {
                let dy = (first_y + T::from_f64(lane as f64)) - self.mean.y;
                let chord = T::chord(self.slope, self.inverse, self.half_width_squared, dy);
                // Pixels with centres between a and b: from `a.nearest()` up to, but without,
                // `b.nearest()`. The comparisons replace NaN by the bounds of the splat's box.
                let a = centre + (chord.x - chord.y);
                let b = centre + (chord.x + chord.y);
                let a = if a > bounds[0] { a } else { bounds[0] };
                let a = if a < bounds[1] { a } else { bounds[1] };
                let b = if b < bounds[1] { b } else { bounds[1] };
                let b = if b > bounds[0] { b } else { bounds[0] };
                let (a, b) = (a.nearest(), b.nearest());
                let number = row as u32 + lane as u32;
                let within = (number >= rows.start) & (number < rows.end) & (a < b);
                let side = BLOCK_SIDE as u32;
                let between = below(b.div_ceil(side)) & !below(a / side);
                columns[lane] = select_unpredictable(within, between, 0);
            }
            coverage.columns[row..row + LANES].copy_from_slice(&columns);
            row += LANES;
        }
    }
}

/// Returns the bits below bit `n`, which is less than 32.
#[inline(always)]
fn below(n: u32) -> u32 {
    // Vector instructions shift by any count. A plain shift would mask the count first.
    1u32.unbounded_shl(n).wrapping_sub(1)
}

/// The blocks of a tile in which a splat can count, and the terms of sigma in their rows.
#[derive(Debug, Clone)]
pub(crate) struct Coverage<T> {
    /// For each row of pixels, a bit for each column of blocks that the chord touches.
    columns: [u32; MAX_TILE_SIDE + MAX_LANES],
    /// For each part, the blocks in which the splat can count in that part. A part is as many rows
    /// of a block as fill the lanes.
    pub(crate) blocks: [BlockSet; MAX_PARTS],
    /// For each row of blocks that the splat's box touches, the row terms of sigma.
    rows: [Rows<T>; BLOCK_COLUMNS],
}

/// The greatest number of parts of a block.
const MAX_PARTS: usize = 2;

/// The terms of one splat's sigma in a row of blocks.
#[derive(Debug, Clone, Copy)]
struct Rows<T> {
    /// The vertical distance of the pixels from the splat's centre, downwards, px.
    down: Block<T>,
    // The results of `sigma_of_row`.
    along: Block<T>,
    rest: Block<T>,
}

impl<T: Scalar> Coverage<T> {
    pub(crate) fn new() -> Self {
        let zeros = Block::all(T::ZERO);
        let rows = Rows {
            down: zeros,
            along: zeros,
            rest: zeros,
        };
        Self {
            columns: [0; _],
            blocks: [0; _],
            rows: [rows; _],
        }
    }

    /// Returns the vertical distances of the pixels in a part of a row of blocks from the splat's
    /// centre, downwards, px.
    #[inline(always)]
    pub(crate) fn down<const LANES: usize>(&self, block_row: usize, part: usize) -> [T; LANES] {
        self.rows[block_row % BLOCK_COLUMNS].down.load(part)
    }

    /// Computes sigma in a part of a block. Its pixels are `dx` right of the splat's centre.
    #[inline(always)]
    pub(crate) fn sigma<A: Arithmetic<T>, const LANES: usize>(
        &self,
        conic: Sym2<T>,
        dx: &[T; LANES],
        block: usize,
        part: usize,
    ) -> [T; LANES] {
        let rows = &self.rows[block / BLOCK_COLUMNS % BLOCK_COLUMNS];
        let (along, rest): ([T; LANES], [T; LANES]) = (rows.along.load(part), rows.rest.load(part));
        let mut sigma = [T::ZERO; LANES];
        for lane in 0..LANES {
            let of_row = Vec2 {
                x: along[lane],
                y: rest[lane],
            };
            sigma[lane] = A::sigma_in_row(conic, of_row, dx[lane]);
        }
        sigma
    }
}
