//! Projection of one Gaussian through one camera to a splat, and its vjp.
//!
//! This file contains the formulas of MATH section 2 and the culling test of one Gaussian. The
//! loops over Gaussians and views are in `cpu/` and `gpu/`. The test of a splat's box against the
//! image is part of these loops.

use super::finite::finite;
use super::{Real, quat, sym2, vec3};
use crate::math::{Mat3, Sym2, Vec2, Vec3};
use crate::project::CameraParams;
use crate::project::{
    CameraGradient, Footprint, GaussianShape, Intrinsics, ProjectConstants, ProjectGradient, Rows,
    Splat,
};
#[cfg(feature = "gpu")]
use cubecl::prelude::*;

/// Clamps `x` to `[low, high]`.
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
fn clamped(x: Real, low: Real, high: Real) -> Real {
    let mut y = x;
    if y < low {
        y = low;
    }
    if y > high {
        y = high;
    }
    y
}

/// Vjp of [`clamped`] with respect to `x`: `v_y` if `x` lies in `[low, high]`, else zero (MATH
/// eq. 6').
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
fn clamped_vjp(x: Real, low: Real, high: Real, v_y: Real) -> Real {
    let mut v_x = v_y;
    if x < low || x > high {
        v_x = 0.0;
    }
    v_x
}

/// Computes the blurred 2-D covariance of a Gaussian, its determinant, and the intermediate values
/// that lead to them (MATH eq. 4 to 11).
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
pub fn footprint(
    g: GaussianShape<Real>,
    camera: CameraParams<Real>,
    constants: ProjectConstants<Real>,
) -> Footprint<Real> {
    let w = camera.rotation;
    let centre = vec3::add3(vec3::apply(w, g.mean), camera.translation);
    let mut shrink = 1.0;
    let mut u = 0.0;
    let mut v = 0.0;
    if camera.perspective_footprint {
        shrink = 1.0 / centre.z;
        u = clamped(centre.x * shrink, camera.tan_x_min, camera.tan_x_max);
        v = clamped(centre.y * shrink, camera.tan_y_min, camera.tan_y_max);
    }
    let row0 = vec3::combine(1.0, w.r0, -u, w.r2);
    let row1 = vec3::combine(1.0, w.r1, -v, w.r2);
    let rotation = quat::rotation(quat::normalise(g.quaternion));
    let turned0 = vec3::apply_transposed(rotation, vec3::scaled(camera.fx * shrink, row0));
    let turned1 = vec3::apply_transposed(rotation, vec3::scaled(camera.fy * shrink, row1));
    let m0 = vec3::times(turned0, g.scale);
    let m1 = vec3::times(turned1, g.scale);
    let normal = vec3::cross(m0, m1);
    let det_sharp = vec3::dot(normal, normal);
    let xx = vec3::dot(m0, m0);
    let yy = vec3::dot(m1, m1);
    // No term is negative, so the sum loses no digit, however thin the splat is (MATH eq. 11).
    let det = det_sharp + constants.blur * (xx + yy) + constants.blur * constants.blur;
    Footprint::<Real> {
        centre,
        shrink,
        tangent: Vec2::<Real> { x: u, y: v },
        row0,
        row1,
        rotation,
        turned0,
        turned1,
        m0,
        m1,
        normal,
        det_sharp,
        covariance: Sym2::<Real> {
            xx: xx + constants.blur,
            xy: vec3::dot(m0, m1),
            yy: yy + constants.blur,
        },
        det,
    }
}

/// Returns the factor that compensates the opacity for the blur, `sqrt(det(C) / det(C + blur I))`
/// (MATH eq. 12). `C` is the covariance before the blur.
///
/// The ratio of the determinants is at least `constants.compensation_floor`. Without anti-aliasing
/// the factor is 1.
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
pub fn compensation(det_sharp: Real, det: Real, constants: ProjectConstants<Real>) -> Real {
    let mut ratio = 1.0;
    if constants.antialias {
        ratio = det_sharp / det;
        if ratio < constants.compensation_floor {
            ratio = constants.compensation_floor;
        }
    }
    ratio.sqrt()
}

/// Projects a centre from camera space to the image, px (MATH eq. 5). The first column and row of
/// the image in the camera's whole image are whole numbers, and subtracted last: the difference is
/// exact near the image.
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
pub fn image_point(centre: Vec3<Real>, camera: CameraParams<Real>) -> Vec2<Real> {
    let mut shrink = 1.0;
    if camera.perspective_centre {
        shrink = 1.0 / centre.z;
    }
    Vec2::<Real> {
        x: camera.fx * centre.x * shrink + camera.cx - camera.left,
        y: camera.fy * centre.y * shrink + camera.cy - camera.top,
    }
}

/// Vjp of [`image_point()`]: computes the gradient with respect to `centre` from `v_point`, the
/// gradient with respect to the image point (MATH eq. 5').
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
pub fn image_point_vjp(
    centre: Vec3<Real>,
    camera: CameraParams<Real>,
    v_point: Vec2<Real>,
) -> Vec3<Real> {
    let mut shrink = 1.0;
    let mut v_z = 0.0;
    let along_x = camera.fx * v_point.x;
    let along_y = camera.fy * v_point.y;
    if camera.perspective_centre {
        shrink = 1.0 / centre.z;
        v_z = -(along_x * centre.x + along_y * centre.y) * shrink * shrink;
    }
    Vec3::<Real> {
        x: along_x * shrink,
        y: along_y * shrink,
        z: v_z,
    }
}

/// Computes the gradient with respect to the intrinsics (MATH eq. 5', 6' and 7').
///
/// `v_point` is the gradient with respect to the image point, `v_gains` that with respect to
/// `fx shrink` and `fy shrink`, and `v_limit_x` and `v_limit_y` are the parts of the
/// gradients with respect to the tangents that the clamp does not pass. A clamped
/// tangent is a limit, which depends on the intrinsics as `-(cx + constant) / fx`.
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
pub fn intrinsics_vjp(
    f: Footprint<Real>,
    camera: CameraParams<Real>,
    v_point: Vec2<Real>,
    v_gains: Vec2<Real>,
    v_limit_x: Real,
    v_limit_y: Real,
) -> Intrinsics<Real> {
    let mut shrink = 1.0;
    if camera.perspective_centre {
        shrink = 1.0 / f.centre.z;
    }
    let v_x = v_limit_x / camera.fx;
    let v_y = v_limit_y / camera.fy;
    Intrinsics::<Real> {
        fx: v_point.x * f.centre.x * shrink + f.shrink * v_gains.x - v_x * f.tangent.x,
        fy: v_point.y * f.centre.y * shrink + f.shrink * v_gains.y - v_y * f.tangent.y,
        cx: v_point.x - v_x,
        cy: v_point.y - v_y,
    }
}

/// Vjp of the activations of scales and opacity, from the activated Gaussian `g` and the gradient
/// `v` with respect to it (MATH eq. 20').
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
pub fn activation_vjp(g: GaussianShape<Real>, v: GaussianShape<Real>) -> GaussianShape<Real> {
    GaussianShape::<Real> {
        mean: v.mean,
        scale: vec3::times(v.scale, g.scale),
        quaternion: v.quaternion,
        opacity: v.opacity * g.opacity * (1.0 - g.opacity),
    }
}

/// Computes the splat of a Gaussian from its [`footprint()`] (MATH eq. 4, 5, 10, 12).
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
pub fn splat(
    g: GaussianShape<Real>,
    f: Footprint<Real>,
    camera: CameraParams<Real>,
    constants: ProjectConstants<Real>,
) -> Splat<Real> {
    Splat::<Real> {
        mean: image_point(f.centre, camera),
        conic: sym2::inverse(f.covariance, f.det),
        opacity: g.opacity * compensation(f.det_sharp, f.det, constants),
        depth: f.centre.z,
    }
}

/// Returns whether a Gaussian passes the culling tests. The test of its splat's box against the
/// image is separate.
///
/// The depth must lie in `[near, far]`. The compensated opacity must be at least `alpha_min`. The
/// norm of the quaternion and the determinant of the covariance must be positive. These values, the
/// splat's centre and the splat's conic must be finite. NaN fails every test.
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
pub fn is_sound(
    g: GaussianShape<Real>,
    f: Footprint<Real>,
    s: Splat<Real>,
    camera: CameraParams<Real>,
    alpha_min: Real,
) -> bool {
    let length = quat::norm(g.quaternion);
    let z = f.centre.z;
    // `&` instead of `&&` avoids branches in the vector loops. The determinants of the covariance
    // and of the conic must be finite because the vjp computes with them.
    (length > 0.0)
        & finite(length)
        & (z >= camera.near)
        & (z <= camera.far)
        & finite(z)
        & (f.det > 0.0)
        & finite(f.det)
        & finite(s.conic.xx * s.conic.yy)
        & finite(s.conic.xx)
        & finite(s.conic.xy)
        & finite(s.conic.yy)
        & finite(s.mean.x)
        & finite(s.mean.y)
        & finite(s.opacity)
        & (s.opacity >= alpha_min)
}

/// Computes the gradients with respect to the rows of `M` (MATH eq. 8', 9', 12'). `v_cov` is the
/// gradient with respect to the covariance, and `v_compensation` the gradient with respect to the
/// compensation factor.
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
pub fn rows_vjp(
    f: Footprint<Real>,
    constants: ProjectConstants<Real>,
    v_cov: Sym2<Real>,
    v_compensation: Real,
) -> Rows<Real> {
    let mut v_xx = v_cov.xx;
    let mut v_yy = v_cov.yy;
    let mut v_det_sharp = 0.0;
    if constants.antialias {
        let ratio = f.det_sharp / f.det;
        if ratio > constants.compensation_floor {
            let v_ratio = 0.5 * v_compensation / ratio.sqrt();
            v_det_sharp = v_ratio * (1.0 - ratio) / f.det;
            let v_trace = -v_ratio * ratio * constants.blur / f.det;
            v_xx += v_trace;
            v_yy += v_trace;
        }
    }
    // With n = m0 x m1: d|n|^2 = 2 dm0 . (m1 x n) + 2 dm1 . (n x m0)
    let swing0 = vec3::scaled(2.0 * v_det_sharp, vec3::cross(f.m1, f.normal));
    let swing1 = vec3::scaled(2.0 * v_det_sharp, vec3::cross(f.normal, f.m0));
    Rows::<Real> {
        m0: vec3::add3(vec3::combine(2.0 * v_xx, f.m0, v_cov.xy, f.m1), swing0),
        m1: vec3::add3(vec3::combine(2.0 * v_yy, f.m1, v_cov.xy, f.m0), swing1),
    }
}

/// Returns `a b^T + c d^T`, the form of the gradient with respect to `U` in MATH eq. 8'.
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
fn outer_sum(a: Vec3<Real>, b: Vec3<Real>, c: Vec3<Real>, d: Vec3<Real>) -> Mat3<Real> {
    Mat3::<Real> {
        r0: vec3::combine(a.x, b, c.x, d),
        r1: vec3::combine(a.y, b, c.y, d),
        r2: vec3::combine(a.z, b, c.z, d),
    }
}

/// Vjp of [`footprint()`] followed by [`splat()`]: computes the gradients with respect to the
/// Gaussian, to the camera's pose and to its intrinsics from `v_splat` (MATH eq. 4' to 12').
#[cfg_attr(feature = "gpu", cube)]
#[inline(always)]
pub fn splat_vjp(
    g: GaussianShape<Real>,
    camera: CameraParams<Real>,
    constants: ProjectConstants<Real>,
    v_splat: Splat<Real>,
) -> ProjectGradient<Real> {
    let f = footprint(g, camera, constants);
    let w = camera.rotation;
    // Gradients with respect to the covariance and the rows of M (eq. 8', 9', 10', 12').
    let v_cov = sym2::inverse_vjp(sym2::inverse(f.covariance, f.det), v_splat.conic);
    let v_m = rows_vjp(f, constants, v_cov, v_splat.opacity * g.opacity);
    let v_turned0 = vec3::times(g.scale, v_m.m0);
    let v_turned1 = vec3::times(g.scale, v_m.m1);
    let v_scale = vec3::add3(
        vec3::times(f.turned0, v_m.m0),
        vec3::times(f.turned1, v_m.m1),
    );
    let gain0 = camera.fx * f.shrink;
    let gain1 = camera.fy * f.shrink;
    let v_rotation = outer_sum(
        vec3::scaled(gain0, f.row0),
        v_turned0,
        vec3::scaled(gain1, f.row1),
        v_turned1,
    );
    let unit = quat::normalise(g.quaternion);
    let v_unit = quat::rotation_vjp(unit, v_rotation);
    // Gradients with respect to the rows of J W, the tangents and `shrink` (eq. 5' to 7').
    let v_gained0 = vec3::apply(f.rotation, v_turned0);
    let v_gained1 = vec3::apply(f.rotation, v_turned1);
    let v_row0 = vec3::scaled(gain0, v_gained0);
    let v_row1 = vec3::scaled(gain1, v_gained1);
    let point = image_point_vjp(f.centre, camera, v_splat.mean);
    let v_gains = Vec2::<Real> {
        x: vec3::dot(v_gained0, f.row0),
        y: vec3::dot(v_gained1, f.row1),
    };
    let mut v_limit_x = 0.0;
    let mut v_limit_y = 0.0;
    let mut v_x = point.x;
    let mut v_y = point.y;
    let mut v_z = point.z + v_splat.depth;
    if camera.perspective_footprint {
        let tan_x = f.centre.x * f.shrink;
        let tan_y = f.centre.y * f.shrink;
        let v_u = -vec3::dot(v_row0, w.r2);
        let v_v = -vec3::dot(v_row1, w.r2);
        let v_tan_x = clamped_vjp(tan_x, camera.tan_x_min, camera.tan_x_max, v_u);
        let v_tan_y = clamped_vjp(tan_y, camera.tan_y_min, camera.tan_y_max, v_v);
        v_limit_x = v_u - v_tan_x;
        v_limit_y = v_v - v_tan_y;
        let v_shrink = camera.fx * v_gains.x + camera.fy * v_gains.y;
        v_x += v_tan_x * f.shrink;
        v_y += v_tan_y * f.shrink;
        v_z -= (v_tan_x * tan_x + v_tan_y * tan_y + v_shrink * f.shrink) * f.shrink;
    }
    let v_centre = Vec3::<Real> {
        x: v_x,
        y: v_y,
        z: v_z,
    };
    let v_r2 = vec3::combine(-f.tangent.x, v_row0, -f.tangent.y, v_row1);
    ProjectGradient::<Real> {
        gaussian: GaussianShape::<Real> {
            mean: vec3::apply_transposed(w, v_centre),
            scale: v_scale,
            quaternion: quat::normalise_vjp(g.quaternion, v_unit),
            opacity: v_splat.opacity * compensation(f.det_sharp, f.det, constants),
        },
        camera: CameraGradient::<Real> {
            rotation: Mat3::<Real> {
                r0: vec3::add3(v_row0, vec3::scaled(v_centre.x, g.mean)),
                r1: vec3::add3(v_row1, vec3::scaled(v_centre.y, g.mean)),
                r2: vec3::add3(v_r2, vec3::scaled(v_centre.z, g.mean)),
            },
            translation: v_centre,
            intrinsics: intrinsics_vjp(f, camera, v_splat.mean, v_gains, v_limit_x, v_limit_y),
        },
    }
}
