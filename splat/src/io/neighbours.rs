//! Distances to the nearest neighbours, found with a k-d tree. The tree is a reordered list of the
//! points' indices.

use rayon::prelude::*;

/// Number of neighbours per point.
const NEIGHBOURS: usize = 3;
/// Greatest length of a part of the list that is searched linearly.
const LEAF: usize = 8;
/// Least length of a part whose halves are split on two threads.
const PARALLEL: usize = 1 << 14;

/// Returns the mean distance `[N]` from each point to its three nearest neighbours. If a point has
/// fewer neighbours, the mean is over these. Without a neighbour it is zero. The distance of a point
/// that is not finite is NaN, and such a point is no neighbour.
pub(crate) fn distances(points: &[[f32; 3]]) -> Vec<f32> {
    let tree = Tree::new(points);
    let distance = |(i, p): (usize, &[f32; 3])| {
        if p.iter().all(|x| x.is_finite()) {
            tree.mean_distance(i)
        } else {
            f32::NAN
        }
    };
    points.par_iter().enumerate().map(distance).collect()
}

struct Tree<'a> {
    points: &'a [[f32; 3]],
    /// Indices of the finite points. The middle element of every part splits the part.
    order: Vec<u32>,
    /// The axis that each element splits, if it is the middle of a part.
    axes: Vec<u8>,
}

/// The nearest neighbours found so far.
struct Best {
    /// Squared distances, ascending.
    squares: [f64; NEIGHBOURS],
}

impl Best {
    fn offer(&mut self, square: f64) {
        let mut candidate = square;
        for slot in &mut self.squares {
            if candidate < *slot {
                std::mem::swap(&mut candidate, slot);
            }
        }
    }
}

impl<'a> Tree<'a> {
    fn new(points: &'a [[f32; 3]]) -> Self {
        let finite = |&i: &u32| points[i as usize].iter().all(|x| x.is_finite());
        let mut order: Vec<u32> = (0..points.len() as u32).filter(finite).collect();
        let mut axes = vec![0; order.len()];
        split(points, &mut order, &mut axes);
        Self {
            points,
            order,
            axes,
        }
    }

    fn mean_distance(&self, point: usize) -> f32 {
        let mut best = Best {
            squares: [f64::INFINITY; NEIGHBOURS],
        };
        self.search(0..self.order.len(), point, &mut best);
        let found = best.squares.iter().filter(|square| square.is_finite());
        let count = found.clone().count().max(1);
        (found.map(|square| square.sqrt()).sum::<f64>() / count as f64) as f32
    }

    fn search(&self, part: std::ops::Range<usize>, point: usize, best: &mut Best) {
        if part.len() <= LEAF {
            for &other in &self.order[part] {
                self.visit(other, point, best);
            }
            return;
        }
        let middle = part.start + part.len() / 2;
        let (other, axis) = (self.order[middle], usize::from(self.axes[middle]));
        let at = |i: usize| f64::from(self.points[i][axis]);
        let ahead = at(point) - at(other as usize);
        let (before, after) = (part.start..middle, middle + 1..part.end);
        let (near, far) = if ahead < 0.0 {
            (before, after)
        } else {
            (after, before)
        };
        self.search(near, point, best);
        self.visit(other, point, best);
        if ahead * ahead < best.squares[NEIGHBOURS - 1] {
            self.search(far, point, best);
        }
    }

    fn visit(&self, other: u32, point: usize, best: &mut Best) {
        let other = other as usize;
        if other != point {
            let pairs = self.points[other].iter().zip(&self.points[point]);
            best.offer(
                pairs
                    .map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2))
                    .sum(),
            );
        }
    }
}

/// Orders a part of the list as a tree. The middle splits the part along its longest side.
fn split(points: &[[f32; 3]], part: &mut [u32], axes: &mut [u8]) {
    if part.len() <= LEAF {
        return;
    }
    let coordinate = |i: u32, axis: usize| points[i as usize][axis];
    let extent = |axis: usize| {
        let values = part.iter().map(|&i| f64::from(coordinate(i, axis)));
        let bounds = values.fold([f64::INFINITY, f64::NEG_INFINITY], |[least, most], x| {
            [least.min(x), most.max(x)]
        });
        bounds[1] - bounds[0]
    };
    let extents = [0, 1, 2].map(extent);
    let longer = |a: usize, b: usize| if extents[b] > extents[a] { b } else { a };
    let axis = longer(longer(0, 1), 2);
    let middle = part.len() / 2;
    let by_axis = |&a: &u32, &b: &u32| coordinate(a, axis).total_cmp(&coordinate(b, axis));
    part.select_nth_unstable_by(middle, by_axis);
    axes[middle] = axis as u8;
    let ((before, after), (axes_before, axes_after)) =
        (part.split_at_mut(middle), axes.split_at_mut(middle));
    let (after, axes_after) = (&mut after[1..], &mut axes_after[1..]);
    if before.len() < PARALLEL {
        split(points, before, axes_before);
        split(points, after, axes_after);
    } else {
        rayon::join(
            || split(points, before, axes_before),
            || split(points, after, axes_after),
        );
    }
}
