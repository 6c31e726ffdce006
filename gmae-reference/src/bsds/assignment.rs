//! The minimum-cost matching of a bipartite graph.
//!
//! Every row takes a column of its own, or none at the price `alone`. The matching minimises the
//! sum of all costs. The method is that of Jonker and Volgenant (1987), "A shortest augmenting path
//! algorithm for dense and sparse linear assignment problems": columns have prices, rows bid for
//! the column of least reduced cost, and the remaining rows are added one at a time along a
//! shortest path of exchanges. Each row has in addition a private column of cost `alone`.
//!
//! Invariants between two steps, with the reduced cost `cost - price` of a pair:
//! - Prices are at most zero. A column without a row has the price zero.
//! - A matched row has a pair of its least reduced cost. A row that is alone has no pair whose
//!   reduced cost is below `alone`.
//!
//! Together these are the conditions of complementary slackness, so that the matching is optimal.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::pairs::Pairs;

/// No row, or no column.
const NONE: u32 = u32::MAX;
/// Bits of a column in a key of the heap. Pictures have at most 2^22 pixels.
const COLUMN_BITS: u32 = 24;
/// Bids for each row before the search for shortest paths. A row that is left without a column
/// would raise prices in many small steps.
const BIDS: usize = 4;

/// The matching, and the memory of its computation, which later calls use again.
#[derive(Debug, Default)]
pub(super) struct Assignment {
    /// Price of each column.
    prices: Vec<i64>,
    row_from_column: Vec<u32>,
    column_from_row: Vec<u32>,
    /// Cost of the pair of each row, or `alone`.
    costs: Vec<i64>,
    /// Rows that have neither a column nor are alone.
    free: Vec<u32>,
    later: Vec<u32>,
    search: Search,
}

/// The memory of a search for a shortest path.
#[derive(Debug, Default)]
struct Search {
    /// Distance of each column from the first row. [`i64::MAX`] if the column was not reached.
    distances: Vec<i64>,
    /// The row from which each column was reached.
    row_before: Vec<u32>,
    /// The columns that were reached.
    reached: Vec<u32>,
    /// The columns whose distance is final.
    settled: Vec<u32>,
    heap: BinaryHeap<Reverse<u64>>,
}

/// The end of a shortest path.
#[derive(Clone, Copy)]
enum End {
    /// A column without a row.
    Column(u32),
    /// A row that becomes alone.
    Row(u32),
}

impl Assignment {
    /// Computes the matching of `pairs`.
    pub(super) fn solve(&mut self, pairs: &Pairs, alone: i64) {
        self.reset(pairs);
        self.take_nearest(pairs, alone);
        self.bid(pairs, alone);
        for at in 0..self.free.len() {
            self.add(self.free[at], pairs, alone);
        }
    }

    /// The matched pairs of row and column.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        let columns = self.column_from_row.iter().enumerate();
        let matched = columns.filter(|(_, column)| **column != NONE);
        matched.map(|(row, &column)| (row, column as usize))
    }

    fn reset(&mut self, pairs: &Pairs) {
        let (rows, columns) = (pairs.height(), pairs.width);
        refill(&mut self.prices, columns, 0);
        refill(&mut self.row_from_column, columns, NONE);
        refill(&mut self.column_from_row, rows, NONE);
        refill(&mut self.costs, rows, 0);
        refill(&mut self.search.distances, columns, i64::MAX);
        refill(&mut self.search.row_before, columns, NONE);
        self.free.clear();
    }

    /// Matches each row with its nearest column if that is still free.
    fn take_nearest(&mut self, pairs: &Pairs, alone: i64) {
        for row in 0..pairs.height() {
            let Some((column, cost)) = pairs.row(row).min_by_key(|pair| pair.1) else {
                self.costs[row] = alone;
                continue;
            };
            if cost >= alone {
                self.costs[row] = alone;
            } else if self.row_from_column[column as usize] == NONE {
                self.assign(row as u32, column, cost);
            } else {
                self.free.push(row as u32);
            }
        }
    }

    /// Gives a column to a row. The columns of other rows do not change.
    fn assign(&mut self, row: u32, column: u32, cost: i64) {
        self.row_from_column[column as usize] = row;
        self.column_from_row[row as usize] = column;
        self.costs[row as usize] = cost;
    }

    /// Lets free rows bid for columns: a row takes its best column, lowers the price by as much as
    /// the best column is better than the second best, and so frees the earlier row of the column.
    fn bid(&mut self, pairs: &Pairs, alone: i64) {
        let mut bids = BIDS * self.free.len();
        self.later.clear();
        while let Some(row) = self.free.pop() {
            if bids == 0 {
                self.later.push(row);
                continue;
            }
            bids -= 1;
            let mut best = (alone, NONE, alone);
            let mut second = i64::MAX;
            for (column, cost) in pairs.row(row as usize) {
                let reduced = cost - self.prices[column as usize];
                if reduced < best.0 {
                    second = best.0;
                    best = (reduced, column, cost);
                } else if reduced < second {
                    second = reduced;
                }
            }
            let (reduced, column, cost) = best;
            if column == NONE {
                self.costs[row as usize] = alone;
                continue;
            }
            let before = self.row_from_column[column as usize];
            if before != NONE && second == reduced {
                // A bid that does not change a price could be answered without end.
                self.later.push(row);
                continue;
            }
            if before != NONE {
                self.column_from_row[before as usize] = NONE;
                self.free.push(before);
                self.prices[column as usize] -= second - reduced;
            }
            self.assign(row, column, cost);
        }
        std::mem::swap(&mut self.free, &mut self.later);
    }

    /// Adds a free row along a shortest path: the row takes the first column of the path, the row
    /// that had it takes the next, until a column was free or a row becomes alone.
    fn add(&mut self, row: u32, pairs: &Pairs, alone: i64) {
        let (length, end) = self.find_path(row, pairs, alone);
        for &column in &self.search.settled {
            self.prices[column as usize] += self.search.distances[column as usize] - length;
        }
        let mut column = match end {
            End::Column(column) => column,
            End::Row(last) => {
                let column = self.column_from_row[last as usize];
                self.column_from_row[last as usize] = NONE;
                self.costs[last as usize] = alone;
                column
            }
        };
        while column != NONE {
            let taker = self.search.row_before[column as usize];
            let left = self.column_from_row[taker as usize];
            let mut row_pairs = pairs.row(taker as usize);
            let cost = row_pairs
                .find(|pair| pair.0 == column)
                .map_or(0, |pair| pair.1);
            self.assign(taker, column, cost);
            column = left;
        }
        for &column in &self.search.reached {
            self.search.distances[column as usize] = i64::MAX;
        }
    }

    /// Dijkstra's algorithm on reduced costs. Returns length and end of the shortest path.
    fn find_path(&mut self, first: u32, pairs: &Pairs, alone: i64) -> (i64, End) {
        let search = &mut self.search;
        search.reached.clear();
        search.settled.clear();
        search.heap.clear();
        let mut best = (alone, End::Row(first));
        // The reduced cost of the pair of the current row, and the distance of its column.
        let (mut row, mut offset) = (first, 0);
        loop {
            for (column, cost) in pairs.row(row as usize) {
                let at = column as usize;
                let distance = offset + cost - self.prices[at];
                if distance >= search.distances[at] || distance >= best.0 {
                    continue;
                }
                if search.distances[at] == i64::MAX {
                    search.reached.push(column);
                }
                search.distances[at] = distance;
                search.row_before[at] = row;
                if self.row_from_column[at] == NONE {
                    best = (distance, End::Column(column));
                } else {
                    let key = (distance as u64) << COLUMN_BITS | u64::from(column);
                    search.heap.push(Reverse(key));
                }
            }
            // The next column whose distance is final.
            let (column, distance) = loop {
                let Some(Reverse(key)) = search.heap.pop() else {
                    return best;
                };
                let distance = (key >> COLUMN_BITS) as i64;
                if distance >= best.0 {
                    return best;
                }
                let column = (key & ((1 << COLUMN_BITS) - 1)) as u32;
                if distance == search.distances[column as usize] {
                    break (column, distance);
                }
            };
            search.settled.push(column);
            row = self.row_from_column[column as usize];
            let reduced = self.costs[row as usize] - self.prices[column as usize];
            offset = distance - reduced;
            if offset + alone < best.0 {
                best = (offset + alone, End::Row(row));
            }
        }
    }
}

/// Sets the length and every value of a vector.
fn refill<T: Clone>(values: &mut Vec<T>, len: usize, value: T) {
    values.clear();
    values.resize(len, value);
}
