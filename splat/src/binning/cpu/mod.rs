//! Finds the tiles of every splat and computes the running sum of the hits.

mod rects;

use rayon::prelude::*;

use crate::binning::grid::{Hits, TileGrid, TileRect, TileSize};
use crate::error::{RenderError, checked_product, try_collected};
use crate::host::columns::BLOCK;
use crate::host::memory::Memory;
use crate::host::simd::{Kernel, Simd};
use crate::host::workspace::Resources;
use crate::image::ImageSize;
use crate::scalar::Scalar;
use crate::scalar::rounding::Arithmetic;
use crate::splats::Splats;
use crate::views::validate_size;

/// Splats per task, a multiple of [`BLOCK`].
const SPLATS_PER_TASK: usize = 4096;

/// Finds the tiles of consecutive splats, beginning with splat `first`.
struct FindRects<'p, 'a, T: Scalar> {
    splats: &'p Splats<&'a [T]>,
    grid: &'p TileGrid,
    first: usize,
    rects: &'p mut [TileRect],
    /// Number of hits of the task up to and including each splat, modulo 2^32.
    ends: &'p mut [u32],
}

impl<T: Scalar> Kernel for FindRects<'_, '_, T> {
    type Scalar = T;
    /// The number of hits of the task.
    type Output = u64;

    #[inline(always)]
    fn run<A: Arithmetic<T>, const LANES: usize>(self) -> u64 {
        let mut count = 0u64;
        let mut found = [TileRect::default(); BLOCK];
        let blocks = self
            .rects
            .chunks_mut(BLOCK)
            .zip(self.ends.chunks_mut(BLOCK));
        for (first, (rects, ends)) in (self.first..).step_by(BLOCK).zip(blocks) {
            self.grid
                .block_rects::<T, LANES>(self.splats, first, rects.len(), &mut found);
            rects.copy_from_slice(&found[..rects.len()]);
            for (rect, end) in rects.iter().zip(ends) {
                count += u64::from(rect.count());
                *end = count as u32;
            }
        }
        count
    }
}

/// Finds the first of consecutive splats whose tiles differ from `rects`.
struct CheckRects<'p, 'a, T: Scalar> {
    splats: &'p Splats<&'a [T]>,
    grid: &'p TileGrid,
    first: usize,
    rects: &'p [TileRect],
}

impl<T: Scalar> Kernel for CheckRects<'_, '_, T> {
    type Scalar = T;
    type Output = Option<usize>;

    #[inline(always)]
    fn run<A: Arithmetic<T>, const LANES: usize>(self) -> Option<usize> {
        let mut found = [TileRect::default(); BLOCK];
        for (first, rects) in (self.first..).step_by(BLOCK).zip(self.rects.chunks(BLOCK)) {
            self.grid
                .block_rects::<T, LANES>(self.splats, first, rects.len(), &mut found);
            if found[..rects.len()] != *rects {
                let pairs = found.iter().zip(rects);
                return pairs
                    .zip(first..)
                    .find_map(|((a, b), m)| (a != b).then_some(m));
            }
        }
        None
    }
}

impl Hits {
    /// Returns the first splat whose tiles differ from the tiles in `self`.
    pub(crate) fn first_stranger<T: Scalar>(
        &self,
        splats: &Splats<&[T]>,
        simd: Simd,
    ) -> Option<usize> {
        let blocks = self.rects.par_chunks(SPLATS_PER_TASK).enumerate();
        let strangers = blocks.map(|(block, rects)| {
            let job = CheckRects {
                splats,
                grid: &self.grid,
                first: block * SPLATS_PER_TASK,
                rects,
            };
            simd.dispatch(job)
        });
        strangers.find_first(Option::is_some).flatten()
    }
}

/// Finds the tiles that each splat touches and computes the running sum of the hits.
pub(crate) fn bin<T: Scalar>(
    splats: &Splats<&[T]>,
    width: usize,
    height: usize,
    tile: TileSize,
    Resources { simd, workspace }: Resources<'_, T>,
) -> Result<Hits, RenderError> {
    let views = splats.offsets.len() - 1;
    validate_size(width, height, views)?;
    let size = ImageSize {
        views,
        height,
        width,
    };
    let grid = TileGrid::new(size, tile);
    checked_product("tiles", &[views, grid.rows, grid.columns])?;
    let memory = workspace.memory();
    let mut rects = memory.buffer("tiles of splats [M]", splats.len())?;
    let mut from_splat = workspace.indices("hit offsets [M + 1]", splats.len() + 1)?;
    from_splat[0] = 0;
    let total = running_count(
        splats,
        &grid,
        &mut rects,
        &mut from_splat[1..],
        (simd, memory),
    )?;
    if total >= u64::from(u32::MAX) {
        return Err(RenderError::Capacity {
            what: "hits (splat, tile)",
            needed: total.to_string(),
            limit: format!("{} (32-bit index)", u32::MAX),
        });
    }
    Ok(Hits {
        grid,
        offsets: try_collected("offsets of views [B + 1]", splats.offsets.iter().copied())?,
        rects,
        from_splat,
    })
}

/// Writes the tiles of each splat to `rects`. Writes the number of hits up to and including each
/// splat to `ends`, modulo 2^32. Returns the total number of hits.
fn running_count<T: Scalar>(
    splats: &Splats<&[T]>,
    grid: &TileGrid,
    rects: &mut [TileRect],
    ends: &mut [u32],
    (simd, memory): (Simd, &Memory),
) -> Result<u64, RenderError> {
    // Each task sums its own hits first. The total of the earlier tasks is added later.
    let blocks = (
        rects.par_chunks_mut(SPLATS_PER_TASK),
        ends.par_chunks_mut(SPLATS_PER_TASK),
    );
    let what = "hits of tasks";
    let tasks = splats.len().div_ceil(SPLATS_PER_TASK);
    let mut counts: Vec<u64> = memory.buffer(what, tasks)?;
    let blocks = blocks.into_par_iter().zip(&mut counts).enumerate();
    blocks.for_each(|(block, ((rects, ends), count))| {
        *count = simd.dispatch(FindRects {
            splats,
            grid,
            first: block * SPLATS_PER_TASK,
            rects,
            ends,
        });
    });
    let mut total = 0;
    for count in &mut counts {
        total += std::mem::replace(count, total);
    }
    let blocks = ends.par_chunks_mut(SPLATS_PER_TASK).zip(&counts);
    blocks.for_each(|(ends, &before)| {
        for end in ends {
            *end = end.wrapping_add(before as u32);
        }
    });
    memory.give(counts);
    Ok(total)
}
