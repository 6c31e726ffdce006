//! The camera and its two variants.
//!
//! Centres lie in the cube `(-1, 1)^3`, for the perspective camera in `(-5, 5)^3`. The camera is 8
//! units in front of the middle of the cube. Depths are therefore in (7, 9), for the perspective
//! camera in (3, 13). The field of view is 90 degrees: the focal length is W/2, the principal point
//! is the middle of the image.

use splat::{Camera, Views};

use crate::config::{CameraKind, Config};
use crate::error::Error;

/// From the camera to the middle of the scene, world units.
const DISTANCE: f64 = 8.0;

/// Factor on `tanh` for centres. In perspective, the image shows 16 units of a plane 8 units away.
/// The published variant has centres in (-5, 5).
pub fn centre_range(kind: CameraKind) -> f64 {
    match kind {
        CameraKind::Hybrid | CameraKind::Orthographic => 1.0,
        CameraKind::Perspective => 5.0,
    }
}

/// Factor on the largest scale. An orthographic footprint lacks the division by depth; dividing by
/// the distance instead keeps footprints of the same size as through the other cameras.
pub fn scale_factor(kind: CameraKind) -> f64 {
    match kind {
        CameraKind::Hybrid | CameraKind::Perspective => 1.0,
        CameraKind::Orthographic => 1.0 / DISTANCE,
    }
}

/// The camera of `kind` for a square image of `size` pixels.
pub fn camera(kind: CameraKind, size: usize) -> Camera {
    let half = size as f64 / 2.0;
    let camera = match kind {
        CameraKind::Hybrid => Camera::hybrid(half, half, half, half),
        CameraKind::Orthographic => Camera::orthographic(half, half, half, half),
        CameraKind::Perspective => Camera::pinhole(half, half, half, half),
    };
    camera.with_pose([
        [1.0, 0.0, 0.0, 0.0],
        [0.0, 1.0, 0.0, 0.0],
        [0.0, 0.0, 1.0, DISTANCE],
    ])
}

/// One view per image, each of its own `config.gaussians` Gaussians.
///
/// # Errors
///
/// [`Error::Render`] where there is no memory or no index for that many.
pub fn views(config: &Config, images: usize) -> Result<Views, Error> {
    let camera = camera(config.camera, config.image_size);
    Views::dense(
        config.image_size,
        config.image_size,
        camera,
        images,
        config.gaussians,
    )
    .map_err(|error| Error::Render(error.to_string()))
}
