//! Stage 1, *project*: from Gaussians in the world to splats in the image (MATH section 2).
//!
//! `formula.rs` has the mathematics of one Gaussian and this file the values it speaks of; `cpu/`
//! and `gpu/` have the loops over all Gaussians of all views.

use crate::camera::{Camera, Projection};
use crate::config::{COMPENSATION_FLOOR, RenderConfig, TANGENT_MARGIN};
use crate::math::{Mat3, Quaternion, Sym2, Vec2, Vec3};
use crate::number::Number;

pub(crate) mod cpu;
#[cfg(feature = "gpu")]
pub(crate) mod gpu;
pub(crate) mod views_of_tasks;

/// The geometry of one Gaussian: everything projection reads but its features. A gradient has the
/// same type.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[cfg_attr(feature = "gpu", derive(cubecl::CubeType))]
pub struct GaussianShape<F: Number> {
    /// Centre, world units.
    pub mean: Vec3<F>,
    /// Standard deviations along its own axes.
    pub scale: Vec3<F>,
    /// Rotation, of any length but zero.
    pub quaternion: Quaternion<F>,
    /// Opacity.
    pub opacity: F,
}

/// One projected Gaussian without its features. A gradient has the same type.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[cfg_attr(feature = "gpu", derive(cubecl::CubeType))]
pub struct Splat<F: Number> {
    /// Centre, px.
    pub mean: Vec2<F>,
    /// Inverse covariance, px^-2.
    pub conic: Sym2<F>,
    /// Opacity, compensation included.
    pub opacity: F,
    /// Camera z.
    pub depth: F,
}

/// The gradient by `camera_from_world`, its twelve entries as free numbers.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[cfg_attr(feature = "gpu", derive(cubecl::CubeType))]
pub struct CameraGradient<F: Number> {
    /// By `R`.
    pub rotation: Mat3<F>,
    /// By `t`.
    pub translation: Vec3<F>,
}

/// A [`Camera`] in the form the formulas read: rounded to the scalar, the tangent clamp worked out.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(feature = "gpu", derive(cubecl::CubeType))]
pub struct CameraParams<F: Number> {
    /// `R` of `camera_from_world`.
    pub rotation: Mat3<F>,
    /// `t` of `camera_from_world`.
    pub translation: Vec3<F>,
    /// Focal length along x.
    pub fx: F,
    /// Focal length along y.
    pub fy: F,
    /// Principal point along x, px.
    pub cx: F,
    /// Principal point along y, px.
    pub cy: F,
    /// Least camera z.
    pub near: F,
    /// Greatest camera z.
    pub far: F,
    /// Lower end of the clamp of `x/z` in the Jacobian.
    pub tan_x_min: F,
    /// Upper end of the clamp of `x/z` in the Jacobian.
    pub tan_x_max: F,
    /// Lower end of the clamp of `y/z` in the Jacobian.
    pub tan_y_min: F,
    /// Upper end of the clamp of `y/z` in the Jacobian.
    pub tan_y_max: F,
    /// Whether centres are divided by z.
    pub perspective_centre: bool,
    /// Whether footprints come from the perspective Jacobian.
    pub perspective_footprint: bool,
}

impl Camera {
    /// The camera as the formulas read it, rounded to `T`, for an image of `width` x `height` px.
    pub fn params<T: Number>(&self, width: usize, height: usize) -> CameraParams<T> {
        let n = T::from_f64;
        let row = |i: usize| {
            let [x, y, z, _] = self.camera_from_world[i];
            Vec3 {
                x: n(x),
                y: n(y),
                z: n(z),
            }
        };
        let shift = |i: usize| n(self.camera_from_world[i][3]);
        let (w, h) = (width as f64, height as f64);
        let (margin_x, margin_y) = (
            TANGENT_MARGIN * 0.5 * w / self.fx,
            TANGENT_MARGIN * 0.5 * h / self.fy,
        );
        CameraParams {
            rotation: Mat3 {
                r0: row(0),
                r1: row(1),
                r2: row(2),
            },
            translation: Vec3 {
                x: shift(0),
                y: shift(1),
                z: shift(2),
            },
            fx: n(self.fx),
            fy: n(self.fy),
            cx: n(self.cx),
            cy: n(self.cy),
            near: n(self.near),
            far: n(self.far),
            tan_x_min: n(-(self.cx / self.fx) - margin_x),
            tan_x_max: n((w - self.cx) / self.fx + margin_x),
            tan_y_min: n(-(self.cy / self.fy) - margin_y),
            tan_y_max: n((h - self.cy) / self.fy + margin_y),
            perspective_centre: self.projection == Projection::Pinhole,
            perspective_footprint: self.projection != Projection::Orthographic,
        }
    }
}

/// The settings the projection formulas read, rounded to the scalar.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(feature = "gpu", derive(cubecl::CubeType))]
pub struct ProjectConstants<F: Number> {
    /// Added to the diagonal of the covariance, px^2.
    pub blur: F,
    /// Floor of the determinant ratio.
    pub compensation_floor: F,
    /// Whether opacity is compensated for the blur.
    pub antialias: bool,
}

impl RenderConfig {
    pub(crate) fn project_constants<T: Number>(&self) -> ProjectConstants<T> {
        ProjectConstants {
            blur: T::from_f64(self.blur),
            compensation_floor: T::from_f64(COMPENSATION_FLOOR),
            antialias: self.antialias,
        }
    }
}

/// What the projection formula works out on the way and its vjp needs again.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(feature = "gpu", derive(cubecl::CubeType))]
pub struct Footprint<F: Number> {
    /// Centre in the camera's frame (MATH eq. 4).
    pub centre: Vec3<F>,
    /// `1/z` where the footprint is perspective, else 1.
    pub shrink: F,
    /// Clamped tangents, or zero for a parallel footprint (MATH eq. 6).
    pub tangent: Vec2<F>,
    /// First row of `J W` over `fx * shrink` (MATH eq. 7).
    pub row0: Vec3<F>,
    /// Second row of `J W` over `fy * shrink`.
    pub row1: Vec3<F>,
    /// Rotation of the Gaussian (MATH eq. 2).
    pub rotation: Mat3<F>,
    /// First row of `J W U` (MATH eq. 8).
    pub turned0: Vec3<F>,
    /// Second row of `J W U`.
    pub turned1: Vec3<F>,
    /// First row of `M = J W U S`; the covariance is `M M^T` (MATH eq. 8).
    pub m0: Vec3<F>,
    /// Second row of `M`.
    pub m1: Vec3<F>,
    /// `m0 x m1`, whose squared length is `det(M M^T)` (Cauchy-Binet, MATH eq. 9).
    pub normal: Vec3<F>,
    /// Determinant of the covariance before the blur, px^4.
    pub det_sharp: F,
    /// Covariance after the blur, px^2.
    pub covariance: Sym2<F>,
    /// Its determinant, px^4.
    pub det: F,
}

/// The rows of `M` (MATH eq. 8), or their gradient.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(feature = "gpu", derive(cubecl::CubeType))]
pub struct Rows<F: Number> {
    /// First row.
    pub m0: Vec3<F>,
    /// Second row.
    pub m1: Vec3<F>,
}

/// Gradients of one projection by both of its inputs.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(feature = "gpu", derive(cubecl::CubeType))]
pub struct ProjectGradient<F: Number> {
    /// By the Gaussian.
    pub gaussian: GaussianShape<F>,
    /// By the camera's pose.
    pub camera: CameraGradient<F>,
}
