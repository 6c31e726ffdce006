//! The backward compositor on a device. It computes the states of all pixels, then a partial
//! gradient per hit (`replay.rs` or `replay_planes.rs`), then the sums of the partials by splat, in
//! the order of the hits. If the partials do not fit the memory budget, they are computed and
//! summed in chunks, in the same order.

use cubecl::prelude::*;

use crate::composite::gpu::chunks::Sums;
use crate::composite::gpu::forward::Composited;
use crate::composite::gpu::partial_row::GEOMETRY;
use crate::composite::gpu::pass::Backward;
use crate::composite::gpu::sums::{PIXELS, background_kernel, sum_rows_kernel, zero_kernel};
use crate::device::Gpu;
use crate::device::buffer::GpuBuffer;
use crate::device::launch::{cube_dim, grid, grid_of_units};
use crate::error::{RenderError, checked_product};
use crate::gradients::Wanted;
use crate::image::Image;
use crate::project::gpu::splat_rows::SplatAllocation;
use crate::sort::gpu::lists::SortedHits;
use crate::splats::Splats;

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
            + if wanted.features { splats.channels } else { 0 },
        statistics: false,
    };
    pass.check()?;
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
            self.sum_hits(&Sums {
                buffer: &out.buffer,
                sections: &|| out.sections(),
            })?;
        }
        Ok(out.into_splats(self.splats.offsets.clone(), channels))
    }
}
