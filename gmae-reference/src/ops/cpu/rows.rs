//! Sums over a row, in an order that does not depend on the instruction set.

use super::real::Real;

/// Partial sums of a row. Their number lets the loop be vector code.
const LANES: usize = 16;

/// Sums `of(x)` over a row.
#[inline(always)]
pub fn sum<T: Real>(row: &[T], of: impl Fn(T) -> T) -> T {
    let mut lanes = [T::zero(); LANES];
    let (whole, rest) = row.as_chunks::<LANES>();
    for chunk in whole {
        for (lane, x) in lanes.iter_mut().zip(chunk) {
            *lane = *lane + of(*x);
        }
    }
    for (lane, x) in lanes.iter_mut().zip(rest) {
        *lane = *lane + of(*x);
    }
    total(lanes)
}

/// Sums `of(x, y)` over two rows of equal length.
#[inline(always)]
pub fn sum_pairs<T: Real>(x: &[T], y: &[T], of: impl Fn(T, T) -> T) -> T {
    let mut lanes = [T::zero(); LANES];
    let ((whole_x, rest_x), (whole_y, rest_y)) = (x.as_chunks::<LANES>(), y.as_chunks::<LANES>());
    for (x, y) in whole_x.iter().zip(whole_y) {
        for (lane, (x, y)) in lanes.iter_mut().zip(x.iter().zip(y)) {
            *lane = *lane + of(*x, *y);
        }
    }
    for (lane, (x, y)) in lanes.iter_mut().zip(rest_x.iter().zip(rest_y)) {
        *lane = *lane + of(*x, *y);
    }
    total(lanes)
}

/// The largest element of a row, or minus infinity. NaN is passed over.
#[inline(always)]
pub fn largest<T: Real>(row: &[T]) -> T {
    let greater = |a: T, b: T| if b > a { b } else { a };
    let mut lanes = [T::neg_infinity(); LANES];
    let (whole, rest) = row.as_chunks::<LANES>();
    for chunk in whole {
        for (lane, x) in lanes.iter_mut().zip(chunk) {
            *lane = greater(*lane, *x);
        }
    }
    let largest = lanes.into_iter().fold(T::neg_infinity(), greater);
    rest.iter().copied().fold(largest, greater)
}

#[inline(always)]
fn total<T: Real>(mut lanes: [T; LANES]) -> T {
    let mut half = LANES / 2;
    while half > 0 {
        for lane in 0..half {
            lanes[lane] = lanes[lane] + lanes[lane + half];
        }
        half /= 2;
    }
    lanes[0]
}
