//! The forward compositor's innermost part: one hit, blended into the pixels of its tile.

use std::hint::select_unpredictable;

use crate::arithmetic::Arithmetic;
use crate::binning::cpu::TileGrid;
use crate::composite::tile::{
    Constants, Hit, MAX_LANES, NARROW_LANES, Row, Span, Spans, Tile, load, store,
};
use crate::math::Vec2;
use crate::scalar::Scalar;

/// The pixels of a tile while it is composited, by planes.
pub struct Pixels<T> {
    /// Transmittance; negated once the pixel has ended, which no further splat then passes.
    pub(crate) transmittance: Vec<Row<T>>,
    /// One past the place, in the tile's list, of the last splat composited.
    pub(crate) ends: Vec<Row<u32>>,
    /// The sums of weight times value, row by row: the depth if it is wanted, then the features.
    pub(crate) values: Vec<Row<T>>,
    /// The number of planes.
    pub(crate) planes: usize,
    /// The x of the pixel centres of every row.
    centres: Row<T>,
    /// Rows in which some pixel has not ended.
    live: Vec<bool>,
    spans: Spans<T>,
    /// Lanes evaluated so far.
    pub(crate) evaluated: u64,
}

/// A hit's place in its tile's list, and what it adds to each plane.
#[derive(Clone, Copy)]
pub(crate) struct Layer<'a, T> {
    pub(crate) place: u32,
    pub(crate) values: &'a [T],
}

impl<T: Scalar> Pixels<T> {
    /// Room for a tile of `grid` and a number of planes.
    pub(crate) fn new(grid: &TileGrid, planes: usize) -> Self {
        let rows = grid.tile_height;
        Self {
            transmittance: vec![[T::ONE; _]; rows],
            ends: vec![[0; _]; rows],
            values: vec![[T::ZERO; _]; rows * planes],
            planes,
            centres: [T::ZERO; _],
            live: vec![true; rows],
            spans: Spans::new(),
            evaluated: 0,
        }
    }

    /// A fresh tile.
    pub(crate) fn reset(&mut self, tile: &Tile) {
        self.transmittance.fill([T::ONE; _]);
        self.ends.fill([0; _]);
        self.values.fill([T::ZERO; _]);
        self.live.fill(true);
        tile.centres_x(&mut self.centres);
    }

    /// The planes of a row.
    #[inline(always)]
    pub(crate) fn planes(&self, row: usize) -> &[Row<T>] {
        &self.values[row * self.planes..(row + 1) * self.planes]
    }

    /// Looks for rows in which every pixel has ended; whether some row goes on.
    #[inline(always)]
    pub(crate) fn goes_on(&mut self, tile: &Tile) -> bool {
        let mut any = false;
        for row in 0..tile.height {
            if self.live[row] {
                let pixels = &self.transmittance[row][..tile.width];
                self.live[row] = pixels.iter().fold(false, |any, &t| any | (t > T::ZERO));
                any |= self.live[row];
            }
        }
        any
    }

    /// Blends one hit in. `PLANES` is the number of values per pixel, or 0 where the compiler is not to know it.
    #[inline(always)]
    pub(crate) fn add<A: Arithmetic<T>, const LANES: usize, const PLANES: usize>(
        &mut self,
        tile: &Tile,
        hit: &Hit<T>,
        layer: Layer<'_, T>,
        constants: &Constants<T>,
    ) {
        hit.spans::<LANES>(tile, &mut self.spans);
        if hit.is_narrow() {
            self.rows::<A, NARROW_LANES, PLANES>(hit, layer, constants);
        } else {
            self.rows::<A, LANES, PLANES>(hit, layer, constants);
        }
    }

    #[inline(always)]
    fn rows<A: Arithmetic<T>, const LANES: usize, const PLANES: usize>(
        &mut self,
        hit: &Hit<T>,
        layer: Layer<'_, T>,
        constants: &Constants<T>,
    ) {
        for row in hit.rows.clone() {
            let Span {
                first,
                end,
                right,
                dy,
            } = self.spans.row(row);
            if first >= end || !self.live[row] {
                continue;
            }
            let (transmittance, ends) = (&mut self.transmittance[row], &mut self.ends[row]);
            let planes = &mut self.values[row * self.planes..(row + 1) * self.planes];
            let mut column = first;
            while column < end {
                let lanes = Lanes {
                    x: load::<T, LANES>(&self.centres, column),
                    transmittance: load(transmittance, column),
                    ends: load(ends, column),
                };
                let (behind, weights) = lanes.behind::<A>(dy, right, hit, layer.place, constants);
                store(transmittance, column, behind.transmittance);
                store(ends, column, behind.ends);
                if let (Some(planes), Some(values)) = (
                    planes.first_chunk_mut::<PLANES>(),
                    layer.values.first_chunk::<PLANES>(),
                ) && PLANES > 0
                {
                    add_weighted::<T, A, LANES>(planes, values, column, &weights);
                } else {
                    add_weighted::<T, A, LANES>(planes, layer.values, column, &weights);
                }
                column += LANES;
            }
            self.evaluated += ((end - first).div_ceil(LANES) * LANES) as u64;
        }
    }
}

/// Adds a splat's values to the planes of a row, by its weights from `column` on.
#[inline(always)]
fn add_weighted<T: Scalar, A: Arithmetic<T>, const LANES: usize>(
    planes: &mut [Row<T>],
    values: &[T],
    column: usize,
    weights: &[T; LANES],
) {
    for (plane, &value) in planes.iter_mut().zip(values) {
        let mut sums: [T; LANES] = load(plane, column);
        for lane in 0..LANES {
            sums[lane] = A::add_weighted(sums[lane], weights[lane], value);
        }
        store(plane, column, sums);
    }
}

/// Neighbouring pixels of a row: their centres, and what [`Pixels`] knows of them.
struct Lanes<T, const LANES: usize> {
    x: [T; LANES],
    transmittance: [T; LANES],
    ends: [u32; LANES],
}

impl<T: Scalar, const LANES: usize> Lanes<T, LANES> {
    /// The same pixels behind a hit, as far as they lie left of `right`; and the hit's weights.
    #[inline(always)]
    fn behind<A: Arithmetic<T>>(
        mut self,
        dy: T,
        right: T,
        hit: &Hit<T>,
        place: u32,
        constants: &Constants<T>,
    ) -> (Self, [T; LANES]) {
        const { assert!(LANES <= MAX_LANES) };
        let mut weights = [T::ZERO; LANES];
        for lane in 0..LANES {
            let t = self.transmittance[lane];
            let d = Vec2 {
                x: self.x[lane] - hit.mean.x,
                y: dy,
            };
            let sigma = A::sigma(hit.conic, d);
            let alpha = A::alpha(hit.opacity, A::exp(-sigma), constants.alpha_max);
            // What is known early comes first: then only alpha's test waits for alpha.
            let counts = (self.x[lane] < right)
                & (sigma <= A::SIGMA_MAX)
                & A::counts(sigma, alpha, constants.alpha_min);
            let behind = A::behind(t, alpha);
            let composited = counts & (behind > constants.transmittance_min);
            weights[lane] = select_unpredictable(composited, A::weight(alpha, t), T::ZERO);
            // Alpha of a pair that does not count may be anything: nothing made of it is kept.
            let ended = select_unpredictable(counts, -t.abs(), t);
            self.transmittance[lane] = select_unpredictable(composited, behind, ended);
            self.ends[lane] = select_unpredictable(composited, place + 1, self.ends[lane]);
        }
        (self, weights)
    }
}
