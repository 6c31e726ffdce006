//! The protocol of Bar et al. (arXiv 2209.00647) for foreground segmentation and single-object
//! detection, and the same scores at the size of the image.
//!
//! In the published protocol, image and mask are resized to 111 x 111 pixels, and the ratio of
//! width to height is not kept. The image is resized bicubically. Each pixel of the resized mask
//! has the value at its centre. A score of at least one half belongs to the object. The result is
//! the mean over the images of the intersection over union, for the first 1000 items of the list.
//! A shorter list is repeated.

use super::components::largest_box;
use super::overlap::{check_size, iou};
use super::score_map::ScoreMap;
use crate::data::{Annotated, AnnotatedImage, Image, Layout, PixelMask, Rectangle, Truth};
use crate::error::Error;

/// Side of the images and masks of the published protocol: half of 224 pixels, less a margin of 1.
pub(super) const PUBLISHED_SIDE: usize = 111;
/// Number of items in the published mean.
const PUBLISHED_ITEMS: usize = 1000;
/// Largest side in pixels.
const MAX_SIDE: usize = 4096;

/// What is predicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// The pixels of the object.
    Segmentation,
    /// The box of the object. The predicted box is the smallest one around the largest connected
    /// component of the predicted pixels, and the score is that of the filled boxes. Where the
    /// annotation is a mask, the true box is the smallest one around all its pixels.
    Detection,
}

/// How pixels are scored that the annotators left undecided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undecided {
    /// They count as background.
    Background,
    /// They count nowhere.
    LeftOut,
}

/// The rules of an evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Protocol {
    /// What is predicted.
    pub task: Task,
    /// Side in pixels to which image and truth are resized. `None` for the size of the image.
    pub side: Option<usize>,
    /// How undecided pixels are scored. Boxes have none.
    pub undecided: Undecided,
}

/// The truth of one item, at the size at which it is scored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreparedTruth {
    /// The pixels of the object.
    pub foreground: PixelMask,
    /// The pixels that count nowhere.
    pub left_out: Option<PixelMask>,
}

impl Protocol {
    /// The published protocol. The published evaluation of PASCAL VOC counts undecided pixels as
    /// background. In other layouts they are left out.
    pub fn published(task: Task, layout: Option<Layout>) -> Self {
        Self {
            task,
            side: Some(PUBLISHED_SIDE),
            undecided: match layout {
                Some(Layout::Voc) => Undecided::Background,
                _ => Undecided::LeftOut,
            },
        }
    }

    /// Scores at the size of the image. Undecided pixels are left out.
    pub fn native(task: Task) -> Self {
        Self {
            task,
            side: None,
            undecided: Undecided::LeftOut,
        }
    }

    /// Returns the image that is predicted from, and the truth for the prediction.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] unless the side lies in 1..=4096.
    pub fn prepare(&self, item: &AnnotatedImage) -> Result<(Image, PreparedTruth), Error> {
        self.check()?;
        let size = [item.image.width, item.image.height];
        let image = match self.side {
            Some(side) => item.image.resized(side)?,
            None => item.image.clone(),
        };
        Ok((image, self.truth(&item.truth, size)?))
    }

    /// Returns the truth at the size at which it is scored. `image` is the size of the image.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] unless the side lies in 1..=4096.
    pub fn truth(&self, truth: &Truth, image: [usize; 2]) -> Result<PreparedTruth, Error> {
        self.check()?;
        let [width, height] = self.side.map_or(image, |side| [side; 2]);
        if self.task == Task::Detection {
            let [own_width, own_height] = truth.foreground.size();
            let whole = filled(own_width, own_height, truth.foreground.bounds());
            return Ok(PreparedTruth {
                foreground: whole.resized(width, height),
                left_out: None,
            });
        }
        let undecided = match self.undecided {
            Undecided::Background => None,
            Undecided::LeftOut => truth.undecided.as_ref(),
        };
        Ok(PreparedTruth {
            foreground: truth.foreground.resized(width, height),
            left_out: undecided.map(|mask| mask.resized(width, height)),
        })
    }

    /// Scores a predicted mask.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] if the mask does not have the size of the truth.
    pub fn score(&self, prediction: &PixelMask, truth: &PreparedTruth) -> Result<f64, Error> {
        let left_out = truth.left_out.as_ref();
        match self.task {
            Task::Segmentation => iou(prediction, &truth.foreground, left_out),
            Task::Detection => {
                let [width, height] = prediction.size();
                let predicted = filled(width, height, largest_box(prediction));
                iou(&predicted, &truth.foreground, left_out)
            }
        }
    }

    fn check(&self) -> Result<(), Error> {
        match self.side {
            Some(side) if !(1..=MAX_SIDE).contains(&side) => Err(Error::Argument {
                argument: "side of an evaluation",
                expected: format!("1 to {MAX_SIDE} pixels"),
                got: side.to_string(),
            }),
            _ => Ok(()),
        }
    }
}

/// Returns the pixels of a box, or none.
fn filled(width: usize, height: usize, rectangle: Option<Rectangle>) -> PixelMask {
    rectangle.map_or_else(
        || PixelMask::from_fn(width, height, |_, _| false),
        |rectangle| PixelMask::filled(width, height, rectangle),
    )
}

/// Scores a predictor on the first `items` items of a set. `predict` receives the index of an item
/// and its image. It returns a map of the size of this image. The result is one score per item.
///
/// # Errors
///
/// [`Error::Argument`] unless `items` lies in 1 to the number of items, the side lies in 1..=4096,
/// and every map has the size of its image. [`Error::Data`] if an item cannot be read. All errors
/// of `predict`.
pub fn score(
    set: &Annotated,
    protocol: &Protocol,
    items: usize,
    mut predict: impl FnMut(usize, &Image) -> Result<ScoreMap, Error>,
) -> Result<Vec<f64>, Error> {
    check_items(set, items)?;
    let one = |index| {
        let (image, truth) = protocol.prepare(&set.item(index)?)?;
        let map = predict(index, &image)?;
        check_size(
            "size of a predicted map",
            [image.width, image.height],
            map.size(),
        )?;
        protocol.score(&map.mask(), &truth)
    };
    (0..items).map(one).collect()
}

/// Checks the number of items of an evaluation.
pub(super) fn check_items(set: &Annotated, items: usize) -> Result<(), Error> {
    let all = set.len();
    if (1..=all).contains(&items) {
        return Ok(());
    }
    Err(Error::Argument {
        argument: "number of annotated images",
        expected: format!("1 to {all}"),
        got: items.to_string(),
    })
}

/// Returns the published mean: the mean over the first 1000 scores of the list, which is repeated
/// if it is shorter. `None` for an empty list.
pub fn cycled_mean(scores: &[f64]) -> Option<f64> {
    if scores.is_empty() {
        return None;
    }
    let sum: f64 = scores.iter().cycle().take(PUBLISHED_ITEMS).sum();
    Some(sum / PUBLISHED_ITEMS as f64)
}

#[cfg(test)]
mod tests {
    use super::super::examples::drawn;
    use super::*;
    use crate::data::Shapes;

    fn truth(rows: &[&str], undecided: Option<&[&str]>) -> Truth {
        Truth {
            foreground: drawn(rows),
            undecided: undecided.map(drawn),
            rectangle: None,
        }
    }

    #[test]
    fn image_and_truth_are_resized_without_their_ratio() {
        let item = AnnotatedImage {
            name: "bar".to_owned(),
            image: Image::filled(8, 2, [0.25, 0.5, 0.75]),
            truth: truth(&["##......", "##......"], Some(&["..#.....", "..#....."])),
        };
        let protocol = Protocol::published(Task::Segmentation, Some(Layout::Trimaps));
        let (image, prepared) = protocol.prepare(&item).expect("a valid side");
        assert_eq!((image.width, image.height), (111, 111));
        let colour = image.pixel(55, 55).expect("inside");
        assert!(
            colour
                .iter()
                .zip([0.25, 0.5, 0.75])
                .all(|(a, b)| (a - b).abs() < 0.003)
        );
        assert_eq!(prepared.foreground.size(), [111, 111]);
        // The centres of the first 28 columns lie left of column 2 of 8.
        assert_eq!(prepared.foreground.count(), 28 * 111);
        assert_eq!(
            prepared.left_out.as_ref().map(PixelMask::count),
            Some(14 * 111)
        );
        let published = Protocol::published(Task::Segmentation, Some(Layout::Voc));
        assert_eq!(
            published.prepare(&item).expect("a valid side").1.left_out,
            None
        );
        let (image, prepared) = Protocol::native(Task::Segmentation)
            .prepare(&item)
            .expect("no side");
        assert_eq!(image, item.image);
        assert_eq!(prepared.foreground, item.truth.foreground);
        let wrong = Protocol {
            side: Some(0),
            ..published
        };
        let error = wrong.prepare(&item).expect_err("no pixels");
        assert!(
            error.to_string().contains("1 to 4096 pixels, got 0"),
            "{error}"
        );
    }

    #[test]
    fn detection_scores_the_box_of_the_largest_component() {
        let protocol = Protocol::native(Task::Detection);
        let box_truth = truth(&["......", ".###..", ".###.."], None);
        let prepared = protocol.truth(&box_truth, [6, 3]).expect("no side");
        let score = |rows: &[&str]| protocol.score(&drawn(rows), &prepared).expect("sizes fit");
        // The corners of the box are enough, if they are connected.
        assert_eq!(score(&["......", ".##...", "...#.."]), 1.0);
        // A pixel elsewhere does not enlarge the box, but it does as the segmentation.
        assert_eq!(score(&["#....#", "......", ".###.."]), 0.5);
        assert_eq!(score(&["......", "......", "......"]), 0.0);
        let of_mask = truth(
            &["......", ".#.#..", "..#..."],
            Some(&["######", "......", "......"]),
        );
        let of_mask = protocol.truth(&of_mask, [6, 3]).expect("no side");
        assert_eq!(of_mask, prepared);
        let as_mask = Protocol::native(Task::Segmentation);
        let mask = drawn(&["......", ".##...", "...#.."]);
        assert_eq!(as_mask.score(&mask, &prepared).expect("sizes fit"), 0.5);
    }

    #[test]
    fn the_truth_scores_one_and_its_complement_zero() {
        let set = Annotated::shapes(Shapes::new(3, 5, 24).expect("a valid size"));
        for protocol in [
            Protocol::published(Task::Segmentation, None),
            Protocol::native(Task::Segmentation),
        ] {
            let truth_of = |index| -> Result<PixelMask, Error> {
                let (truth, size) = set.truth(index)?;
                Ok(protocol.truth(&truth, size)?.foreground)
            };
            let right = score(&set, &protocol, 5, |i, _| Ok((&truth_of(i)?).into()));
            assert_eq!(right.expect("scores"), [1.0; 5]);
            let wrong = score(&set, &protocol, 4, |i, _| {
                let mask = truth_of(i)?;
                let [width, height] = mask.size();
                Ok((&PixelMask::from_fn(width, height, |x, y| !mask.contains(x, y))).into())
            });
            assert_eq!(wrong.expect("scores"), [0.0; 4]);
        }
    }

    #[test]
    fn a_wrong_size_and_a_wrong_number_are_refused() {
        let set = Annotated::shapes(Shapes::new(3, 2, 24).expect("a valid size"));
        let protocol = Protocol::published(Task::Segmentation, None);
        let small = |_: usize, _: &Image| ScoreMap::new(24, 24, vec![1.0; 24 * 24]);
        let error = score(&set, &protocol, 1, small).expect_err("a small map");
        assert_eq!(
            error.to_string(),
            "size of a predicted map: expected 111 x 111 pixels, got 24 x 24 pixels"
        );
        for items in [0, 3] {
            let error = score(&set, &protocol, items, small).expect_err("not the number");
            let words = format!("number of annotated images: expected 1 to 2, got {items}");
            assert_eq!(error.to_string(), words);
        }
    }

    #[test]
    fn a_short_list_is_repeated_to_a_thousand() {
        // 334 times the first score, and 333 times each of the others.
        let mean = cycled_mean(&[1.0, 0.0, 0.0]).expect("scores");
        assert!((mean - 0.334).abs() < 1e-12, "{mean}");
        let mut long = vec![0.5; 1000];
        long.extend([1.0; 500]);
        assert_eq!(cycled_mean(&long), Some(0.5));
        assert_eq!(cycled_mean(&[]), None);
    }
}
