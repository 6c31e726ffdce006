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
    /// `[B, blocks, 16]`: the transmittance left. Tile after tile, as
    /// [`SavedBlocks`](crate::composite::cpu::strip::SavedBlocks) has them.
    pub(crate) transmittance: Vec<T>,
    /// The same for the index, in its tile's list, of the splat that a pixel was the first not to
    /// pass, or [`NEVER`](crate::composite::cpu::blend::NEVER); 0 outside the image. Not written in
    /// tiles none of whose pixels ended.
    pub(crate) ends: Vec<u32>,
    /// `[B, tiles]`: 1 where some pixel of a tile's blocks ended, as those outside the image have
    /// from the beginning, else 0.
    pub(crate) ended: Vec<u32>,
    /// The images and the tiles they were composited by.
    pub(crate) grid: TileGrid,
    /// The views of their splats, `[B + 1]`, and the number K of their hits.
    pub(crate) offsets: Vec<usize>,
    pub(crate) hits: usize,
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
    splats.check_views("sorted", &sorted.offsets)
}

/// Checks that `composited` was left by the compositor for lists like `sorted`: the same tiles,
/// views and number of hits.
pub(crate) fn check_composited<T: Scalar>(
    composited: &Composited<T>,
    sorted: &SortedHits,
) -> Result<(), RenderError> {
    let of_lists = (&sorted.grid, &sorted.offsets, sorted.hits());
    if (&composited.grid, &composited.offsets, composited.hits) == of_lists {
        return Ok(());
    }
    let say = |grid: &TileGrid, offsets: &[usize], hits| {
        let splats = offsets.last().copied().unwrap_or(0);
        format!("{hits} hits of {splats} splats in {grid:?}")
    };
    Err(RenderError::shape(
        "composited",
        say(&sorted.grid, &sorted.offsets, sorted.hits()),
        say(&composited.grid, &composited.offsets, composited.hits),
    ))
}
