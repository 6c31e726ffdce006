//! The large regime's running count of hits.

use cubecl::prelude::*;

use crate::binning::cpu::TileGrid;
use crate::binning::cube::LargeHits;
use crate::cube::{Cube, CubeBuffer};
use crate::error::RenderError;
use crate::project::Splats;

/// Counts the tiles of every splat; reads the total back.
pub(crate) fn bin<R: Runtime>(
    _cube: &Cube<R>,
    splats: &Splats<&CubeBuffer>,
    _grid: TileGrid,
) -> Result<LargeHits, RenderError> {
    let expected = "views of at most 1024 splats: the large regime is not there yet";
    Err(RenderError::config("regime", expected, splats.len()))
}
