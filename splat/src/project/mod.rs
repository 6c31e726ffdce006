//! Stage 1, *project*: projects Gaussians in world space to splats in the image (MATH section 2).
//!
//! `formula.rs` contains the formulas of one Gaussian, and this file the types they use. `cpu/` and
//! `gpu/` contain the loops over all Gaussians of all views.

use crate::camera::{Camera, Projection};
use crate::config::{COMPENSATION_FLOOR, RenderConfig, TANGENT_MARGIN};
use crate::math::{Mat3, Quaternion, Sym2, Vec2, Vec3};
use crate::number::Number;

pub(crate) mod cpu;
#[cfg(feature = "gpu")]
pub(crate) mod gpu;
pub(crate) mod views_of_tasks;

/// The geometry of one Gaussian: every parameter except the features. The gradient with respect to
/// the geometry has the same type.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[cfg_attr(feature = "gpu", derive(cubecl::CubeType))]
pub struct GaussianShape<F: Number> {
    /// Centre, world units.
    pub mean: Vec3<F>,
    /// Standard deviations along the Gaussian's own axes, world units.
    pub scale: Vec3<F>,
    /// Rotation, a quaternion of any length except zero.
    pub quaternion: Quaternion<F>,
    /// Opacity, before the compensation for the blur.
    pub opacity: F,
}

/// One projected Gaussian without its features. The gradient with respect to a splat has the same
/// type.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[cfg_attr(feature = "gpu", derive(cubecl::CubeType))]
pub struct Splat<F: Number> {
    /// Centre, px.
    pub mean: Vec2<F>,
    /// Inverse of the blurred covariance, px^-2.
    pub conic: Sym2<F>,
    /// Opacity, including the compensation for the blur.
    pub opacity: F,
    /// Depth: camera-space z, world units.
    pub depth: F,
}

/// The gradient with respect to a camera's pose, `camera_from_world`, and its intrinsics. The
/// twelve entries of the pose are treated as independent variables.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[cfg_attr(feature = "gpu", derive(cubecl::CubeType))]
pub struct CameraGradient<F: Number> {
    /// Gradient with respect to `R`.
    pub rotation: Mat3<F>,
    /// Gradient with respect to `t`.
    pub translation: Vec3<F>,
    /// Gradient with respect to the intrinsics.
    pub intrinsics: Intrinsics<F>,
}

/// The gradient with respect to the intrinsics of a camera.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[cfg_attr(feature = "gpu", derive(cubecl::CubeType))]
pub struct Intrinsics<F: Number> {
    /// Gradient with respect to the focal length along x.
    pub fx: F,
    /// Gradient with respect to the focal length along y.
    pub fy: F,
    /// Gradient with respect to the principal point along x.
    pub cx: F,
    /// Gradient with respect to the principal point along y.
    pub cy: F,
}

/// A [`Camera`] in the form that the formulas read: rounded to the scalar `F`, with the ends of the
/// tangent clamp already computed.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(feature = "gpu", derive(cubecl::CubeType))]
pub struct CameraParams<F: Number> {
    /// `R` of `camera_from_world`.
    pub rotation: Mat3<F>,
    /// `t` of `camera_from_world`.
    pub translation: Vec3<F>,
    /// Focal length along x; [`Camera::fx`] states the unit.
    pub fx: F,
    /// Focal length along y; [`Camera::fx`] states the unit.
    pub fy: F,
    /// Principal point along x, px.
    pub cx: F,
    /// Principal point along y, px.
    pub cy: F,
    /// First column of the view's image in the camera's whole image.
    pub left: F,
    /// First row of the view's image in the camera's whole image.
    pub top: F,
    /// Least camera-space z, world units. Nearer Gaussians are culled.
    pub near: F,
    /// Greatest camera-space z, world units. Farther Gaussians are culled.
    pub far: F,
    /// Lower end of the clamp of `x/z` in the Jacobian (MATH eq. 6).
    pub tan_x_min: F,
    /// Upper end of the clamp of `x/z` in the Jacobian (MATH eq. 6).
    pub tan_x_max: F,
    /// Lower end of the clamp of `y/z` in the Jacobian (MATH eq. 6).
    pub tan_y_min: F,
    /// Upper end of the clamp of `y/z` in the Jacobian (MATH eq. 6).
    pub tan_y_max: F,
    /// Whether the projection of a centre divides by z.
    pub perspective_centre: bool,
    /// Whether footprints are computed from the perspective Jacobian.
    pub perspective_footprint: bool,
}

impl Camera {
    /// Converts the camera to the form that the formulas read, rounded to `T`, for an image of
    /// `width` x `height` px.
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
        // The clamp belongs to the whole image, of which the view may show a part.
        let [w, h] = self.whole_of([width, height]).map(|side| side as f64);
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
            left: n(self.corner[0] as f64),
            top: n(self.corner[1] as f64),
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

/// The settings that the projection formulas read, rounded to the scalar `F`.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(feature = "gpu", derive(cubecl::CubeType))]
pub struct ProjectConstants<F: Number> {
    /// The blur: a variance that is added to the diagonal of the covariance, px^2 (MATH eq. 10).
    pub blur: F,
    /// Least value of the determinant ratio (MATH eq. 12).
    pub compensation_floor: F,
    /// Whether the opacity is compensated for the blur.
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

/// The intermediate values of the projection of one Gaussian. The vjp reads them too.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(feature = "gpu", derive(cubecl::CubeType))]
pub struct Footprint<F: Number> {
    /// Centre in camera space, world units (MATH eq. 4).
    pub centre: Vec3<F>,
    /// `1/z` for a perspective footprint, else 1 (MATH eq. 6).
    pub shrink: F,
    /// Clamped tangents `x/z` and `y/z`. They are zero for a parallel footprint (MATH eq. 6).
    pub tangent: Vec2<F>,
    /// First row of `J W`, divided by `fx * shrink` (MATH eq. 7).
    pub row0: Vec3<F>,
    /// Second row of `J W`, divided by `fy * shrink` (MATH eq. 7).
    pub row1: Vec3<F>,
    /// Rotation matrix of the Gaussian (MATH eq. 2).
    pub rotation: Mat3<F>,
    /// First row of `J W U` (MATH eq. 8).
    pub turned0: Vec3<F>,
    /// Second row of `J W U` (MATH eq. 8).
    pub turned1: Vec3<F>,
    /// First row of `M = J W U S` (MATH eq. 8). The covariance before the blur is `M M^T`.
    pub m0: Vec3<F>,
    /// Second row of `M` (MATH eq. 8).
    pub m1: Vec3<F>,
    /// `m0 x m1`. The square of its length is `det(M M^T)` (Cauchy-Binet, MATH eq. 9).
    pub normal: Vec3<F>,
    /// Determinant of the covariance before the blur, px^4 (MATH eq. 9).
    pub det_sharp: F,
    /// Covariance after the blur, px^2.
    pub covariance: Sym2<F>,
    /// Determinant of the covariance after the blur, px^4 (MATH eq. 11).
    pub det: F,
}

/// The rows of `M` (MATH eq. 8), or the gradients with respect to them.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(feature = "gpu", derive(cubecl::CubeType))]
pub struct Rows<F: Number> {
    /// First row.
    pub m0: Vec3<F>,
    /// Second row.
    pub m1: Vec3<F>,
}

/// The gradients of one projection with respect to the Gaussian and to the camera.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(feature = "gpu", derive(cubecl::CubeType))]
pub struct ProjectGradient<F: Number> {
    /// Gradient with respect to the Gaussian.
    pub gaussian: GaussianShape<F>,
    /// Gradient with respect to the camera's pose.
    pub camera: CameraGradient<F>,
}
