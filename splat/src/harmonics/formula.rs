//! Real spherical harmonics of degree 0 to 4 (MATH eq. 18). The order and the signs are those of
//! 3DGS: l ascending, m = -l .. l, Condon-Shortley phase. This file contains one basis function,
//! the vector from a camera to a mean, and their vjps. The loops sum over the coefficients.

use super::{Real, vec3};
use crate::math::{Mat3, Vec3};
use crate::project::{CameraGradient, CameraParams, Intrinsics};
#[cfg(feature = "gpu")]
use cubecl::prelude::*;

/// sqrt(1 / (4 pi))
const C0: Real = 0.282_094_791_773_878_14;
/// sqrt(3 / (4 pi))
const C1: Real = 0.488_602_511_902_919_9;
/// sqrt(15 / (4 pi)): the products xy, yz, zx
const C2_PRODUCT: Real = 1.092_548_430_592_079_2;
/// sqrt(5 / (16 pi)): 2 z^2 - x^2 - y^2
const C2_AXIAL: Real = 0.315_391_565_252_520_05;
/// sqrt(15 / (16 pi)): x^2 - y^2
const C2_PLANAR: Real = 0.546_274_215_296_039_6;
/// sqrt(35 / (32 pi)): m = -3, 3
const C3_SECTORAL: Real = 0.590_043_589_926_643_5;
/// sqrt(105 / (4 pi)): xyz
const C3_PRODUCT: Real = 2.890_611_442_640_554;
/// sqrt(21 / (32 pi)): m = -1, 1
const C3_TILTED: Real = 0.457_045_799_464_465_8;
/// sqrt(7 / (16 pi)): m = 0
const C3_AXIAL: Real = 0.373_176_332_590_115_4;
/// sqrt(105 / (16 pi)): z (x^2 - y^2)
const C3_PLANAR: Real = 1.445_305_721_320_277;
/// 3/4 sqrt(35 / pi): xy (x^2 - y^2), m = -4
const C4_PRODUCT: Real = 2.503_342_941_796_704_6;
/// 3/4 sqrt(35 / (2 pi)): m = -3, 3
const C4_TILTED: Real = 1.770_130_769_779_930_4;
/// 3/4 sqrt(5 / pi): xy (6 z^2 - x^2 - y^2), m = -2
const C4_CROSSED: Real = 0.946_174_695_757_560_1;
/// 3/4 sqrt(5 / (2 pi)): m = -1, 1
const C4_POLAR: Real = 0.669_046_543_557_289_2;
/// 3/16 sqrt(1 / pi): m = 0
const C4_AXIAL: Real = 0.105_785_546_915_204_31;
/// 3/8 sqrt(5 / pi): (x^2 - y^2) (6 z^2 - x^2 - y^2), m = 2
const C4_PLANAR: Real = 0.473_087_347_878_780_04;
/// 3/16 sqrt(35 / pi): m = 4
const C4_SECTORAL: Real = 0.625_835_735_449_176_1;

/// Returns the value of basis function `k`, `0 <= k < 25`, at the unit vector `d` (MATH eq. 18).
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
pub fn sh_term(k: u32, d: Vec3<Real>) -> Real {
    let xx = d.x * d.x;
    let yy = d.y * d.y;
    let zz = d.z * d.z;
    let mut term = 0.0;
    if k == 0 {
        term = C0;
    } else if k == 1 {
        term = -C1 * d.y;
    } else if k == 2 {
        term = C1 * d.z;
    } else if k == 3 {
        term = -C1 * d.x;
    } else if k == 4 {
        term = C2_PRODUCT * d.x * d.y;
    } else if k == 5 {
        term = -C2_PRODUCT * d.y * d.z;
    } else if k == 6 {
        term = C2_AXIAL * (2.0 * zz - xx - yy);
    } else if k == 7 {
        term = -C2_PRODUCT * d.x * d.z;
    } else if k == 8 {
        term = C2_PLANAR * (xx - yy);
    } else if k == 9 {
        term = -C3_SECTORAL * d.y * (3.0 * xx - yy);
    } else if k == 10 {
        term = C3_PRODUCT * d.x * d.y * d.z;
    } else if k == 11 {
        term = -C3_TILTED * d.y * (4.0 * zz - xx - yy);
    } else if k == 12 {
        term = C3_AXIAL * d.z * (2.0 * zz - 3.0 * xx - 3.0 * yy);
    } else if k == 13 {
        term = -C3_TILTED * d.x * (4.0 * zz - xx - yy);
    } else if k == 14 {
        term = C3_PLANAR * d.z * (xx - yy);
    } else if k == 15 {
        term = -C3_SECTORAL * d.x * (xx - 3.0 * yy);
    } else if k >= 16 {
        term = quartic(k, d);
    }
    term
}

/// Vjp of [`sh_term()`] with respect to `d`: `v_term` times the gradient of the polynomial in MATH
/// eq. 18 (MATH eq. 18'). The caller projects the result onto the tangent plane of the sphere with
/// [`vec3::unit_vjp`](super::vec3::unit_vjp()).
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
pub fn sh_term_vjp(k: u32, d: Vec3<Real>, v_term: Real) -> Vec3<Real> {
    let xx = d.x * d.x;
    let yy = d.y * d.y;
    let zz = d.z * d.z;
    let mut x = 0.0;
    let mut y = 0.0;
    let mut z = 0.0;
    if k == 1 {
        y = -C1;
    } else if k == 2 {
        z = C1;
    } else if k == 3 {
        x = -C1;
    } else if k == 4 {
        x = C2_PRODUCT * d.y;
        y = C2_PRODUCT * d.x;
    } else if k == 5 {
        y = -C2_PRODUCT * d.z;
        z = -C2_PRODUCT * d.y;
    } else if k == 6 {
        x = -2.0 * C2_AXIAL * d.x;
        y = -2.0 * C2_AXIAL * d.y;
        z = 4.0 * C2_AXIAL * d.z;
    } else if k == 7 {
        x = -C2_PRODUCT * d.z;
        z = -C2_PRODUCT * d.x;
    } else if k == 8 {
        x = 2.0 * C2_PLANAR * d.x;
        y = -2.0 * C2_PLANAR * d.y;
    } else if k == 9 {
        x = -6.0 * C3_SECTORAL * d.x * d.y;
        y = -3.0 * C3_SECTORAL * (xx - yy);
    } else if k == 10 {
        x = C3_PRODUCT * d.y * d.z;
        y = C3_PRODUCT * d.x * d.z;
        z = C3_PRODUCT * d.x * d.y;
    } else if k == 11 {
        x = 2.0 * C3_TILTED * d.x * d.y;
        y = -C3_TILTED * (4.0 * zz - xx - 3.0 * yy);
        z = -8.0 * C3_TILTED * d.y * d.z;
    } else if k == 12 {
        x = -6.0 * C3_AXIAL * d.x * d.z;
        y = -6.0 * C3_AXIAL * d.y * d.z;
        z = C3_AXIAL * (6.0 * zz - 3.0 * xx - 3.0 * yy);
    } else if k == 13 {
        x = -C3_TILTED * (4.0 * zz - 3.0 * xx - yy);
        y = 2.0 * C3_TILTED * d.x * d.y;
        z = -8.0 * C3_TILTED * d.x * d.z;
    } else if k == 14 {
        x = 2.0 * C3_PLANAR * d.x * d.z;
        y = -2.0 * C3_PLANAR * d.y * d.z;
        z = C3_PLANAR * (xx - yy);
    } else if k == 15 {
        x = -3.0 * C3_SECTORAL * (xx - yy);
        y = 6.0 * C3_SECTORAL * d.x * d.y;
    } else if k >= 16 {
        let gradient = quartic_gradient(k, d);
        x = gradient.x;
        y = gradient.y;
        z = gradient.z;
    }
    Vec3::<Real> {
        x: x * v_term,
        y: y * v_term,
        z: z * v_term,
    }
}

/// Returns the value of basis function `k` of degree 4, `16 <= k < 25`, as [`sh_term()`] does.
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
fn quartic(k: u32, d: Vec3<Real>) -> Real {
    let xx = d.x * d.x;
    let yy = d.y * d.y;
    let zz = d.z * d.z;
    let mut term = 0.0;
    if k == 16 {
        term = C4_PRODUCT * d.x * d.y * (xx - yy);
    } else if k == 17 {
        term = -C4_TILTED * d.y * d.z * (3.0 * xx - yy);
    } else if k == 18 {
        term = C4_CROSSED * d.x * d.y * (6.0 * zz - xx - yy);
    } else if k == 19 {
        term = -C4_POLAR * d.y * d.z * (4.0 * zz - 3.0 * xx - 3.0 * yy);
    } else if k == 20 {
        let flat = xx + yy;
        term = C4_AXIAL * (8.0 * zz * zz - 24.0 * zz * flat + 3.0 * flat * flat);
    } else if k == 21 {
        term = -C4_POLAR * d.x * d.z * (4.0 * zz - 3.0 * xx - 3.0 * yy);
    } else if k == 22 {
        term = C4_PLANAR * (xx - yy) * (6.0 * zz - xx - yy);
    } else if k == 23 {
        term = -C4_TILTED * d.x * d.z * (xx - 3.0 * yy);
    } else if k == 24 {
        term = C4_SECTORAL * (xx * (xx - 3.0 * yy) - yy * (3.0 * xx - yy));
    }
    term
}

/// Returns the gradient of the polynomial of [`quartic()`] with respect to `d`.
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
fn quartic_gradient(k: u32, d: Vec3<Real>) -> Vec3<Real> {
    let xx = d.x * d.x;
    let yy = d.y * d.y;
    let zz = d.z * d.z;
    let mut x = 0.0;
    let mut y = 0.0;
    let mut z = 0.0;
    if k == 16 {
        x = C4_PRODUCT * d.y * (3.0 * xx - yy);
        y = C4_PRODUCT * d.x * (xx - 3.0 * yy);
    } else if k == 17 {
        x = -6.0 * C4_TILTED * d.x * d.y * d.z;
        y = -3.0 * C4_TILTED * d.z * (xx - yy);
        z = -C4_TILTED * d.y * (3.0 * xx - yy);
    } else if k == 18 {
        x = C4_CROSSED * d.y * (6.0 * zz - 3.0 * xx - yy);
        y = C4_CROSSED * d.x * (6.0 * zz - xx - 3.0 * yy);
        z = 12.0 * C4_CROSSED * d.x * d.y * d.z;
    } else if k == 19 {
        x = 6.0 * C4_POLAR * d.x * d.y * d.z;
        y = -C4_POLAR * d.z * (4.0 * zz - 3.0 * xx - 9.0 * yy);
        z = -C4_POLAR * d.y * (12.0 * zz - 3.0 * xx - 3.0 * yy);
    } else if k == 20 {
        let flat = xx + yy;
        let along = C4_AXIAL * (12.0 * flat - 48.0 * zz);
        x = along * d.x;
        y = along * d.y;
        z = C4_AXIAL * d.z * (32.0 * zz - 48.0 * flat);
    } else if k == 21 {
        x = -C4_POLAR * d.z * (4.0 * zz - 9.0 * xx - 3.0 * yy);
        y = 6.0 * C4_POLAR * d.x * d.y * d.z;
        z = -C4_POLAR * d.x * (12.0 * zz - 3.0 * xx - 3.0 * yy);
    } else if k == 22 {
        x = 4.0 * C4_PLANAR * d.x * (3.0 * zz - xx);
        y = -4.0 * C4_PLANAR * d.y * (3.0 * zz - yy);
        z = 12.0 * C4_PLANAR * d.z * (xx - yy);
    } else if k == 23 {
        x = -3.0 * C4_TILTED * d.z * (xx - yy);
        y = 6.0 * C4_TILTED * d.x * d.y * d.z;
        z = -C4_TILTED * d.x * (xx - 3.0 * yy);
    } else if k == 24 {
        x = 4.0 * C4_SECTORAL * d.x * (xx - 3.0 * yy);
        y = 4.0 * C4_SECTORAL * d.y * (yy - 3.0 * xx);
    }
    Vec3::<Real> { x, y, z }
}

/// Returns the vector from the camera's centre `-R^T t` to a mean, world units (MATH eq. 19).
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
pub fn view_offset(mean: Vec3<Real>, camera: CameraParams<Real>) -> Vec3<Real> {
    vec3::add3(
        mean,
        vec3::apply_transposed(camera.rotation, camera.translation),
    )
}

/// Vjp of [`view_offset()`] with respect to the pose, from the gradient `v_offset`. The gradient
/// with respect to the mean is `v_offset` itself (MATH eq. 19').
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
pub fn view_offset_vjp(camera: CameraParams<Real>, v_offset: Vec3<Real>) -> CameraGradient<Real> {
    let t = camera.translation;
    CameraGradient::<Real> {
        rotation: Mat3::<Real> {
            r0: vec3::scaled(t.x, v_offset),
            r1: vec3::scaled(t.y, v_offset),
            r2: vec3::scaled(t.z, v_offset),
        },
        translation: vec3::apply(camera.rotation, v_offset),
        intrinsics: Intrinsics::<Real> {
            fx: 0.0,
            fy: 0.0,
            cx: 0.0,
            cy: 0.0,
        },
    }
}
