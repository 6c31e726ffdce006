//! Vectors in space and in the image. Linear functions have no separate vjp, because their derivative is the
//! function itself.

use super::Real;
use crate::math::{Mat3, Vec2, Vec3};
#[cfg(feature = "gpu")]
use cubecl::prelude::*;

/// Computes the dot product `a . b`.
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
pub fn dot(a: Vec3<Real>, b: Vec3<Real>) -> Real {
    a.x * b.x + a.y * b.y + a.z * b.z
}

/// Computes `a + b`.
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
pub fn add3(a: Vec3<Real>, b: Vec3<Real>) -> Vec3<Real> {
    Vec3::<Real> {
        x: a.x + b.x,
        y: a.y + b.y,
        z: a.z + b.z,
    }
}

/// Computes `s a + t b`.
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
pub fn combine(s: Real, a: Vec3<Real>, t: Real, b: Vec3<Real>) -> Vec3<Real> {
    Vec3::<Real> {
        x: s * a.x + t * b.x,
        y: s * a.y + t * b.y,
        z: s * a.z + t * b.z,
    }
}

/// Computes `s a`.
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
pub fn scaled(s: Real, a: Vec3<Real>) -> Vec3<Real> {
    Vec3::<Real> {
        x: s * a.x,
        y: s * a.y,
        z: s * a.z,
    }
}

/// Computes the product by components, `diag(a) b`.
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
pub fn times(a: Vec3<Real>, b: Vec3<Real>) -> Vec3<Real> {
    Vec3::<Real> {
        x: a.x * b.x,
        y: a.y * b.y,
        z: a.z * b.z,
    }
}

/// Computes the cross product `a x b`.
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
pub fn cross(a: Vec3<Real>, b: Vec3<Real>) -> Vec3<Real> {
    Vec3::<Real> {
        x: a.y * b.z - a.z * b.y,
        y: a.z * b.x - a.x * b.z,
        z: a.x * b.y - a.y * b.x,
    }
}

/// Computes `M a`.
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
pub fn apply(m: Mat3<Real>, a: Vec3<Real>) -> Vec3<Real> {
    Vec3::<Real> {
        x: m.r0.x * a.x + m.r0.y * a.y + m.r0.z * a.z,
        y: m.r1.x * a.x + m.r1.y * a.y + m.r1.z * a.z,
        z: m.r2.x * a.x + m.r2.y * a.y + m.r2.z * a.z,
    }
}

/// Computes `M^T a`.
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
pub fn apply_transposed(m: Mat3<Real>, a: Vec3<Real>) -> Vec3<Real> {
    Vec3::<Real> {
        x: m.r0.x * a.x + m.r1.x * a.y + m.r2.x * a.z,
        y: m.r0.y * a.x + m.r1.y * a.y + m.r2.y * a.z,
        z: m.r0.z * a.x + m.r1.z * a.y + m.r2.z * a.z,
    }
}

/// Computes `a / |a|`. The result is not finite if `a` is zero.
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
pub fn unit(a: Vec3<Real>) -> Vec3<Real> {
    scaled(1.0 / dot(a, a).sqrt(), a)
}

/// Vjp of [`unit()`]. Returns `v_a` for the input `a` and the incoming gradient `v_unit`. The
/// component of `v_unit` along `a` does not contribute (as in MATH eq. 1').
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
pub fn unit_vjp(a: Vec3<Real>, v_unit: Vec3<Real>) -> Vec3<Real> {
    let inverse = 1.0 / dot(a, a).sqrt();
    let u = scaled(inverse, a);
    combine(inverse, v_unit, -inverse * dot(u, v_unit), u)
}

/// Computes the length of a vector in the image.
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
pub fn length(a: Vec2<Real>) -> Real {
    (a.x * a.x + a.y * a.y).sqrt()
}
