//! Boxes that are the same in every image. They use the boxes of the images to learn from, or no
//! image.

use super::overlap::{Corners, box_iou};

/// Number of sizes of the centred box that are tried. They are spread evenly up to the whole image.
const SIZES: usize = 20;

/// Returns the box about the centre with `share` of the sides of the image.
pub(super) fn centred_box(share: f64) -> Corners {
    let (start, end) = (0.5 - share / 2.0, 0.5 + share / 2.0);
    [start, start, end, end]
}

/// Returns the box whose sides are the means over `boxes`. Without any, the box is empty.
pub(super) fn mean_box(boxes: &[Corners]) -> Corners {
    let count = boxes.len().max(1) as f64;
    [0, 1, 2, 3].map(|i| boxes.iter().map(|corners| corners[i]).sum::<f64>() / count)
}

/// Returns the trivial boxes with their names: the whole image, the centred box with the highest
/// mean overlap with `learned`, and the mean of `learned`. Of centred boxes with the same overlap,
/// the smallest is chosen.
pub fn constant_boxes(learned: &[Corners]) -> [(String, Corners); 3] {
    let overlap = |share: f64| {
        let centred = centred_box(share);
        learned.iter().map(|&b| box_iou(centred, b)).sum::<f64>()
    };
    let shares = (1..=SIZES).map(|size| size as f64 / SIZES as f64);
    let first = (1.0, f64::NEG_INFINITY);
    let (share, _) = shares
        .map(|share| (share, overlap(share)))
        .fold(
            first,
            |best, next| if next.1 > best.1 { next } else { best },
        );
    [
        ("whole image".to_owned(), [0.0, 0.0, 1.0, 1.0]),
        (
            format!("centred box with {share} of the sides"),
            centred_box(share),
        ),
        (
            "mean box of the images to learn from".to_owned(),
            mean_box(learned),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_boxes_follow_from_those_of_the_images_to_learn_from() {
        let learned = [[0.25, 0.25, 0.75, 0.75], [0.25, 0.0, 0.75, 0.5]];
        let [whole, centred, mean] = constant_boxes(&learned);
        assert_eq!(whole.1, [0.0, 0.0, 1.0, 1.0]);
        assert_eq!(centred.0, "centred box with 0.5 of the sides");
        assert_eq!(centred.1, [0.25, 0.25, 0.75, 0.75]);
        assert_eq!(mean.1, [0.25, 0.125, 0.75, 0.625]);
        // A larger object has a larger box.
        let [_, centred, _] = constant_boxes(&[[0.1, 0.1, 0.9, 0.9]]);
        assert_eq!(centred.0, "centred box with 0.8 of the sides");
        assert_eq!(mean_box(&[]), [0.0; 4]);
    }
}
