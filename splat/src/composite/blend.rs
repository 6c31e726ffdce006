//! The forward compositor's innermost part: one hit, blended into the pixels of its tile.

use std::hint::select_unpredictable;

use crate::arithmetic::Arithmetic;
use crate::binning::cpu::TileGrid;
use crate::composite::tile::{Constants, Hit, MAX_LANES, NARROW_LANES, Spans, Tile, load};
use crate::math::Vec2;
use crate::scalar::Scalar;

/// The pixels of a tile while it is composited, by planes.
pub(crate) struct Pixels<T> {
    /// Transmittance; negated once the pixel has ended, which no further splat then passes.
    pub(crate) transmittance: Vec<T>,
    /// One past the place, in the tile's list, of the last splat composited.
    pub(crate) ends: Vec<u32>,
    /// The sums of weight times value, by planes whose rows alternate: the depth if it is wanted, then the features.
    pub(crate) values: Vec<T>,
    /// The number of planes.
    pub(crate) planes: usize,
    /// The x of the pixel centres of every row.
    centres: Vec<T>,
    /// Rows in which some pixel has not ended.
    live: Vec<bool>,
    spans: Spans,
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
        let (plane, stride) = (Tile::plane_of(grid), Tile::stride_of(grid));
        Self {
            transmittance: vec![T::ONE; plane],
            ends: vec![0; plane],
            values: vec![T::ZERO; plane * planes],
            planes,
            centres: vec![T::ZERO; stride],
            live: vec![true; plane / stride],
            spans: Spans::new(),
            evaluated: 0,
        }
    }

    /// A fresh tile.
    pub(crate) fn reset(&mut self, tile: &Tile) {
        self.transmittance.fill(T::ONE);
        self.ends.fill(0);
        self.values.fill(T::ZERO);
        self.live.fill(true);
        tile.centres_x(&mut self.centres);
    }

    /// Looks for rows in which every pixel has ended; whether some row goes on.
    #[inline(always)]
    pub(crate) fn goes_on(&mut self, tile: &Tile) -> bool {
        let mut any = false;
        for row in 0..tile.height {
            if self.live[row] {
                let pixels = &self.transmittance[tile.row(row)];
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
            self.rows::<A, NARROW_LANES, PLANES>(tile, hit, layer, constants);
        } else {
            self.rows::<A, LANES, PLANES>(tile, hit, layer, constants);
        }
    }

    #[inline(always)]
    fn rows<A: Arithmetic<T>, const LANES: usize, const PLANES: usize>(
        &mut self,
        tile: &Tile,
        hit: &Hit<T>,
        layer: Layer<'_, T>,
        constants: &Constants<T>,
    ) {
        for row in hit.rows.clone() {
            let [first, end] = self.spans.row(row);
            if first >= end || !self.live[row] {
                continue;
            }
            let dy = tile.centre_y::<T>(row) - hit.mean.y;
            let right = T::from_f64((tile.x + end) as f64);
            for column in (first..end).step_by(LANES) {
                let at = row * tile.stride + column;
                let x = load::<T, LANES>(&self.centres, column);
                let weights = self.step::<A, LANES>(at, x, dy, right, hit, layer.place, constants);
                let planes = if PLANES > 0 {
                    PLANES
                } else {
                    layer.values.len()
                };
                for plane in 0..planes {
                    let at = tile.row_of_plane(row, plane, planes) + column;
                    let mut sums: [T; LANES] = load(&self.values, at);
                    for lane in 0..LANES {
                        let value = layer.values[plane];
                        sums[lane] = A::add_weighted(sums[lane], weights[lane], value);
                    }
                    self.values[at..at + LANES].copy_from_slice(&sums);
                }
            }
            self.evaluated += ((end - first).div_ceil(LANES) * LANES) as u64;
        }
    }

    /// Moves the lanes from `at` on, whose centres are `x`, behind a hit, as far as they lie left of `right`; returns its weights.
    #[expect(
        clippy::too_many_arguments,
        reason = "what one step of the innermost loop reads"
    )]
    #[inline(always)]
    fn step<A: Arithmetic<T>, const LANES: usize>(
        &mut self,
        at: usize,
        x: [T; LANES],
        dy: T,
        right: T,
        hit: &Hit<T>,
        place: u32,
        constants: &Constants<T>,
    ) -> [T; LANES] {
        const { assert!(LANES <= MAX_LANES) };
        let transmittance: [T; LANES] = load(&self.transmittance, at);
        let ends: [u32; LANES] = load(&self.ends, at);
        let mut weights = [T::ZERO; LANES];
        let (mut next, mut next_ends) = (transmittance, ends);
        for lane in 0..LANES {
            let t = transmittance[lane];
            let d = Vec2 {
                x: x[lane] - hit.mean.x,
                y: dy,
            };
            let sigma = A::sigma(hit.conic, d);
            let alpha = A::alpha(hit.opacity, A::exp(-sigma), constants.alpha_max);
            let counts = A::counts(sigma, alpha, constants.alpha_min) & (x[lane] < right);
            let alpha = select_unpredictable(counts, alpha, T::ZERO);
            let behind = A::behind(t, alpha);
            let goes_on = behind > constants.transmittance_min;
            let weight = A::weight(alpha, t);
            weights[lane] = select_unpredictable(goes_on, weight, T::ZERO);
            next[lane] = select_unpredictable(goes_on, behind, -t.abs());
            next_ends[lane] = select_unpredictable(goes_on & counts, place + 1, ends[lane]);
        }
        self.transmittance[at..at + LANES].copy_from_slice(&next);
        self.ends[at..at + LANES].copy_from_slice(&next_ends);
        weights
    }
}
