//! Cameras.

use crate::config::DEPTH_RANGE;
use crate::error::RenderError;

/// The map from camera coordinates to pixels (MATH eq. 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Projection {
    /// Perspective projection: `u = fx x/z + cx`, `v = fy y/z + cy`. Footprints use the perspective
    /// Jacobian.
    Pinhole,
    /// Parallel projection: `u = fx x + cx`, `v = fy y + cy`, with `fx` and `fy` in px per world
    /// unit. Footprints use the Jacobian of this map, `diag(fx, fy)`.
    Orthographic,
    /// Parallel projection of centres, as in [`Projection::Orthographic`], with footprints from the
    /// perspective Jacobian. This is the camera of Gaussian Masked Autoencoders (arXiv 2501.03229).
    Hybrid,
}

/// One camera: projection, pose, intrinsics and depth range.
///
/// The camera axes follow computer vision: x right, y down, z forward. Pixel (row i, column j) is
/// sampled at `(j + 0.5, i + 0.5)`.
///
/// All values are `f64`. Each backend rounds them to its scalar. The struct is non-exhaustive:
/// start from a constructor.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Camera {
    /// The map from camera coordinates to pixels.
    pub projection: Projection,
    /// Rows `[R | t]` of the rigid motion `p_camera = R p_world + t`, world units. If a value is
    /// not finite, every Gaussian of the view is culled.
    pub camera_from_world: [[f64; 4]; 3],
    /// Focal length along x, finite and positive. The unit is px for [`Projection::Pinhole`] and px
    /// per world unit for [`Projection::Orthographic`]. [`Projection::Hybrid`] uses the value in px
    /// for footprints and in px per world unit for centres.
    pub fx: f64,
    /// Focal length along y, with the domain and units of `fx`.
    pub fy: f64,
    /// Finite x coordinate of the principal point, px from the left border of the image.
    pub cx: f64,
    /// Finite y coordinate of the principal point, px from the upper border of the image.
    pub cy: f64,
    /// Smallest camera z, world units. Gaussians with a smaller z are culled. The value must be
    /// positive, except for [`Projection::Orthographic`], which does not divide by z.
    pub near: f64,
    /// Greatest camera z, world units, at least `near`. Gaussians with a greater z are culled.
    pub far: f64,
    /// The part of the camera's image that the view shows: its first column and row, px. 0, 0 if
    /// the view shows all of the image. [`Views::crop`](crate::Views::crop) sets it.
    ///
    /// A part of an image has the same numbers as the same part of a render of the whole image. It
    /// would not if only the principal point were moved: the Jacobian's tangents are clamped to a
    /// margin around the whole image (MATH eq. 6).
    pub corner: [usize; 2],
    /// Width and height of the camera's image, px, each 1 to 2^22, or `None` if the view shows all
    /// of it. The principal point is that of this image.
    pub whole: Option<[usize; 2]>,
}

impl Camera {
    /// Returns a camera at the origin of the world that looks along `+z`.
    ///
    /// The depth range is [`DEPTH_RANGE`] (0.01 to 1e10) if the projection divides by z. It is
    /// unbounded for [`Projection::Orthographic`]. The fields of [`Camera`] state the units of the
    /// arguments.
    pub fn new(projection: Projection, fx: f64, fy: f64, cx: f64, cy: f64) -> Self {
        let (near, far) = match projection {
            Projection::Pinhole | Projection::Hybrid => DEPTH_RANGE.into(),
            Projection::Orthographic => (f64::NEG_INFINITY, f64::INFINITY),
        };
        Self {
            projection,
            camera_from_world: [
                [1.0, 0.0, 0.0, 0.0],
                [0.0, 1.0, 0.0, 0.0],
                [0.0, 0.0, 1.0, 0.0],
            ],
            fx,
            fy,
            cx,
            cy,
            near,
            far,
            corner: [0; 2],
            whole: None,
        }
    }

    /// Returns whether two cameras have the same numbers to the bit.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        let numbers = |camera: &Self| {
            let rest = [
                camera.fx,
                camera.fy,
                camera.cx,
                camera.cy,
                camera.near,
                camera.far,
            ];
            let pose = camera.camera_from_world.map(|row| row.map(f64::to_bits));
            (pose, rest.map(f64::to_bits))
        };
        numbers(self) == numbers(other)
            && (self.projection, self.corner, self.whole)
                == (other.projection, other.corner, other.whole)
    }

    /// Returns width and height of the camera's image, px, for a view of `size` px.
    pub(crate) fn whole_of(&self, size: [usize; 2]) -> [usize; 2] {
        self.whole.unwrap_or(size)
    }

    /// Returns [`Camera::new`] with [`Projection::Pinhole`].
    pub fn pinhole(fx: f64, fy: f64, cx: f64, cy: f64) -> Self {
        Self::new(Projection::Pinhole, fx, fy, cx, cy)
    }

    /// Returns [`Camera::new`] with [`Projection::Orthographic`].
    pub fn orthographic(fx: f64, fy: f64, cx: f64, cy: f64) -> Self {
        Self::new(Projection::Orthographic, fx, fy, cx, cy)
    }

    /// Returns [`Camera::new`] with [`Projection::Hybrid`].
    pub fn hybrid(fx: f64, fy: f64, cx: f64, cy: f64) -> Self {
        Self::new(Projection::Hybrid, fx, fy, cx, cy)
    }

    /// Returns the camera at another pose, rows `[R | t]`.
    #[must_use]
    pub fn with_pose(self, camera_from_world: [[f64; 4]; 3]) -> Self {
        Self {
            camera_from_world,
            ..self
        }
    }

    /// Returns the camera with another depth range, world units.
    #[must_use]
    pub fn with_depth_range(self, near: f64, far: f64) -> Self {
        Self { near, far, ..self }
    }

    /// Checks that every number is in its domain.
    pub(crate) fn validate(&self) -> Result<(), RenderError> {
        for (argument, focal) in [("camera.fx", self.fx), ("camera.fy", self.fy)] {
            if !(focal.is_finite() && focal > 0.0) {
                return Err(RenderError::config(argument, "a finite number > 0", focal));
            }
        }
        if !(self.cx.is_finite() && self.cy.is_finite()) {
            let got = format!("({}, {})", self.cx, self.cy);
            return Err(RenderError::config(
                "camera.cx, camera.cy",
                "finite numbers",
                got,
            ));
        }
        let divides = self.projection != Projection::Orthographic;
        if divides && (self.near.is_nan() || self.near <= 0.0) {
            return Err(RenderError::config(
                "camera.near",
                "a number > 0 for a projection that divides by z",
                self.near,
            ));
        }
        if self.near <= self.far {
            return Ok(());
        }
        let got = format!("[{}, {}]", self.near, self.far);
        Err(RenderError::config(
            "camera.near, camera.far",
            "near <= far",
            got,
        ))
    }
}
