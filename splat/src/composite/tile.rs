//! What the forward and the backward compositor share: a tile's pixels in lanes, and one splat as a tile sees it.

use std::ops::Range;

use crate::binning::cpu::{TileGrid, splat_pixels};
use crate::config::RenderConfig;
use crate::math::{Sym2, Vec2};
use crate::project::Splats;
use crate::scalar::Scalar;

/// Pixels of one row that are worked on together. Divides the width of every [`crate::TileSize`].
pub(crate) const LANES: usize = 8;

/// One number for each of [`LANES`] neighbouring pixels.
pub(crate) type Lanes<T> = [T; LANES];

/// The settings the compositing formulas read, rounded to the scalar.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Constants<T> {
    pub(crate) alpha_min: T,
    pub(crate) alpha_max: T,
    pub(crate) transmittance_min: T,
}

impl<T: Scalar> Constants<T> {
    pub(crate) fn new(config: &RenderConfig) -> Self {
        Self {
            alpha_min: T::from_f64(config.alpha_min),
            alpha_max: T::from_f64(config.alpha_max),
            transmittance_min: T::from_f64(config.transmittance_min),
        }
    }
}

/// A tile: where it lies, and how much of it is inside the image.
///
/// Its pixels are numbered by *chunks* of [`LANES`]: chunk `row * chunks_per_row + k` has the pixels
/// `x + k LANES .. x + (k + 1) LANES` of row `y + row`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tile {
    pub(crate) x: usize,
    pub(crate) y: usize,
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) chunks_per_row: usize,
}

impl Tile {
    pub(crate) fn new(grid: &TileGrid, column: usize, row: usize) -> Self {
        let (x, y) = (column * grid.tile_width, row * grid.tile_height);
        Self {
            x,
            y,
            width: grid.tile_width.min(grid.size.width - x),
            height: grid.tile_height.min(grid.size.height - y),
            chunks_per_row: grid.tile_width / LANES,
        }
    }

    /// The pixels inside the image: (row in tile, column in tile, chunk, lane).
    pub(crate) fn pixels(self) -> impl Iterator<Item = (usize, usize, usize, usize)> {
        (0..self.height).flat_map(move |row| {
            (0..self.width).map(move |column| {
                let chunk = row * self.chunks_per_row + column / LANES;
                (row, column, chunk, column % LANES)
            })
        })
    }

    /// The x of a chunk's pixel centres.
    #[inline(always)]
    pub(crate) fn centres_x<T: Scalar>(&self, chunk_in_row: usize) -> Lanes<T> {
        let first = self.x + chunk_in_row * LANES;
        std::array::from_fn(|lane| T::from_f64((first + lane) as f64 + 0.5))
    }

    /// The y of a row's pixel centres.
    #[inline(always)]
    pub(crate) fn centre_y<T: Scalar>(&self, row: usize) -> T {
        T::from_f64((self.y + row) as f64 + 0.5)
    }
}

/// A splat as one tile sees it.
#[derive(Debug, Clone)]
pub(crate) struct Hit<T: Scalar> {
    pub(crate) mean: Vec2<T>,
    pub(crate) conic: Sym2<T>,
    pub(crate) opacity: T,
    pub(crate) depth: T,
    /// Pixel centres between these are looked at: the splat's own bounds, whatever the tile.
    bounds_x: [T; 2],
    /// Rows of the tile.
    pub(crate) rows: Range<usize>,
    /// Chunks of each row.
    pub(crate) chunks: Range<usize>,
}

impl<T: Scalar> Hit<T> {
    #[inline(always)]
    pub(crate) fn load(splats: &Splats<&[T]>, m: usize, grid: &TileGrid, tile: &Tile) -> Self {
        let [x, y] = splat_pixels(splats, m, grid.size);
        let within = |pixels: &Range<usize>, start: usize, count: usize| {
            let first = pixels.start.saturating_sub(start).min(count);
            first..pixels.end.saturating_sub(start).clamp(first, count)
        };
        let columns = within(&x, tile.x, tile.width);
        Self {
            mean: Vec2 {
                x: splats.means[2 * m],
                y: splats.means[2 * m + 1],
            },
            conic: splats.conic(m),
            opacity: splats.opacities[m],
            depth: splats.depths[m],
            bounds_x: [T::from_f64(x.start as f64), T::from_f64(x.end as f64)],
            rows: within(&y, tile.y, tile.height),
            chunks: columns.start / LANES..columns.end.div_ceil(LANES),
        }
    }

    /// Offsets from the splat's centre to a chunk's pixels.
    #[inline(always)]
    pub(crate) fn offsets(&self, x: Lanes<T>, y: T) -> [Vec2<T>; LANES] {
        std::array::from_fn(|lane| Vec2 {
            x: x[lane] - self.mean.x,
            y: y - self.mean.y,
        })
    }

    /// `e^-sigma` at a chunk's pixels, zero where the pair does not count.
    #[inline(always)]
    pub(crate) fn falloff(
        &self,
        x: Lanes<T>,
        d: &[Vec2<T>; LANES],
        constants: &Constants<T>,
    ) -> Lanes<T> {
        std::array::from_fn(|lane| {
            let sigma = T::sigma(self.conic, d[lane]);
            let falloff = (-sigma).exp();
            let alpha = T::alpha(self.opacity, falloff, constants.alpha_max);
            let inside = (x[lane] > self.bounds_x[0]) & (x[lane] < self.bounds_x[1]);
            if T::counts(sigma, alpha, constants.alpha_min) & inside {
                falloff
            } else {
                T::ZERO
            }
        })
    }
}
