//! The large regime: depth order of all views, then a stable sort by tile.

use cubecl::prelude::*;

use crate::binning::cube::LargeHits;
use crate::cube::{Cube, CubeBuffer};
use crate::error::RenderError;
use crate::project::Splats;
use crate::sort::cube::LargeSorted;

/// Sorts the hits of every tile by depth, ties by index.
pub(crate) fn sort<R: Runtime>(
    _cube: &Cube<R>,
    splats: &Splats<&CubeBuffer>,
    _hits: LargeHits,
) -> Result<LargeSorted, RenderError> {
    let expected = "views of at most 1024 splats: the large regime is not there yet";
    Err(RenderError::config("regime", expected, splats.len()))
}
