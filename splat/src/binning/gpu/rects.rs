//! Layout of the tiles of splats, `[M, 3]`. A row is a
//! [`TileRect`](crate::binning::grid::TileRect).

use cubecl::prelude::*;

/// Index of the first tile within its view.
const FIRST: u32 = 0;
const COLUMNS: u32 = 1;
const ROWS: u32 = 2;

/// Words per row.
pub(crate) const RECT: usize = 3;

/// The tiles that a splat touches. All fields are zero if it touches no tile.
#[derive(CubeType, Clone, Copy)]
pub(crate) struct Rect {
    pub(crate) first: u32,
    pub(crate) columns: u32,
    pub(crate) rows: u32,
}

/// Writes the tiles of splat `m`.
#[cube]
pub(crate) fn set_rect(rects: &mut Array<u32>, m: u32, rect: Rect) {
    let at = m * comptime!(RECT as u32);
    rects[(at + FIRST) as usize] = rect.first;
    rects[(at + COLUMNS) as usize] = rect.columns;
    rects[(at + ROWS) as usize] = rect.rows;
}

/// Reads the tiles of splat `m`.
#[cube]
pub(crate) fn rect_of(rects: &Array<u32>, m: u32) -> Rect {
    let at = m * comptime!(RECT as u32);
    Rect {
        first: rects[(at + FIRST) as usize],
        columns: rects[(at + COLUMNS) as usize],
        rows: rects[(at + ROWS) as usize],
    }
}
