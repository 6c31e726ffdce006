//! Load and store of vectors in buffers of numbers, in the order of their fields.
//!
//! `.._at` takes the word at which the vector begins, `.._of` the row of a buffer that has one
//! vector per row.

use cubecl::prelude::*;

use crate::math::{Quaternion, Sym2, Vec2, Vec3};

/// The scalar of kernels.
type Real = f32;

/// The vector that begins at word `at`.
#[cube]
pub(crate) fn vec2_at(numbers: &Array<f32>, at: u32) -> Vec2<f32> {
    Vec2::<Real> {
        x: numbers[at as usize],
        y: numbers[(at + 1) as usize],
    }
}

/// Stores [`vec2_at`].
#[cube]
pub(crate) fn set_vec2_at(numbers: &mut Array<f32>, at: u32, v: Vec2<f32>) {
    numbers[at as usize] = v.x;
    numbers[(at + 1) as usize] = v.y;
}

/// Row `i` of `[_, 2]`.
#[cube]
pub(crate) fn vec2_of(rows: &Array<f32>, i: u32) -> Vec2<f32> {
    vec2_at(rows, 2 * i)
}

/// The vector that begins at word `at`.
#[cube]
pub(crate) fn vec3_at(numbers: &Array<f32>, at: u32) -> Vec3<f32> {
    Vec3::<Real> {
        x: numbers[at as usize],
        y: numbers[(at + 1) as usize],
        z: numbers[(at + 2) as usize],
    }
}

/// Stores [`vec3_at`].
#[cube]
pub(crate) fn set_vec3_at(numbers: &mut Array<f32>, at: u32, v: Vec3<f32>) {
    numbers[at as usize] = v.x;
    numbers[(at + 1) as usize] = v.y;
    numbers[(at + 2) as usize] = v.z;
}

/// Row `i` of `[_, 3]`.
#[cube]
pub(crate) fn vec3_of(rows: &Array<f32>, i: u32) -> Vec3<f32> {
    vec3_at(rows, 3 * i)
}

/// The matrix that begins at word `at`: xx, xy, yy.
#[cube]
pub(crate) fn sym2_at(numbers: &Array<f32>, at: u32) -> Sym2<f32> {
    Sym2::<Real> {
        xx: numbers[at as usize],
        xy: numbers[(at + 1) as usize],
        yy: numbers[(at + 2) as usize],
    }
}

/// Stores [`sym2_at`].
#[cube]
pub(crate) fn set_sym2_at(numbers: &mut Array<f32>, at: u32, m: Sym2<f32>) {
    numbers[at as usize] = m.xx;
    numbers[(at + 1) as usize] = m.xy;
    numbers[(at + 2) as usize] = m.yy;
}

/// Row `i` of `[_, 3]`.
#[cube]
pub(crate) fn sym2_of(rows: &Array<f32>, i: u32) -> Sym2<f32> {
    sym2_at(rows, 3 * i)
}

/// Row `i` of `[_, 4]`: w, x, y, z.
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

/// Stores a quaternion from word `at` on.
#[cube]
pub(crate) fn set_quaternion_at(numbers: &mut Array<f32>, at: u32, q: Quaternion<f32>) {
    numbers[at as usize] = q.w;
    numbers[(at + 1) as usize] = q.x;
    numbers[(at + 2) as usize] = q.y;
    numbers[(at + 3) as usize] = q.z;
}
