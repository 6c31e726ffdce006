//! Which tiles a splat touches, on a device; and which regime lists its hits. The large regime's loops are in `cube_large.rs`.

pub(crate) mod large;

use cubecl::prelude::*;

use crate::binning::cpu::{TileGrid, TileSize};
use crate::camera::validate_size;
use crate::composite::ImageSize;
use crate::device::{Gpu, GpuBuffer, Regime, SMALL_VIEW};
use crate::error::{RenderError, checked_product};
use crate::project::Splats;

/// What [`bin`] found out.
#[derive(Debug, Clone)]
pub enum Hits {
    /// Nothing yet: the bits of the tiles are set once the ranks are known.
    Small(SmallHits),
    /// How many tiles each splat touches.
    Large(LargeHits),
}

/// The sizes of the small regime.
#[derive(Debug, Clone)]
pub struct SmallHits {
    pub(crate) grid: TileGrid,
    /// P: a power of two, at least 32 and the length of the longest view.
    pub(crate) ranks: usize,
}

/// px, the side of a tile on a device: one unit per pixel of it.
pub(crate) const TILE_SIDE: u32 = 16;

/// The running count of the hits of the large regime.
#[derive(Debug, Clone)]
pub struct LargeHits {
    pub(crate) grid: TileGrid,
    /// `[M, 3]`: the tiles of each splat, as `TileRect` has them: the number in its view of the first, columns, rows.
    pub(crate) rects: GpuBuffer,
    /// `[M + 1]`: the hits of splat `m` are numbered `from_splat[m] .. from_splat[m + 1]`, by rows of tiles.
    pub(crate) from_splat: GpuBuffer,
    /// The number K of hits: read back from the device.
    pub(crate) count: usize,
}

/// Chooses the regime; in the large one, counts the tiles of every splat and waits for the total.
pub(crate) async fn bin<R: Runtime>(
    gpu: &Gpu<R>,
    splats: &Splats<&GpuBuffer>,
    width: usize,
    height: usize,
) -> Result<Hits, RenderError> {
    let views = splats.offsets.len() - 1;
    validate_size(width, height, views)?;
    let size = ImageSize {
        views,
        height,
        width,
    };
    let grid = TileGrid::new(size, TileSize::Px16);
    let tiles = checked_product("tiles", &[views, grid.rows, grid.columns])?;
    let longest = splats
        .offsets
        .windows(2)
        .map(|ends| ends[1] - ends[0])
        .max();
    let longest = longest.unwrap_or(0);
    let ranks = longest.next_power_of_two().max(32);
    let small = match gpu.regime {
        Regime::Large => false,
        Regime::Small if longest > SMALL_VIEW => {
            let expected = "views of at most 1024 splats";
            return Err(RenderError::config("regime Small", expected, longest));
        }
        Regime::Small => true,
        Regime::Auto => {
            // The gradients of one view's hits, the bits of all tiles, and the order of all views.
            let partials = grid
                .per_view()
                .saturating_mul(ranks * (7 + splats.channels));
            let masks = tiles.saturating_mul(ranks / 32);
            let order = views.saturating_mul(ranks);
            longest <= SMALL_VIEW && partials.max(masks).max(order) <= gpu.chunk_words()
        }
    };
    if small {
        return Ok(Hits::Small(SmallHits { grid, ranks }));
    }
    let hits = large::bin(gpu, splats, grid).await?;
    Ok(Hits::Large(hits))
}

/// Whether the box of a splat at `mean` with half side `extent` holds one of the pixel centres `first, first + 1 .. last`, along one
/// axis. Rounding is monotone: what holds for any of the centres holds here too, so no pixel that [`in_box`] keeps is ever left out.
#[cube]
pub(crate) fn meets(mean: f32, extent: f32, first: f32, last: f32) -> bool {
    extent > 0.0 && reaches_right_to(mean, extent, first) && reaches_left_to(mean, extent, last)
}

/// Whether the box ends at the pixel centre `first` or right of it: true of all up to some centre.
#[cube]
pub(crate) fn reaches_right_to(mean: f32, extent: f32, first: f32) -> bool {
    first - mean <= extent
}

/// Whether the box begins at the pixel centre `last` or left of it: true of all from some centre on.
#[cube]
pub(crate) fn reaches_left_to(mean: f32, extent: f32, last: f32) -> bool {
    mean - last <= extent
}

/// Whether a pixel at `d = pixel - mean` along one axis lies in the box.
#[cube]
pub(crate) fn in_box(d: f32, extent: f32) -> bool {
    d <= extent && -d <= extent
}
