//! The layout of a packed splat: the values that a compositor reads of a splat, in one row.
//!
//! A row in global memory has [`PACKED`] words. A row in shared memory has the first [`ROW`] of
//! them, which every pixel of a tile reads.

#![expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "kernel code passes shared memory by reference"
)]

use cubecl::prelude::*;

use crate::device::rows::{set_sym2_at, set_vec2_at};
use crate::formulas::single::Real;
use crate::formulas::single::binning::in_box;
use crate::math::{Sym2, Vec2};
use crate::project::Splat;

/// The centre, x and y.
const MEAN: u32 = 0;
/// The conic: xx, xy, yy.
const CONIC: u32 = 2;
const OPACITY: u32 = 5;
/// The half width and the half height of the box.
const EXTENT: u32 = 6;
const DEPTH: u32 = 8;

/// The number of words of a splat in shared memory.
pub(crate) const ROW: u32 = 9;

/// The rank in the view, in two parts that `f32` holds exactly. The lower part is first.
const RANK: u32 = 9;

/// The number of words of a splat in global memory.
pub(crate) const PACKED: u32 = 11;

/// The lower part of a rank is below this value.
const RANK_PART: u32 = 1 << 16;

/// Stores splat `m`, without its rank.
#[cube]
pub(crate) fn set_packed(packed: &mut Array<f32>, m: u32, splat: Splat<f32>, extent: Vec2<f32>) {
    let at = m * PACKED;
    set_vec2_at(packed, at + MEAN, splat.mean);
    set_sym2_at(packed, at + CONIC, splat.conic);
    packed[(at + OPACITY) as usize] = splat.opacity;
    set_vec2_at(packed, at + EXTENT, extent);
    packed[(at + DEPTH) as usize] = splat.depth;
}

/// Stores the rank of splat `m`.
#[cube]
pub(crate) fn set_rank(packed: &mut Array<f32>, m: u32, rank: u32) {
    let at = m * PACKED + RANK;
    packed[at as usize] = f32::cast_from(rank % RANK_PART);
    packed[(at + 1) as usize] = f32::cast_from(rank / RANK_PART);
}

/// Returns the rank of splat `m`.
#[cube]
pub(crate) fn rank_of(packed: &Array<f32>, m: u32) -> u32 {
    let at = m * PACKED + RANK;
    u32::cast_from(packed[at as usize]) + u32::cast_from(packed[(at + 1) as usize]) * RANK_PART
}

/// Returns word `i` of the rows in shared memory, read from the row of splat `m`.
#[cube]
pub(crate) fn row_word(packed: &Array<f32>, m: u32, i: u32) -> f32 {
    packed[(m * PACKED + i % ROW) as usize]
}

/// Returns the first word of the row of hit `i` of a batch.
#[cube]
pub(crate) fn row_of(i: u32) -> u32 {
    i * ROW
}

/// Returns the offset of the pixel at `(x, y)` from the mean of the hit whose row begins at `at`.
#[cube]
pub(crate) fn offset(rows: &SharedMemory<f32>, at: u32, x: f32, y: f32) -> Vec2<f32> {
    Vec2::<Real> {
        x: x - rows[(at + MEAN) as usize],
        y: y - rows[(at + comptime!(MEAN + 1)) as usize],
    }
}

/// Returns the conic of the hit.
#[cube]
pub(crate) fn conic_of(rows: &SharedMemory<f32>, at: u32) -> Sym2<f32> {
    Sym2::<Real> {
        xx: rows[(at + CONIC) as usize],
        xy: rows[(at + comptime!(CONIC + 1)) as usize],
        yy: rows[(at + comptime!(CONIC + 2)) as usize],
    }
}

/// Returns the opacity of the hit.
#[cube]
pub(crate) fn opacity_of(rows: &SharedMemory<f32>, at: u32) -> f32 {
    rows[(at + OPACITY) as usize]
}

/// Returns whether a pixel `dx` right of the hit's mean lies between the sides of the hit's box.
#[cube]
pub(crate) fn is_near_x(rows: &SharedMemory<f32>, at: u32, dx: f32) -> bool {
    in_box(dx, rows[(at + EXTENT) as usize])
}

/// Returns whether a pixel `dy` below the hit's mean lies between the top and bottom of the hit's
/// box.
#[cube]
pub(crate) fn is_near_y(rows: &SharedMemory<f32>, at: u32, dy: f32) -> bool {
    in_box(dy, rows[(at + comptime!(EXTENT + 1)) as usize])
}

/// Returns the depth of the hit.
#[cube]
pub(crate) fn depth_of(rows: &SharedMemory<f32>, at: u32) -> f32 {
    rows[(at + DEPTH) as usize]
}
