//! Gaussians by columns: how the loops of *project* and of the spherical harmonics hold what the buffers hold by rows.
//!
//! A block is read from rows into one array per number, goes through the formulas in loops over its Gaussians that have no
//! branch, so that they become vector code, and is written back. A Gaussian's result does not depend on its place in a block.

use std::hint::select_unpredictable;

use crate::gaussians::Gaussians;
use crate::math::{Quaternion, Sym2, Vec2, Vec3};
use crate::project::{GaussianShape, Splat, Splats};
use crate::scalar::Scalar;

/// Splats or Gaussians per parallel task. Sums over Gaussians are taken in this grain, counted from the start of their view,
/// so that neither threads nor the rest of a batch can change a bit.
pub(crate) const GRAIN: usize = 256;

/// The most Gaussians a block holds: few enough that its columns stay in the first-level cache.
pub(crate) const BLOCK: usize = 64;

/// One number of every Gaussian of a block.
pub(crate) type Column<T> = [T; BLOCK];

/// How far loops over a block of `count` Gaussians go: whole vectors, which compute on whatever the columns held before.
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
pub(crate) fn add<T: Scalar, const N: usize>(rows: &mut [T], columns: &[Column<T>; N]) {
    let (rows, _) = rows.as_chunks_mut::<N>();
    for k in 0..rows.len().min(BLOCK) {
        for n in 0..N {
            rows[k][n] += columns[n][k];
        }
    }
}

/// The sum of the first `count` numbers, by halves, whatever the number of lanes.
#[inline(always)]
pub(crate) fn total<T: Scalar>(column: &Column<T>, count: usize) -> T {
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

/// [`GaussianShape`]s by columns.
#[derive(Debug, Clone)]
pub(crate) struct ShapeColumns<T> {
    mean: [Column<T>; 3],
    scale: [Column<T>; 3],
    quaternion: [Column<T>; 4],
    opacity: [Column<T>; 1],
}

impl<T: Scalar> ShapeColumns<T> {
    #[inline(always)]
    pub(crate) fn new() -> Self {
        let zeros = [T::ZERO; BLOCK];
        Self {
            mean: [zeros; 3],
            scale: [zeros; 3],
            quaternion: [zeros; 4],
            opacity: [zeros; 1],
        }
    }

    /// Reads the Gaussians `first .. first + count`.
    #[inline(always)]
    pub(crate) fn read(&mut self, gaussians: &Gaussians<&[T]>, first: usize, count: usize) {
        let end = first + count;
        read(&gaussians.means[3 * first..3 * end], &mut self.mean);
        read(&gaussians.scales[3 * first..3 * end], &mut self.scale);
        read(
            &gaussians.quaternions[4 * first..4 * end],
            &mut self.quaternion,
        );
        read(&gaussians.opacities[first..end], &mut self.opacity);
    }

    /// Adds to the Gaussians from `first` on.
    #[inline(always)]
    pub(crate) fn add_to(&self, gaussians: &mut Gaussians<&mut [T]>, first: usize, count: usize) {
        let end = first + count;
        add(&mut gaussians.means[3 * first..3 * end], &self.mean);
        add(&mut gaussians.scales[3 * first..3 * end], &self.scale);
        add(
            &mut gaussians.quaternions[4 * first..4 * end],
            &self.quaternion,
        );
        add(&mut gaussians.opacities[first..end], &self.opacity);
    }

    #[inline(always)]
    pub(crate) fn get(&self, k: usize) -> GaussianShape<T> {
        GaussianShape {
            mean: vec3(&self.mean, k),
            scale: vec3(&self.scale, k),
            quaternion: Quaternion {
                w: self.quaternion[0][k],
                x: self.quaternion[1][k],
                y: self.quaternion[2][k],
                z: self.quaternion[3][k],
            },
            opacity: self.opacity[0][k],
        }
    }

    /// Writes one Gaussian, or zeros where it does not count.
    #[inline(always)]
    pub(crate) fn set(&mut self, k: usize, counts: bool, shape: GaussianShape<T>) {
        set_vec3(&mut self.mean, k, counts, shape.mean);
        set_vec3(&mut self.scale, k, counts, shape.scale);
        let q = shape.quaternion;
        set(&mut self.quaternion, k, counts, [q.w, q.x, q.y, q.z]);
        set(&mut self.opacity, k, counts, [shape.opacity]);
    }
}

/// [`Splat`]s by columns.
#[derive(Debug, Clone)]
pub(crate) struct SplatColumns<T> {
    mean: [Column<T>; 2],
    conic: [Column<T>; 3],
    opacity: [Column<T>; 1],
    depth: [Column<T>; 1],
}

impl<T: Scalar> SplatColumns<T> {
    #[inline(always)]
    pub(crate) fn new() -> Self {
        let zeros = [T::ZERO; BLOCK];
        Self {
            mean: [zeros; 2],
            conic: [zeros; 3],
            opacity: [zeros; 1],
            depth: [zeros; 1],
        }
    }

    /// Reads the splats `first .. first + count`.
    #[inline(always)]
    pub(crate) fn read(&mut self, splats: &Splats<&[T]>, first: usize, count: usize) {
        let end = first + count;
        read(&splats.means[2 * first..2 * end], &mut self.mean);
        read(&splats.conics[3 * first..3 * end], &mut self.conic);
        read(&splats.opacities[first..end], &mut self.opacity);
        read(&splats.depths[first..end], &mut self.depth);
    }

    /// Writes to the splats from `first` on.
    #[inline(always)]
    pub(crate) fn write(&self, splats: &mut Splats<&mut [T]>, first: usize, count: usize) {
        let end = first + count;
        write(&mut splats.means[2 * first..2 * end], &self.mean);
        write(&mut splats.conics[3 * first..3 * end], &self.conic);
        write(&mut splats.opacities[first..end], &self.opacity);
        write(&mut splats.depths[first..end], &self.depth);
    }

    #[inline(always)]
    pub(crate) fn get(&self, k: usize) -> Splat<T> {
        Splat {
            mean: Vec2 {
                x: self.mean[0][k],
                y: self.mean[1][k],
            },
            conic: Sym2 {
                xx: self.conic[0][k],
                xy: self.conic[1][k],
                yy: self.conic[2][k],
            },
            opacity: self.opacity[0][k],
            depth: self.depth[0][k],
        }
    }

    /// Writes one splat, or zeros where it does not count.
    #[inline(always)]
    pub(crate) fn set(&mut self, k: usize, counts: bool, splat: Splat<T>) {
        let (mean, conic) = (splat.mean, splat.conic);
        set(&mut self.mean, k, counts, [mean.x, mean.y]);
        set(&mut self.conic, k, counts, [conic.xx, conic.xy, conic.yy]);
        set(&mut self.opacity, k, counts, [splat.opacity]);
        set(&mut self.depth, k, counts, [splat.depth]);
    }
}

/// The vector of Gaussian `k`.
#[inline(always)]
pub(crate) fn vec3<T: Scalar>(columns: &[Column<T>; 3], k: usize) -> Vec3<T> {
    Vec3 {
        x: columns[0][k],
        y: columns[1][k],
        z: columns[2][k],
    }
}

/// Writes one vector, or zeros where it does not count.
#[inline(always)]
pub(crate) fn set_vec3<T: Scalar>(
    columns: &mut [Column<T>; 3],
    k: usize,
    counts: bool,
    v: Vec3<T>,
) {
    set(columns, k, counts, [v.x, v.y, v.z]);
}

/// Writes one number, or zero where it does not count.
#[inline(always)]
pub(crate) fn set_one<T: Scalar>(column: &mut Column<T>, k: usize, counts: bool, x: T) {
    column[k] = select_unpredictable(counts, x, T::ZERO);
}

/// Writes one row, or zeros where it does not count.
#[inline(always)]
pub(crate) fn set<T: Scalar, const N: usize>(
    columns: &mut [Column<T>; N],
    k: usize,
    counts: bool,
    row: [T; N],
) {
    for n in 0..N {
        columns[n][k] = select_unpredictable(counts, row[n], T::ZERO);
    }
}
