//! Cholesky factorisation of a symmetric positive definite matrix, and the solution of linear
//! systems with its factor.
//!
//! Both work in blocks, so that almost all of the work is done by matrix products. The ridge probe
//! factorises ten matrices. For the thousands of columns of raw pixels, a factorisation without
//! blocks (`nalgebra`) takes about ten times as long.

use pulp::Arch;
use rayon::prelude::*;

use crate::ops::cpu::matrix::{Matrix, Output, multiply};
use crate::ops::cpu::rows::sum_pairs;

/// Rows and columns of a block.
const BLOCK: usize = 64;

/// Replaces the lower triangle of `a`, `[n, n]`, by the factor `L` of `L L^T = a`. The values above
/// the diagonal have no effect, and may be overwritten. Returns whether `a` is positive definite.
/// If not, the contents of `a` are undefined.
///
/// The factorisation looks to the left: a block of columns first subtracts the products of all
/// finished columns (Golub and Van Loan, Matrix Computations, section 4.2).
///
/// # Panics
/// Panics if `a` does not have `n * n` elements.
pub(super) fn factorise(a: &mut [f64], n: usize) -> bool {
    assert_eq!(a.len(), n * n, "a square matrix");
    let mut panel = Vec::new();
    for start in (0..n).step_by(BLOCK) {
        let width = BLOCK.min(n - start);
        panel.clear();
        for row in a[start * n..].chunks_exact(n) {
            panel.extend_from_slice(&row[start..][..width]);
        }
        if start > 0 {
            let left = Matrix::new(&a[start * n..], n - start, start, n);
            let right = Matrix::new(&a[start * n..], width, start, n).transposed();
            multiply(-1.0, left, right, Output::added(&mut panel, width));
        }
        let (diagonal, below) = panel.split_at_mut(width * width);
        if !factorise_block(diagonal, width) {
            return false;
        }
        let diagonal = &*diagonal;
        let rows = below.par_chunks_mut(width).with_min_len(16);
        rows.for_each(|row| substitute(diagonal, width, row));
        for (row, panel) in a[start * n..]
            .chunks_exact_mut(n)
            .zip(panel.chunks_exact(width))
        {
            row[start..][..width].copy_from_slice(panel);
        }
    }
    true
}

/// [`factorise`] row by row, for a block `[width, width]`.
fn factorise_block(block: &mut [f64], width: usize) -> bool {
    for i in 0..width {
        let (done, rest) = block.split_at_mut(i * width);
        let (row, rest) = rest.split_at_mut(i);
        substitute(done, width, row);
        let pivot = rest[0] - sum_pairs(row, row, |x, y| x * y);
        if !(pivot > 0.0 && pivot.is_finite()) {
            return false;
        }
        rest[0] = pivot.sqrt();
    }
    true
}

/// Solves `x L^T = row` in place, with the first `row.len()` rows of `L`, which begin `width`
/// elements apart.
fn substitute(l: &[f64], width: usize, row: &mut [f64]) {
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for column in 0..row.len() {
                let factors = &l[column * width..][..=column];
                let (known, rest) = row.split_at_mut(column);
                let sum = sum_pairs(&factors[..column], known, |x, y| x * y);
                rest[0] = (rest[0] - sum) / factors[column];
            }
        },
    );
}

/// Solves `L L^T x = b` in place for every column of `b`, `[n, columns]`. `l` is the result of
/// [`factorise`].
///
/// # Panics
/// Panics if `l` does not have `n * n` elements, or if `b` does not have whole rows.
pub(super) fn solve(l: &[f64], b: &mut [f64], n: usize) {
    assert!(l.len() == n * n && b.len().is_multiple_of(n));
    let columns = b.len() / n;
    // L y = b, from the first block to the last.
    for start in (0..n).step_by(BLOCK) {
        let width = BLOCK.min(n - start);
        let (known, rest) = b.split_at_mut(start * columns);
        let block = &mut rest[..width * columns];
        if start > 0 {
            let left = Matrix::new(&l[start * n..], width, start, n);
            let right = Matrix::new(known, start, columns, columns);
            multiply(-1.0, left, right, Output::added(block, columns));
        }
        for i in 0..width {
            let factors = &l[(start + i) * n + start..][..=i];
            let (known, rest) = block.split_at_mut(i * columns);
            let known = known.chunks_exact(columns).zip(factors.iter().copied());
            eliminate(&mut rest[..columns], known, factors[i]);
        }
    }
    // L^T x = y, from the last block to the first.
    for start in (0..n).step_by(BLOCK).rev() {
        let end = n.min(start + BLOCK);
        let (rest, known) = b.split_at_mut(end * columns);
        let block = &mut rest[start * columns..];
        if end < n {
            let left = Matrix::new(&l[end * n + start..], n - end, end - start, n).transposed();
            let right = Matrix::new(known, n - end, columns, columns);
            multiply(-1.0, left, right, Output::added(block, columns));
        }
        for i in (start..end).rev() {
            let (rest, known) = block.split_at_mut((i + 1 - start) * columns);
            let factors = (i + 1..end).map(|row| l[row * n + i]);
            let known = known.chunks_exact(columns).zip(factors);
            eliminate(&mut rest[(i - start) * columns..], known, l[i * n + i]);
        }
    }
}

/// Computes `(row - sum of factor * known) / divisor`.
fn eliminate<'a>(row: &mut [f64], known: impl Iterator<Item = (&'a [f64], f64)>, divisor: f64) {
    for (known, factor) in known {
        for (x, known) in row.iter_mut().zip(known) {
            *x -= factor * known;
        }
    }
    for x in row {
        *x /= divisor;
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{on_threads, pattern};
    use super::*;

    /// Returns `m m^T + n I` for a matrix `m` of small integers. It is positive definite.
    fn positive(n: usize) -> Vec<f64> {
        let m: Vec<f64> = pattern(3, n * n).into_iter().map(f64::from).collect();
        let mut a = vec![0.0; n * n];
        for i in 0..n {
            for j in 0..n {
                let terms = (0..n).map(|k| m[i * n + k] * m[j * n + k]);
                a[i * n + j] = terms.sum::<f64>() + if i == j { n as f64 } else { 0.0 };
            }
        }
        a
    }

    #[test]
    fn a_matrix_with_a_known_factor() {
        // L = [[2, 0, 0], [6, 1, 0], [-8, 5, 3]].
        let unused = f64::NAN;
        let mut a = [4.0, unused, unused, 12.0, 37.0, unused, -16.0, -43.0, 98.0];
        assert!(factorise(&mut a, 3));
        assert_eq!(
            [a[0], a[3], a[4], a[6], a[7], a[8]],
            [2.0, 6.0, 1.0, -8.0, 5.0, 3.0]
        );
    }

    /// Sizes below, at and beyond the limits of blocks: `a x = b` for known `x`.
    #[test]
    fn the_solution_is_recovered() {
        for n in [1, 2, 63, 64, 65, 130] {
            let a = positive(n);
            let x: Vec<f64> = pattern(5, 3 * n).into_iter().map(f64::from).collect();
            let mut b = vec![0.0; 3 * n];
            for i in 0..n {
                for c in 0..3 {
                    b[3 * i + c] = (0..n).map(|k| a[i * n + k] * x[3 * k + c]).sum();
                }
            }
            let mut l = a;
            assert!(factorise(&mut l, n));
            solve(&l, &mut b, n);
            for (got, expected) in b.iter().zip(&x) {
                assert!((got - expected).abs() < 1e-9, "{n}: {got} {expected}");
            }
        }
    }

    #[test]
    fn a_matrix_that_is_not_positive_definite_is_noticed() {
        assert!(!factorise(&mut [0.0], 1));
        assert!(!factorise(&mut [f64::NAN], 1));
        assert!(
            !factorise(&mut [1.0, 2.0, 2.0, 1.0], 2),
            "eigenvalues 3 and -1"
        );
        for row in [0, 63, 64, 99] {
            let mut a = positive(100);
            a[row * 100 + row] = -1.0;
            assert!(!factorise(&mut a, 100), "row {row}");
        }
    }

    /// Large enough for matrix products on several threads.
    #[test]
    fn threads_change_no_bit() {
        const N: usize = 520;
        let run = || {
            let mut l: Vec<f64> = pattern(7, N * N).into_iter().map(f64::from).collect();
            (0..N).for_each(|i| l[i * N + i] = 4.0 * N as f64);
            assert!(factorise(&mut l, N));
            let mut b: Vec<f64> = pattern(9, 5 * N).into_iter().map(f64::from).collect();
            solve(&l, &mut b, N);
            (0..N).for_each(|i| l[i * N + i + 1..(i + 1) * N].fill(0.0));
            (l, b)
        };
        assert_eq!(on_threads(1, run), on_threads(3, run));
    }
}
