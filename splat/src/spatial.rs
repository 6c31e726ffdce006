//! The order of Gaussians in memory.
//!
//! A render reads the splats of a tile from scattered places of memory. If Gaussians that are near
//! each other in space are near each other in memory too, most of these reads are in the cache.
//! Images do not depend on the order, apart from Gaussians of equal depth, which are composited in
//! the order of their indices, and from the rounding of sums over Gaussians.

use rayon::prelude::*;

use crate::error::{RenderError, try_collected_in_parallel, try_reserved};
use crate::gaussians::{Gaussians, check_len};
use crate::number::Number;

/// The bits of a coordinate in a Morton code.
const BITS: u32 = 21;

/// An order of N Gaussians along a Morton curve through their means (Morton 1966), and its inverse.
///
/// A curve through a box visits each half, quarter and eighth of the box in one piece. Gaussians
/// with a mean that is not finite come last.
///
/// ```
/// # use splat::{Gaussians, SpatialOrder};
/// # let gaussians = Gaussians { means: &[5.0f32, 0., 0., 1., 0., 0.][..], scales: &[0.1; 6],
/// #     quaternions: &[1.0; 8], opacities: &[0.3, 0.7], features: &[0.0; 6], count: 2, channels: 3,
/// #     encoding: splat::encoding::Encoding::PLAIN };
/// let order = SpatialOrder::of(gaussians.means)?;
/// let sorted = order.sort(&gaussians)?;
/// assert_eq!(sorted.opacities, [0.7, 0.3]);
/// // Render and train with `sorted`. Gradients, and results, return to the first order:
/// assert_eq!(order.unsort(&sorted.as_slices())?.means, gaussians.means);
/// # Ok::<(), splat::RenderError>(())
/// ```
///
/// The ranges of a scene's views refer to indices. If views see different ranges of the Gaussians,
/// each range must be sorted by itself. The indices of [`Contributors`](crate::Contributors) are
/// those of the sorted Gaussians: [`indices`](Self::indices) maps them to the first order.
///
/// The curve has 2^21 cells along the longest side of the box of all means. Means of one cell keep
/// their order, so a mean millions of times farther away than the rest undoes the sorting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpatialOrder {
    /// For each place, the Gaussian that comes there.
    from: Vec<u32>,
}

impl SpatialOrder {
    /// Finds the order of Gaussians with these means `[N, 3]`.
    ///
    /// # Errors
    /// - [`RenderError::Shape`] if the length is no multiple of three.
    /// - [`RenderError::Capacity`] if there are more than 2^32 - 1 Gaussians, or if an allocation
    ///   fails.
    pub fn of<T: Number>(means: &[T]) -> Result<Self, RenderError> {
        let (means, rest) = means.as_chunks::<3>();
        if !rest.is_empty() {
            return Err(RenderError::shape(
                "means",
                "[N, 3]",
                3 * means.len() + rest.len(),
            ));
        }
        let count = u32::try_from(means.len()).map_err(|_| RenderError::Capacity {
            what: "indices of Gaussians",
            needed: means.len().to_string(),
            limit: u32::MAX.to_string(),
        })?;
        let bounds = bounds(means);
        let what = "codes of Gaussians [N]";
        let codes = (0..count).into_par_iter().zip(means);
        let codes = codes.map(|(i, mean)| (code(mean, &bounds), i));
        let mut codes = try_collected_in_parallel(what, codes)?;
        codes.par_sort_unstable();
        let from = codes.par_iter().map(|&(_, i)| i);
        Ok(Self {
            from: try_collected_in_parallel("order of Gaussians [N]", from)?,
        })
    }

    /// Returns, for each place in the order, the index of the Gaussian that comes there.
    pub fn indices(&self) -> &[u32] {
        &self.from
    }

    /// Returns the Gaussians, or gradients with respect to them, in this order.
    ///
    /// # Errors
    /// - [`RenderError::Shape`] if there are other numbers of Gaussians or elements.
    /// - [`RenderError::Capacity`] if an allocation fails.
    pub fn sort<T: Copy>(
        &self,
        gaussians: &Gaussians<&[T]>,
    ) -> Result<Gaussians<Vec<T>>, RenderError> {
        self.check(gaussians)?;
        gaussians.try_map(|rows| self.sort_rows(rows))
    }

    /// Undoes [`sort`](Self::sort): returns sorted Gaussians, or gradients with respect to them, in
    /// their first order.
    ///
    /// # Errors
    /// The errors of [`sort`](Self::sort).
    pub fn unsort<T: Copy>(
        &self,
        sorted: &Gaussians<&[T]>,
    ) -> Result<Gaussians<Vec<T>>, RenderError> {
        self.check(sorted)?;
        sorted.try_map(|rows| self.unsort_rows(rows))
    }

    /// Returns rows `[N, K]`, such as the coefficients of harmonics, in this order.
    ///
    /// # Errors
    /// - [`RenderError::Shape`] if the number of elements is no multiple of N.
    /// - [`RenderError::Capacity`] if an allocation fails.
    pub fn sort_rows<T: Copy>(&self, rows: &[T]) -> Result<Vec<T>, RenderError> {
        let width = self.width(rows)?;
        let mut sorted = try_reserved("sorted rows", rows.len())?;
        for &i in &self.from {
            sorted.extend_from_slice(&rows[i as usize * width..][..width]);
        }
        Ok(sorted)
    }

    /// Undoes [`sort_rows`](Self::sort_rows).
    ///
    /// # Errors
    /// The errors of [`sort_rows`](Self::sort_rows).
    pub fn unsort_rows<T: Copy>(&self, rows: &[T]) -> Result<Vec<T>, RenderError> {
        let width = self.width(rows)?;
        let mut first = try_reserved("rows in their first order", rows.len())?;
        first.extend_from_slice(rows);
        for (place, &i) in self.from.iter().enumerate() {
            let row = &rows[place * width..][..width];
            first[i as usize * width..][..width].copy_from_slice(row);
        }
        Ok(first)
    }

    /// Returns the number of elements of a row.
    fn width<T>(&self, rows: &[T]) -> Result<usize, RenderError> {
        let count = self.from.len();
        if rows.len().checked_rem(count).unwrap_or(rows.len()) != 0 {
            let expected = format!("a multiple of {count} elements, [N, K]");
            return Err(RenderError::shape("rows", expected, rows.len()));
        }
        Ok(rows.len() / count.max(1))
    }

    fn check<T>(&self, gaussians: &Gaussians<&[T]>) -> Result<(), RenderError> {
        gaussians.validate(|buffer| buffer.len())?;
        gaussians.encoding.check_by_gaussian()?;
        check_len(
            "gaussians.means",
            "[N, 3]",
            &[self.from.len(), 3],
            gaussians.means.len(),
        )
    }
}

/// The least coordinates of the finite means, and the number of cells per world unit.
struct Bounds {
    least: [f64; 3],
    cells: f64,
}

fn bounds<T: Number>(means: &[[T; 3]]) -> Bounds {
    let none = [[f64::INFINITY; 3], [f64::NEG_INFINITY; 3]];
    let wider = |[a, b]: [[f64; 3]; 2], [c, d]: [[f64; 3]; 2]| {
        [
            std::array::from_fn(|axis| a[axis].min(c[axis])),
            std::array::from_fn(|axis| b[axis].max(d[axis])),
        ]
    };
    let finite = means.par_iter().filter_map(finite).map(|mean| [mean; 2]);
    let [least, most] = finite.reduce(|| none, wider);
    // Cells are cubes, so that a flat scene is not cut into needles.
    let side = (0..3)
        .map(|axis| most[axis] - least[axis])
        .fold(0.0, f64::max);
    let last = f64::from((1u32 << BITS) - 1);
    Bounds {
        least,
        cells: if side > 0.0 { last / side } else { 0.0 },
    }
}

fn finite<T: Number>(mean: &[T; 3]) -> Option<[f64; 3]> {
    let mean = mean.map(T::to_f64);
    mean.iter().all(|x| x.is_finite()).then_some(mean)
}

/// Returns the Morton code of a mean: the bits of its three cells, interleaved.
fn code<T: Number>(mean: &[T; 3], bounds: &Bounds) -> u64 {
    let Some(mean) = finite(mean) else {
        return u64::MAX;
    };
    let bits = |axis: usize| {
        let cell = ((mean[axis] - bounds.least[axis]) * bounds.cells) as u64;
        spread(cell.min((1 << BITS) - 1)) << axis
    };
    bits(0) | bits(1) | bits(2)
}

/// Moves bit `k` of 21 bits to bit `3 k`.
fn spread(cell: u64) -> u64 {
    let mut bits = cell;
    for (shift, mask) in [
        (32, 0x001f_0000_0000_ffff),
        (16, 0x001f_0000_ff00_00ff),
        (8, 0x100f_00f0_0f00_f00f),
        (4, 0x10c3_0c30_c30c_30c3),
        (2, 0x1249_2492_4924_9249),
    ] {
        bits = (bits | bits << shift) & mask;
    }
    bits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_spread_by_three() {
        for cell in [0, 1, 5, 0x1f_ffff, 0x15_5555, 0x10_0001] {
            let expected = (0..BITS).fold(0, |bits, k| bits | (cell >> k & 1) << (3 * k));
            assert_eq!(spread(cell), expected, "{cell:x}");
        }
    }

    #[test]
    fn eighths_of_a_box_are_visited_in_one_piece() {
        let means: Vec<f32> = (0..512u32)
            .flat_map(|i| [i * 37 % 8, i * 101 / 8 % 8, i / 64].map(|x| x as f32))
            .collect();
        let order = SpatialOrder::of(&means).expect("whole rows");
        let eighth = |&i: &u32| {
            let mean = &means[3 * i as usize..][..3];
            mean.iter()
                .map(|&x| u8::from(x > 3.5))
                .fold(0, |sum, bit| 2 * sum + bit)
        };
        let mut visited: Vec<u8> = order.indices().iter().map(eighth).collect();
        visited.dedup();
        assert_eq!(visited.len(), 8, "{visited:?}");
    }

    #[test]
    fn means_that_are_nowhere_come_last_and_ties_keep_their_order() {
        let means = [
            f64::NAN,
            0.,
            0.,
            1.,
            1.,
            1.,
            0.,
            f64::INFINITY,
            0.,
            1.,
            1.,
            1.,
            0.,
            0.,
            0.,
        ];
        let order = SpatialOrder::of(&means).expect("whole rows");
        assert_eq!(order.indices(), [4, 1, 3, 0, 2]);
        let none = SpatialOrder::of::<f32>(&[]).expect("no rows");
        assert!(none.indices().is_empty());
        // All in one place, and a box whose sides overflow `f32`.
        assert_eq!(
            SpatialOrder::of(&[2.0f32; 9]).expect("rows").indices(),
            [0, 1, 2]
        );
        let wide = [f32::MAX, 0.0, 0.0, f32::MIN, 0.0, 0.0];
        assert_eq!(SpatialOrder::of(&wide).expect("rows").indices(), [1, 0]);
        assert!(SpatialOrder::of(&[0.0f32; 4]).is_err());
    }
}
