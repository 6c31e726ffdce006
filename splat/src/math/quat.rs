//! The rotation of a quaternion of any length (MATH eq. 1, 2).

use super::Real;
use crate::math::{Mat3, Quaternion, Vec3};
#[cfg(feature = "gpu")]
use cubecl::prelude::*;

/// Computes the Euclidean length.
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
pub fn norm(q: Quaternion<Real>) -> Real {
    (q.w * q.w + q.x * q.x + q.y * q.y + q.z * q.z).sqrt()
}

/// Computes `q / |q|` (MATH eq. 1). The result is not finite if `q` is zero.
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
pub fn normalise(q: Quaternion<Real>) -> Quaternion<Real> {
    let inverse = 1.0 / norm(q);
    Quaternion::<Real> {
        w: q.w * inverse,
        x: q.x * inverse,
        y: q.y * inverse,
        z: q.z * inverse,
    }
}

/// Vjp of [`normalise()`]. Returns `v_q` for the input `q` and the incoming gradient `v_unit` (MATH
/// eq. 1'). The component of `v_unit` along `q` does not contribute.
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
pub fn normalise_vjp(q: Quaternion<Real>, v_unit: Quaternion<Real>) -> Quaternion<Real> {
    let inverse = 1.0 / norm(q);
    let unit = normalise(q);
    let along = unit.w * v_unit.w + unit.x * v_unit.x + unit.y * v_unit.y + unit.z * v_unit.z;
    Quaternion::<Real> {
        w: (v_unit.w - along * unit.w) * inverse,
        x: (v_unit.x - along * unit.x) * inverse,
        y: (v_unit.y - along * unit.y) * inverse,
        z: (v_unit.z - along * unit.z) * inverse,
    }
}

/// Computes the rotation matrix of a unit quaternion (MATH eq. 2).
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
pub fn rotation(q: Quaternion<Real>) -> Mat3<Real> {
    Mat3::<Real> {
        r0: Vec3::<Real> {
            x: 1.0 - 2.0 * (q.y * q.y + q.z * q.z),
            y: 2.0 * (q.x * q.y - q.w * q.z),
            z: 2.0 * (q.x * q.z + q.w * q.y),
        },
        r1: Vec3::<Real> {
            x: 2.0 * (q.x * q.y + q.w * q.z),
            y: 1.0 - 2.0 * (q.x * q.x + q.z * q.z),
            z: 2.0 * (q.y * q.z - q.w * q.x),
        },
        r2: Vec3::<Real> {
            x: 2.0 * (q.x * q.z - q.w * q.y),
            y: 2.0 * (q.y * q.z + q.w * q.x),
            z: 1.0 - 2.0 * (q.x * q.x + q.y * q.y),
        },
    }
}

/// Vjp of [`rotation()`]. Returns `v_q` for the input `q` and the incoming gradient `v_r` (MATH eq.
/// 2'). It differentiates the polynomial of eq. 2 without assuming a unit quaternion.
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
pub fn rotation_vjp(q: Quaternion<Real>, v_r: Mat3<Real>) -> Quaternion<Real> {
    // In eq. 2, w is only in antisymmetric terms, and the products of x, y, z are symmetric.
    let anti_x = v_r.r2.y - v_r.r1.z;
    let anti_y = v_r.r0.z - v_r.r2.x;
    let anti_z = v_r.r1.x - v_r.r0.y;
    let sym_x = v_r.r2.y + v_r.r1.z;
    let sym_y = v_r.r0.z + v_r.r2.x;
    let sym_z = v_r.r1.x + v_r.r0.y;
    Quaternion::<Real> {
        w: 2.0 * (q.x * anti_x + q.y * anti_y + q.z * anti_z),
        x: 2.0 * (q.w * anti_x + q.y * sym_z + q.z * sym_y - 2.0 * q.x * (v_r.r1.y + v_r.r2.z)),
        y: 2.0 * (q.w * anti_y + q.x * sym_z + q.z * sym_x - 2.0 * q.y * (v_r.r0.x + v_r.r2.z)),
        z: 2.0 * (q.w * anti_z + q.x * sym_y + q.y * sym_x - 2.0 * q.z * (v_r.r0.x + v_r.r1.y)),
    }
}
