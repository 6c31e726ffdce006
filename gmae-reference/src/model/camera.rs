//! The camera of the model and its two variants.
//!
//! The camera is 8 units in front of the centre of the scene. Gaussian centres lie in the cube
//! `(-1, 1)^3` and depths in (7, 9). With the perspective camera, centres lie in `(-5, 5)^3` and
//! depths in (3, 13). The field of view is 90 degrees: the focal length is W/2 pixels. The
//! principal point is the centre of the image.

use splat::{Camera, Views};

use crate::config::{CameraKind, Config};
use crate::error::Error;

/// Distance from the camera to the centre of the scene, world units.
const DISTANCE: f64 = 8.0;

/// Returns the factor on `tanh` for Gaussian centres. The perspective camera uses the published
/// range (-5, 5), because its image is 16 units wide at a distance of 8 units.
pub fn centre_range(kind: CameraKind) -> f64 {
    match kind {
        CameraKind::Hybrid | CameraKind::Orthographic => 1.0,
        CameraKind::Perspective => 5.0,
    }
}

/// Returns the factor on the largest scale. The orthographic footprint is not divided by depth. The
/// factor 1/8, the inverse of the distance, gives the footprint the same size as with the other
/// cameras.
pub fn scale_factor(kind: CameraKind) -> f64 {
    match kind {
        CameraKind::Hybrid | CameraKind::Perspective => 1.0,
        CameraKind::Orthographic => 1.0 / DISTANCE,
    }
}

/// Returns the camera of `kind` for a square image with `size` pixels per side.
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

/// Creates one view per image. Each view renders its own `config.gaussians` Gaussians.
///
/// # Errors
///
/// [`Error::Render`] if the number of Gaussians overflows or memory runs out.
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
