//! Rows without a model, for comparison. They use the truth of other images or nothing.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::constant_boxes::{centred_box, mean_box};
use super::overlap::Corners;
use super::protocol::{PUBLISHED_SIDE, PreparedTruth, Protocol, Task, check_items};
use crate::data::{Annotated, PixelMask};
use crate::error::Error;

/// Radii of the centred ellipse, and half the sides of the centred box, as fractions of half the
/// sides of the image.
const RADIUS: f64 = 0.6;

/// A prediction without a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Baseline {
    /// Every pixel.
    Everything,
    /// For masks, an ellipse about the centre with radii of 0.6 of the half sides of the image. For
    /// boxes, a box about the centre with 0.6 of the sides of the image.
    Centre,
    /// For masks, the pixels that belong to the object in at least half of the other images. For
    /// boxes, the box whose corners are the means over the other images, as fractions of the sides.
    MeanOfOthers,
    /// The object of another image, drawn at random.
    RandomOther,
}

impl Baseline {
    /// The name of the row in a table.
    pub fn name(self, task: Task) -> &'static str {
        match (self, task) {
            (Self::Everything, Task::Segmentation) => "everything",
            (Self::Everything, Task::Detection) => "whole image",
            (Self::Centre, Task::Segmentation) => "centred ellipse",
            (Self::Centre, Task::Detection) => "centred box",
            (Self::MeanOfOthers, Task::Segmentation) => "mean of the other masks",
            (Self::MeanOfOthers, Task::Detection) => "mean of the other boxes",
            (Self::RandomOther, Task::Segmentation) => "a random other mask",
            (Self::RandomOther, Task::Detection) => "a random other box",
        }
    }
}

/// The scores of a baseline, one for each item.
#[derive(Clone, Debug, PartialEq)]
pub struct BaselineRow {
    /// The baseline.
    pub baseline: Baseline,
    /// One score per item.
    pub scores: Vec<f64>,
}

/// Scores every baseline on the first `items` items of a set. Images are not decoded. The rows that
/// need other images are missing for a single item.
///
/// Other images are other items among the first `items`. Their masks are resized to the size of the
/// item, from 111 x 111 pixels if the protocol has no side. Undecided pixels do not belong to an
/// object. `seed` determines the random other images.
///
/// # Errors
///
/// [`Error::Argument`] unless `items` lies in 1 to the number of items and the side of the protocol
/// lies in 1..=4096. [`Error::Data`] if an item cannot be read.
pub fn baseline_rows(
    set: &Annotated,
    protocol: &Protocol,
    items: usize,
    seed: u64,
) -> Result<Vec<BaselineRow>, Error> {
    check_items(set, items)?;
    let others = Others::read(set, protocol, items, seed)?;
    let baselines = [
        Baseline::Everything,
        Baseline::Centre,
        Baseline::MeanOfOthers,
        Baseline::RandomOther,
    ];
    let count = if items > 1 { 4 } else { 2 };
    let scores: Result<Vec<Vec<f64>>, Error> = (0..items)
        .into_par_iter()
        .map(|index| {
            let truth = others.truth(set, protocol, index)?;
            let predicted = baselines[..count].iter().map(|baseline| {
                let mask =
                    others.prediction(*baseline, protocol.task, index, truth.foreground.size());
                protocol.score(&mask, &truth)
            });
            predicted.collect()
        })
        .collect();
    let scores = scores?;
    let rows = baselines[..count].iter().enumerate();
    Ok(rows
        .map(|(row, &baseline)| BaselineRow {
            baseline,
            scores: scores.iter().map(|item| item[row]).collect(),
        })
        .collect())
}

/// The objects of all items at one size.
struct Others {
    side: usize,
    seed: u64,
    truths: Vec<PreparedTruth>,
    /// Number of items whose object has the pixel.
    sums: Vec<usize>,
    /// The box of each object, if the object has a pixel at this size.
    boxes: Vec<Option<Corners>>,
}

impl Others {
    fn read(set: &Annotated, protocol: &Protocol, items: usize, seed: u64) -> Result<Self, Error> {
        let side = protocol.side.unwrap_or(PUBLISHED_SIDE);
        let square = Protocol {
            side: Some(side),
            ..*protocol
        };
        let read = |index| {
            let (truth, size) = set.truth(index)?;
            square.truth(&truth, size)
        };
        let truths: Result<Vec<_>, Error> = (0..items).into_par_iter().map(read).collect();
        let truths = truths?;
        let mut sums = vec![0; side * side];
        for truth in &truths {
            let values = truth.foreground.values();
            sums.iter_mut()
                .zip(values)
                .for_each(|(sum, &value)| *sum += usize::from(value));
        }
        let boxes = truths.iter().map(|truth| {
            let bounds = truth.foreground.bounds()?;
            Some(bounds.fractions([side; 2]))
        });
        Ok(Self {
            side,
            seed,
            boxes: boxes.collect(),
            truths,
            sums,
        })
    }

    /// Returns the truth of an item at the size at which it is scored.
    fn truth(
        &self,
        set: &Annotated,
        protocol: &Protocol,
        index: usize,
    ) -> Result<PreparedTruth, Error> {
        if protocol.side.is_some() {
            return Ok(self.truths[index].clone());
        }
        let (truth, size) = set.truth(index)?;
        protocol.truth(&truth, size)
    }

    /// Returns the prediction of a baseline for item `index`, of `width` x `height` pixels.
    fn prediction(
        &self,
        baseline: Baseline,
        task: Task,
        index: usize,
        [width, height]: [usize; 2],
    ) -> PixelMask {
        match baseline {
            Baseline::Everything => PixelMask::from_fn(width, height, |_, _| true),
            Baseline::Centre => centred(task, width, height),
            Baseline::MeanOfOthers => match task {
                Task::Segmentation => self.mean_without(index).resized(width, height),
                Task::Detection => box_mask(self.mean_box_without(index), width, height),
            },
            Baseline::RandomOther => {
                let other = &self.truths[self.drawn_other(index)];
                other.foreground.resized(width, height)
            }
        }
    }

    fn mean_without(&self, index: usize) -> PixelMask {
        let own = self.truths[index].foreground.values();
        let others = self.truths.len() - 1;
        PixelMask::from_fn(self.side, self.side, |x, y| {
            let at = y * self.side + x;
            2 * (self.sums[at] - usize::from(own[at])) >= others
        })
    }

    /// Returns the mean of the boxes of the other items. Without any, the box is empty.
    fn mean_box_without(&self, index: usize) -> Corners {
        let others = self.boxes.iter().enumerate().filter(|(i, _)| *i != index);
        let others: Vec<Corners> = others.filter_map(|(_, corners)| *corners).collect();
        mean_box(&others)
    }

    /// Draws an item other than `index`. There are at least two.
    fn drawn_other(&self, index: usize) -> usize {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        rng.set_stream(index as u64);
        let drawn = rng.random_range(0..self.truths.len() as u64 - 1) as usize;
        if drawn < index { drawn } else { drawn + 1 }
    }
}

/// Returns the centred ellipse, or the centred box.
fn centred(task: Task, width: usize, height: usize) -> PixelMask {
    if task == Task::Detection {
        return box_mask(centred_box(RADIUS), width, height);
    }
    let from_centre = |at: usize, size: usize| 2.0 * centre(at, size) - 1.0;
    PixelMask::from_fn(width, height, |x, y| {
        let (x, y) = (from_centre(x, width), from_centre(y, height));
        x * x + y * y <= RADIUS * RADIUS
    })
}

/// Returns the pixels whose centres lie in a box.
pub(crate) fn box_mask(
    [left, top, right, bottom]: Corners,
    width: usize,
    height: usize,
) -> PixelMask {
    PixelMask::from_fn(width, height, |x, y| {
        (left..right).contains(&centre(x, width)) && (top..bottom).contains(&centre(y, height))
    })
}

/// Returns the centre of a pixel as a fraction of the side of the image.
fn centre(at: usize, size: usize) -> f64 {
    (2 * at + 1) as f64 / (2 * size) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Rectangle, Shapes};

    fn scenes(count: usize) -> Annotated {
        Annotated::shapes(Shapes::new(5, count, 32).expect("a valid size"))
    }

    #[test]
    fn the_centre_has_its_area() {
        let share = |task| centred(task, 400, 300).count() as f64 / 120_000.0;
        let ellipse = std::f64::consts::PI / 4.0 * 0.36;
        assert!((share(Task::Segmentation) - ellipse).abs() < 0.001);
        assert!((share(Task::Detection) - 0.36).abs() < 0.005);
        assert_eq!(centred(Task::Segmentation, 0, 3).count(), 0);
    }

    /// The score of everything is the share of the object.
    #[test]
    fn everything_scores_the_share_of_the_object() {
        let set = scenes(6);
        let protocol = Protocol::native(Task::Segmentation);
        let rows = baseline_rows(&set, &protocol, 6, 0).expect("six scenes");
        assert_eq!(rows.len(), 4);
        for (index, score) in rows[0].scores.iter().enumerate() {
            let (truth, _) = set.truth(index).expect("a scene");
            assert_eq!(*score, truth.foreground.count() as f64 / 1024.0);
        }
    }

    #[test]
    fn an_item_is_not_its_own_other() {
        let protocol = Protocol::published(Task::Segmentation, None);
        let others = Others::read(&scenes(7), &protocol, 7, 1).expect("scenes");
        let mut seen = std::collections::BTreeSet::new();
        for index in 0..7 {
            for seed in 0..60 {
                let others = Others {
                    seed,
                    truths: others.truths.clone(),
                    sums: Vec::new(),
                    boxes: Vec::new(),
                    ..others
                };
                let other = others.drawn_other(index);
                assert!(other < 7 && other != index);
                seen.insert((index, other));
            }
        }
        assert_eq!(seen.len(), 42);
    }

    /// With two items each is predicted by the other, so that the last two rows are equal.
    #[test]
    fn the_mean_leaves_the_item_out() {
        let protocol = Protocol::published(Task::Segmentation, None);
        let rows = baseline_rows(&scenes(2), &protocol, 2, 9).expect("two scenes");
        assert_eq!(rows[2].scores, rows[3].scores);
        assert_eq!(rows[2].scores[0], rows[2].scores[1]);
        assert!(rows[2].scores[0] < 1.0);
        let others = Others::read(&scenes(5), &protocol, 5, 0).expect("five scenes");
        for index in 0..5 {
            let mean = others.mean_without(index);
            for at in 0..111 * 111 {
                let votes = (0..5)
                    .filter(|&i| i != index && others.truths[i].foreground.values()[at])
                    .count();
                assert_eq!(mean.values()[at], votes >= 2);
            }
        }
    }

    #[test]
    fn the_mean_box_leaves_the_item_out() {
        let protocol = Protocol::native(Task::Detection);
        let mut others = Others::read(&scenes(3), &protocol, 3, 0).expect("three scenes");
        others.boxes = vec![
            Some([0.0, 0.0, 1.0, 1.0]),
            Some([0.25, 0.5, 0.5, 1.0]),
            Some([0.75, 0.5, 1.0, 1.0]),
        ];
        assert_eq!(others.mean_box_without(0), [0.5, 0.5, 0.75, 1.0]);
        assert_eq!(others.mean_box_without(2), [0.125, 0.25, 0.75, 1.0]);
        let mask = others.prediction(Baseline::MeanOfOthers, Task::Detection, 0, [8, 4]);
        let expected = Rectangle::new(4, 2, 6, 4).expect("pixels");
        assert_eq!(mask, PixelMask::filled(8, 4, expected));
        others.boxes = vec![Some([0.0, 0.0, 1.0, 1.0]), None, None];
        assert_eq!(box_mask(others.mean_box_without(0), 8, 4).count(), 0);
    }

    #[test]
    fn rows_follow_from_the_seed() {
        let protocol = Protocol::native(Task::Detection);
        let rows = |seed| baseline_rows(&scenes(12), &protocol, 12, seed).expect("scenes");
        assert_eq!(rows(4), rows(4));
        assert_ne!(rows(4)[3], rows(5)[3]);
        assert_eq!(rows(4)[..3], rows(5)[..3]);
        assert_eq!(
            baseline_rows(&scenes(1), &protocol, 1, 0)
                .expect("a scene")
                .len(),
            2
        );
        assert!(baseline_rows(&scenes(1), &protocol, 2, 0).is_err());
    }
}
