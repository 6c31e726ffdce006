//! Loops of the projection's vjp on a device.

use cubecl::prelude::*;

use crate::backend::{ProjectGradients, Wanted};
use crate::camera::Views;
use crate::config::RenderConfig;
use crate::cube::{Cube, CubeBuffer};
use crate::error::RenderError;
use crate::gaussians::Gaussians;
use crate::project::Splats;

/// Vjp of [`project`](crate::project::cube::project).
pub(crate) fn project_vjp<R: Runtime>(
    _cube: &Cube<R>,
    gaussians: &Gaussians<&CubeBuffer>,
    _views: &Views,
    _config: &RenderConfig,
    _splats: &Splats<&CubeBuffer>,
    _v_splats: &Splats<&CubeBuffer>,
    _wanted: Wanted,
) -> Result<ProjectGradients<CubeBuffer>, RenderError> {
    Err(RenderError::config(
        "project_vjp",
        "not there yet",
        gaussians.count,
    ))
}
