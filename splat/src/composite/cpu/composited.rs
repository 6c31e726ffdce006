//! What the forward compositor leaves behind for its vjp.

use crate::binning::grid::TileGrid;
use crate::composite::cpu::tile::Constants;
use crate::error::RenderError;
use crate::scalar::Scalar;
use crate::sort::cpu::lists::SortedHits;
use crate::splats::Splats;

/// Where every pixel ended. Read by the vjp.
#[derive(Debug, Clone)]
pub struct Composited<T> {
    /// `[B, blocks, 16]`: the transmittance left. Tile after tile, as [`SavedBlocks`](crate::composite::cpu::strip::SavedBlocks) has them.
    pub(crate) transmittance: Vec<T>,
    /// The same for the index, in its tile's list, of the splat that a pixel was the first not to pass, or [`NEVER`](crate::composite::cpu::blend::NEVER); 0 outside the image.
    /// Not written in tiles none of whose pixels ended.
    pub(crate) ends: Vec<u32>,
    /// `[B, tiles]`: 1 where some pixel of a tile's blocks ended, as those outside the image have from the beginning, else 0.
    pub(crate) ended: Vec<u32>,
    /// The images and the tiles they were composited by.
    pub(crate) grid: TileGrid,
    /// The settings they were composited with.
    pub(crate) constants: Constants<T>,
    /// How many lanes were evaluated, those that count and those that do not.
    pub(crate) evaluated: u64,
}

/// Checks that `sorted` was made from `splats`.
pub(crate) fn check_sorted<T: Scalar>(
    splats: &Splats<&[T]>,
    sorted: &SortedHits,
) -> Result<(), RenderError> {
    if sorted.rank_from_splat.len() == splats.len()
        && sorted.grid.size.views + 1 == splats.offsets.len()
    {
        return Ok(());
    }
    Err(RenderError::shape(
        "sorted",
        format!("the hits of these {} splats", splats.len()),
        format!("the hits of {} splats", sorted.rank_from_splat.len()),
    ))
}
