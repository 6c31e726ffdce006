//! The backward compositor on a device.

use cubecl::prelude::*;

use crate::backend::Wanted;
use crate::composite::Image;
use crate::composite::cube::Composited;
use crate::cube::{Cube, CubeBuffer};
use crate::error::RenderError;
use crate::project::Splats;
use crate::sort::cube::SortedHits;

/// Vjp of the compositor.
pub(crate) fn composite_vjp<R: Runtime>(
    _cube: &Cube<R>,
    splats: &Splats<&CubeBuffer>,
    _sorted: &SortedHits,
    _backgrounds: &CubeBuffer,
    _composited: &Composited,
    _v_image: &Image<&CubeBuffer>,
    _wanted: Wanted,
) -> Result<(Splats<CubeBuffer>, CubeBuffer), RenderError> {
    Err(RenderError::config(
        "composite_vjp",
        "not there yet",
        splats.len(),
    ))
}
