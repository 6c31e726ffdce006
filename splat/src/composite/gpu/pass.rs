//! The inputs that all parts of the backward compositor share, the chunks of its work, and the states
//! of the pixels behind their last hits.

use cubecl::prelude::*;

use crate::composite::gpu::forward::{Composited, layout, lists};
use crate::composite::gpu::partials::PartLaunch;
use crate::composite::gpu::state::STATE;
use crate::composite::gpu::sums::{cut_ends_kernel, state_kernel};
use crate::device::Gpu;
use crate::device::buffer::GpuBuffer;
use crate::device::launch::{cube_dim, grid};
use crate::error::{RenderError, checked_product};
use crate::gaussians::check_len;
use crate::image::Image;
use crate::sort::gpu::lists::SortedHits;
use crate::splats::Splats;

/// The inputs of all parts of the backward compositor.
pub(super) struct Backward<'a, R: Runtime> {
    pub(super) gpu: &'a Gpu<R>,
    pub(super) splats: &'a Splats<&'a GpuBuffer>,
    pub(super) sorted: &'a SortedHits,
    pub(super) backgrounds: &'a GpuBuffer,
    pub(super) composited: &'a Composited,
    pub(super) v_image: &'a Image<&'a GpuBuffer>,
    pub(super) geometry: bool,
    pub(super) features: bool,
    /// The number of values of a partial.
    pub(super) stride: usize,
    /// Whether the partials are statistics instead of gradients.
    pub(super) statistics: bool,
}

/// A range of partials: views in the small regime, or slots in the large regime.
pub(super) struct Chunk {
    pub(super) first_view: usize,
    pub(super) views: usize,
    pub(super) slots: [usize; 2],
    pub(super) hits: usize,
}

impl<R: Runtime> Backward<'_, R> {
    /// Checks that the inputs match each other.
    pub(super) fn check(&self) -> Result<(), RenderError> {
        let (size, channels) = (self.sorted.grid().size, self.splats.channels);
        self.sorted.check(self.splats)?;
        let dims = [size.views, channels];
        check_len("backgrounds", "[B, C]", &dims, self.backgrounds.len())?;
        self.composited.check(self.sorted, channels)?;
        self.v_image
            .validate_gradient(size, channels, |buffer| buffer.len())
    }

    pub(super) fn with_depth(&self) -> bool {
        self.geometry && self.v_image.depth.is_some()
    }

    /// Returns the launch argument for `chunk` and the channels from `channel` on.
    pub(super) fn part(&self, chunk: &Chunk, channel: usize) -> PartLaunch<R> {
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
    pub(super) fn states_of_view(&self) -> usize {
        let size = self.composited.size();
        size.height * size.width * STATE as usize
    }

    /// Computes the states of the pixels of `views` views, and the ends of their tiles.
    pub(super) fn states(&self, first_view: usize, views: usize) -> Result<GpuBuffer, RenderError> {
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
