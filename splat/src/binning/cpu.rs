//! Bounds of splats in pixels and tiles, and the running count of hits.

use std::hint::select_unpredictable;
use std::ops::Range;

use rayon::prelude::*;

use crate::camera::validate_size;
use crate::composite::ImageSize;
use crate::config::FOOTPRINT_SLACK;
use crate::error::{RenderError, checked_product, try_filled};
use crate::math::{Sym2, exp};
use crate::project::Splats;
use crate::scalar::Scalar;

/// The side of a square tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TileSize {
    /// 8 px
    Px8,
    /// 16 px
    #[default]
    Px16,
    /// 32 px
    Px32,
    /// 32 px wide, 16 px high
    Px32x16,
    /// 64 px wide, 16 px high
    Px64x16,
    /// 64 px wide, 8 px high
    Px64x8,
}

impl TileSize {
    /// The width in pixels.
    pub const fn width(self) -> usize {
        match self {
            Self::Px8 => 8,
            Self::Px16 => 16,
            Self::Px32 | Self::Px32x16 => 32,
            Self::Px64x16 | Self::Px64x8 => 64,
        }
    }

    /// The height in pixels.
    pub const fn height(self) -> usize {
        match self {
            Self::Px8 | Self::Px64x8 => 8,
            Self::Px16 | Self::Px32x16 | Self::Px64x16 => 16,
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
    fn new(size: ImageSize, tile: TileSize) -> Self {
        let (tile_width, tile_height) = (tile.width(), tile.height());
        Self {
            size,
            tile_width,
            tile_height,
            columns: size.width.div_ceil(tile_width),
            rows: size.height.div_ceil(tile_height),
        }
    }

    /// Tiles of one view.
    pub(crate) fn per_view(&self) -> usize {
        self.columns * self.rows
    }

    /// The tiles that a splat touches: column range, row range. Empty where culled.
    pub(crate) fn tiles<T: Scalar>(&self, splats: &Splats<&[T]>, m: usize) -> [Range<usize>; 2] {
        let [x, y] = splat_pixels(splats, m, self.size);
        let tiles = |pixels: Range<usize>, side: usize| {
            if pixels.is_empty() {
                0..0
            } else {
                pixels.start / side..(pixels.end - 1) / side + 1
            }
        };
        [tiles(x, self.tile_width), tiles(y, self.tile_height)]
    }

    /// The same tiles as numbers within the view, by rows.
    pub(crate) fn tiles_of<T: Scalar>(
        &self,
        splats: &Splats<&[T]>,
        m: usize,
    ) -> impl Iterator<Item = usize> {
        let [columns, rows] = self.tiles(splats, m);
        let stride = self.columns;
        rows.flat_map(move |row| columns.clone().map(move |column| row * stride + column))
    }
}

/// How many tiles each splat touches, as a running sum.
#[derive(Debug, Clone)]
pub struct Hits {
    pub(crate) grid: TileGrid,
    /// `[M + 1]`: the hits of splat `m` are numbered `from_splat[m] .. from_splat[m + 1]`, by rows of tiles.
    pub(crate) from_splat: Vec<u32>,
}

/// Counts the tiles that each splat touches.
pub(crate) fn bin<T: Scalar>(
    splats: &Splats<&[T]>,
    width: usize,
    height: usize,
    tile: TileSize,
) -> Result<Hits, RenderError> {
    let views = splats.offsets.len() - 1;
    validate_size(width, height, views)?;
    let grid = TileGrid::new(
        ImageSize {
            views,
            height,
            width,
        },
        tile,
    );
    checked_product("tiles", &[views, grid.rows, grid.columns])?;
    let mut from_splat = try_filled("hit offsets [M + 1]", splats.len() + 1, 0u32)?;
    from_splat[1..]
        .par_iter_mut()
        .with_min_len(1024)
        .enumerate()
        .for_each(|(m, count)| {
            let [columns, rows] = grid.tiles(splats, m);
            // An image of at most 2^32 pixels has at most 2^26 tiles.
            *count = (columns.len() * rows.len()) as u32;
        });
    let mut total = 0u64;
    for count in &mut from_splat[1..] {
        total += u64::from(*count);
        *count = u32::try_from(total).unwrap_or(u32::MAX);
    }
    if total >= u64::from(u32::MAX) {
        return Err(RenderError::Capacity {
            what: "hits (splat, tile)",
            needed: total.to_string(),
            limit: format!("{} (32-bit index)", u32::MAX),
        });
    }
    Ok(Hits { grid, from_splat })
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
        let m = crate::double::sym2::inverse(k, det);
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
    // Of numbers so great every one is an integer: adding rounds to one.
    const INTEGERS: f64 = (1u64 << (f64::MANTISSA_DIGITS - 1)) as f64;
    let (centre, half, count) = (centre.to_f64(), half.to_f64(), count as f64);
    let left = centre - half - 0.5;
    let left = select_unpredictable(left > 0.0, left, 0.0);
    let left = select_unpredictable(left < count, left, count);
    let nearest = (left + INTEGERS) - INTEGERS;
    let first = nearest + select_unpredictable(nearest < left, 1.0, 0.0);
    (first < count) & (first + 1.0 <= centre + half + 0.5)
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
