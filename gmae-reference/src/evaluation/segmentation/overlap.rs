//! Intersection over union.

use crate::data::PixelMask;
use crate::error::Error;

/// Left, top, right and bottom of a box, as fractions of the sides of the image.
pub type Corners = [f64; 4];

/// Computes the intersection over union of two boxes. The result is in `[0, 1]`. It is 0 if neither
/// box has an area. A box whose sides are not in order has none.
pub fn box_iou(a: Corners, b: Corners) -> f64 {
    let area =
        |[left, top, right, bottom]: Corners| (right - left).max(0.0) * (bottom - top).max(0.0);
    let both = area([
        a[0].max(b[0]),
        a[1].max(b[1]),
        a[2].min(b[2]),
        a[3].min(b[3]),
    ]);
    let either = area(a) + area(b) - both;
    if either > 0.0 { both / either } else { 0.0 }
}

/// Computes the intersection over union of two masks of the same size.
///
/// The pixels of `left_out` count nowhere. The result is in `[0, 1]`. It is 1 if neither mask has a
/// pixel that counts.
///
/// # Errors
///
/// [`Error::Argument`] if the sizes differ.
pub fn iou(
    prediction: &PixelMask,
    truth: &PixelMask,
    left_out: Option<&PixelMask>,
) -> Result<f64, Error> {
    check_size("size of a predicted mask", truth.size(), prediction.size())?;
    if let Some(left_out) = left_out {
        check_size(
            "size of a mask of undecided pixels",
            truth.size(),
            left_out.size(),
        )?;
    }
    let pairs = prediction.values().iter().zip(truth.values());
    let (mut both, mut either) = (0_usize, 0_usize);
    for (at, (&predicted, &true_)) in pairs.enumerate() {
        if left_out.is_none_or(|left_out| !left_out.values()[at]) {
            both += usize::from(predicted && true_);
            either += usize::from(predicted || true_);
        }
    }
    Ok(ratio(both, either))
}

/// Returns the ratio of two counts, and 1 for two counts of 0.
pub(super) fn ratio(both: usize, either: usize) -> f64 {
    if either == 0 {
        return 1.0;
    }
    both as f64 / either as f64
}

/// Checks a width and a height.
pub(super) fn check_size(
    argument: &'static str,
    expected: [usize; 2],
    got: [usize; 2],
) -> Result<(), Error> {
    if expected == got {
        return Ok(());
    }
    let words = |[width, height]: [usize; 2]| format!("{width} x {height} pixels");
    Err(Error::Argument {
        argument,
        expected: words(expected),
        got: words(got),
    })
}

#[cfg(test)]
mod tests {
    use super::super::examples::{drawn, random};
    use super::*;

    fn of(a: &[&str], b: &[&str]) -> f64 {
        iou(&drawn(a), &drawn(b), None).expect("sizes fit")
    }

    #[test]
    fn known_overlaps() {
        assert_eq!(of(&["##.."], &[".##."]), 1.0 / 3.0);
        assert_eq!(of(&["##.."], &["##.."]), 1.0);
        assert_eq!(of(&["##.."], &["..##"]), 0.0);
        assert_eq!(of(&["...."], &["...#"]), 0.0);
        assert_eq!(of(&["...."], &["...."]), 1.0);
        assert_eq!(of(&["####"], &["...#"]), 0.25);
    }

    #[test]
    fn known_overlaps_of_boxes() {
        let half = [0.0, 0.0, 0.5, 1.0];
        for (a, b, expected) in [
            (half, half, 1.0),
            (half, [0.0, 0.0, 1.0, 1.0], 0.5),
            (half, [0.25, 0.0, 0.75, 1.0], 1.0 / 3.0),
            // Boxes that touch, and boxes without an area.
            (half, [0.5, 0.0, 1.0, 1.0], 0.0),
            (half, [0.25, 0.5, 0.25, 0.75], 0.0),
            ([0.5; 4], [0.5; 4], 0.0),
            (half, [1.0, 1.0, 0.0, 0.0], 0.0),
        ] {
            assert_eq!(box_iou(a, b), expected, "{a:?}, {b:?}");
            assert_eq!(box_iou(b, a), expected, "{b:?}, {a:?}");
        }
    }

    #[test]
    fn undecided_pixels_count_nowhere() {
        let (prediction, truth) = (drawn(&["###."]), drawn(&["#..."]));
        let left_out = drawn(&[".##."]);
        let plain = iou(&prediction, &truth, None).expect("sizes fit");
        assert_eq!(plain, 1.0 / 3.0);
        let careful = iou(&prediction, &truth, Some(&left_out)).expect("sizes fit");
        assert_eq!(careful, 1.0);
    }

    #[test]
    fn the_overlap_is_symmetric_and_a_share() {
        for seed in 0..200 {
            let density = 0.05 + 0.9 * (seed % 10) as f64 / 9.0;
            let (a, b) = (random(seed, 9, 7, density), random(seed + 999, 9, 7, 0.5));
            let ab = iou(&a, &b, None).expect("sizes fit");
            assert_eq!(ab, iou(&b, &a, None).expect("sizes fit"));
            assert!((0.0..=1.0).contains(&ab));
            assert_eq!(iou(&a, &a, None).expect("sizes fit"), 1.0);
            assert_eq!(ab == 1.0, a == b);
            // The complement of what counts has no influence.
            let left_out = random(seed + 5000, 9, 7, 0.3);
            let cut = |mask: &PixelMask| {
                PixelMask::from_fn(9, 7, |x, y| mask.contains(x, y) && !left_out.contains(x, y))
            };
            let with = iou(&a, &b, Some(&left_out)).expect("sizes fit");
            assert_eq!(with, iou(&cut(&a), &cut(&b), None).expect("sizes fit"));
        }
    }

    #[test]
    fn other_sizes_are_refused() {
        let error = iou(&drawn(&["##"]), &drawn(&["#", "#"]), None).expect_err("a turned mask");
        assert_eq!(
            error.to_string(),
            "size of a predicted mask: expected 1 x 2 pixels, got 2 x 1 pixels"
        );
        let (mask, other) = (drawn(&["##"]), drawn(&["###"]));
        assert!(iou(&mask, &mask, Some(&other)).is_err());
    }
}
