//! The views of a batch.

use std::ops::Range;

use crate::camera::Camera;
use crate::config::MAX_SIDE_PX;
use crate::error::{RenderError, checked_product, try_collected, try_filled, try_reserved};

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
        let cameras = try_filled("cameras [B]", batch, camera)?;
        Self::dense_with_cameras(width, height, cameras, count)
    }

    /// Returns [`Views::dense`] with a camera for each view, `[B]`. View `b` shows the Gaussians
    /// `b * count .. (b + 1) * count` through `cameras[b]`.
    ///
    /// # Errors
    /// [`RenderError::Capacity`] if the number of Gaussians exceeds `isize::MAX / 16` or an
    /// allocation fails.
    pub fn dense_with_cameras(
        width: usize,
        height: usize,
        cameras: Vec<Camera>,
        count: usize,
    ) -> Result<Self, RenderError> {
        checked_product("Gaussians (batch x count)", &[cameras.len(), count])?;
        let ranges = (0..cameras.len()).map(|b| b * count..(b + 1) * count);
        Ok(Self {
            width,
            height,
            ranges: try_collected("ranges [B]", ranges)?,
            cameras,
        })
    }

    /// Returns the views of a part of each image: its `columns` and `rows`, px. Renders of the part
    /// have the bits of the same pixels of renders of the whole. Only the prefix images of
    /// [`layers`](crate::RenderConfig::layers) can differ: they count the splats that touch a tile
    /// of the part. A part can be cropped again.
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

    /// Returns a copy, or a capacity error if an allocation fails.
    pub(crate) fn try_copied(&self) -> Result<Self, RenderError> {
        Ok(Self {
            width: self.width,
            height: self.height,
            cameras: try_collected("cameras [B]", self.cameras.iter().copied())?,
            ranges: try_collected("ranges [B]", self.ranges.iter().cloned())?,
        })
    }

    /// Checks that these views are those of a forward pass, `of`. Cameras are compared by the bits
    /// of their numbers, so that NaN equals itself.
    pub(crate) fn check_same(&self, of: &Self) -> Result<(), RenderError> {
        let fault = |argument, expected: String, got: String| {
            let expected = format!("{expected}, as in the forward pass");
            Err(RenderError::shape(argument, expected, got))
        };
        let (own, other) = ([self.width, self.height], [of.width, of.height]);
        if own != other {
            let say = |[w, h]: [usize; 2]| format!("{w} x {h} px");
            return fault("scene.views", say(other), say(own));
        }
        if self.len() != of.len() || self.cameras.len() != of.cameras.len() {
            let say = |views: &Self| format!("{} views", views.len());
            return fault("scene.views", say(of), say(self));
        }
        let mut ranges = self.ranges.iter().zip(&of.ranges).enumerate();
        if let Some((view, (own, other))) = ranges.find(|(_, (own, other))| own != other) {
            let expected = format!("{other:?} for view {view}");
            return fault("scene.views.ranges", expected, format!("{own:?}"));
        }
        let mut cameras = self.cameras.iter().zip(&of.cameras).enumerate();
        let other = |(_, (own, other)): &(usize, (&Camera, &Camera))| !own.is_same(other);
        if let Some((view, (own, other))) = cameras.find(other) {
            let expected = format!("{other:?} for view {view}");
            return fault("scene.views.cameras", expected, format!("{own:?}"));
        }
        Ok(())
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

    /// Returns the number M of splats: the sum of the ranges' lengths.
    pub(crate) fn splat_count(&self) -> usize {
        let lengths = self.ranges.iter().map(ExactSizeIterator::len);
        lengths.fold(0, usize::saturating_add)
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
    validate_sides(["views.width", "views.height"], [width, height], batch)
}

/// [`validate_size`] of sides with other names.
pub(crate) fn validate_sides(
    names: [&'static str; 2],
    [width, height]: [usize; 2],
    batch: usize,
) -> Result<(), RenderError> {
    for (argument, side) in names.into_iter().zip([width, height]) {
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
