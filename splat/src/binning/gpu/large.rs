//! Finds the tiles of every splat and computes the running sum of the hits, in the large regime.

use cubecl::prelude::*;

use crate::binning::gpu::hits::{LargeHits, TILE_SIDE};
use crate::binning::gpu::rects::{RECT, Rect, set_rect};
use crate::binning::grid::TileGrid;
use crate::device::Gpu;
use crate::device::buffer::GpuBuffer;
use crate::device::launch::{cube_dim, grid_of_units, unit_index};
use crate::device::rows::vec2_of;
use crate::device::scan::exclusive_scan;
use crate::error::RenderError;
use crate::formulas::single::binning::{reaches_left_to, reaches_right_to};
use crate::project::gpu::splat_rows::is_visible;
use crate::splats::Splats;

/// Returns the first tile along one axis whose last pixel centre is not before the box, or `tiles`
/// if there is none. The axis has `tiles` tiles and `pixels` pixels.
#[cube]
fn first_tile(mean: f32, extent: f32, tiles: u32, pixels: u32) -> u32 {
    let mut low = 0u32;
    let mut high = tiles;
    while low < high {
        let middle = low + (high - low) / 2;
        let last = f32::cast_from(u32::min(TILE_SIDE * middle + TILE_SIDE, pixels)) - 0.5;
        if reaches_left_to(mean, extent, last) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

/// Returns the first tile along one axis whose first pixel centre is beyond the box, or `tiles` if
/// there is none.
#[cube]
fn end_tile(mean: f32, extent: f32, tiles: u32) -> u32 {
    let mut low = 0u32;
    let mut high = tiles;
    while low < high {
        let middle = low + (high - low) / 2;
        let first = f32::cast_from(TILE_SIDE * middle) + 0.5;
        if reaches_right_to(mean, extent, first) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

/// Finds the tiles of one splat per thread: the tiles for which `meets` is true along both axes.
/// Writes them to `rects`, as in [`LargeHits`], and their number to `counts`, `[M]`.
///
/// `meets` is also true for a box that lies between two pixel centres of a tile. The project stage
/// prevents this case: it sets the extents of such a box to zero.
#[cube(launch)]
#[expect(clippy::too_many_arguments, reason = "one argument per kernel buffer")]
fn count_tiles(
    means: &Array<f32>,
    extents: &Array<f32>,
    rects: &mut Array<u32>,
    counts: &mut Array<u32>,
    len: u32,
    columns: u32,
    rows: u32,
    width: u32,
    height: u32,
) {
    let m = unit_index();
    if m < len {
        let mean = vec2_of(means, m);
        let extent = vec2_of(extents, m);
        let mut first = 0u32;
        let mut own_columns = 0u32;
        let mut own_rows = 0u32;
        if is_visible(extent) {
            let left = first_tile(mean.x, extent.x, columns, width);
            let right = end_tile(mean.x, extent.x, columns);
            let top = first_tile(mean.y, extent.y, rows, height);
            let bottom = end_tile(mean.y, extent.y, rows);
            if left < right && top < bottom {
                first = top * columns + left;
                own_columns = right - left;
                own_rows = bottom - top;
            }
        }
        let rect = Rect {
            first,
            columns: own_columns,
            rows: own_rows,
        };
        set_rect(rects, m, rect);
        counts[m as usize] = own_columns * own_rows;
    }
}

/// Finds the tiles of every splat and reads the total number of hits back.
pub(crate) async fn bin<R: Runtime>(
    gpu: &Gpu<R>,
    splats: &Splats<&GpuBuffer>,
    grid: TileGrid,
) -> Result<LargeHits, RenderError> {
    let len = splats.len();
    let rects = gpu.empty("tiles of splats [M, 3]", RECT * len)?;
    let counts = gpu.empty("counts of tiles [M]", len)?;
    if len > 0 {
        count_tiles::launch::<R>(
            &gpu.client,
            grid_of_units(len)?,
            cube_dim(),
            splats.means.arg(),
            splats.extents.arg(),
            rects.arg(),
            counts.arg(),
            len as u32,
            grid.columns as u32,
            grid.rows as u32,
            grid.size.width as u32,
            grid.size.height as u32,
        );
    }
    let from_splat = exclusive_scan(gpu, &counts, len + 1)?;
    let last = (len * size_of::<u32>()) as u64;
    let total = from_splat.handle().clone().offset_start(last);
    let total = gpu.read(&GpuBuffer::from_handle(total, 1)?).await?;
    let count = total.first().map_or(0, |&total| total as usize);
    check_count(gpu, count)?;
    Ok(LargeHits {
        grid,
        rects,
        from_splat,
        count,
        offsets: splats.offsets.clone(),
    })
}

/// Checks that 32 bits and one buffer of the device are enough for `count` hits. The running sum
/// saturates, so a `count` of `u32::MAX` means that it has overflowed.
fn check_count<R: Runtime>(gpu: &Gpu<R>, count: usize) -> Result<(), RenderError> {
    if count < u32::MAX as usize {
        return gpu.check_room("hits: (splat, tile) pairs", count);
    }
    Err(RenderError::Capacity {
        what: "hits: (splat, tile) pairs",
        needed: format!("{count} or more"),
        limit: format!("{} (32-bit index)", u32::MAX - 1),
    })
}
