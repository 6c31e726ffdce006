//! The counts of one image: how many pixels have a partner at every threshold.

use super::annotations::Annotations;
use super::bitmap::Bitmap;
use super::map::EdgeMap;
use super::matching::Matcher;
use super::thin::thin;

/// Evenly spaced thresholds between 0 and 1: threshold `i` of `n` is `i / (n + 1)`, from `i = 1`.
///
/// They are rounded as in the benchmark, which computes `a + i (b - a) / (n - 1)` from the first
/// threshold `a` and the last `b`. The rounding decides whether a value of an eight-bit map reaches
/// a threshold: 51 of 255 reaches the threshold 1/5 of 99 thresholds, and 85 of 255 does not reach
/// the threshold 1/3 of five.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Thresholds {
    count: usize,
}

impl Default for Thresholds {
    /// The 99 thresholds of the benchmark.
    fn default() -> Self {
        Self { count: 99 }
    }
}

impl Thresholds {
    /// Largest number of thresholds.
    pub const MOST: usize = 999;

    /// Creates `count` thresholds, or `None` if the number is 0 or larger than
    /// [`MOST`](Self::MOST).
    pub fn new(count: usize) -> Option<Self> {
        (1..=Self::MOST).contains(&count).then_some(Self { count })
    }

    /// Number of thresholds.
    pub fn count(self) -> usize {
        self.count
    }

    /// The thresholds, in increasing order.
    pub fn values(self) -> impl Iterator<Item = f64> {
        (0..self.count).map(move |index| self.value(index))
    }

    fn value(self, index: usize) -> f64 {
        let first = 1.0 / (self.count + 1) as f64;
        let length = (1.0 - first) - first;
        // With one threshold the index is zero.
        let steps = self.count.saturating_sub(1).max(1);
        first + index as f64 * length / steps as f64
    }

    /// The smallest value of an edge map that reaches threshold `index`, counted from 0.
    fn least(self, index: usize) -> u8 {
        let threshold = self.value(index);
        let reaches = |&value: &u8| f64::from(value) / 255.0 >= threshold;
        // The largest threshold is below 1.
        (0..u8::MAX).find(reaches).unwrap_or(u8::MAX)
    }
}

/// The counts of one threshold, of one image or summed over images.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, serde::Deserialize, serde::Serialize)]
pub struct Counts {
    /// Boundary pixels with a partner, summed over annotators (`cntR` of the benchmark).
    pub matched_boundaries: u64,
    /// Boundary pixels, summed over annotators (`sumR`).
    pub boundaries: u64,
    /// Edge pixels of the thinned map with a partner at any annotator (`cntP`).
    pub matched_edges: u64,
    /// Edge pixels of the thinned map (`sumP`).
    pub edges: u64,
}

impl Counts {
    /// Whether no set has more pixels with a partner than pixels.
    pub(super) fn plausible(&self) -> bool {
        self.matched_boundaries <= self.boundaries && self.matched_edges <= self.edges
    }
}

impl std::ops::Add for Counts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            matched_boundaries: self.matched_boundaries + other.matched_boundaries,
            boundaries: self.boundaries + other.boundaries,
            matched_edges: self.matched_edges + other.matched_edges,
            edges: self.edges + other.edges,
        }
    }
}

/// Counts the pixels of a map at all thresholds. Map and annotations must have the same size.
///
/// The result is `None` if `go_on` returns false, which is asked before every threshold.
pub fn count(
    map: &EdgeMap,
    annotations: &Annotations,
    thresholds: Thresholds,
    go_on: &dyn Fn() -> bool,
) -> Option<Vec<Counts>> {
    let mut matcher = Matcher::new(map.width(), map.height());
    let mut counts: Vec<Counts> = Vec::with_capacity(thresholds.count());
    let mut last: Option<(u8, Bitmap)> = None;
    for index in 0..thresholds.count() {
        if !go_on() {
            return None;
        }
        let least = thresholds.least(index);
        let same = last.as_ref().is_some_and(|last| last.0 == least);
        if !same {
            let edges = thin(&map.at_least(least));
            // Maps of few levels do not change at most thresholds.
            let same = last.as_ref().is_some_and(|last| last.1 == edges);
            last = Some((least, edges));
            if !same {
                let edges = last.as_ref().map(|last| &last.1)?;
                counts.push(count_edges(edges, annotations, &mut matcher));
                continue;
            }
        }
        counts.extend(counts.last().copied());
    }
    Some(counts)
}

/// Counts the pixels of a thinned map.
fn count_edges(edges: &Bitmap, annotations: &Annotations, matcher: &mut Matcher) -> Counts {
    let mut counts = Counts {
        edges: edges.count() as u64,
        ..Counts::default()
    };
    let mut matched = Bitmap::new(edges.width(), edges.height());
    for boundaries in annotations.boundaries() {
        let pairs = matcher.matched(edges, boundaries);
        counts.boundaries += boundaries.count() as u64;
        counts.matched_boundaries += pairs.len() as u64;
        for ((x, y), _) in pairs {
            matched.set(x, y);
        }
    }
    counts.matched_edges = matched.count() as u64;
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_are_those_of_the_benchmark() {
        for count in [1, 2, 5, 99, Thresholds::MOST] {
            let thresholds = Thresholds::new(count).expect("thresholds");
            let values: Vec<f64> = thresholds.values().collect();
            for (i, value) in values.iter().enumerate() {
                assert!((value - (i + 1) as f64 / (count + 1) as f64).abs() < 1e-15);
            }
            assert_eq!(values.len(), count);
        }
        assert!(Thresholds::new(0).is_none() && Thresholds::new(1000).is_none());
        let [five, all] = [5, 99].map(|count| Thresholds::new(count).expect("thresholds"));
        // 1/5 and 4/5 are values of eight bits. 1/3 is rounded up, 2/3 is not.
        assert_eq!(
            [19, 79, 0, 98].map(|index| all.least(index)),
            [51, 204, 3, 253]
        );
        assert_eq!([0, 1, 3].map(|index| five.least(index)), [43, 86, 170]);
    }

    /// A line of ten strong and ten weak pixels. One annotator has drawn the strong half a pixel
    /// below, the other has drawn all of it and a second line.
    fn example() -> (EdgeMap, Annotations) {
        let value = |at: usize| match (at % 40, at / 40) {
            (0..10, 5) => 200,
            (10..20, 5) => 100,
            _ => 0,
        };
        let map = EdgeMap::new(40, 30, (0..40 * 30).map(value).collect()).expect("a map");
        let first = Bitmap::from_fn(40, 30, |x, y| x < 10 && y == 5);
        let second = Bitmap::from_fn(40, 30, |x, y| (x < 20 && y == 5) || y == 20);
        (
            map,
            Annotations::new(vec![first, second]).expect("annotations"),
        )
    }

    #[test]
    fn pixels_are_counted_over_annotators() {
        let (map, annotations) = example();
        let counts = |matched_boundaries, matched_edges, edges| Counts {
            matched_boundaries,
            boundaries: 10 + 20 + 40,
            matched_edges,
            edges,
        };
        let found = count(
            &map,
            &annotations,
            Thresholds::new(3).expect("three"),
            &|| true,
        );
        // The thresholds are 64, 128 and 192 of 255.
        assert_eq!(
            found.expect("counts"),
            [counts(30, 20, 20), counts(20, 10, 10), counts(20, 10, 10)]
        );
    }

    /// Thresholds that select the same pixels share a result, which must be that of the pixels.
    #[test]
    fn shared_results_are_those_of_their_threshold() {
        let (map, annotations) = example();
        let thresholds = Thresholds::new(99).expect("thresholds");
        let found = count(&map, &annotations, thresholds, &|| true).expect("counts");
        let mut matcher = Matcher::new(map.width(), map.height());
        for (index, counts) in found.iter().enumerate() {
            let edges = thin(&map.at_least(thresholds.least(index)));
            assert_eq!(*counts, count_edges(&edges, &annotations, &mut matcher));
        }
        assert_eq!(
            found[98],
            Counts {
                boundaries: 70,
                ..Counts::default()
            }
        );
    }

    #[test]
    fn counting_can_be_stopped() {
        let (map, annotations) = example();
        let left = std::cell::Cell::new(3);
        let go_on = || left.replace(left.get() - 1) > 0;
        assert_eq!(
            count(
                &map,
                &annotations,
                Thresholds::new(9).expect("nine"),
                &go_on
            ),
            None
        );
        assert_eq!(left.get(), -1);
    }
}
