//! Loops of the projection on a device: one unit per splat. Its vjp is in `cube_vjp.rs`.

use cubecl::prelude::*;

use crate::camera::Views;
use crate::config::RenderConfig;
use crate::cube::{Cube, CubeBuffer};
use crate::error::RenderError;
use crate::gaussians::Gaussians;
use crate::project::Splats;

/// Projects every Gaussian of every view.
pub(crate) fn project<R: Runtime>(
    _cube: &Cube<R>,
    gaussians: &Gaussians<&CubeBuffer>,
    _views: &Views,
    _config: &RenderConfig,
) -> Result<Splats<CubeBuffer>, RenderError> {
    Err(RenderError::config(
        "project",
        "not there yet",
        gaussians.count,
    ))
}
