//! Bounds of one splat: the greatest `sigma` at which it counts, its box, and the pixels in the
//! box.

use std::hint::select_unpredictable;
use std::ops::Range;

use crate::config::FOOTPRINT_SLACK;
use crate::formulas::double;
use crate::image::ImageSize;
use crate::math::Sym2;
use crate::number::Number;
use crate::scalar::Scalar;
use crate::splats::Splats;

/// Returns the greatest `sigma` at which a splat can count, plus [`FOOTPRINT_SLACK`] for rounding
/// (MATH eq. 16). Returns 0 if the opacity is below `alpha_min` or not finite.
#[inline(always)]
pub(crate) fn reach<T: Scalar>(opacity: T, alpha_min: f64) -> T {
    let alpha_min = T::from_f64(alpha_min);
    // Both tests are false for NaN.
    let counts = (opacity >= alpha_min) & opacity.finite();
    let reach = T::reach((opacity / alpha_min).ln(), T::from_f64(FOOTPRINT_SLACK));
    select_unpredictable(counts, reach, T::ZERO)
}

/// Returns the inverse of a conic or of a covariance. Returns `None` if the matrix is not positive
/// definite or if its determinant is not finite.
///
/// The computation is in `f64`. There the products of `f32` entries in the determinant are exact,
/// and only their difference is rounded.
pub(crate) fn inverse<T: Scalar>(m: Sym2<T>) -> Option<Sym2<T>> {
    let (xx, xy, yy) = (m.xx.to_f64(), m.xy.to_f64(), m.yy.to_f64());
    let det = xx * yy - xy * xy;
    let k = Sym2 { xx, xy, yy };
    (xx > 0.0 && yy > 0.0 && det > 0.0 && det.is_finite()).then(|| {
        let m = double::sym2::inverse(k, det);
        Sym2 {
            xx: T::from_f64(m.xx),
            xy: T::from_f64(m.xy),
            yy: T::from_f64(m.yy),
        }
    })
}

/// Returns half the width and half the height of a splat's box, px. `reach` is the result of
/// [`reach`].
///
/// Returns zeros if the splat is invisible: if `reach` is zero, if the centre or the box is not
/// finite, or if the box contains no pixel centre of an image of `[width, height]` px.
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

/// Whether [`pixel_range`] of finite arguments is not empty, computed without a branch. The first
/// pixel whose centre is not before `centre - half` must lie in the image, and its centre must not
/// be beyond `centre + half`.
#[inline(always)]
fn meets_pixel<T: Scalar>(centre: T, half: T, count: usize) -> bool {
    let (centre, half, count) = (centre.to_f64(), half.to_f64(), count as f64);
    let first = first_whole(centre - half - 0.5, count);
    (first < count) & (first + 1.0 <= centre + half + 0.5)
}

/// Returns the least integer that is at least `x`, clamped to `0 ..= count`. Returns 0 for NaN.
/// `count` must be less than 2^51.
#[inline(always)]
pub(crate) fn first_whole(x: f64, count: f64) -> f64 {
    let x = clamp(x, count);
    let nearest = x.nearest_whole();
    nearest + select_unpredictable(nearest < x, 1.0, 0.0)
}

/// Returns the greatest integer that is at most `x`, clamped to `0 ..= count`. Returns 0 for NaN.
/// `count` must be less than 2^51.
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

/// Returns the pixels `j` of `0..count` whose centres `j + 0.5` lie within `half` of `centre`.
#[inline(always)]
pub(crate) fn pixel_range<T: Scalar>(centre: T, half: T, count: usize) -> Range<usize> {
    let (centre, half) = (centre.to_f64(), half.to_f64());
    // `as usize` saturates and converts NaN to 0.
    let first = (centre - half - 0.5).ceil().max(0.0) as usize;
    let end = (centre + half + 0.5).floor().max(0.0) as usize;
    first..end.min(count)
}

/// Returns the pixels in the box of splat `m`, as an x range and a y range. Both are empty if the
/// splat is culled.
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
