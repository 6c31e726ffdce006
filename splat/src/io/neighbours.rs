//! Distances to the nearest neighbours, found with a k-d tree. The tree is a reordered list of the
//! points' indices.

use rayon::prelude::*;

/// Number of neighbours per point.
const NEIGHBOURS: usize = 3;
/// Greatest length of a part of the list that is searched linearly.
const LEAF: usize = 8;

/// Returns the mean distance `[N]` from each of the points `[N, 3]` to its three nearest
/// neighbours. If a point has fewer neighbours, the mean is over these. Without a neighbour it is
/// zero.
pub(crate) fn distances(points: &[f32]) -> Vec<f32> {
    let tree = Tree::new(points);
    (0..tree.points.len())
        .into_par_iter()
        .map(|i| tree.mean_distance(i))
        .collect()
}

struct Tree {
    points: Vec<[f32; 3]>,
    /// Indices of points. The middle element of every part splits the part. The axes x, y and z
    /// alternate with the depth of the part in the tree.
    order: Vec<usize>,
}

/// The nearest neighbours found so far.
struct Best {
    /// Squared distances, ascending.
    squares: [f32; NEIGHBOURS],
}

impl Best {
    fn offer(&mut self, square: f32) {
        let mut candidate = square;
        for slot in &mut self.squares {
            if candidate < *slot {
                std::mem::swap(&mut candidate, slot);
            }
        }
    }
}

impl Tree {
    fn new(points: &[f32]) -> Self {
        let points: Vec<[f32; 3]> = points.chunks_exact(3).map(|p| [p[0], p[1], p[2]]).collect();
        let mut order: Vec<usize> = (0..points.len()).collect();
        split(&points, &mut order, 0);
        Self { points, order }
    }

    fn mean_distance(&self, point: usize) -> f32 {
        let mut best = Best {
            squares: [f32::INFINITY; NEIGHBOURS],
        };
        self.search(&self.order, 0, point, &mut best);
        let found: Vec<f32> = best
            .squares
            .into_iter()
            .filter(|square| square.is_finite())
            .collect();
        found.iter().map(|square| square.sqrt()).sum::<f32>() / found.len().max(1) as f32
    }

    fn search(&self, part: &[usize], axis: usize, point: usize, best: &mut Best) {
        if part.len() <= LEAF {
            for &other in part {
                self.visit(other, point, best);
            }
            return;
        }
        let middle = part.len() / 2;
        let (before, after) = (&part[..middle], &part[middle + 1..]);
        let ahead = self.points[point][axis] - self.points[part[middle]][axis];
        let (near, far) = if ahead < 0.0 {
            (before, after)
        } else {
            (after, before)
        };
        let next = (axis + 1) % 3;
        self.search(near, next, point, best);
        self.visit(part[middle], point, best);
        if ahead * ahead < best.squares[NEIGHBOURS - 1] {
            self.search(far, next, point, best);
        }
    }

    fn visit(&self, other: usize, point: usize, best: &mut Best) {
        if other != point {
            let pairs = self.points[other].iter().zip(&self.points[point]);
            best.offer(pairs.map(|(a, b)| (a - b) * (a - b)).sum());
        }
    }
}

fn split(points: &[[f32; 3]], part: &mut [usize], axis: usize) {
    if part.len() <= LEAF {
        return;
    }
    let middle = part.len() / 2;
    part.select_nth_unstable_by(middle, |&a, &b| points[a][axis].total_cmp(&points[b][axis]));
    let (before, after) = part.split_at_mut(middle);
    split(points, before, (axis + 1) % 3);
    split(points, &mut after[1..], (axis + 1) % 3);
}
