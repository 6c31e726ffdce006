//! Bounds of splats in pixels and tiles, and the running count of hits.

use std::hint::select_unpredictable;
use std::ops::Range;

use rayon::prelude::*;

use crate::camera::validate_size;
use crate::composite::ImageSize;
use crate::config::FOOTPRINT_SLACK;
use crate::error::{RenderError, checked_product, try_made};
use crate::host::simd::{Kernel, Simd};
use crate::host::workspace::Resources;
use crate::math::{Sym2, exp};
use crate::project::Splats;
use crate::scalar::Scalar;
use crate::scalar::rounding::Arithmetic;

/// The size of a tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TileSize {
    /// 8 x 8 px
    Px8,
    /// 16 x 16 px
    Px16,
    /// 32 x 32 px
    #[default]
    Px32,
    /// 32 px wide, 16 px high
    Px32x16,
}

impl TileSize {
    /// The width in pixels, a power of two.
    pub const fn width(self) -> usize {
        match self {
            Self::Px8 => 8,
            Self::Px16 => 16,
            Self::Px32 | Self::Px32x16 => 32,
        }
    }

    /// The height in pixels, a power of two.
    pub const fn height(self) -> usize {
        match self {
            Self::Px8 => 8,
            Self::Px16 | Self::Px32x16 => 16,
            Self::Px32 => 32,
        }
    }
}

/// A batch of images cut into tiles.
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

    /// Tiles of one view.
    pub(crate) fn per_view(&self) -> usize {
        self.columns * self.rows
    }

    /// The tiles that a splat touches.
    #[inline(always)]
    fn rect<T: Scalar>(&self, splats: &Splats<&[T]>, m: usize) -> TileRect {
        let [x, y] = splat_pixels(splats, m, self.size);
        if x.is_empty() || y.is_empty() {
            return TileRect::default();
        }
        // Sides of tiles are powers of two: a shift, for a division takes as long as all the rest.
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

/// The tiles that a splat touches: a rectangle of its view's grid, all zero where it touches none.
///
/// 16 bits would not do: an image may be 2^22 px wide, 2^19 tiles, and one of at most 2^32 px may have 2^26 tiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct TileRect {
    /// The number within the view of the first, tiles numbered by rows.
    pub(crate) first: u32,
    pub(crate) columns: u32,
    pub(crate) rows: u32,
}

impl TileRect {
    /// How many tiles.
    #[inline(always)]
    pub(crate) fn count(&self) -> u32 {
        self.columns * self.rows
    }
}

/// Which tiles each splat touches, and the running count of them.
#[derive(Debug, Clone)]
pub struct Hits {
    pub(crate) grid: TileGrid,
    /// `[M]`: the tiles of each splat.
    pub(crate) rects: Vec<TileRect>,
    /// `[M + 1]`: the hits of splat `m` are numbered `from_splat[m] .. from_splat[m + 1]`, by rows of tiles.
    pub(crate) from_splat: Vec<u32>,
}

/// Splats that one task looks at.
const SPLATS_PER_BLOCK: usize = 4096;

/// Finds the tiles of some neighbouring splats.
pub struct FindRects<'p, 'a, T: Scalar> {
    splats: &'p Splats<&'a [T]>,
    grid: &'p TileGrid,
    first: usize,
    rects: &'p mut [TileRect],
    /// The running count of tiles, from zero, up to and with each splat (modulo 2^32).
    ends: &'p mut [u32],
}

impl<T: Scalar> Kernel for FindRects<'_, '_, T> {
    type Scalar = T;
    /// How many tiles.
    type Output = u64;

    #[inline(always)]
    fn run<A: Arithmetic<T>, const LANES: usize>(self) -> u64 {
        let mut count = 0u64;
        for ((m, rect), end) in (self.first..).zip(self.rects).zip(self.ends) {
            *rect = self.grid.rect(self.splats, m);
            count += u64::from(rect.count());
            *end = count as u32;
        }
        count
    }
}

/// Looks for a splat, of some neighbours, that touches other tiles than said.
pub struct CheckRects<'p, 'a, T: Scalar> {
    splats: &'p Splats<&'a [T]>,
    grid: &'p TileGrid,
    first: usize,
    rects: &'p [TileRect],
}

impl<T: Scalar> Kernel for CheckRects<'_, '_, T> {
    type Scalar = T;
    type Output = Option<usize>;

    #[inline(always)]
    fn run<A: Arithmetic<T>, const LANES: usize>(self) -> Option<usize> {
        for (m, rect) in (self.first..).zip(self.rects) {
            if self.grid.rect(self.splats, m) != *rect {
                return Some(m);
            }
        }
        None
    }
}

impl Hits {
    /// The first splat that touches other tiles than these.
    pub(crate) fn first_stranger<T: Scalar>(
        &self,
        splats: &Splats<&[T]>,
        simd: Simd,
    ) -> Option<usize> {
        let blocks = self.rects.par_chunks(SPLATS_PER_BLOCK).enumerate();
        let strangers = blocks.map(|(block, rects)| {
            let job = CheckRects {
                splats,
                grid: &self.grid,
                first: block * SPLATS_PER_BLOCK,
                rects,
            };
            T::check_rects(simd, job)
        });
        strangers.find_first(Option::is_some).flatten()
    }
}

/// Finds the tiles that each splat touches and counts them.
pub(crate) fn bin<T: Scalar>(
    splats: &Splats<&[T]>,
    width: usize,
    height: usize,
    tile: TileSize,
    Resources { simd, workspace }: Resources<'_, T>,
) -> Result<Hits, RenderError> {
    let views = splats.offsets.len() - 1;
    validate_size(width, height, views)?;
    let size = ImageSize {
        views,
        height,
        width,
    };
    let grid = TileGrid::new(size, tile);
    checked_product("tiles", &[views, grid.rows, grid.columns])?;
    let mut rects = try_made("tiles of splats [M]", splats.len(), TileRect::default)?;
    let mut from_splat = workspace.indices("hit offsets [M + 1]", splats.len() + 1)?;
    from_splat[0] = 0;
    let total = running_count(splats, &grid, &mut rects, &mut from_splat[1..], simd);
    if total >= u64::from(u32::MAX) {
        return Err(RenderError::Capacity {
            what: "hits (splat, tile)",
            needed: total.to_string(),
            limit: format!("{} (32-bit index)", u32::MAX),
        });
    }
    Ok(Hits {
        grid,
        rects,
        from_splat,
    })
}

/// Fills in the tiles of each splat and the count of them up to and with it (modulo 2^32), and returns the whole count.
fn running_count<T: Scalar>(
    splats: &Splats<&[T]>,
    grid: &TileGrid,
    rects: &mut [TileRect],
    ends: &mut [u32],
    simd: Simd,
) -> u64 {
    // A running count within every block, then what came before the block is added.
    let blocks = (
        rects.par_chunks_mut(SPLATS_PER_BLOCK),
        ends.par_chunks_mut(SPLATS_PER_BLOCK),
    );
    let blocks = blocks.into_par_iter().enumerate();
    let counts = blocks.map(|(block, (rects, ends))| {
        let job = FindRects {
            splats,
            grid,
            first: block * SPLATS_PER_BLOCK,
            rects,
            ends,
        };
        T::find_rects(simd, job)
    });
    let counts: Vec<u64> = counts.collect();
    let before = counts.iter().scan(0, |before, count| {
        *before += count;
        Some(*before - count)
    });
    let before: Vec<u64> = before.collect();
    let blocks = ends.par_chunks_mut(SPLATS_PER_BLOCK).zip(before);
    blocks.for_each(|(ends, before)| {
        for end in ends {
            *end = end.wrapping_add(before as u32);
        }
    });
    counts.iter().sum()
}

/// The greatest `sigma` that can count, with slack for rounding; 0 where the splat never reaches `alpha_min`.
#[inline(always)]
pub(crate) fn reach<T: Scalar>(opacity: T, alpha_min: f64) -> T {
    let alpha_min = T::from_f64(alpha_min);
    // Phrased so that NaN fails it.
    let counts = (opacity >= alpha_min) & opacity.finite();
    let sigma = exp::sigma_at(opacity, alpha_min);
    let sigma = select_unpredictable(sigma > T::ZERO, sigma, T::ZERO);
    select_unpredictable(counts, sigma + T::from_f64(FOOTPRINT_SLACK), T::ZERO)
}

/// The covariance of a positive definite conic, worked out in `f64`, where the determinant of `f32` entries is
/// rounded only once.
pub(crate) fn covariance<T: Scalar>(conic: Sym2<T>) -> Option<Sym2<T>> {
    let (xx, xy, yy) = (conic.xx.to_f64(), conic.xy.to_f64(), conic.yy.to_f64());
    let det = xx * yy - xy * xy;
    let k = Sym2 { xx, xy, yy };
    (xx > 0.0 && yy > 0.0 && det > 0.0 && det.is_finite()).then(|| {
        let m = crate::formulas::double::sym2::inverse(k, det);
        Sym2 {
            xx: T::from_f64(m.xx),
            xy: T::from_f64(m.xy),
            yy: T::from_f64(m.yy),
        }
    })
}

/// Half width and half height of a splat's box, px, or zeros where it cannot be seen in an image of `[width, height]`. `reach` is
/// [`reach`]'s.
#[inline(always)]
pub(crate) fn visible_extent<T: Scalar>(
    centre: [T; 2],
    covariance: Sym2<T>,
    reach: T,
    [width, height]: [usize; 2],
) -> [T; 2] {
    let half = T::extents(covariance, reach);
    let finite = centre[0].finite() & centre[1].finite() & half.x.finite() & half.y.finite();
    let seen = finite
        & (reach > T::ZERO)
        & meets_pixel(centre[0], half.x, width)
        & meets_pixel(centre[1], half.y, height);
    [
        select_unpredictable(seen, half.x, T::ZERO),
        select_unpredictable(seen, half.y, T::ZERO),
    ]
}

/// Whether [`pixel_range`] of finite numbers is not empty, without a branch: whether the first pixel from `centre - half` on is in the
/// image and left of `centre + half`.
#[inline(always)]
fn meets_pixel<T: Scalar>(centre: T, half: T, count: usize) -> bool {
    let (centre, half, count) = (centre.to_f64(), half.to_f64(), count as f64);
    let first = first_whole(centre - half - 0.5, count);
    (first < count) & (first + 1.0 <= centre + half + 0.5)
}

// Without a call, as not every machine rounds up and down by an instruction.

/// The least integer from `x` on, within `0 ..= count`; 0 for NaN. `count` is less than 2^51.
#[inline(always)]
pub(crate) fn first_whole(x: f64, count: f64) -> f64 {
    let x = clamp(x, count);
    let nearest = x.nearest_whole();
    nearest + select_unpredictable(nearest < x, 1.0, 0.0)
}

/// The greatest integer up to `x`, within `0 ..= count`; 0 for NaN. `count` is less than 2^51.
#[inline(always)]
pub(crate) fn last_whole(x: f64, count: f64) -> f64 {
    let x = clamp(x, count);
    let nearest = x.nearest_whole();
    nearest - select_unpredictable(nearest > x, 1.0, 0.0)
}

#[inline(always)]
fn clamp(x: f64, count: f64) -> f64 {
    let x = select_unpredictable(x > 0.0, x, 0.0);
    select_unpredictable(x < count, x, count)
}

/// The pixels of `0..count` whose centres `j + 0.5` lie within `half` of `centre`.
#[inline(always)]
pub(crate) fn pixel_range<T: Scalar>(centre: T, half: T, count: usize) -> Range<usize> {
    let (centre, half) = (centre.to_f64(), half.to_f64());
    // `as` saturates, and turns NaN into 0.
    let first = (centre - half - 0.5).ceil().max(0.0) as usize;
    let end = (centre + half + 0.5).floor().max(0.0) as usize;
    first..end.min(count)
}

/// The pixels (x range, y range) in which splat `m` is looked at; empty where it was culled.
#[inline(always)]
pub(crate) fn splat_pixels<T: Scalar>(
    splats: &Splats<&[T]>,
    m: usize,
    size: ImageSize,
) -> [Range<usize>; 2] {
    let (mean, extent) = (
        &splats.means[2 * m..2 * m + 2],
        &splats.extents[2 * m..2 * m + 2],
    );
    if !splats.visible(m) {
        return [0..0, 0..0];
    }
    [
        pixel_range(mean[0], extent[0], size.width),
        pixel_range(mean[1], extent[1], size.height),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_meets_a_pixel_where_its_range_is_not_empty() {
        let steps = (-40..=40).map(|i| f64::from(i) * 0.125);
        let near = |x: f64| [x.next_down(), x, x.next_up()];
        let centres: Vec<f64> = steps.flat_map(near).chain([1e30, -1e30, 1e300]).collect();
        let halves = (0..=24).map(|i| f64::from(i) * 0.125);
        let halves: Vec<f64> = halves.flat_map(near).chain([1e30, 1e300]).collect();
        let mut met = 0;
        for &centre in &centres {
            for &half in halves.iter().filter(|&&half| half > 0.0) {
                for count in [1, 3, 4] {
                    let expected = !pixel_range(centre, half, count).is_empty();
                    assert_eq!(
                        meets_pixel(centre, half, count),
                        expected,
                        "{centre} {half}"
                    );
                    met += usize::from(expected);
                }
            }
        }
        assert!(met > 1000, "{met} of the boxes meet a pixel");
    }
}
