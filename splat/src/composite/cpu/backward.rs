//! The backward compositor: walks the hits of every tile back to front. Each hit's gradient is
//! summed over the tile's pixels, in lanes, and stored in the hit's slot as its *partial*. Then the
//! partials of each splat are summed in order (`sums.rs`). No value is written by two threads.

use rayon::prelude::*;

use crate::composite::cpu::blend::Listed;
use crate::composite::cpu::composited::{Composited, check_composited, check_sorted};
use crate::composite::cpu::coverage::{SavedSet, load_sets};
use crate::composite::cpu::hits::{BATCH, Batch};
use crate::composite::cpu::pass::Backward;
use crate::composite::cpu::read::Read;
use crate::composite::cpu::replay::Pixels;
use crate::composite::cpu::strip::{SavedBlocks, Strip, strips};
use crate::composite::cpu::tile::{BlockSet, Row, Tile};
use crate::error::{RenderError, checked_product, try_filled};
use crate::gaussians::check_len;
use crate::gradients::Wanted;
use crate::host::cut::cut;
use crate::host::simd::{Kernel, Simd};
use crate::host::workspace::Resources;
use crate::image::Image;
use crate::scalar::Scalar;
use crate::scalar::rounding::Arithmetic;
use crate::sort::cpu::lists::SortedHits;
use crate::splats::Splats;

/// A strip, the partials of its hits, `[hits, stride]`, and the gradients of its tiles with respect
/// to the background, `[tiles, C]`.
struct TaskVjp<'a, T> {
    strip: Strip,
    partials: &'a mut [T],
    v_background: &'a mut [T],
}

/// The buffers of one thread.
struct Room<T> {
    pixels: Pixels<T>,
    batch: Batch<T>,
    v_row: Vec<Row<T>>,
}

impl<T: Scalar> Room<T> {
    fn new(planes: usize, channels: usize) -> Result<Self, RenderError> {
        Ok(Self {
            pixels: Pixels::new(planes)?,
            batch: Batch::new(planes)?,
            v_row: try_filled("a row of gradients [C, 32]", channels, [T::ZERO; _])?,
        })
    }
}

/// Computes the vjp of the compositor. Returns the gradients with respect to the splats and the
/// backgrounds, `[B, C]`.
///
/// # Errors
/// Returns an error if the inputs do not match each other, or if an allocation fails.
pub(crate) fn composite_vjp<T: Scalar>(
    splats: &Splats<&[T]>,
    sorted: &SortedHits,
    backgrounds: &[T],
    composited: &Composited<T>,
    v_image: &Image<&[T]>,
    wanted: Wanted,
    Resources { simd, workspace }: Resources<'_, T>,
) -> Result<(Splats<Vec<T>>, Vec<T>), RenderError> {
    let (size, channels) = (sorted.grid.size, splats.channels);
    check_sorted(splats, sorted)?;
    check_len(
        "backgrounds",
        "[B, C]",
        &[size.views, channels],
        backgrounds.len(),
    )?;
    check_composited(composited, sorted)?;
    v_image.validate_gradient(size, channels, |buffer| buffer.len())?;
    let pass = Backward {
        splats,
        sorted,
        backgrounds,
        composited,
        v_image,
        wanted,
    };
    let stride = pass.stride();
    let elements = checked_product("gradients of hits", &[sorted.hits(), stride])?;
    let mut partials = workspace.scalars("gradients of hits [K, 6 + C]", elements)?;
    let tiles = size.views * sorted.grid.per_view();
    let mut by_tile = workspace.scalars(
        "gradients of tiles with respect to the background",
        tiles * channels,
    )?;
    // Without views no room is needed, and the number of channels is unbounded.
    let [planes, row] = if size.views == 0 {
        [0; 2]
    } else {
        [pass.planes(), channels]
    };
    pass.tasks(&mut partials, &mut by_tile)
        .into_par_iter()
        .map_init(
            || Room::new(planes, row),
            |room, task| match room {
                Ok(room) => {
                    pass.strip(simd, room, task);
                    Ok(())
                }
                Err(error) => Err(error.clone()),
            },
        )
        .collect::<Result<(), RenderError>>()?;
    let v_splats = pass.sum_hits(&partials, workspace)?;
    let mut v_backgrounds = Vec::new();
    if wanted.backgrounds {
        let what = "gradient with respect to backgrounds [B, C]";
        v_backgrounds = workspace.zeros(what, size.views * channels)?;
        let views = v_backgrounds.par_chunks_mut(channels);
        let views = views.zip(by_tile.par_chunks(sorted.grid.per_view() * channels));
        views.for_each(|(sum, tiles)| {
            for tile in tiles.chunks_exact(channels) {
                for (sum, &part) in sum.iter_mut().zip(tile) {
                    *sum += part;
                }
            }
        });
    }
    workspace.recycle(partials);
    workspace.recycle(by_tile);
    Ok((v_splats, v_backgrounds))
}

/// Replays the hits of a tile and writes their partials.
struct Replay<'p, 'a, T: Scalar> {
    pub(crate) pass: &'p Backward<'a, T>,
    pub(crate) pixels: &'p mut Pixels<T>,
    pub(crate) batch: &'p mut Batch<T>,
    /// The number of parts of a block in the saved state.
    pub(crate) parts: usize,
    pub(crate) hits: &'p [u32],
    /// `[hits, parts]`: the blocks in which each hit was composited in some pixel.
    pub(crate) hit_blocks: &'p [SavedSet],
    /// The blocks of the tile. Sets of a state that belongs to another render can have others.
    pub(crate) blocks: BlockSet,
    /// `[hits, stride]`
    pub(crate) partials: &'p mut [T],
}

impl<T: Scalar> Kernel for Replay<'_, '_, T> {
    type Scalar = T;
    type Output = ();

    #[inline(always)]
    fn run<A: Arithmetic<T>, const LANES: usize>(self) {
        if !self.pass.wanted.splat_geometry() {
            return self.hits::<A, LANES, 0, false>();
        }
        match self.pass.planes() {
            3 => self.hits::<A, LANES, 3, true>(),
            4 => self.hits::<A, LANES, 4, true>(),
            _ => self.hits::<A, LANES, 0, true>(),
        }
    }
}

impl<T: Scalar> Replay<'_, '_, T> {
    #[inline(always)]
    fn hits<A: Arithmetic<T>, const LANES: usize, const PLANES: usize, const GEOM: bool>(self) {
        let Self {
            pixels,
            batch,
            parts,
            ..
        } = self;
        let (constants, stride) = (&self.pass.composited.constants, self.pass.stride());
        let batches = self
            .partials
            .chunks_mut(BATCH * stride)
            .zip(self.hits.chunks(BATCH))
            .zip(self.hit_blocks.chunks(BATCH * parts));
        for (number, ((partials, hits), hit_blocks)) in batches.enumerate().rev() {
            // While one hit of a batch is removed, one of the batch in front of it is prefetched.
            let previous = &self.hits[..number * BATCH];
            let previous = &previous[previous.len().saturating_sub(BATCH)..];
            let alone = previous.get(hits.len()..).unwrap_or_default();
            batch.fetch(self.pass.splats, alone);
            if hit_blocks.iter().all(|&set| set == [0; _]) {
                batch.fetch(self.pass.splats, previous);
                partials.fill(T::ZERO);
                continue;
            }
            batch.load::<PLANES>(self.pass.splats, hits);
            let first = (number * BATCH) as u32;
            let partials = partials.chunks_exact_mut(stride);
            let hits = partials.zip(hit_blocks.chunks_exact(parts)).enumerate();
            for (k, (partial, saved)) in hits.rev() {
                let next = previous.get(k..=k).unwrap_or_default();
                batch.fetch(self.pass.splats, next);
                let in_blocks = load_sets::<LANES>(saved).map(|set| set & self.blocks);
                if in_blocks == [0; _] {
                    partial.fill(T::ZERO);
                    continue;
                }
                let listed = Listed {
                    index: first + k as u32,
                    values: batch.values(k),
                };
                pixels.remove::<A, LANES, PLANES, GEOM>(
                    &in_blocks,
                    &batch.hit(k),
                    listed,
                    constants,
                    partial,
                );
            }
        }
    }
}

impl<T: Scalar> Backward<'_, T> {
    fn tasks<'a>(&self, partials: &'a mut [T], by_tile: &'a mut [T]) -> Vec<TaskVjp<'a, T>> {
        let (grid, mut partials, mut by_tile) = (self.sorted.grid, partials, by_tile);
        let task = |strip: Strip| {
            let tiles = strip.tiles(&grid);
            let slots = self.sorted.slots_of_tiles(tiles.clone());
            TaskVjp {
                strip,
                partials: cut(&mut partials, slots.len() * self.stride()),
                v_background: cut(&mut by_tile, tiles.len() * self.splats.channels),
            }
        };
        strips(&grid).into_iter().map(task).collect()
    }

    /// Computes the gradients of a strip.
    fn strip(&self, simd: Simd, room: &mut Room<T>, task: TaskVjp<'_, T>) {
        let (grid, channels) = (&self.sorted.grid, self.splats.channels);
        let Room {
            pixels,
            batch,
            v_row,
        } = room;
        let (strip, stride) = (task.strip, self.stride());
        let (mut partials, mut by_tile) = (task.partials, task.v_background);
        let saved = SavedBlocks::new(grid);
        let hit_blocks = self.composited.hit_blocks.as_chunks().0;
        // Without hits there are no sets, and any number of parts will do.
        let parts = (hit_blocks.len() / self.sorted.hits().max(1)).max(1);
        for (column, number) in strip.columns.clone().zip(strip.tiles(grid)) {
            let tile = &Tile::new(grid, column, strip.tile_row);
            let hits = self.sorted.splats_of_tile(number);
            let partials = cut(&mut partials, hits.len() * stride);
            let v_background = cut(&mut by_tile, channels);
            let view = strip.view;
            let saved = saved.of_tile(view, column, strip.tile_row);
            simd.dispatch(Read {
                pass: self,
                pixels,
                tile,
                view,
                number,
                saved,
                v_row,
                v_background,
            });
            if stride == 0 {
                continue;
            }
            let slots = self.sorted.slots_of_tile(number);
            simd.dispatch(Replay {
                pass: self,
                pixels,
                batch,
                parts,
                hits,
                hit_blocks: &hit_blocks[slots.start * parts..slots.end * parts],
                blocks: tile.block_set(),
                partials,
            });
        }
    }
}
