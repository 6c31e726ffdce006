//! The blocks of pixels of a tile in which each hit can count, and the sets of blocks in which it
//! was composited, as they are saved for the backward pass.

use std::hint::select_unpredictable;
use std::ops::Range;

use crate::binning::bounds::{first_whole, last_whole};
use crate::composite::cpu::hits::{BATCH, Batch, Column, Hit};
use crate::composite::cpu::tile::{
    BLOCK_COLUMNS, BLOCK_SIDE, Block, BlockSet, Centres, Constants, MAX_LANES, MAX_TILE_SIDE, Tile,
};
use crate::config::FOOTPRINT_SLACK;
use crate::host::prefetch::prefetch_to_read;
use crate::math::{Sym2, Vec2};
use crate::number::Number;
use crate::scalar::Scalar;
use crate::scalar::rounding::Arithmetic;
use crate::splats::Splats;

/// The bounds of the splats of a batch relative to one tile, as columns.
#[derive(Debug, Clone)]
pub(crate) struct BatchBounds<T> {
    /// The first column, and the first row, of the tile that the splat's box contains.
    first: [Column<u32>; 2],
    /// One past the last column, and one past the last row.
    end: [Column<u32>; 2],
    // See `Bounds`.
    slope: Column<T>,
    inverse: Column<T>,
    half_width_squared: Column<T>,
}

impl<T: Scalar> BatchBounds<T> {
    pub(crate) fn new() -> Self {
        let zeros = [T::ZERO; _];
        Self {
            first: [[0; _]; _],
            end: [[0; _]; _],
            slope: zeros,
            inverse: zeros,
            half_width_squared: zeros,
        }
    }

    /// Computes the bounds of the splats of `batch`, whose indices are `hits`.
    #[inline(always)]
    pub(crate) fn find(
        &mut self,
        splats: &Splats<&[T]>,
        hits: &[u32],
        batch: &Batch<T>,
        tile: &Tile,
        constants: &Constants<T>,
    ) {
        let mut extent = [[T::ZERO; BATCH]; 2];
        for (k, &m) in (0..BATCH).zip(hits) {
            for (axis, extent) in extent.iter_mut().enumerate() {
                extent[k] = splats.extents[2 * m as usize + axis];
            }
        }
        let mut visible = [false; BATCH];
        for k in 0..BATCH {
            visible[k] = (extent[0][k] > T::ZERO) & (extent[1][k] > T::ZERO);
        }
        for (axis, start, count) in [(0, tile.x, tile.width), (1, tile.y, tile.height)] {
            let (start, count) = (start as f64, count as f64);
            for k in 0..BATCH {
                let (centre, half) = (batch.mean[axis][k].to_f64(), extent[axis][k].to_f64());
                let first = first_whole(centre - half - 0.5 - start, count);
                let end = last_whole(centre + half + 0.5 - start, count);
                let end = select_unpredictable(visible[k], end, 0.0);
                self.first[axis][k] = first.nearest();
                self.end[axis][k] = end.nearest();
            }
        }
        for k in 0..BATCH {
            // The chord of a row (MATH eq. 16): the terms that are equal in all rows.
            let (xx, xy) = (batch.conic[0][k], batch.conic[1][k]);
            let reach = (batch.opacity[k] * constants.inverse_alpha_min).ln()
                + T::from_f64(FOOTPRINT_SLACK);
            self.slope[k] = -xy / xx;
            self.inverse[k] = T::ONE / (extent[1][k] * extent[1][k]);
            self.half_width_squared[k] = (reach + reach) / xx;
        }
    }

    /// Prefetches the extents that [`find`](Self::find) reads for the first splats of a list.
    #[inline(always)]
    pub(crate) fn fetch(splats: &Splats<&[T]>, hits: &[u32]) {
        for &m in hits.iter().take(BATCH) {
            let m = m as usize;
            prefetch_to_read(&splats.extents[2 * m..2 * m + 2]);
        }
    }

    /// Returns the bounds of hit `k` of the batch.
    #[inline(always)]
    pub(crate) fn bounds(&self, k: usize) -> Bounds<T> {
        Bounds {
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
}

/// The bounds of a splat relative to one tile.
#[derive(Debug, Clone)]
pub(crate) struct Bounds<T> {
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

impl<T: Scalar> Bounds<T> {
    /// Returns the rows of blocks that the splat's box touches.
    #[inline(always)]
    fn block_rows(&self) -> Range<usize> {
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
        hit: &Hit<T>,
        tile: &Tile,
        centres: &Centres<T>,
        coverage: &mut Coverage<T>,
    ) {
        const { assert!(LANES.is_multiple_of(BLOCK_SIDE) && MAX_LANES <= MAX_PARTS * LANES) };
        self.find_columns::<LANES>(hit.mean, tile, coverage);
        coverage.blocks = [0; _];
        for block_row in self.block_rows() {
            for part in 0..MAX_LANES / LANES {
                let row = block_row * BLOCK_SIDE + part * (LANES / BLOCK_SIDE);
                let columns = &coverage.columns[row..row + LANES / BLOCK_SIDE];
                let columns = columns.iter().fold(0, |any, &columns| any | columns);
                coverage.blocks[part] |= BlockSet::from(columns) << (block_row * BLOCK_COLUMNS);
                let rows = RowTerms::<T, LANES>::new::<A>(hit, centres, block_row, part);
                coverage.rows[block_row].store(part, &rows);
            }
        }
    }

    /// Finds the columns of blocks that the chord of each row touches.
    #[inline(always)]
    fn find_columns<const LANES: usize>(
        &self,
        mean: Vec2<T>,
        tile: &Tile,
        coverage: &mut Coverage<T>,
    ) {
        let centre = mean.x - T::from_f64(tile.x as f64);
        let bounds = self.columns;
        let rows = self.rows.start as u32..self.rows.end as u32;
        let mut row = self.rows.start / BLOCK_SIDE * BLOCK_SIDE;
        while row < self.rows.end {
            let first_y = tile.centre_y::<T>(row);
            let mut columns = [0; LANES];
            for lane in 0..LANES {
                let dy = (first_y + T::from_f64(lane as f64)) - mean.y;
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
pub(crate) const MAX_PARTS: usize = 2;

/// The terms of one splat's sigma in a row of blocks.
#[derive(Debug, Clone, Copy)]
struct Rows<T> {
    // The results of `sigma_of_row`.
    along: Block<T>,
    rest: Block<T>,
}

impl<T: Copy> Rows<T> {
    #[inline(always)]
    fn store<const LANES: usize>(&mut self, part: usize, terms: &RowTerms<T, LANES>) {
        self.along.store(part, terms.along);
        self.rest.store(part, terms.rest);
    }

    #[inline(always)]
    fn load<const LANES: usize>(&self, part: usize) -> RowTerms<T, LANES> {
        RowTerms {
            along: self.along.load(part),
            rest: self.rest.load(part),
        }
    }
}

/// The terms of one splat's sigma in one part of a row of blocks: the results of `sigma_of_row`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RowTerms<T, const LANES: usize> {
    along: [T; LANES],
    rest: [T; LANES],
}

impl<T: Scalar, const LANES: usize> RowTerms<T, LANES> {
    #[inline(always)]
    pub(crate) fn new<A: Arithmetic<T>>(
        hit: &Hit<T>,
        centres: &Centres<T>,
        block_row: usize,
        part: usize,
    ) -> Self {
        let down: [T; LANES] = centres.below(hit.mean.y, block_row, part);
        let (mut along, mut rest) = ([T::ZERO; LANES], [T::ZERO; LANES]);
        for lane in 0..LANES {
            let of_row = A::sigma_of_row(hit.conic, down[lane]);
            (along[lane], rest[lane]) = (of_row.x, of_row.y);
        }
        Self { along, rest }
    }

    /// Computes sigma in the pixels `dx` right of the splat's centre.
    #[inline(always)]
    pub(crate) fn sigma<A: Arithmetic<T>>(&self, conic: Sym2<T>, dx: &[T; LANES]) -> [T; LANES] {
        let mut sigma = [T::ZERO; LANES];
        for lane in 0..LANES {
            let of_row = Vec2 {
                x: self.along[lane],
                y: self.rest[lane],
            };
            sigma[lane] = A::sigma_in_row(conic, of_row, dx[lane]);
        }
        sigma
    }
}

impl<T: Scalar> Coverage<T> {
    pub(crate) fn new() -> Self {
        let zeros = Block::all(T::ZERO);
        let rows = Rows {
            along: zeros,
            rest: zeros,
        };
        Self {
            columns: [0; _],
            blocks: [0; _],
            rows: [rows; _],
        }
    }

    /// Returns the terms of sigma in a part of a block.
    #[inline(always)]
    pub(crate) fn terms<const LANES: usize>(
        &self,
        block: usize,
        part: usize,
    ) -> RowTerms<T, LANES> {
        self.rows[block / BLOCK_COLUMNS % BLOCK_COLUMNS].load(part)
    }
}

/// For each part of a block, a set of blocks.
pub(crate) type PartSets = [BlockSet; MAX_PARTS];

/// The sets of blocks of a hit as the saved state has them: for each part, the lower and the upper
/// half.
pub(crate) type SavedSet = [u32; 2];

/// Writes the sets of a hit for `out.len()` parts.
#[inline(always)]
pub(crate) fn save_sets(sets: &PartSets, out: &mut [SavedSet]) {
    for (out, &set) in out.iter_mut().zip(sets) {
        *out = [set as u32, (set >> 32) as u32];
    }
}

/// Reads the sets of a hit for the parts of blocks of `LANES` lanes. If they were saved for another
/// number of parts, every part gets their union.
#[inline(always)]
pub(crate) fn load_sets<const LANES: usize>(saved: &[SavedSet]) -> PartSets {
    let joined = |&[low, high]: &SavedSet| BlockSet::from(high) << 32 | BlockSet::from(low);
    let mut sets = [0; MAX_PARTS];
    if saved.len() == MAX_LANES / LANES {
        for (set, saved) in sets.iter_mut().zip(saved) {
            *set = joined(saved);
        }
    } else {
        let union = saved.iter().fold(0, |union, set| union | joined(set));
        sets[..MAX_LANES / LANES].fill(union);
    }
    sets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_read_as_they_were_saved() {
        let sets = [1 << 63 | 0b101, 1 << 32];
        let mut saved = [[0; 2]; 2];
        save_sets(&sets, &mut saved);
        assert_eq!(load_sets::<8>(&saved), sets);
        // The compositor of another instruction set has whole blocks, or halves of blocks.
        assert_eq!(load_sets::<16>(&saved), [sets[0] | sets[1], 0]);
        let mut whole = [[0; 2]; 1];
        save_sets(&[sets[0], 0], &mut whole);
        assert_eq!(load_sets::<16>(&whole), [sets[0], 0]);
        assert_eq!(load_sets::<8>(&whole), [sets[0], sets[0]]);
    }
}
