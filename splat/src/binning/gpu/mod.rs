//! The bin stage on a device. It chooses the regime in which the hits are listed. `large.rs`
//! contains the kernels of the large regime.

pub(crate) mod hits;
pub(crate) mod large;
pub(crate) mod rects;

use cubecl::prelude::*;

use crate::binning::gpu::hits::{Hits, SmallHits};
use crate::binning::grid::{TileGrid, TileSize};
use crate::device::buffer::GpuBuffer;
use crate::device::{Gpu, Regime, SMALL_VIEW};
use crate::error::{RenderError, checked_product};
use crate::image::ImageSize;
use crate::splats::Splats;
use crate::views::validate_size;

/// Chooses the regime. In the large regime, also counts the tiles of every splat and waits for the
/// total.
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
            // Sizes in words: one view's partial gradients, all tiles' masks, all views' orders.
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
