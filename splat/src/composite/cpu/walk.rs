//! The walk of the backward compositor over the hits of every tile, back to front. Each hit's
//! partial is computed over the tile's pixels, in lanes, and stored in the hit's slot. No value is
//! written by two threads.

use rayon::prelude::*;

use crate::composite::cpu::blend::Listed;
use crate::composite::cpu::composited::{check_composited, check_sorted};
use crate::composite::cpu::coverage::{PartSets, SavedSet, load_sets};
use crate::composite::cpu::hits::{BATCH, Batch, Hit};
use crate::composite::cpu::pass::Backward;
use crate::composite::cpu::read::Read;
use crate::composite::cpu::replay::Pixels;
use crate::composite::cpu::strip::{SavedBlocks, Strip, Strips};
use crate::composite::cpu::tile::{BlockSet, Constants, Row, Tile};
use crate::error::{RenderError, checked_product, try_filled};
use crate::gaussians::check_len;
use crate::host::cut::cut;
use crate::host::memory::Memory;
use crate::host::simd::Simd;
use crate::host::workspace::Workspace;
use crate::scalar::Scalar;
use crate::scalar::rounding::Arithmetic;

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

    /// Returns whether the buffers have the sizes of [`new`](Self::new).
    fn fits(&self, planes: usize, channels: usize) -> bool {
        self.pixels.planes() == planes && self.v_row.len() == channels
    }
}

/// What a replay computes of one hit.
pub(super) trait Partial<T: Scalar> {
    /// Removes one hit from the pixels and writes its partial to `out`. The hit was composited in
    /// pixels of the blocks `in_blocks` only.
    fn remove<A: Arithmetic<T>, const LANES: usize>(
        pixels: &mut Pixels<T>,
        in_blocks: &PartSets,
        hit: &Hit<T>,
        listed: Listed<'_, T>,
        constants: &Constants<T>,
        out: &mut [T],
    );
}

/// Replays the hits of a tile and writes their partials.
pub(super) struct Replay<'p, 'a, T: Scalar> {
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

impl<T: Scalar> Replay<'_, '_, T> {
    #[inline(always)]
    pub(super) fn hits<A: Arithmetic<T>, const LANES: usize, const PLANES: usize, P: Partial<T>>(
        self,
    ) {
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
                P::remove::<A, LANES>(
                    pixels,
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
    /// Checks the inputs and replays all hits. `compute` computes the partials of a tile's hits.
    /// Returns the partials of all hits, `[hits, stride]`, and the gradients of the tiles with respect
    /// to the background, `[tiles, C]`.
    ///
    /// # Errors
    /// Returns an error if the inputs do not match each other, or if an allocation fails.
    pub(super) fn replay(
        &self,
        simd: Simd,
        workspace: &Workspace<T>,
        compute: impl Fn(Replay<'_, '_, T>) + Sync,
    ) -> Result<(Vec<T>, Vec<T>), RenderError> {
        let (grid, channels) = (self.sorted.grid, self.splats.channels);
        let size = grid.size;
        check_sorted(self.splats, self.sorted)?;
        let dims = [size.views, channels];
        check_len("backgrounds", "[B, C]", &dims, self.backgrounds.len())?;
        check_composited(self.composited, self.sorted)?;
        self.v_image
            .validate_gradient(size, channels, |buffer| buffer.len())?;
        let elements = checked_product("gradients of hits", &[self.sorted.hits(), self.stride()])?;
        let mut partials = workspace.scalars("gradients of hits [K, 6 + C]", elements)?;
        let tiles = size.views * grid.per_view();
        let mut by_tile = workspace.scalars(
            "gradients of tiles with respect to the background",
            tiles * self.of_background(),
        )?;
        // Without views no room is needed, and the number of channels is unbounded.
        let [planes, row] = if size.views == 0 {
            [0; 2]
        } else {
            [self.planes(), channels]
        };
        let memory = workspace.memory();
        let mut tasks = self.tasks(&mut partials, &mut by_tile, memory)?;
        tasks.par_drain(..).try_for_each(|task| {
            let fits = |room: &Room<T>| room.fits(planes, row);
            let mut room = memory.room(fits, || Room::new(planes, row))?;
            self.strip(simd, &mut room, task, &compute);
            memory.keep_room(room);
            Ok::<_, RenderError>(())
        })?;
        memory.keep_list::<TaskVjp<'static, T>, _>(tasks);
        Ok((partials, by_tile))
    }

    /// Cuts the outputs into tasks.
    fn tasks<'b>(
        &self,
        mut partials: &'b mut [T],
        mut by_tile: &'b mut [T],
        memory: &Memory,
    ) -> Result<Vec<TaskVjp<'b, T>>, RenderError> {
        let (grid, strips) = (self.sorted.grid, Strips::new(&self.sorted.grid));
        let mut tasks = memory.list::<TaskVjp<'static, T>, _>("strips of tiles", strips.len())?;
        tasks.extend(strips.iter().map(|strip| {
            let tiles = strip.tiles(&grid);
            let slots = self.sorted.slots_of_tiles(tiles.clone());
            TaskVjp {
                strip,
                partials: cut(&mut partials, slots.len() * self.stride()),
                v_background: cut(&mut by_tile, tiles.len() * self.of_background()),
            }
        }));
        Ok(tasks)
    }

    /// Computes the gradients of a strip.
    fn strip(
        &self,
        simd: Simd,
        room: &mut Room<T>,
        task: TaskVjp<'_, T>,
        compute: &impl Fn(Replay<'_, '_, T>),
    ) {
        let grid = &self.sorted.grid;
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
            let v_background = cut(&mut by_tile, self.of_background());
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
            compute(Replay {
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
