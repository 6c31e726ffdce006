//! The backward compositor on a device. It computes the states of all pixels, then a partial
//! gradient per hit (`replay.rs` or `replay_planes.rs`), then the sums of the partials by splat, in
//! the order of the hits. If the partials do not fit the memory budget, they are computed and
//! summed in chunks, in the same order.

use cubecl::prelude::*;
use half::f16;

use crate::composite::gpu::forward::{Composited, layout, lists};
use crate::composite::gpu::partial_row::{GEOMETRY, TargetLaunch};
use crate::composite::gpu::partials::PartLaunch;
use crate::composite::gpu::replay::replay_kernel;
use crate::composite::gpu::replay_planes::{batch_of, replay_planes_kernel};
use crate::composite::gpu::state::STATE;
use crate::composite::gpu::sums::{
    PIXELS, background_kernel, cut_ends_kernel, gather_large_kernel, gather_small_kernel,
    state_kernel, sum_rows_kernel, zero_kernel,
};
use crate::device::Gpu;
use crate::device::buffer::GpuBuffer;
use crate::device::launch::{cube_dim, grid, grid_of_units};
use crate::error::{RenderError, checked_product};
use crate::gaussians::check_len;
use crate::gradients::Wanted;
use crate::image::Image;
use crate::project::gpu::splat_rows::SplatAllocation;
use crate::sort::gpu::lists::{LargeSorted, SmallSorted, SortedHits};
use crate::splats::Splats;

/// The number of planes, depth included, that a thread replays in registers. Further planes take
/// further launches. With five planes, ptxas spills registers.
const PLANES: usize = 4;

/// The least number of slots of a chunk in the large regime. Every chunk walks all tiles, so small
/// chunks are inefficient.
const LEAST_SLOTS: usize = 4096;

/// The inputs of all parts of [`composite_vjp`].
struct Backward<'a, R: Runtime> {
    gpu: &'a Gpu<R>,
    splats: &'a Splats<&'a GpuBuffer>,
    sorted: &'a SortedHits,
    backgrounds: &'a GpuBuffer,
    composited: &'a Composited,
    v_image: &'a Image<&'a GpuBuffer>,
    geometry: bool,
    features: bool,
    stride: usize,
}

/// A range of partials: views in the small regime, or slots in the large regime.
struct Chunk {
    first_view: usize,
    views: usize,
    slots: [usize; 2],
    hits: usize,
}

/// Computes the vjp of the compositor. Returns the gradients with respect to the splats and the
/// backgrounds, `[B, C]`.
///
/// # Errors
/// Returns an error if the inputs do not match each other, or if a buffer is too large or cannot be
/// allocated.
pub(crate) fn composite_vjp<R: Runtime>(
    gpu: &Gpu<R>,
    splats: &Splats<&GpuBuffer>,
    sorted: &SortedHits,
    backgrounds: &GpuBuffer,
    composited: &Composited,
    v_image: &Image<&GpuBuffer>,
    wanted: Wanted,
) -> Result<(Splats<GpuBuffer>, GpuBuffer), RenderError> {
    sorted.check(splats)?;
    let (size, channels) = (sorted.grid().size, splats.channels);
    let dims = [size.views, channels];
    check_len("backgrounds", "[B, C]", &dims, backgrounds.len())?;
    composited.check(sorted, channels)?;
    v_image.validate_gradient(size, channels, |buffer| buffer.len())?;
    let geometry = wanted.splat_geometry();
    let pass = Backward {
        gpu,
        splats,
        sorted,
        backgrounds,
        composited,
        v_image,
        geometry,
        features: wanted.features,
        stride: if geometry { GEOMETRY as usize } else { 0 }
            + usize::from(geometry && v_image.depth.is_some())
            + if wanted.features { channels } else { 0 },
    };
    let v_backgrounds = if wanted.backgrounds {
        pass.by_backgrounds()?
    } else {
        gpu.empty("no gradient with respect to backgrounds", 0)?
    };
    Ok((pass.by_splats()?, v_backgrounds))
}

impl<R: Runtime> Backward<'_, R> {
    /// Computes the gradient with respect to the backgrounds, `[B, C]`: the sum over all pixels of
    /// transmittance times gradient.
    fn by_backgrounds(&self) -> Result<GpuBuffer, RenderError> {
        let (size, channels) = (self.composited.size(), self.splats.channels);
        let pixels = size.height * size.width;
        let blocks = pixels.div_ceil(PIXELS as usize);
        let rows = size.views * channels;
        let cubes = checked_product("parts of the background's gradient", &[rows, blocks])?;
        let parts = self
            .gpu
            .empty("parts of the background's gradient", cubes)?;
        let out = self
            .gpu
            .empty("gradient with respect to backgrounds [B, C]", rows)?;
        if cubes > 0 {
            background_kernel::launch::<R>(
                &self.gpu.client,
                grid(cubes)?,
                cube_dim(),
                self.composited.transmittance.arg(),
                self.v_image.features.arg(),
                parts.arg(),
                cubes as u32,
                blocks as u32,
                pixels as u32,
                channels as u32,
            );
            sum_rows_kernel::launch::<R>(
                &self.gpu.client,
                grid_of_units(rows)?,
                cube_dim(),
                parts.arg(),
                out.arg(),
                rows as u32,
                blocks as u32,
            );
        }
        Ok(out)
    }

    fn by_splats(&self) -> Result<Splats<GpuBuffer>, RenderError> {
        let (m, channels) = (self.splats.len(), self.splats.channels);
        let g = if self.geometry { m } else { 0 };
        let f = if self.features { m * channels } else { 0 };
        let what = "gradient with respect to splats [M, 7 + C]";
        let out = SplatAllocation::new(self.gpu, what, g, f, 0)?;
        if m > 0 && self.stride > 0 {
            if self.geometry && self.v_image.depth.is_none() {
                zero_kernel::launch::<R>(
                    &self.gpu.client,
                    grid_of_units(m)?,
                    cube_dim(),
                    out.buffer.arg(),
                    out.depths as u32,
                    m as u32,
                );
            }
            match self.sorted {
                SortedHits::Small(sorted) => self.small(sorted, &out)?,
                SortedHits::Large(sorted) => self.large(sorted, &out)?,
            }
        }
        Ok(out.into_splats(self.splats.offsets.clone(), channels))
    }

    /// Returns the launch argument for the sums.
    fn target(&self, out: &SplatAllocation) -> TargetLaunch<R> {
        TargetLaunch::new(
            out.sections(),
            self.splats.channels as u32,
            self.stride as u32,
        )
    }

    fn with_depth(&self) -> bool {
        self.geometry && self.v_image.depth.is_some()
    }

    /// Computes the gradients in the small regime, in chunks of views.
    fn small(&self, sorted: &SmallSorted, out: &SplatAllocation) -> Result<(), RenderError> {
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
            );
        }
        Ok(())
    }

    /// Computes the gradients in the large regime, in chunks of slots. The hits of a splat have
    /// ascending slots, so its sum keeps its order over the chunks.
    fn large(&self, sorted: &LargeSorted, out: &SplatAllocation) -> Result<(), RenderError> {
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
            );
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

    /// Returns the launch argument for `chunk` and the channels from `channel` on.
    fn part(&self, chunk: &Chunk, channel: usize) -> PartLaunch<R> {
        PartLaunch::new(
            chunk.first_view as u32,
            chunk.slots[0] as u32,
            chunk.slots[1] as u32,
            (chunk.views * self.sorted.grid().per_view()) as u32,
            channel as u32,
            self.splats.channels as u32,
            self.stride as u32,
            (chunk.views * self.states_of_view()) as u32,
        )
    }

    /// Returns the number of words of the states of one view's pixels.
    fn states_of_view(&self) -> usize {
        let size = self.composited.size();
        size.height * size.width * STATE as usize
    }

    /// Computes the states of the pixels of `views` views, and the ends of their tiles.
    fn states(&self, first_view: usize, views: usize) -> Result<GpuBuffer, RenderError> {
        let cubes = views * self.sorted.grid().per_view();
        let reached = checked_product("states of pixels", &[views, self.states_of_view()])?;
        let state = self
            .gpu
            .empty("states of pixels and tiles", reached.saturating_add(cubes))?;
        // The kernel does not read absent gradients. Any buffer can take their place.
        let v_transmittance = self.v_image.transmittance;
        let v_depth = self.v_image.depth.filter(|_| self.geometry);
        if cubes > 0 {
            state_kernel::launch::<R>(
                &self.gpu.client,
                grid(cubes)?,
                cube_dim(),
                self.composited.transmittance.arg(),
                self.composited.ends.arg(),
                self.v_image.features.arg(),
                v_transmittance.unwrap_or(self.v_image.features).arg(),
                v_depth.unwrap_or(self.v_image.features).arg(),
                self.backgrounds.arg(),
                state.arg(),
                layout(self.sorted),
                first_view as u32,
                cubes as u32,
                reached as u32,
                self.splats.channels as u32,
                v_transmittance.is_some(),
                v_depth.is_some(),
            );
            let (_, ranges, large) = lists(self.sorted);
            cut_ends_kernel::launch::<R>(
                &self.gpu.client,
                grid(cubes)?,
                cube_dim(),
                ranges.arg(),
                state.arg(),
                layout(self.sorted),
                first_view as u32,
                cubes as u32,
                reached as u32,
                large,
            );
        }
        Ok(state)
    }
}
