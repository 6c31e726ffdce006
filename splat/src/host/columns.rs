//! Gaussians by columns: how the loops of *project* and of the spherical harmonics hold what the
//! buffers hold by rows.
//!
//! A block is read from rows into one array per number, goes through the formulas in loops over its
//! Gaussians that have no branch, so that they become vector code, and is written back. A
//! Gaussian's result does not depend on its index in a block.

use std::hint::select_unpredictable;

use crate::math::Vec3;
use crate::number::Number;

/// Splats or Gaussians per parallel task. Sums over Gaussians are taken in this grain, counted from
/// the start of their view, so that neither threads nor the rest of a batch can change a bit.
pub(crate) const GRAIN: usize = 256;

/// The most Gaussians a block holds: few enough that its columns stay in the first-level cache.
pub(crate) const BLOCK: usize = 64;

/// One number of every Gaussian of a block.
pub(crate) type Column<T> = [T; BLOCK];

/// How far loops over a block of `count` Gaussians go: whole vectors, which compute on whatever the
/// columns held before.
#[inline(always)]
pub(crate) fn padded<const LANES: usize>(count: usize) -> usize {
    const { assert!(BLOCK.is_multiple_of(LANES)) };
    let end = count.next_multiple_of(LANES);
    // What follows need not ask again.
    assert!(end <= BLOCK);
    end
}

/// Reads rows of `N` numbers.
#[inline(always)]
pub(crate) fn read<T: Copy, const N: usize>(rows: &[T], columns: &mut [Column<T>; N]) {
    let (rows, _) = rows.as_chunks::<N>();
    for k in 0..rows.len().min(BLOCK) {
        for n in 0..N {
            columns[n][k] = rows[k][n];
        }
    }
}

/// Writes rows of `N` numbers.
#[inline(always)]
pub(crate) fn write<T: Copy, const N: usize>(rows: &mut [T], columns: &[Column<T>; N]) {
    let (rows, _) = rows.as_chunks_mut::<N>();
    for k in 0..rows.len().min(BLOCK) {
        for n in 0..N {
            rows[k][n] = columns[n][k];
        }
    }
}

/// Adds to rows of `N` numbers.
#[inline(always)]
pub(crate) fn add<T: Number, const N: usize>(rows: &mut [T], columns: &[Column<T>; N]) {
    let (rows, _) = rows.as_chunks_mut::<N>();
    for k in 0..rows.len().min(BLOCK) {
        for n in 0..N {
            rows[k][n] += columns[n][k];
        }
    }
}

/// The sum of the first `count` numbers, by halves, whatever the number of lanes.
#[inline(always)]
pub(crate) fn total<T: Number>(column: &Column<T>, count: usize) -> T {
    let mut sums = *column;
    sums[count..].fill(T::ZERO);
    let mut half = BLOCK / 2;
    while half > 0 {
        for k in 0..half {
            sums[k] += sums[k + half];
        }
        half /= 2;
    }
    sums[0]
}

/// The vector of Gaussian `k`.
#[inline(always)]
pub(crate) fn vec3<T: Number>(columns: &[Column<T>; 3], k: usize) -> Vec3<T> {
    Vec3 {
        x: columns[0][k],
        y: columns[1][k],
        z: columns[2][k],
    }
}

/// Writes one vector, or zeros where it does not count.
#[inline(always)]
pub(crate) fn set_vec3<T: Number>(
    columns: &mut [Column<T>; 3],
    k: usize,
    counts: bool,
    v: Vec3<T>,
) {
    set(columns, k, counts, [v.x, v.y, v.z]);
}

/// Writes one number, or zero where it does not count.
#[inline(always)]
pub(crate) fn set_one<T: Number>(column: &mut Column<T>, k: usize, counts: bool, x: T) {
    column[k] = select_unpredictable(counts, x, T::ZERO);
}

/// Writes one row, or zeros where it does not count.
#[inline(always)]
pub(crate) fn set<T: Number, const N: usize>(
    columns: &mut [Column<T>; N],
    k: usize,
    counts: bool,
    row: [T; N],
) {
    for n in 0..N {
        columns[n][k] = select_unpredictable(counts, row[n], T::ZERO);
    }
}
