//! The layout of a hit's sums over pixels: six moments, then one sum per plane of values.

#![expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "kernel code passes shared memory by reference"
)]

use cubecl::prelude::*;

use crate::composite::Moments;
use crate::device::launch::UNITS;
use crate::formulas::single::Real;

const ONE: u32 = 0;
const X: u32 = 1;
const Y: u32 = 2;
const XX: u32 = 3;
const XY: u32 = 4;
const YY: u32 = 5;

/// The number of moments.
pub(crate) const MOMENTS: u32 = 6;

/// The number of parts of a sum over the segments.
pub(crate) const PARTS: u32 = 4;

/// Returns the moments of no pixel.
#[cube]
pub(crate) fn no_moments() -> Moments<f32> {
    Moments::<Real> {
        one: 0.0,
        x: 0.0,
        y: 0.0,
        xx: 0.0,
        xy: 0.0,
        yy: 0.0,
    }
}

/// Stores the moments of a thread in its private array.
#[cube]
pub(crate) fn set_moments(numbers: &mut Array<f32>, moments: Moments<f32>) {
    numbers[comptime!(ONE as usize)] = moments.one;
    numbers[comptime!(X as usize)] = moments.x;
    numbers[comptime!(Y as usize)] = moments.y;
    numbers[comptime!(XX as usize)] = moments.xx;
    numbers[comptime!(XY as usize)] = moments.xy;
    numbers[comptime!(YY as usize)] = moments.yy;
}

/// Stores the moments of this thread in shared memory. The values of one moment are contiguous over
/// the threads.
#[cube]
pub(crate) fn share_moments(exchange: &mut SharedMemory<f32>, moments: Moments<f32>) {
    exchange[(ONE * UNITS + UNIT_POS_X) as usize] = moments.one;
    exchange[(X * UNITS + UNIT_POS_X) as usize] = moments.x;
    exchange[(Y * UNITS + UNIT_POS_X) as usize] = moments.y;
    exchange[(XX * UNITS + UNIT_POS_X) as usize] = moments.xx;
    exchange[(XY * UNITS + UNIT_POS_X) as usize] = moments.xy;
    exchange[(YY * UNITS + UNIT_POS_X) as usize] = moments.yy;
}

/// Returns sum number `at`. With `in_parts`, `finals` has [`PARTS`] partial sums for each sum,
/// which this function adds.
#[cube]
pub(crate) fn total(finals: &SharedMemory<f32>, at: u32, #[comptime] in_parts: bool) -> f32 {
    const { assert!(PARTS == 4, "the tree below has four leaves") };
    if comptime![in_parts] {
        let at = at * PARTS;
        (finals[at as usize] + finals[(at + 1) as usize])
            + (finals[(at + 2) as usize] + finals[(at + 3) as usize])
    } else {
        finals[at as usize]
    }
}

/// Returns the moments whose first sum has number `from`.
#[cube]
pub(crate) fn moments_at(
    finals: &SharedMemory<f32>,
    from: u32,
    #[comptime] in_parts: bool,
) -> Moments<f32> {
    Moments::<Real> {
        one: total(finals, from + ONE, in_parts),
        x: total(finals, from + X, in_parts),
        y: total(finals, from + Y, in_parts),
        xx: total(finals, from + XX, in_parts),
        xy: total(finals, from + XY, in_parts),
        yy: total(finals, from + YY, in_parts),
    }
}
