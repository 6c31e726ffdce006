//! The walk of the backward compositor over all hits, in chunks whose partials fit the memory budget.
//! The partials of each chunk are computed, then added to the sums by splat.

use cubecl::prelude::*;
use half::f16;

use crate::composite::gpu::forward::{layout, lists};
use crate::composite::gpu::partial_row::TargetLaunch;
use crate::composite::gpu::pass::{Backward, Chunk};
use crate::composite::gpu::replay::replay_kernel;
use crate::composite::gpu::replay_planes::{batch_of, replay_planes_kernel};
use crate::composite::gpu::sums::{gather_large_kernel, gather_small_kernel};
use crate::composite::gpu::weigh::weigh_kernel;
use crate::device::buffer::GpuBuffer;
use crate::device::launch::{cube_dim, grid, grid_of_units};
use crate::error::{RenderError, checked_product};
use crate::project::gpu::splat_rows::SplatSectionsLaunch;
use crate::sort::gpu::lists::{LargeSorted, SmallSorted, SortedHits};

/// The number of planes, depth included, that a thread replays in registers. Further planes take
/// further launches. With five planes, ptxas spills registers.
const PLANES: usize = 4;

/// The least number of slots of a chunk in the large regime. Every chunk walks all tiles, so small
/// chunks are inefficient.
const LEAST_SLOTS: usize = 4096;

/// The buffer that the sums by splat are written to, and a function that returns its sections.
pub(super) struct Sums<'a, R: Runtime> {
    pub(super) buffer: &'a GpuBuffer,
    pub(super) sections: &'a dyn Fn() -> SplatSectionsLaunch<R>,
}

impl<R: Runtime> Backward<'_, R> {
    /// Computes the partials of all hits and their sums by splat.
    pub(super) fn sum_hits(&self, out: &Sums<'_, R>) -> Result<(), RenderError> {
        match self.sorted {
            SortedHits::Small(sorted) => self.small(sorted, out),
            SortedHits::Large(sorted) => self.large(sorted, out),
        }
    }

    /// Computes the gradients in the small regime, in chunks of views.
    fn small(&self, sorted: &SmallSorted, out: &Sums<'_, R>) -> Result<(), RenderError> {
        let views = sorted.grid.size.views;
        let hits = sorted.grid.per_view() * sorted.ranks;
        let per_view = checked_product("gradients of a view's hits", &[hits, self.stride])?;
        let at_once =
            (self.gpu.chunk_words() / per_view.max(self.states_of_view())).clamp(1, views.max(1));
        let partials = self
            .gpu
            .empty("gradients of a view's hits", at_once * per_view)?;
        for first_view in (0..views).step_by(at_once) {
            let chunk = Chunk {
                first_view,
                views: at_once.min(views - first_view),
                slots: [0, 0],
                hits: at_once * hits,
            };
            let state = self.states(first_view, chunk.views)?;
            self.replay(&chunk, &state, &partials)?;
            let units = chunk.views * sorted.ranks * self.stride;
            gather_small_kernel::launch::<R>(
                &self.gpu.client,
                grid_of_units(units)?,
                cube_dim(),
                partials.arg(),
                sorted.order.arg(),
                sorted.masks.arg(),
                out.buffer.arg(),
                self.target(out),
                first_view as u32,
                units as u32,
                sorted.ranks as u32,
                sorted.grid.per_view() as u32,
                self.geometry,
                self.with_depth(),
                self.statistics,
            );
        }
        Ok(())
    }

    /// Computes the gradients in the large regime, in chunks of slots. The hits of a splat have
    /// ascending slots, so its sum keeps its order over the chunks.
    fn large(&self, sorted: &LargeSorted, out: &Sums<'_, R>) -> Result<(), RenderError> {
        let fitting = (self.gpu.chunk_words() / self.stride).max(LEAST_SLOTS);
        let at_once = fitting.min(sorted.hits.max(1));
        let words = checked_product("gradients of hits", &[at_once, self.stride])?;
        let partials = self.gpu.empty("gradients of hits", words)?;
        let units = checked_product("gradients of splats", &[self.splats.len(), self.stride])?;
        let state = self.states(0, sorted.grid.size.views)?;
        // Without hits, one pass still writes the sums, which are zero.
        for first in (0..sorted.hits.max(1)).step_by(at_once) {
            let end = sorted.hits.min(first + at_once);
            let chunk = Chunk {
                first_view: 0,
                views: sorted.grid.size.views,
                slots: [first, end],
                hits: at_once,
            };
            self.replay(&chunk, &state, &partials)?;
            gather_large_kernel::launch::<R>(
                &self.gpu.client,
                grid_of_units(units)?,
                cube_dim(),
                partials.arg(),
                sorted.from_splat.arg(),
                sorted.slot_from_hit.arg(),
                out.buffer.arg(),
                self.target(out),
                units as u32,
                first as u32,
                end as u32,
                self.geometry,
                self.with_depth(),
                self.statistics,
            );
        }
        Ok(())
    }

    /// Returns the launch argument for the sums.
    fn target(&self, out: &Sums<'_, R>) -> TargetLaunch<R> {
        TargetLaunch::new(
            (out.sections)(),
            self.splats.channels as u32,
            self.stride as u32,
        )
    }

    /// Computes the statistics of the hits of a chunk, which are no empty ones.
    fn weigh(
        &self,
        chunk: &Chunk,
        state: &GpuBuffer,
        partials: &GpuBuffer,
    ) -> Result<(), RenderError> {
        let (list, ranges, large) = lists(self.sorted);
        macro_rules! launch {
            ($real:ty, $features:expr) => {
                weigh_kernel::launch::<$real, R>(
                    &self.gpu.client,
                    grid(chunk.views * self.sorted.grid().per_view())?,
                    cube_dim(),
                    self.composited.packed.arg(),
                    $features,
                    list.arg(),
                    ranges.arg(),
                    state.arg(),
                    self.v_image.features.arg(),
                    partials.arg(),
                    layout(self.sorted),
                    self.composited.thresholds(),
                    self.part(chunk, 0),
                    large,
                    self.with_depth(),
                )
            };
        }
        match &self.composited.halves {
            None => launch!(f32, self.splats.features.arg()),
            Some(halves) => launch!(f16, halves.arg_of_halves(self.splats.features.len())),
        }
        Ok(())
    }

    /// Computes the partials of a chunk.
    fn replay(
        &self,
        chunk: &Chunk,
        state: &GpuBuffer,
        partials: &GpuBuffer,
    ) -> Result<(), RenderError> {
        let channels = self.splats.channels;
        let (list, ranges, large) = lists(self.sorted);
        let cubes = chunk.views * self.sorted.grid().per_view();
        if cubes == 0 || chunk.hits == 0 {
            return Ok(());
        }
        if self.statistics {
            return self.weigh(chunk, state, partials);
        }
        let shared = self.gpu.client.properties().hardware.max_shared_memory_size;
        let mut channel = 0;
        while channel < channels {
            let first = channel == 0;
            let with_depth = first && self.with_depth();
            let width = (PLANES - usize::from(with_depth)).min(channels - channel);
            macro_rules! launch {
                ($kernel:ident, $real:ty, $features:expr $(, $extra:expr)*) => {
                    $kernel::launch::<$real, R>(
                        &self.gpu.client,
                        grid(cubes)?,
                        cube_dim(),
                        self.composited.packed.arg(),
                        $features,
                        list.arg(),
                        ranges.arg(),
                        state.arg(),
                        self.v_image.features.arg(),
                        partials.arg(),
                        layout(self.sorted),
                        self.composited.thresholds(),
                        self.part(chunk, channel),
                        width as u32,
                        large,
                        first,
                        self.geometry,
                        with_depth,
                        self.features,
                        $($extra),*
                    )
                };
            }
            let (features, halves) = (self.splats.features, &self.composited.halves);
            match (self.gpu.subgroup_size(), halves) {
                (None, None) => launch!(replay_kernel, f32, features.arg()),
                (None, Some(halves)) => {
                    launch!(replay_kernel, f16, halves.arg_of_halves(features.len()));
                }
                (Some(plane), None) => launch!(
                    replay_planes_kernel,
                    f32,
                    features.arg(),
                    plane,
                    self.gpu.subgroups_in_order,
                    batch_of(plane, shared)
                ),
                (Some(plane), Some(halves)) => launch!(
                    replay_planes_kernel,
                    f16,
                    halves.arg_of_halves(features.len()),
                    plane,
                    self.gpu.subgroups_in_order,
                    batch_of(plane, shared)
                ),
            }
            channel += width;
        }
        Ok(())
    }
}
