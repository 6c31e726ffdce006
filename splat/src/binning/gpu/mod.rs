//! Which tiles a splat touches, on a device; and which regime lists its hits. The large regime's
//! loops are in `large.rs`.

pub(crate) mod hits;
pub(crate) mod large;
pub(crate) mod rects;

use cubecl::prelude::*;

use crate::binning::gpu::hits::{Hits, SmallHits};
use crate::binning::grid::{TileGrid, TileSize};
use crate::camera::validate_size;
use crate::device::buffer::GpuBuffer;
use crate::device::{Gpu, Regime, SMALL_VIEW};
use crate::error::{RenderError, checked_product};
use crate::image::ImageSize;
use crate::splats::Splats;

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
        let offsets = splats.offsets.clone();
        return Ok(Hits::Small(SmallHits {
            grid,
            ranks,
            offsets,
        }));
    }
    let hits = large::bin(gpu, splats, grid).await?;
    Ok(Hits::Large(hits))
}
