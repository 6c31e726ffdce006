//! Column layout of blocks of Gaussians or splats, for the loops of *project*, *bin* and of the
//! spherical harmonics.
//! The buffers themselves are stored by rows.
//!
//! A block is read from rows into one array per component. The formulas are applied to each of its
//! Gaussians, and the block is written back to rows. The loops over a block have no branch, so that
//! they become vector code. The result for a Gaussian does not depend on its index in a block.

use std::hint::select_unpredictable;

use crate::math::Vec3;
use crate::number::Number;

/// Number of splats or Gaussians per parallel task. Sums over Gaussians are formed per task, and
/// tasks are counted from the start of their view. The number of threads and the rest of a batch
/// therefore do not change any bit.
pub(crate) const GRAIN: usize = 256;

/// Greatest number of Gaussians or splats per block. The columns of a block fit the first-level
/// cache.
pub(crate) const BLOCK: usize = 64;

/// One component of every Gaussian of a block.
pub(crate) type Column<T> = [T; BLOCK];

/// Returns the end of a loop over a block of `count` Gaussians, rounded up to whole vectors. The
/// lanes beyond `count` compute on old contents of the columns.
#[inline(always)]
pub(crate) fn padded<const LANES: usize>(count: usize) -> usize {
    const { assert!(BLOCK.is_multiple_of(LANES)) };
    let end = count.next_multiple_of(LANES);
    // This lets the compiler drop later bounds checks.
    assert!(end <= BLOCK);
    end
}

/// Reads rows of `N` values.
#[inline(always)]
pub(crate) fn read<T: Copy, const N: usize>(rows: &[T], columns: &mut [Column<T>; N]) {
    let (rows, _) = rows.as_chunks::<N>();
    for k in 0..rows.len().min(BLOCK) {
        for n in 0..N {
            columns[n][k] = rows[k][n];
        }
    }
}

/// Writes rows of `N` values.
#[inline(always)]
pub(crate) fn write<T: Copy, const N: usize>(rows: &mut [T], columns: &[Column<T>; N]) {
    let (rows, _) = rows.as_chunks_mut::<N>();
    for k in 0..rows.len().min(BLOCK) {
        for n in 0..N {
            rows[k][n] = columns[n][k];
        }
    }
}

/// Adds to rows of `N` values.
#[inline(always)]
pub(crate) fn add<T: Number, const N: usize>(rows: &mut [T], columns: &[Column<T>; N]) {
    let (rows, _) = rows.as_chunks_mut::<N>();
    for k in 0..rows.len().min(BLOCK) {
        for n in 0..N {
            rows[k][n] += columns[n][k];
        }
    }
}

/// Returns the sum of the first `count` values. The values are summed by halves, so the result does
/// not depend on the number of lanes.
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

/// Returns the vector of Gaussian `k`.
#[inline(always)]
pub(crate) fn vec3<T: Number>(columns: &[Column<T>; 3], k: usize) -> Vec3<T> {
    Vec3 {
        x: columns[0][k],
        y: columns[1][k],
        z: columns[2][k],
    }
}

/// Writes the vector of Gaussian `k`, or zeros unless `counts`.
#[inline(always)]
pub(crate) fn set_vec3<T: Number>(
    columns: &mut [Column<T>; 3],
    k: usize,
    counts: bool,
    v: Vec3<T>,
) {
    set(columns, k, counts, [v.x, v.y, v.z]);
}

/// Writes the value of Gaussian `k`, or zero unless `counts`.
#[inline(always)]
pub(crate) fn set_one<T: Number>(column: &mut Column<T>, k: usize, counts: bool, x: T) {
    column[k] = select_unpredictable(counts, x, T::ZERO);
}

/// Writes the row of Gaussian `k`, or zeros unless `counts`.
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
