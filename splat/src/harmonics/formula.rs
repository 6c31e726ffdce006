//! Real spherical harmonics of degree 0 to 3 (MATH eq. 18). The order and the signs are those of
//! 3DGS: l ascending, m = -l .. l, Condon-Shortley phase. This file contains one basis function and
//! its vjp. `cpu.rs` sums over the coefficients.

use super::Real;
use crate::math::Vec3;
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

/// Returns the value of basis function `k`, `0 <= k < 16`, at the unit vector `d` (MATH eq. 18).
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
    }
    Vec3::<Real> {
        x: x * v_term,
        y: y * v_term,
        z: z * v_term,
    }
}
