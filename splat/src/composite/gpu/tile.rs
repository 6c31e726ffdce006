//! The tile of a workgroup, and one (splat, pixel) pair, for the forward and the backward
//! compositor on a device.

#![expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "kernel code passes shared memory by reference"
)]

use cubecl::prelude::*;

use crate::binning::gpu::hits::TILE_SIDE;
use crate::composite::gpu::packed::{conic_of, is_near_x, is_near_y, offset, opacity_of};
use crate::formulas::single::composite as formula;
use crate::math::Vec2;
use crate::math::exp::exp_on_device;

/// The settings of compositing, as a kernel argument.
#[derive(CubeType, CubeLaunch, Clone, Copy)]
pub(crate) struct Thresholds {
    pub(crate) alpha_min: f32,
    pub(crate) alpha_max: f32,
    pub(crate) transmittance_min: f32,
}

/// The images and their tiles, as a kernel argument.
#[derive(CubeType, CubeLaunch, Clone, Copy)]
pub(crate) struct Layout {
    /// px
    pub(crate) width: u32,
    /// px
    pub(crate) height: u32,
    /// Tiles in one row.
    pub(crate) columns: u32,
    /// Tiles in one view.
    pub(crate) tiles: u32,
    /// Ranks in one view (small regime).
    pub(crate) ranks: u32,
}

/// The tile of a workgroup.
#[derive(CubeType, Clone, Copy)]
pub(crate) struct Tile {
    pub(crate) view: u32,
    /// The index among the tiles of all views.
    pub(crate) global: u32,
    /// px
    pub(crate) left: u32,
    /// px
    pub(crate) top: u32,
}

/// Returns the tile of workgroup `cube` of a launch whose first view is `first_view`.
#[cube]
pub(crate) fn tile_of(cube: u32, layout: Layout, first_view: u32) -> Tile {
    let view = first_view + cube / layout.tiles;
    let tile = cube % layout.tiles;
    Tile {
        view,
        global: first_view * layout.tiles + cube,
        left: tile % layout.columns * TILE_SIDE,
        top: tile / layout.columns * TILE_SIDE,
    }
}

/// The alpha of one (splat, pixel) pair.
#[derive(CubeType, Clone, Copy)]
pub(crate) struct Pair {
    /// `e^-sigma`
    pub(crate) falloff: f32,
    pub(crate) alpha: f32,
    /// Whether the pair counts.
    pub(crate) counts: bool,
}

/// Computes the pair of the hit whose row begins at `at` and the pixel at `(x, y)`.
#[cube]
pub(crate) fn pair(
    rows: &SharedMemory<f32>,
    at: u32,
    x: f32,
    y: f32,
    thresholds: Thresholds,
) -> Pair {
    let d = offset(rows, at, x, y);
    let inside = pair_inside(rows, at, d, thresholds);
    let counts = inside.counts && is_near_x(rows, at, d.x) && is_near_y(rows, at, d.y);
    Pair {
        falloff: inside.falloff,
        alpha: inside.alpha,
        counts,
    }
}

/// Computes the same values as [`pair()`], behind a branch. A subgroup whose pixels all lie outside
/// the box skips the computation. The forward kernel does not use this variant: the branch makes
/// ptxas spill.
#[cube]
pub(crate) fn pair_if_near(
    rows: &SharedMemory<f32>,
    at: u32,
    x: f32,
    y: f32,
    thresholds: Thresholds,
) -> Pair {
    let d = offset(rows, at, x, y);
    let mut falloff = 0.0f32;
    let mut alpha = 0.0f32;
    let mut counts = false;
    if is_near_x(rows, at, d.x) && is_near_y(rows, at, d.y) {
        let inside = pair_inside(rows, at, d, thresholds);
        falloff = inside.falloff;
        alpha = inside.alpha;
        counts = inside.counts;
    }
    Pair {
        falloff,
        alpha,
        counts,
    }
}

/// Computes the pair of a pixel at offset `d` from the hit's mean, without a test of the box.
#[cube]
fn pair_inside(rows: &SharedMemory<f32>, at: u32, d: Vec2<f32>, thresholds: Thresholds) -> Pair {
    let sigma = formula::sigma(conic_of(rows, at), d);
    let falloff = exp_on_device(-sigma);
    let alpha = formula::alpha(opacity_of(rows, at), falloff, thresholds.alpha_max);
    let counts = formula::counts(sigma, alpha, thresholds.alpha_min);
    Pair {
        falloff,
        alpha,
        counts,
    }
}

/// The position of a thread's pixel in its tile, px.
#[derive(CubeType, Clone, Copy)]
pub(crate) struct InTile {
    pub(crate) column: u32,
    pub(crate) row: u32,
}

/// Returns the pixel of thread `lane` of subgroup `plane` of a workgroup. Each subgroup has a block
/// of `width` x `height` px, since a splat touches fewer blocks than rows.
#[cube]
pub(crate) fn in_tile(
    plane: u32,
    lane: u32,
    #[comptime] width: u32,
    #[comptime] height: u32,
) -> InTile {
    let blocks = comptime!(TILE_SIDE / width);
    InTile {
        column: plane % blocks * width + lane % width,
        row: plane / blocks * height + lane / width,
    }
}

/// The pixel of a thread. It can lie outside the image.
#[derive(CubeType, Clone, Copy)]
pub(crate) struct Pixel {
    pub(crate) column: u32,
    pub(crate) row: u32,
    /// The centre, px.
    pub(crate) x: f32,
    /// The centre, px.
    pub(crate) y: f32,
}

/// Returns the pixel at position `within` of a tile.
#[cube]
pub(crate) fn pixel_of(tile: Tile, within: InTile) -> Pixel {
    let column = tile.left + within.column;
    let row = tile.top + within.row;
    Pixel {
        column,
        row,
        x: f32::cast_from(column) + 0.5,
        y: f32::cast_from(row) + 0.5,
    }
}
