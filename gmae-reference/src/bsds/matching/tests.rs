use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;

/// No pair.
const FAR: i64 = i64::MAX;

/// The total cost of the best matching, by trying all of them. Rows without a column cost `alone`.
fn brute_force(costs: &[Vec<i64>], taken: &mut [bool], alone: i64) -> i64 {
    let Some((row, rest)) = costs.split_first() else {
        return 0;
    };
    let mut best = alone + brute_force(rest, taken, alone);
    for (column, &cost) in row.iter().enumerate() {
        if cost != FAR && !taken[column] {
            taken[column] = true;
            best = best.min(cost + brute_force(rest, taken, alone));
            taken[column] = false;
        }
    }
    best
}

/// The total cost of the best matching by the Hungarian method on a dense square matrix (Kuhn 1955,
/// Munkres 1957), with one additional column of cost `alone` for each row.
fn hungarian(costs: &[Vec<i64>], columns: usize, alone: i64) -> i64 {
    let rows = costs.len();
    let far = 1_i64 << 50;
    let cost = |row: usize, column: usize| match costs[row].get(column) {
        Some(&FAR) => far,
        Some(&cost) => cost,
        None if column == columns + row => alone,
        None => far,
    };
    let width = columns + rows;
    // Potentials, and the row of each column, all counted from 1.
    let (mut u, mut v) = (vec![0; rows + 1], vec![0; width + 1]);
    let mut row_from_column = vec![0; width + 1];
    for row in 1..=rows {
        row_from_column[0] = row;
        let mut slack = vec![i64::MAX; width + 1];
        let mut before = vec![0; width + 1];
        let mut done = vec![false; width + 1];
        let mut column = 0;
        while row_from_column[column] != 0 {
            done[column] = true;
            let at = row_from_column[column];
            let (mut delta, mut next) = (i64::MAX, 0);
            for j in 1..=width {
                if done[j] {
                    continue;
                }
                let reduced = cost(at - 1, j - 1) - u[at] - v[j];
                if reduced < slack[j] {
                    (slack[j], before[j]) = (reduced, column);
                }
                if slack[j] < delta {
                    (delta, next) = (slack[j], j);
                }
            }
            for j in 0..=width {
                if done[j] {
                    u[row_from_column[j]] += delta;
                    v[j] -= delta;
                } else if slack[j] < i64::MAX {
                    slack[j] -= delta;
                }
            }
            column = next;
        }
        while column != 0 {
            row_from_column[column] = row_from_column[before[column]];
            column = before[column];
        }
    }
    let matched = (1..=width).filter(|&j| row_from_column[j] != 0);
    matched.map(|j| cost(row_from_column[j] - 1, j - 1)).sum()
}

/// The total cost and the number of pairs of a solution, after a check that each pair exists and
/// that no column is taken twice.
fn solved(costs: &[Vec<i64>], columns: usize, alone: i64) -> (i64, usize) {
    let mut pairs = Pairs::default();
    pairs.clear(columns);
    for row in costs {
        for (column, &cost) in row.iter().enumerate() {
            if cost != FAR {
                pairs.push(column as u32, cost as u32);
            }
        }
        pairs.end_row();
    }
    let mut assignment = Assignment::default();
    // The memory of another problem must not matter.
    let mut other = Pairs::default();
    other.clear(columns + 3);
    other.push(1, 7);
    other.end_row();
    assignment.solve(&other, 50);
    assignment.solve(&pairs, alone);
    let found: Vec<(usize, usize)> = assignment.pairs().collect();
    let mut taken = vec![false; columns];
    let mut total = alone * (costs.len() - found.len()) as i64;
    for &(row, column) in &found {
        assert!(
            !std::mem::replace(&mut taken[column], true),
            "column {column} twice"
        );
        assert_ne!(costs[row][column], FAR, "no pair {row} {column}");
        total += costs[row][column];
    }
    (total, found.len())
}

fn random(rng: &mut ChaCha8Rng, rows: usize, columns: usize, density: f64) -> Vec<Vec<i64>> {
    let mut cost = || {
        if rng.random_bool(density) {
            // Few values, so that many matchings have the same cost.
            10 * rng.random_range(0..6_i64)
        } else {
            FAR
        }
    };
    (0..rows)
        .map(|_| (0..columns).map(|_| cost()).collect())
        .collect()
}

#[test]
fn small_problems_are_solved_exactly() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    for round in 0..3000 {
        let (rows, columns) = (rng.random_range(0..7), rng.random_range(1..7));
        let costs = random(&mut rng, rows, columns, [0.2, 0.5, 0.9][round % 3]);
        for alone in [25, 60, 5000] {
            let best = brute_force(&costs, &mut vec![false; columns], alone);
            assert_eq!(solved(&costs, columns, alone).0, best, "{costs:?} {alone}");
            assert_eq!(hungarian(&costs, columns, alone), best);
        }
    }
}

#[test]
fn larger_problems_are_solved_exactly() {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    for _ in 0..60 {
        let (rows, columns) = (rng.random_range(20..60), rng.random_range(20..60));
        let density = rng.random_range(1.0..5.0) / 40.0;
        let costs = random(&mut rng, rows, columns, density);
        for alone in [35, 5000] {
            let best = hungarian(&costs, columns, alone);
            assert_eq!(solved(&costs, columns, alone).0, best);
        }
    }
}

/// The costs of all pairs of pixels within a radius, as [`Pairs::find`] should see them.
fn distances(rows: &Bitmap, columns: &Bitmap, radius: f64) -> Vec<Vec<i64>> {
    let cost = |(x, y): (usize, usize), (i, j): (usize, usize)| {
        let distance = (x as f64 - i as f64).hypot(y as f64 - j as f64);
        if distance <= radius {
            (distance * ONE).round() as i64
        } else {
            FAR
        }
    };
    let row = |at| columns.pixels().map(|other| cost(at, other)).collect();
    rows.pixels().map(row).collect()
}

/// Scattered pixels, and lines beside each other, are matched with the largest number of pairs and,
/// among these, with the smallest sum of distances.
#[test]
fn pictures_are_matched_exactly() {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    for round in 0..40 {
        let radius = [1.5, 2.9, 4.3][round % 3];
        let mut scattered = || {
            let density = rng.random_range(0.02..0.15);
            let line = rng.random_range(0..20);
            let on: Vec<bool> = (0..30 * 20)
                .map(|at| at / 30 == line || rng.random_bool(density))
                .collect();
            Bitmap::from_fn(30, 20, |x, y| on[y * 30 + x])
        };
        let (edges, boundaries) = (scattered(), scattered());
        let pairs = Matcher::with_radius(radius).matched(&edges, &boundaries);
        let costs = distances(&edges, &boundaries, radius);
        // With this price one more pair outweighs every sum of distances.
        let alone = 1_i64 << 40;
        let best = hungarian(&costs, boundaries.count(), alone);
        let mut total = alone * (edges.count() - pairs.len()) as i64;
        for &((x, y), (i, j)) in &pairs {
            assert!(edges.get(x, y) && boundaries.get(i, j));
            let distance = (x as f64 - i as f64).hypot(y as f64 - j as f64);
            assert!(distance <= radius);
            total += (distance * ONE).round() as i64;
        }
        assert_eq!(total, best, "round {round}");
        let unique: std::collections::HashSet<_> = pairs.iter().map(|pair| pair.1).collect();
        assert_eq!(unique.len(), pairs.len());
    }
}

/// The comparison above must notice a matching that takes the nearest free pixel.
#[test]
fn nearest_pixels_are_not_the_best_matching() {
    // Row 0 is nearer to column 0 than row 1, which has no other column.
    let costs = vec![vec![0, 10], vec![20, FAR]];
    assert_eq!(solved(&costs, 2, 5000), (30, 2));
    // At a low price one of them stays alone.
    assert_eq!(solved(&costs, 2, 25), (25, 1));
    assert_eq!(brute_force(&costs, &mut [false; 2], 25), 25);
    assert_eq!(hungarian(&costs, 2, 5000), 30);
}

#[test]
fn the_radius_is_that_of_the_benchmark() {
    // 0.0075 diagonals of 481 x 321 pixels are 4.337 px: (3, 3) is inside, (4, 2) is not.
    for (place, pairs) in [((14, 10), 1), ((13, 13), 1), ((14, 12), 0), ((15, 10), 0)] {
        let dot = |at| Bitmap::from_fn(481, 321, |x, y| (x, y) == at);
        let found = Matcher::new(481, 321).matched(&dot((10, 10)), &dot(place));
        assert_eq!(found.len(), pairs, "{place:?}");
    }
    let empty = Bitmap::new(481, 321);
    assert_eq!(Matcher::new(481, 321).matched(&empty, &empty), []);
}
