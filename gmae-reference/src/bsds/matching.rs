//! The correspondence of the edges of a map and the boundaries of one annotator.
//!
//! Each edge pixel is matched with at most one boundary pixel, and each boundary pixel with at most
//! one edge pixel, within the radius. The matching minimises the sum of the distances, plus
//! [`ALONE`] radii for each pixel of the smaller set without a partner. This price of the benchmark
//! exceeds the cost of almost every chain of exchanges, so that the matching has in practice the
//! largest possible number of pairs.
//!
//! Source: Martin, Fowlkes and Malik (2004), "Learning to detect natural image boundaries using
//! local brightness, color, and texture cues", appendix B. Their solver approximates the minimum;
//! this one finds it.

use super::assignment::Assignment;
use super::bitmap::{Bitmap, Numbered};
use super::pairs::{Disc, ONE, Pairs, radius};

/// Price of a pixel without a partner, in radii.
const ALONE: f64 = 100.0;

/// Matches pictures of one size. It keeps the memory of one matching for the next.
#[derive(Debug)]
pub struct Matcher {
    disc: Disc,
    alone: i64,
    pairs: Pairs,
    assignment: Assignment,
}

impl Matcher {
    /// Creates a matcher for images of `width` x `height` pixels. The radius is
    /// [`RADIUS`](super::RADIUS) diagonals of the image. Sides above
    /// [`MAX_SIDE`](super::MAX_SIDE) are not supported: the radius is below 32 pixels.
    pub fn new(width: usize, height: usize) -> Self {
        Self::with_radius(radius(width, height))
    }

    /// Creates a matcher with a radius in pixels, which must be below 32.
    pub(super) fn with_radius(radius: f64) -> Self {
        Self {
            disc: Disc::new(radius),
            alone: (ALONE * radius * ONE).round() as i64,
            pairs: Pairs::default(),
            assignment: Assignment::default(),
        }
    }

    /// Matches two pictures of the same size. Returns the pairs of a pixel of `edges` and a pixel
    /// of `boundaries`, each as `(x, y)`.
    pub fn matched(
        &mut self,
        edges: &Bitmap,
        boundaries: &Bitmap,
    ) -> Vec<((usize, usize), (usize, usize))> {
        // Fewer rows mean fewer searches.
        let swapped = boundaries.count() < edges.count();
        let (rows, columns) = if swapped {
            (boundaries, edges)
        } else {
            (edges, boundaries)
        };
        self.pairs.find(rows, &Numbered::new(columns), &self.disc);
        self.assignment.solve(&self.pairs, self.alone);
        let places = |picture: &Bitmap| picture.pixels().collect::<Vec<_>>();
        let (row_places, column_places) = (places(rows), places(columns));
        let pairs = self.assignment.pairs().map(|(row, column)| {
            let (row, column) = (row_places[row], column_places[column]);
            if swapped {
                (column, row)
            } else {
                (row, column)
            }
        });
        pairs.collect()
    }
}

#[cfg(test)]
mod tests;
