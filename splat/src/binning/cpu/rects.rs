//! The tiles of a block of consecutive splats, computed in lanes.

use std::hint::select_unpredictable;

use crate::binning::bounds::{first_whole, last_whole};
use crate::binning::grid::{TileGrid, TileRect};
use crate::host::columns::{self, BLOCK, Column, padded};
use crate::number::Number;
use crate::scalar::Scalar;
use crate::splats::Splats;

/// The tiles of each splat of a block.
pub(crate) type BlockRects = [TileRect; BLOCK];

impl TileGrid {
    /// Finds the tiles of `count` splats, at most [`BLOCK`], beginning with splat `first`: those of
    /// [`rect`](Self::rect).
    #[inline(always)]
    pub(crate) fn block_rects<T: Scalar, const LANES: usize>(
        &self,
        splats: &Splats<&[T]>,
        first: usize,
        count: usize,
        rects: &mut BlockRects,
    ) {
        if !splats.finite_features(first, count) {
            for (m, rect) in (first..first + count).zip(rects) {
                *rect = self.rect(splats, m);
            }
            return;
        }
        let mut visible = [0; BLOCK];
        let (mut means, mut extents) = ([[T::ZERO; BLOCK]; 2], [[T::ZERO; BLOCK]; 2]);
        let end = first + count;
        columns::read(&splats.means[2 * first..2 * end], &mut means);
        columns::read(&splats.extents[2 * first..2 * end], &mut extents);
        find_visible::<T, LANES>(splats, first, count, [&means, &extents], &mut visible);
        let (mut starts, mut counts) = ([[0; BLOCK]; 2], [[0; BLOCK]; 2]);
        let axes = [
            (self.size.width, self.tile_width),
            (self.size.height, self.tile_height),
        ];
        for (axis, (pixels, side)) in axes.into_iter().enumerate() {
            // Tile sides are powers of two: a shift avoids a division. `nearest` of an `f64` is
            // exact beyond the greatest number of pixels, 2^22.
            let (pixels, bits) = (pixels as f64, side.trailing_zeros());
            for k in 0..padded::<LANES>(count) {
                let (centre, half) = (means[axis][k].to_f64(), extents[axis][k].to_f64());
                let start = first_whole(centre - half - 0.5, pixels).nearest();
                let end = last_whole(centre + half + 0.5, pixels).nearest();
                visible[k] &= u32::from(start < end);
                starts[axis][k] = start >> bits;
                counts[axis][k] = (end.wrapping_sub(1) >> bits) + 1;
            }
        }
        let [columns, rows] = counts;
        for (k, rect) in rects[..count].iter_mut().enumerate() {
            let of_visible = |x| select_unpredictable(visible[k] == 1, x, 0);
            let (column, row) = (starts[0][k], starts[1][k]);
            *rect = TileRect {
                first: of_visible(row.wrapping_mul(self.columns as u32).wrapping_add(column)),
                columns: of_visible(columns[k].wrapping_sub(column)),
                rows: of_visible(rows[k].wrapping_sub(row)),
            };
        }
    }
}

/// Sets `visible` to 1 for the splats that [`Splats::visible`] calls visible, else to 0. All
/// features must be finite.
#[inline(always)]
fn find_visible<T: Scalar, const LANES: usize>(
    splats: &Splats<&[T]>,
    first: usize,
    count: usize,
    [means, extents]: [&[Column<T>; 2]; 2],
    visible: &mut Column<u32>,
) {
    let end = first + count;
    let mut conics = [[T::ZERO; BLOCK]; 3];
    let mut others = [[T::ZERO; BLOCK]; 2];
    columns::read(&splats.conics[3 * first..3 * end], &mut conics);
    let [opacities, depths] = &mut others;
    opacities[..count].copy_from_slice(&splats.opacities[first..end]);
    depths[..count].copy_from_slice(&splats.depths[first..end]);
    for k in 0..padded::<LANES>(count) {
        let positive =
            (extents[0][k] > T::ZERO) & (extents[1][k] > T::ZERO) & (opacities[k] > T::ZERO);
        let finite = means[0][k].finite()
            & means[1][k].finite()
            & extents[0][k].finite()
            & extents[1][k].finite()
            & conics[0][k].finite()
            & conics[1][k].finite()
            & conics[2][k].finite()
            & opacities[k].finite()
            & depths[k].finite();
        visible[k] = u32::from(positive & finite);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use half::f16;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::binning::grid::TileSize;
    use crate::image::ImageSize;

    /// Returns splats in and around an image, of which about a third have a value that is zero,
    /// negative, infinite or NaN.
    fn splats<T: Scalar>(count: usize, side: f64, odd_features: bool) -> Splats<Vec<T>> {
        let mut rng = ChaCha8Rng::seed_from_u64(count as u64);
        let odd = [
            0.0,
            -0.0,
            -1.0,
            1e30,
            -1e30,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::NAN,
        ];
        let mut values = |n: usize, low: f64, high: f64, odd_share: f64| -> Vec<T> {
            let value = |_| {
                let odd_one = rng.random_bool(odd_share);
                let value = rng.random_range(low..high);
                T::from_f64(if odd_one {
                    odd[rng.random_range(0..odd.len())]
                } else {
                    value
                })
            };
            (0..n).map(value).collect()
        };
        Splats {
            means: values(2 * count, -0.3 * side, 1.3 * side, 0.04),
            extents: values(2 * count, 0.0, 0.2 * side + 2.0, 0.04),
            conics: values(3 * count, 0.1, 1.0, 0.04),
            opacities: values(count, 0.0, 1.0, 0.04),
            depths: values(count, 0.1, 9.0, 0.04),
            features: values(2 * count, 0.0, 1.0, if odd_features { 0.004 } else { 0.0 }),
            half_features: None,
            offsets: vec![0, count],
            channels: 2,
        }
    }

    fn check<T: Scalar, const LANES: usize>(splats: &Splats<&[T]>, grid: &TileGrid) -> usize {
        let mut found = [TileRect::default(); BLOCK];
        let mut seen = 0;
        for first in (0..splats.len()).step_by(BLOCK) {
            let count = BLOCK.min(splats.len() - first);
            grid.block_rects::<T, LANES>(splats, first, count, &mut found);
            for (m, rect) in (first..).zip(&found[..count]) {
                assert_eq!(*rect, grid.rect(splats, m), "splat {m} of {grid:?}");
                seen += usize::from(rect.count() > 0);
            }
        }
        seen
    }

    fn check_sizes<T: Scalar>() {
        let sizes = [[1, 1], [5, 300], [333, 70], [4_194_304, 3]];
        for ([width, height], tile) in sizes.into_iter().zip([
            TileSize::Px8,
            TileSize::Px16,
            TileSize::Px32,
            TileSize::Px32x16,
        ]) {
            let grid = TileGrid::new(
                ImageSize {
                    views: 1,
                    height,
                    width,
                },
                tile,
            );
            for odd_features in [false, true] {
                let mut splats = splats::<T>(1000, width as f64, odd_features);
                for y in splats.means.iter_mut().skip(1).step_by(2) {
                    *y = T::from_f64(y.to_f64() * height as f64 / width as f64);
                }
                let seen = check::<T, 8>(&splats.as_slices(), &grid);
                assert!((1..900).contains(&seen), "{seen} splats touch {grid:?}");
                check::<T, 16>(&splats.as_slices(), &grid);
                let halves = splats.features.iter().map(|x| f16::from_f64(x.to_f64()));
                splats.half_features = Some(Arc::new(halves.collect()));
                splats.features.clear();
                check::<T, 16>(&splats.as_slices(), &grid);
            }
        }
    }

    #[test]
    fn a_block_of_splats_has_the_tiles_of_each() {
        check_sizes::<f32>();
        check_sizes::<f64>();
    }
}
