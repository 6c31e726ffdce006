//! Pairs of pixels that can be matched: an edge of the map and one of the ground truth whose
//! distance is at most the radius.

use super::bitmap::{Bitmap, MAX_RADIUS, Numbered, Ones};

/// Part of the diagonal of an image that is the radius of a match.
pub const RADIUS: f64 = 0.0075;

/// A distance of one pixel, as a cost. Costs are fixed-point numbers, so that sums and comparisons
/// are exact. The total of a matching differs from that of the distances by less than 1e-8 pixels
/// for each pair.
pub(super) const ONE: f64 = (1_u64 << 26) as f64;

/// Offsets and costs of all pixels around a pixel.
#[derive(Clone, Debug)]
pub(super) struct Disc {
    /// Largest offset in pixels.
    radius: usize,
    /// The columns of the disc for each row, the leftmost in the lowest bit.
    rows: Vec<u64>,
    /// Costs, `[2 radius + 1, 2 radius + 1]`.
    costs: Vec<u32>,
}

impl Disc {
    /// Creates the disc of a radius in pixels, which must be below 32.
    pub(super) fn new(radius: f64) -> Self {
        let whole = (radius.max(0.0).floor() as usize).min(MAX_RADIUS);
        let side = 2 * whole + 1;
        let square = |offset: usize| (offset as f64 - whole as f64).powi(2);
        let distance = |x: usize, y: usize| (square(x) + square(y)).sqrt();
        let bit = |x: usize, y: usize| u64::from(distance(x, y) <= radius) << x;
        let rows = (0..side).map(|y| (0..side).map(|x| bit(x, y)).sum());
        let cost = |at: usize| (distance(at % side, at / side) * ONE).round() as u32;
        Self {
            radius: whole,
            rows: rows.collect(),
            costs: (0..side * side).map(cost).collect(),
        }
    }
}

/// The radius of a match in an image, in pixels.
pub(super) fn radius(width: usize, height: usize) -> f64 {
    let square = |side: usize| (side * side) as f64;
    RADIUS * (square(width) + square(height)).sqrt()
}

/// A bipartite graph: for each row the columns within the radius, with their costs. Rows and
/// columns are pixels of two pictures, in the order of [`Bitmap::pixels`].
#[derive(Debug, Default)]
pub(super) struct Pairs {
    /// Start of each row in `columns`, and the end of the last row.
    starts: Vec<u32>,
    columns: Vec<u32>,
    costs: Vec<u32>,
    /// Number of columns, including those without a row.
    pub(super) width: usize,
}

impl Pairs {
    /// Finds all pairs of a pixel of `rows` and a pixel of `columns`. The pictures have the same
    /// size.
    pub(super) fn find(&mut self, rows: &Bitmap, columns: &Numbered<'_>, disc: &Disc) {
        self.clear(columns.len);
        let side = disc.rows.len();
        let picture = columns.picture();
        for (x, y) in rows.pixels() {
            for (row, &within) in disc.rows.iter().enumerate() {
                let column_y = (y + row) as isize - disc.radius as isize;
                let found = picture.around(x, column_y, disc.radius) & within;
                for bit in Ones(found) {
                    let column_x = x + bit - disc.radius;
                    self.columns
                        .push(columns.number(column_x, column_y as usize));
                    self.costs.push(disc.costs[row * side + bit]);
                }
            }
            self.end_row();
        }
    }

    /// Removes all rows, and sets the number of columns.
    pub(super) fn clear(&mut self, width: usize) {
        self.starts.clear();
        self.starts.push(0);
        self.columns.clear();
        self.costs.clear();
        self.width = width;
    }

    /// Adds a pair to the last row, which [`Pairs::end_row`] ends.
    #[cfg(test)]
    pub(super) fn push(&mut self, column: u32, cost: u32) {
        self.columns.push(column);
        self.costs.push(cost);
    }

    /// Ends a row.
    pub(super) fn end_row(&mut self) {
        self.starts.push(self.columns.len() as u32);
    }

    /// Number of rows.
    pub(super) fn height(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    /// The columns of a row, with their costs.
    pub(super) fn row(&self, row: usize) -> impl Iterator<Item = (u32, i64)> + '_ {
        let range = self.starts[row] as usize..self.starts[row + 1] as usize;
        let columns = self.columns[range.clone()].iter().copied();
        columns.zip(self.costs[range].iter().map(|&cost| i64::from(cost)))
    }
}
