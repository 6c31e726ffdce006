//! Cameras on a circle around a scene, which look at its centre.

pub(crate) mod extent;
mod ring;
pub(crate) mod vectors;

use splat::io::StoredView;
use splat::{Camera, Gaussians, RenderError};

use extent::Extent;
use ring::Ring;
use vectors::{cross, norm, plus};

/// Horizontal field of view.
const FIELD_DEGREES: f64 = 60.0;

/// Returns `count` cameras for pictures of `width` x `height` px. The circle is that of the cameras of
/// the scene's file, `stored`, if they look at one place. Otherwise it is one from which the whole scene
/// is seen. The list is empty if no Gaussian has a finite mean.
///
/// # Errors
/// [`RenderError::Config`] if the picture has no width, or if the Gaussians are so near each other,
/// and so far from the origin, that a camera would be at the place of their centre.
pub(crate) fn around(
    gaussians: &Gaussians<&[f32]>,
    stored: &[StoredView],
    count: usize,
    [width, height]: [usize; 2],
) -> Result<Vec<Camera>, RenderError> {
    let Some(extent) = Extent::of(gaussians) else {
        return Ok(Vec::new());
    };
    let ring = Ring::of(&extent, stored);
    let (up, front) = (ring.up, front(ring.up));
    let side = cross(up, front);
    let view = |i: usize| {
        let (sin, cos) = (std::f64::consts::TAU * i as f64 / count as f64).sin_cos();
        let outward = plus(side.map(|x| sin * x), cos, front);
        let eye = plus(plus(ring.target, ring.rise, up), ring.radius, outward);
        let camera = Camera::from_fov(width, height, FIELD_DEGREES.to_radians())?;
        Ok(extent.in_range(camera.look_at(eye, ring.target, up)?))
    };
    (0..count).map(view).collect()
}

/// Returns the direction from the centre of the circle to the first camera, perpendicular to `up`: that
/// of -z, or of -y if `up` is nearest to the z axis.
fn front(up: [f64; 3]) -> [f64; 3] {
    let along_z = up[2].abs() > up[0].abs().max(up[1].abs());
    let axis = if along_z { 1 } else { 2 };
    let mut front = up.map(|x| x * up[axis]);
    front[axis] -= 1.0;
    let length = norm(front);
    front.map(|x| x / length)
}
