//! What the forward and the backward compositor share: where a tile lies, one splat as a tile sees it, and which pixels of
//! every row are looked at.

use std::ops::Range;

use crate::binning::cpu::{TileGrid, splat_pixels};
use crate::config::{FOOTPRINT_SLACK, RenderConfig};
use crate::math::{Sym2, Vec2, exp};
use crate::project::Splats;
use crate::scalar::Scalar;

/// The most lanes any instruction set takes at once.
pub(crate) const MAX_LANES: usize = 16;

/// Lanes for splats that are this narrow within their tile. The widest instructions would idle on them.
pub(crate) const NARROW_LANES: usize = 8;

/// The greatest height of a tile.
pub(crate) const MAX_TILE_HEIGHT: usize = 32;

/// One number for each pixel of a tile's row. It is longer than the widest tile, so that lanes may begin at any pixel; and of a length
/// the compiler knows, so that one test of a column is good for all rows.
pub(crate) type Row<T> = [T; 32 + MAX_LANES];

/// Numbers that are loaded and stored whole: they begin where a cache line does.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub(crate) struct Aligned<T>(pub(crate) [T; MAX_LANES]);

/// The settings the compositing formulas read, rounded to the scalar.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Constants<T> {
    pub(crate) alpha_min: T,
    pub(crate) alpha_max: T,
    pub(crate) transmittance_min: T,
    /// `1 / alpha_min`, unrounded.
    inverse_alpha_min: f64,
}

impl<T: Scalar> Constants<T> {
    pub(crate) fn new(config: &RenderConfig) -> Self {
        Self {
            alpha_min: T::from_f64(config.alpha_min),
            alpha_max: T::from_f64(config.alpha_max),
            transmittance_min: T::from_f64(config.transmittance_min),
            inverse_alpha_min: 1.0 / config.alpha_min,
        }
    }
}

/// A tile: where it lies, and how much of it is inside the image.
///
/// Its pixels are kept by [`Row`]s. Of several planes the rows alternate: what belongs to one pixel is near, and never a power of two
/// apart, which caches and store buffers take for the same place.
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

    /// Writes the x of the pixel centres, those beyond the image included.
    pub(crate) fn centres_x<T: Scalar>(&self, out: &mut Row<T>) {
        for (column, x) in out.iter_mut().enumerate() {
            *x = T::from_f64((self.x + column) as f64 + 0.5);
        }
    }

    /// The y of a row's pixel centres.
    #[inline(always)]
    pub(crate) fn centre_y<T: Scalar>(&self, row: usize) -> T {
        T::from_f64((self.y + row) as f64 + 0.5)
    }
}

/// Loads the `LANES` numbers from column `at` on.
#[inline(always)]
pub(crate) fn load<T: Copy, const LANES: usize>(row: &Row<T>, at: usize) -> [T; LANES] {
    let lanes = &row[at..at + LANES];
    std::array::from_fn(|lane| lanes[lane])
}

/// Stores them.
#[inline(always)]
pub(crate) fn store<T: Copy, const LANES: usize>(row: &mut Row<T>, at: usize, lanes: [T; LANES]) {
    row[at..at + LANES].copy_from_slice(&lanes);
}

/// The pixels of each row of a tile that a splat can count in, as columns of the tile.
#[derive(Debug, Clone)]
pub(crate) struct Spans<T> {
    first: [u32; MAX_TILE_HEIGHT + MAX_LANES],
    end: [u32; MAX_TILE_HEIGHT + MAX_LANES],
    /// `end` as an x of the image.
    right: [T; MAX_TILE_HEIGHT + MAX_LANES],
    /// From the splat's centre down to the pixels'.
    dy: [T; MAX_TILE_HEIGHT + MAX_LANES],
}

/// The pixels of one row that a splat can count in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span<T> {
    /// The first, as a column of the tile.
    pub(crate) first: usize,
    /// One past the last.
    pub(crate) end: usize,
    /// `end` as an x of the image.
    pub(crate) right: T,
    /// From the splat's centre down to the pixels', px.
    pub(crate) dy: T,
}

impl<T: Scalar> Spans<T> {
    pub(crate) fn new() -> Self {
        Self {
            first: [0; MAX_TILE_HEIGHT + MAX_LANES],
            end: [0; MAX_TILE_HEIGHT + MAX_LANES],
            right: [T::ZERO; MAX_TILE_HEIGHT + MAX_LANES],
            dy: [T::ZERO; MAX_TILE_HEIGHT + MAX_LANES],
        }
    }

    #[inline(always)]
    pub(crate) fn row(&self, row: usize) -> Span<T> {
        Span {
            first: self.first[row] as usize,
            end: self.end[row] as usize,
            right: self.right[row],
            dy: self.dy[row],
        }
    }
}

/// A splat as one tile sees it.
#[derive(Debug, Clone)]
pub(crate) struct Hit<T: Scalar> {
    pub(crate) mean: Vec2<T>,
    pub(crate) conic: Sym2<T>,
    pub(crate) opacity: T,
    /// Rows of the tile.
    pub(crate) rows: Range<usize>,
    /// Columns of the tile.
    columns: Range<usize>,
    /// Half the height of the splat's box, px.
    half_height: T,
    /// The square of half its width through the centre, px^2.
    half_width_squared: T,
}

impl<T: Scalar> Hit<T> {
    #[inline(always)]
    pub(crate) fn load(
        splats: &Splats<&[T]>,
        m: usize,
        grid: &TileGrid,
        tile: &Tile,
        constants: &Constants<T>,
    ) -> Self {
        let [x, y] = splat_pixels(splats, m, grid.size);
        let within = |pixels: &Range<usize>, start: usize, count: usize| {
            let first = pixels.start.saturating_sub(start).min(count);
            first..pixels.end.saturating_sub(start).clamp(first, count)
        };
        let (conic, opacity) = (splats.conic(m), splats.opacities[m]);
        let reach = exp::rough_ln(opacity.to_f64() * constants.inverse_alpha_min) + FOOTPRINT_SLACK;
        Self {
            mean: Vec2 {
                x: splats.means[2 * m],
                y: splats.means[2 * m + 1],
            },
            conic,
            opacity,
            rows: within(&y, tile.y, tile.height),
            columns: within(&x, tile.x, tile.width),
            half_height: splats.extents[2 * m + 1],
            half_width_squared: T::from_f64(2.0 * reach) / conic.xx,
        }
    }

    /// Whether [`NARROW_LANES`] hold every row of it.
    #[inline(always)]
    pub(crate) fn is_narrow(&self) -> bool {
        const HALF: f64 = 0.5 * NARROW_LANES as f64;
        self.columns.len() <= NARROW_LANES || self.half_width_squared < T::from_f64(HALF * HALF)
    }

    /// Finds the pixels of each row at which sigma stays within reach (MATH eq. 16): an interval of the splat and the row alone,
    /// whatever the tile, cut to the splat's box and the tile. Every pixel left out is one that the splat does not count in.
    #[inline(always)]
    pub(crate) fn spans<const LANES: usize>(&self, tile: &Tile, spans: &mut Spans<T>) {
        let slope = -self.conic.xy / self.conic.xx;
        let inverse = T::ONE / (self.half_height * self.half_height);
        let left = T::from_f64(tile.x as f64);
        let bounds = [self.columns.start, self.columns.end].map(|x| T::from_f64(x as f64));
        let mut row = self.rows.start;
        while row < self.rows.end {
            let first_y = tile.centre_y::<T>(row);
            let (mut first, mut end) = ([0; LANES], [0; LANES]);
            let (mut right, mut down) = ([T::ZERO; LANES], [T::ZERO; LANES]);
            for lane in 0..LANES {
                let dy = (first_y + T::from_f64(lane as f64)) - self.mean.y;
                let chord = T::chord(slope, inverse, self.half_width_squared, dy);
                // Pixels whose centres lie between a and b: from the integer nearest to a to before the one nearest to b.
                // Phrased so that NaN ends at the splat's box.
                let a = (self.mean.x + (chord.x - chord.y)) - left;
                let b = (self.mean.x + (chord.x + chord.y)) - left;
                let a = if a > bounds[0] { a } else { bounds[0] };
                let a = if a < bounds[1] { a } else { bounds[1] };
                let b = if b < bounds[1] { b } else { bounds[1] };
                let b = if b > bounds[0] { b } else { bounds[0] };
                first[lane] = a.nearest();
                end[lane] = b.nearest();
                right[lane] = left + b.nearest_whole();
                down[lane] = dy;
            }
            spans.first[row..row + LANES].copy_from_slice(&first);
            spans.end[row..row + LANES].copy_from_slice(&end);
            spans.right[row..row + LANES].copy_from_slice(&right);
            spans.dy[row..row + LANES].copy_from_slice(&down);
            row += LANES;
        }
    }
}
