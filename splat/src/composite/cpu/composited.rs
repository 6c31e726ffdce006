//! The state that the forward compositor saves for its vjp.

use crate::binning::grid::TileGrid;
use crate::composite::cpu::tile::Constants;
use crate::contributors::Contributors;
use crate::error::RenderError;
use crate::scalar::Scalar;
use crate::sort::cpu::lists::SortedHits;
use crate::splats::Splats;

/// The saved state of every pixel and every hit, an input of the vjp.
#[derive(Debug, Clone)]
pub struct Composited<T> {
    /// `[B, blocks, 16]`: the final transmittance of each pixel, tile by tile.
    /// [`SavedBlocks`](crate::composite::cpu::strip::SavedBlocks) defines the layout.
    pub(crate) transmittance: Vec<T>,
    /// `[B, blocks, 16]`: the index, in the tile's list, of the splat at which the pixel ended.
    /// [`NEVER`](crate::composite::cpu::blend::NEVER) if the pixel did not end, 0 outside the
    /// image. Not written for tiles in which no pixel ended.
    pub(crate) ends: Vec<u32>,
    /// `[B, tiles]`: 1 if some pixel of the tile's blocks ended, else 0. Pixels outside the image
    /// count as ended.
    pub(crate) ended: Vec<u32>,
    /// `[K, parts, 2]`: for each hit and each part of a block, the set of blocks in which the splat
    /// was composited in some pixel, as [`SavedSet`](crate::composite::cpu::coverage::SavedSet).
    /// The instruction set of the forward pass determines the number of parts.
    pub(crate) hit_blocks: Vec<u32>,
    /// The contributors of every pixel, if they were wanted. The vjp does not read them.
    pub(crate) contributors: Option<Contributors<Vec<T>, Vec<u32>>>,
    /// The images and their tiles.
    pub(crate) grid: TileGrid,
    /// The index of each view's first splat, `[B + 1]`.
    pub(crate) offsets: Vec<usize>,
    /// The number K of hits.
    pub(crate) hits: usize,
    /// The settings of the forward pass.
    pub(crate) constants: Constants<T>,
    /// The number of evaluated lanes, including lanes that do not count.
    pub(crate) evaluated: u64,
}

/// Checks that `sorted` has the views of `splats`.
///
/// # Errors
/// Returns an error if the offsets of the views differ.
pub(crate) fn check_sorted<T: Scalar>(
    splats: &Splats<&[T]>,
    sorted: &SortedHits,
) -> Result<(), RenderError> {
    splats.check_views("sorted", &sorted.offsets)
}

/// Checks that the compositor made `composited` from lists of the shape of `sorted`.
///
/// # Errors
/// Returns an error if the tiles, the views or the number of hits differ.
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
