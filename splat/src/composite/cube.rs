//! The forward compositor on a device: one cube per tile, one unit per pixel.

use cubecl::prelude::*;

use crate::composite::{Image, ImageSize};
use crate::config::RenderConfig;
use crate::cube::{Cube, CubeBuffer};
use crate::error::RenderError;
use crate::project::Splats;
use crate::sort::cube::SortedHits;

/// Where every pixel ended. Read by the vjp.
#[derive(Debug, Clone)]
pub struct Composited {
    /// `[B, H, W]`: the transmittance left.
    pub(crate) transmittance: CubeBuffer,
    /// `[B, H, W]`: one past the place, in its tile's list, of the last splat composited; zero where there was none.
    pub(crate) ends: CubeBuffer,
    /// The size of the images.
    pub(crate) size: ImageSize,
}

/// Composites every view.
pub(crate) fn composite<R: Runtime>(
    _cube: &Cube<R>,
    splats: &Splats<&CubeBuffer>,
    _sorted: &SortedHits,
    _backgrounds: &CubeBuffer,
    _config: &RenderConfig,
) -> Result<(Image<CubeBuffer>, Composited), RenderError> {
    Err(RenderError::config(
        "composite",
        "not there yet",
        splats.len(),
    ))
}
