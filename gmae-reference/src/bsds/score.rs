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
        let chosen = images.iter().filter_map(|counts| best_counts(thresholds, counts));
        let chosen = chosen.fold(Counts::default(), |sum, counts| sum + counts);
        let best = images.iter().map(|counts| best_point(&points(thresholds, counts)));
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
    let sum = (0..=RECALLS).filter_map(precision).fold(0.0, |sum, p| sum + p);
    sum / RECALLS as f64
}
