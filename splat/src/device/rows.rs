//! Loads and stores of vectors in buffers of values, in the order of the vectors' fields.
//!
//! A function `.._at` takes the first word of the vector. A function `.._of` takes the row of a
//! buffer with one vector per row.

use cubecl::prelude::*;

use crate::math::{Quaternion, Sym2, Vec2, Vec3};

/// The scalar of the kernels.
type Real = f32;

/// Loads the vector at word `at`.
#[cube]
pub(crate) fn vec2_at(numbers: &Array<f32>, at: u32) -> Vec2<f32> {
    Vec2::<Real> {
        x: numbers[at as usize],
        y: numbers[(at + 1) as usize],
    }
}

/// Stores a vector at word `at`, as [`vec2_at`] loads it.
#[cube]
pub(crate) fn set_vec2_at(numbers: &mut Array<f32>, at: u32, v: Vec2<f32>) {
    numbers[at as usize] = v.x;
    numbers[(at + 1) as usize] = v.y;
}

/// Loads row `i` of `[_, 2]`.
#[cube]
pub(crate) fn vec2_of(rows: &Array<f32>, i: u32) -> Vec2<f32> {
    vec2_at(rows, 2 * i)
}

/// Loads the vector at word `at`.
#[cube]
pub(crate) fn vec3_at(numbers: &Array<f32>, at: u32) -> Vec3<f32> {
    Vec3::<Real> {
        x: numbers[at as usize],
        y: numbers[(at + 1) as usize],
        z: numbers[(at + 2) as usize],
    }
}

/// Stores a vector at word `at`, as [`vec3_at`] loads it.
#[cube]
pub(crate) fn set_vec3_at(numbers: &mut Array<f32>, at: u32, v: Vec3<f32>) {
    numbers[at as usize] = v.x;
    numbers[(at + 1) as usize] = v.y;
    numbers[(at + 2) as usize] = v.z;
}

/// Loads row `i` of `[_, 3]`.
#[cube]
pub(crate) fn vec3_of(rows: &Array<f32>, i: u32) -> Vec3<f32> {
    vec3_at(rows, 3 * i)
}

/// Loads the matrix at word `at`, stored as xx, xy, yy.
#[cube]
pub(crate) fn sym2_at(numbers: &Array<f32>, at: u32) -> Sym2<f32> {
    Sym2::<Real> {
        xx: numbers[at as usize],
        xy: numbers[(at + 1) as usize],
        yy: numbers[(at + 2) as usize],
    }
}

/// Stores a matrix at word `at`, as [`sym2_at`] loads it.
#[cube]
pub(crate) fn set_sym2_at(numbers: &mut Array<f32>, at: u32, m: Sym2<f32>) {
    numbers[at as usize] = m.xx;
    numbers[(at + 1) as usize] = m.xy;
    numbers[(at + 2) as usize] = m.yy;
}

/// Loads row `i` of `[_, 3]`, stored as xx, xy, yy.
#[cube]
pub(crate) fn sym2_of(rows: &Array<f32>, i: u32) -> Sym2<f32> {
    sym2_at(rows, 3 * i)
}

/// Loads row `i` of `[_, 4]`, stored as w, x, y, z.
#[cube]
pub(crate) fn quaternion_of(rows: &Array<f32>, i: u32) -> Quaternion<f32> {
    let at = 4 * i;
    Quaternion::<Real> {
        w: rows[at as usize],
        x: rows[(at + 1) as usize],
        y: rows[(at + 2) as usize],
        z: rows[(at + 3) as usize],
    }
}

/// Stores a quaternion at word `at` as w, x, y, z.
#[cube]
pub(crate) fn set_quaternion_at(numbers: &mut Array<f32>, at: u32, q: Quaternion<f32>) {
    numbers[at as usize] = q.w;
    numbers[(at + 1) as usize] = q.x;
    numbers[(at + 2) as usize] = q.y;
    numbers[(at + 3) as usize] = q.z;
}
