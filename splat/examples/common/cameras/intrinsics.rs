//! The intrinsics of a camera, for a picture of the size that the user wants.

use splat::Camera;
use splat::io::StoredView;

/// The size of a picture and the pinhole camera that takes it, px.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Intrinsics {
    /// Width and height.
    pub(crate) size: [usize; 2],
    /// Focal lengths along x and y.
    pub(crate) focal: [f64; 2],
    /// Principal point, from the upper left corner of the picture.
    pub(crate) centre: [f64; 2],
}

/// Returns a view that shows the same in a picture of `size` px.
pub(crate) fn resized(old: &StoredView, size: [usize; 2]) -> Result<StoredView, String> {
    let Camera { fx, fy, cx, cy, .. } = old.camera;
    let intrinsics = Intrinsics {
        size: [old.width, old.height],
        focal: [fx, fy],
        centre: [cx, cy],
    };
    let mut new = intrinsics.view(Some(size))?;
    new.camera = new.camera.with_pose(old.camera.camera_from_world);
    new.camera = (new.camera).with_depth_range(old.camera.near, old.camera.far);
    Ok(new)
}

impl Intrinsics {
    /// Returns the view of a camera at the origin of the world, in a picture of `wanted` px if that
    /// is stated. It shows the same as the picture of the file.
    ///
    /// The error has no place in a file: `wanted` has another ratio of the sides.
    pub(crate) fn view(self, wanted: Option<[usize; 2]>) -> Result<StoredView, String> {
        let [width, height] = self.size;
        let size = wanted.unwrap_or(self.size);
        let factors: [f64; 2] = [0, 1].map(|k| size[k] as f64 / self.size[k] as f64);
        // One of the sides is rounded.
        let off = [0, 1].map(|k| (size[k] as f64 - factors[1 - k] * self.size[k] as f64).abs());
        if off[0].min(off[1]) > 1.0 {
            return Err(format!(
                "expected a picture with the ratio of {width} x {height} px, got {} x {} px",
                size[0], size[1]
            ));
        }
        let [fx, fy] = [0, 1].map(|k| self.focal[k] * factors[k]);
        let [cx, cy] = [0, 1].map(|k| self.centre[k] * factors[k]);
        let [width, height] = size;
        Ok(StoredView {
            camera: Camera::pinhole(fx, fy, cx, cy),
            width,
            height,
        })
    }
}
