//! The scores of the benchmark, from the counts of all images.
//!
//! Source: Arbelaez, Maire, Fowlkes and Malik (2011), "Contour detection and hierarchical image
//! segmentation", section 3.

use super::counts::{Counts, Thresholds};

/// Number of points from one threshold to the next, both included, at which F is evaluated.
const STEPS: usize = 100;
/// Number of steps of recall of the average precision.
const RECALLS: usize = 100;

/// Recall, precision and F-measure at a threshold.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Point {
    /// Threshold of the edge map. Not a number where every image has its own.
    pub threshold: f64,
    /// Part of the boundary pixels that have a partner.
    pub recall: f64,
    /// Part of the edge pixels that have a partner.
    pub precision: f64,
}

impl Point {
    /// Creates the point of counts. A ratio without a pixel is zero.
    pub fn new(threshold: f64, counts: &Counts) -> Self {
        let ratio = |part: u64, whole: u64| part as f64 / whole.max(1) as f64;
        Self {
            threshold,
            recall: ratio(counts.matched_boundaries, counts.boundaries),
            precision: ratio(counts.matched_edges, counts.edges),
        }
    }

    /// The harmonic mean of precision and recall, or zero if both are zero.
    pub fn f(&self) -> f64 {
        let sum = self.precision + self.recall;
        if sum > 0.0 {
            2.0 * self.precision * self.recall / sum
        } else {
            0.0
        }
    }
}

/// The scores of a method.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scores {
    /// Recall and precision of all images at every threshold, in increasing order.
    pub curve: Vec<Point>,
    /// The best point with one threshold for all images (ODS), between the points of the curve.
    pub ods: Point,
    /// The point with the best threshold of each image (OIS).
    pub ois: Point,
    /// Average precision (AP).
    pub ap: f64,
    /// The best point of each image (between its thresholds), in the order of the images.
    pub images: Vec<Point>,
}

impl Scores {
    /// Computes the scores from the counts of every image, one [`Counts`] for each threshold.
    pub fn new(thresholds: Thresholds, images: &[Vec<Counts>]) -> Self {
        let sums = (0..thresholds.count()).map(|index| {
            let counts = images.iter().filter_map(|counts| counts.get(index));
            counts.fold(Counts::default(), |sum, &counts| sum + counts)
        });
        let sums: Vec<Counts> = sums.collect();
        let curve = points(thresholds, &sums);
        let chosen = images
            .iter()
            .filter_map(|counts| best_counts(thresholds, counts));
        let chosen = chosen.fold(Counts::default(), |sum, counts| sum + counts);
        let best = images
            .iter()
            .map(|counts| best_point(&points(thresholds, counts)));
        Self {
            ods: best_point(&curve),
            ois: Point::new(f64::NAN, &chosen),
            ap: average_precision(&curve),
            images: best.collect(),
            curve,
        }
    }
}

fn points(thresholds: Thresholds, counts: &[Counts]) -> Vec<Point> {
    let points = thresholds.values().zip(counts);
    points.map(|(at, counts)| Point::new(at, counts)).collect()
}

/// The counts at the threshold of the largest F, the lowest such threshold.
fn best_counts(thresholds: Thresholds, counts: &[Counts]) -> Option<Counts> {
    let mut best: Option<(f64, Counts)> = None;
    for (point, counts) in points(thresholds, counts).iter().zip(counts) {
        if best.is_none_or(|best| point.f() > best.0) {
            best = Some((point.f(), *counts));
        }
    }
    best.map(|best| best.1)
}

/// The point of the largest F on the lines between neighbouring points. Recall and precision are
/// linear on a line.
fn best_point(points: &[Point]) -> Point {
    let mut best = points.first().copied().unwrap_or_default();
    for pair in points.windows(2) {
        for step in 0..STEPS {
            let part = step as f64 / (STEPS - 1) as f64;
            let mix = |from: f64, to: f64| to * part + from * (1.0 - part);
            let point = Point {
                threshold: mix(pair[0].threshold, pair[1].threshold),
                recall: mix(pair[0].recall, pair[1].recall),
                precision: mix(pair[0].precision, pair[1].precision),
            };
            if point.f() > best.f() {
                best = point;
            }
        }
    }
    best
}

/// The mean precision at the recalls 0, 0.01, .. 1. Between the points of the curve the precision
/// is linear, and outside them it is zero. The sum over 101 recalls is divided by 100, as in the
/// benchmark. Of points with the same recall the one of the highest threshold counts.
fn average_precision(curve: &[Point]) -> f64 {
    let mut points: Vec<Point> = curve.to_vec();
    points.sort_by(|a, b| {
        let recall = a.recall.total_cmp(&b.recall);
        recall.then(b.threshold.total_cmp(&a.threshold))
    });
    points.dedup_by_key(|point| point.recall);
    let precision = |step: usize| {
        let recall = step as f64 / RECALLS as f64;
        let line = points.windows(2).find(|pair| recall <= pair[1].recall)?;
        let [from, to] = [line[0], line[1]];
        let part = (recall - from.recall) / (to.recall - from.recall);
        (part >= 0.0).then_some(from.precision + part * (to.precision - from.precision))
    };
    let sum = (0..=RECALLS)
        .filter_map(precision)
        .fold(0.0, |sum, p| sum + p);
    sum / RECALLS as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts with a recall and a precision in millionths.
    fn counts(recall: u64, precision: u64) -> Counts {
        Counts {
            matched_boundaries: recall,
            boundaries: 1_000_000,
            matched_edges: precision,
            edges: 1_000_000,
        }
    }

    fn near(got: f64, want: f64) {
        assert!((got - want).abs() < 2e-6, "{got}, expected {want}");
    }

    /// The points and the scores that the benchmark prints for its five images.
    #[test]
    fn official_points_give_the_official_scores() {
        let points = [
            (602_360, 848_723),
            (443_249, 926_853),
            (383_339, 967_137),
            (380_404, 986_264),
            (274_124, 996_101),
        ];
        let all = points.map(|(recall, precision)| counts(recall, precision));
        let scores = Scores::new(Thresholds::new(5).expect("five"), &[all.to_vec()]);
        near(scores.ods.f(), 0.704_628);
        near(scores.ods.threshold, 1.0 / 6.0);
        near(scores.ap, 0.307_627);
        near(scores.curve[1].f(), 0.599_702);
        assert_eq!(scores.images, [scores.ods]);
    }

    #[test]
    fn each_image_has_its_own_threshold() {
        let images = [
            vec![counts(800_000, 500_000), counts(200_000, 900_000)],
            vec![counts(900_000, 100_000), counts(600_000, 700_000)],
        ];
        let scores = Scores::new(Thresholds::new(2).expect("two"), &images);
        // 800 + 600 of 2000, and 500 + 700 of 2000.
        near(scores.ois.recall, 0.7);
        near(scores.ois.precision, 0.6);
        near(scores.curve[0].recall, 0.85);
        // The best point lies between the thresholds: both sums are linear there.
        let best = (0..=99).map(|step| {
            let part = f64::from(step) / 99.0;
            let (recall, precision) = (0.85 - 0.45 * part, 0.3 + 0.5 * part);
            2.0 * recall * precision / (recall + precision)
        });
        near(scores.ods.f(), best.fold(0.0, f64::max));
        assert!(scores.ods.f() > scores.curve[0].f().max(scores.curve[1].f()));
    }

    #[test]
    fn empty_counts_give_zeros() {
        let thresholds = Thresholds::new(3).expect("three");
        let nothing = vec![Counts::default(); 3];
        for images in [&[][..], &[nothing]] {
            let scores = Scores::new(thresholds, images);
            assert_eq!((scores.ods.f(), scores.ois.f(), scores.ap), (0.0, 0.0, 0.0));
            assert!(scores.ap.is_sign_positive());
        }
        // A single recall has no area.
        let same = vec![counts(500_000, 500_000); 3];
        let scores = Scores::new(thresholds, &[same]);
        assert_eq!((scores.ods.f(), scores.ap), (0.5, 0.0));
    }

    #[test]
    fn precision_is_linear_between_recalls() {
        let thresholds = Thresholds::new(3).expect("three");
        let all = vec![
            counts(1_000_000, 0),
            counts(0, 900_000),
            counts(0, 1_000_000),
        ];
        // At recall 0 the highest threshold counts: the line goes from 1 to 0.
        near(Scores::new(thresholds, &[all]).ap, 0.505);
    }
}
