//! Cameras and views: who looks at which Gaussians.

use std::ops::Range;

use crate::config::{DEPTH_RANGE, MAX_SIDE_PX};
use crate::error::{RenderError, checked_product, try_filled, try_reserved};

/// How camera coordinates become pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Projection {
    /// Perspective: `u = fx x/z + cx`; the footprint from the perspective Jacobian.
    Pinhole,
    /// Parallel: `u = fx x + cx`, with `fx` in pixels per world unit; the footprint from the same
    /// map.
    Orthographic,
    /// Centres as [`Projection::Orthographic`], footprints from the perspective Jacobian: the
    /// camera of Gaussian Masked Autoencoders (arXiv 2501.03229).
    Hybrid,
}

/// One camera: axes as in computer vision (x right, y down, z forward), pixel `(row i, column j)`
/// sampled at `(j + 0.5, i + 0.5)`.
///
/// Kept in `f64` on the host; each backend rounds to its scalar. More may be added: start from a
/// constructor.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Camera {
    /// How camera coordinates become pixels.
    pub projection: Projection,
    /// Rows `[R | t]` of the rigid motion `p_camera = R p_world + t`. These are data, not
    /// configuration: where they are not finite, everything is culled.
    pub camera_from_world: [[f64; 4]; 3],
    /// Focal length along x: px (pinhole, hybrid footprint) or px per world unit (orthographic,
    /// hybrid centre).
    pub fx: f64,
    /// Focal length along y, as `fx`.
    pub fy: f64,
    /// Principal point, px from the left border of the image.
    pub cx: f64,
    /// Principal point, px from the upper border of the image.
    pub cy: f64,
    /// Gaussians with camera `z` below are culled.
    pub near: f64,
    /// Gaussians with camera `z` above are culled.
    pub far: f64,
}

impl Camera {
    /// A camera at the world's origin, looking along `+z`. Near and far are [`DEPTH_RANGE`] (0.01
    /// and 1e10) where the projection divides by `z`, unbounded for [`Projection::Orthographic`].
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
        }
    }

    /// [`Camera::new`] with [`Projection::Pinhole`].
    pub fn pinhole(fx: f64, fy: f64, cx: f64, cy: f64) -> Self {
        Self::new(Projection::Pinhole, fx, fy, cx, cy)
    }

    /// [`Camera::new`] with [`Projection::Orthographic`].
    pub fn orthographic(fx: f64, fy: f64, cx: f64, cy: f64) -> Self {
        Self::new(Projection::Orthographic, fx, fy, cx, cy)
    }

    /// [`Camera::new`] with [`Projection::Hybrid`].
    pub fn hybrid(fx: f64, fy: f64, cx: f64, cy: f64) -> Self {
        Self::new(Projection::Hybrid, fx, fy, cx, cy)
    }

    /// The same camera at another pose, rows `[R | t]`.
    #[must_use]
    pub fn with_pose(self, camera_from_world: [[f64; 4]; 3]) -> Self {
        Self {
            camera_from_world,
            ..self
        }
    }

    /// The same camera with another depth range, world units.
    #[must_use]
    pub fn with_depth_range(self, near: f64, far: f64) -> Self {
        Self { near, far, ..self }
    }

    fn validate(&self) -> Result<(), RenderError> {
        let focal = |value: f64| value.is_finite() && value > 0.0;
        if !focal(self.fx) {
            return Err(RenderError::config(
                "camera.fx",
                "a finite number > 0",
                self.fx,
            ));
        }
        if !focal(self.fy) {
            return Err(RenderError::config(
                "camera.fy",
                "a finite number > 0",
                self.fy,
            ));
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
                "a number > 0 where the projection divides by z",
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

/// A batch of B views of one size. View `b` sees the Gaussians `ranges[b]` through `cameras[b]`.
///
/// Ranges may differ in length, be empty, overlap or be equal; where views share Gaussians, their
/// gradients sum.
#[derive(Debug, Clone, PartialEq)]
pub struct Views {
    /// Width W of every image, px.
    pub width: usize,
    /// Height H of every image, px.
    pub height: usize,
    /// One camera per view.
    pub cameras: Vec<Camera>,
    /// One range of Gaussian indices per view.
    pub ranges: Vec<Range<usize>>,
}

impl Views {
    /// One view of the Gaussians `0..count`.
    pub fn single(width: usize, height: usize, camera: Camera, count: usize) -> Self {
        Self {
            width,
            height,
            cameras: vec![camera],
            ranges: std::iter::once(0..count).collect(),
        }
    }

    /// The dense batch: view `b` sees Gaussians `b * count .. (b + 1) * count`, all through the
    /// same camera.
    ///
    /// # Errors
    /// [`RenderError::Capacity`] where there is no memory or no index for that many.
    pub fn dense(
        width: usize,
        height: usize,
        camera: Camera,
        batch: usize,
        count: usize,
    ) -> Result<Self, RenderError> {
        checked_product("Gaussians (batch x count)", &[batch, count])?;
        let mut ranges = try_filled("ranges [B]", batch, 0..0)?;
        for (b, range) in ranges.iter_mut().enumerate() {
            *range = b * count..(b + 1) * count;
        }
        Ok(Self {
            width,
            height,
            cameras: try_filled("cameras [B]", batch, camera)?,
            ranges,
        })
    }

    /// The number of views B.
    pub fn len(&self) -> usize {
        self.ranges.len()
    }

    /// Whether there is no view at all.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// Where each view's splats begin in the projected buffers, `[B + 1]`: the running sum of the
    /// ranges' lengths.
    ///
    /// # Errors
    /// [`RenderError::Capacity`] where the sum overflows 32-bit indices, or there is no memory.
    pub fn splat_offsets(&self) -> Result<Vec<usize>, RenderError> {
        let mut offsets = try_reserved("splat offsets [B + 1]", self.len() + 1)?;
        let mut total = 0usize;
        offsets.push(0);
        for range in &self.ranges {
            total = total.saturating_add(range.len());
            offsets.push(total);
        }
        if total > u32::MAX as usize {
            return Err(RenderError::Capacity {
                what: "projected splats (views x Gaussians)",
                needed: total.to_string(),
                limit: format!("{} (32-bit index)", u32::MAX),
            });
        }
        Ok(offsets)
    }

    /// Checks sizes, cameras and ranges against `gaussians`, the number of Gaussians there are.
    ///
    /// # Errors
    /// Names the field at fault.
    pub fn validate(&self, gaussians: usize) -> Result<(), RenderError> {
        validate_size(self.width, self.height, self.len())?;
        if self.cameras.len() != self.ranges.len() {
            return Err(RenderError::shape(
                "views.cameras",
                format!("{} cameras, one per range", self.ranges.len()),
                self.cameras.len(),
            ));
        }
        self.cameras.iter().try_for_each(Camera::validate)?;
        for range in &self.ranges {
            if range.start > range.end || range.end > gaussians {
                return Err(RenderError::shape(
                    "views.ranges",
                    format!("ranges within 0..{gaussians}"),
                    format!("{range:?}"),
                ));
            }
        }
        self.splat_offsets().map(|_| ())
    }
}

/// Checks an image size and that `batch` such images fit 32-bit pixel indices.
pub(crate) fn validate_size(width: usize, height: usize, batch: usize) -> Result<(), RenderError> {
    for (argument, side) in [("views.width", width), ("views.height", height)] {
        if side == 0 || side > MAX_SIDE_PX {
            return Err(RenderError::config(argument, "1 to 4194304 pixels", side));
        }
    }
    let pixels = checked_product("pixels (views x height x width)", &[batch, height, width])?;
    if pixels > u32::MAX as usize {
        return Err(RenderError::Capacity {
            what: "pixels (views x height x width)",
            needed: format!("{batch} x {height} x {width}"),
            limit: format!("{} (32-bit index)", u32::MAX),
        });
    }
    Ok(())
}
