//! Cameras, and the views of a batch.

use std::ops::Range;

use crate::config::{DEPTH_RANGE, MAX_SIDE_PX};
use crate::error::{RenderError, checked_product, try_collected, try_filled, try_reserved};

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
    /// The part of the camera's image that the view shows: its first column and row, px. 0, 0 if the
    /// view shows all of the image. [`Views::crop`] sets it.
    ///
    /// A part of an image has the same numbers as the same part of a render of the whole image. It
    /// would not if only the principal point were moved: the Jacobian's tangents are clamped to a
    /// margin around the whole image (MATH eq. 6).
    pub corner: [usize; 2],
    /// Width and height of the camera's image, px, each 1 to 2^22, or `None` if the view shows all of
    /// it. The principal point is that of this image.
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

/// A batch of B views of one image size. View `b` shows the Gaussians `ranges[b]` through
/// `cameras[b]`.
///
/// Ranges may differ in length, be empty or overlap. If several views show a Gaussian, its
/// gradients are summed.
#[derive(Debug, Clone, PartialEq)]
pub struct Views {
    /// Width W of every image, px, 1 to 2^22.
    pub width: usize,
    /// Height H of every image, px, 1 to 2^22.
    pub height: usize,
    /// Camera of each view, `[B]`.
    pub cameras: Vec<Camera>,
    /// Range of Gaussian indices of each view, `[B]`.
    pub ranges: Vec<Range<usize>>,
}

impl Views {
    /// Returns one view of the Gaussians `0..count`, with an image of `width` x `height` px.
    pub fn single(width: usize, height: usize, camera: Camera, count: usize) -> Self {
        Self {
            width,
            height,
            cameras: vec![camera],
            ranges: std::iter::once(0..count).collect(),
        }
    }

    /// Returns a dense batch of `batch` views with images of `width` x `height` px. View `b` shows
    /// the Gaussians `b * count .. (b + 1) * count`. All views have the same camera.
    ///
    /// # Errors
    /// [`RenderError::Capacity`] if `batch * count` exceeds `isize::MAX / 16` or an allocation
    /// fails.
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

    /// Returns the views of a part of each image: its `columns` and `rows`, px. Renders of the part
    /// have the bits of the same pixels of renders of the whole. Only the prefix images of
    /// [`layers`](crate::RenderConfig::layers) can differ: they count the splats that touch a tile of
    /// the part. A part can be cropped again.
    ///
    /// ```
    /// # use splat::{Camera, Views};
    /// # let camera = Camera::from_fov(1000, 800, 1.0)?;
    /// # let views = Views::single(1000, 800, camera, 7);
    /// // An image of 1000 x 800 px in two halves:
    /// let left = views.crop(0..500, 0..800)?;
    /// let right = views.crop(500..1000, 0..800)?;
    /// assert_eq!((left.width, right.width), (500, 500));
    /// # Ok::<(), splat::RenderError>(())
    /// ```
    ///
    /// # Errors
    /// - [`RenderError::Config`] if a range is empty or exceeds the images.
    /// - [`RenderError::Capacity`] if an allocation fails.
    pub fn crop(&self, columns: Range<usize>, rows: Range<usize>) -> Result<Self, RenderError> {
        for (argument, range, expected, count) in [
            (
                "columns",
                &columns,
                "a part of the columns of the images",
                self.width,
            ),
            (
                "rows",
                &rows,
                "a part of the rows of the images",
                self.height,
            ),
        ] {
            if range.is_empty() || range.end > count {
                let got = format!("{range:?} of {count}");
                return Err(RenderError::config(argument, expected, got));
            }
        }
        let cameras = self.cameras.iter().map(|&camera| {
            let [left, top] = camera.corner;
            Camera {
                corner: [
                    left.saturating_add(columns.start),
                    top.saturating_add(rows.start),
                ],
                whole: Some(camera.whole_of([self.width, self.height])),
                ..camera
            }
        });
        Ok(Self {
            width: columns.len(),
            height: rows.len(),
            cameras: try_collected("cameras [B]", cameras)?,
            ranges: try_collected("ranges [B]", self.ranges.iter().cloned())?,
        })
    }

    /// Returns the number of views B.
    pub fn len(&self) -> usize {
        self.ranges.len()
    }

    /// Returns whether there are no views.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// Returns the index of each view's first splat in the projected buffers, `[B + 1]`. This is
    /// the running sum of the ranges' lengths, so the last entry is the number M of splats.
    ///
    /// # Errors
    /// [`RenderError::Capacity`] if the sum exceeds 32-bit indices or the allocation fails.
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

    /// Checks the image size, the cameras and the ranges. `gaussians` is the number N of Gaussians.
    ///
    /// # Errors
    /// - [`RenderError::Config`] if `width`, `height` or a value of a camera is outside its domain.
    /// - [`RenderError::Shape`] if the number of cameras differs from the number of ranges, or if a
    ///   range is not within `0..gaussians`.
    /// - [`RenderError::Capacity`] if the number of pixels or of splats exceeds 32-bit indices, or
    ///   an allocation fails.
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
        self.cameras
            .iter()
            .try_for_each(|camera| self.validate_part(camera))?;
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

    /// Checks that the images lie in the image of a camera, whose sides are in their domain.
    fn validate_part(&self, camera: &Camera) -> Result<(), RenderError> {
        let size = [self.width, self.height];
        let whole = camera.whole_of(size);
        let fits = |axis: usize| {
            let end = camera.corner[axis].checked_add(size[axis]);
            whole[axis] <= MAX_SIDE_PX && end.is_some_and(|end| end <= whole[axis])
        };
        if fits(0) && fits(1) {
            return Ok(());
        }
        let expected = "the corner of a part of an image of at most 4194304 x 4194304 px";
        let got = format!(
            "{:?} of a part of {size:?} px in {whole:?} px",
            camera.corner
        );
        Err(RenderError::config(
            "camera.corner, camera.whole",
            expected,
            got,
        ))
    }
}

/// Checks that both sides of an image are within 1 to 2^22 px, and that the pixels of `batch`
/// images fit 32-bit indices.
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
