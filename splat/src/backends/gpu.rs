//! The GPU backend: every stage as `CubeCL` kernels, on any `CubeCL` runtime, with the formulas of
//! the CPU backend.

use cubecl::prelude::*;

use crate::backend::Backend;
use crate::binning::gpu::hits::Hits;
use crate::composite::gpu::forward::Composited;
use crate::config::RenderConfig;
use crate::contributors::Contributors;
use crate::device::Gpu;
use crate::device::buffer::{GpuBuffer, GpuIndices, validate_splats};
use crate::ellipse::Ellipses;
use crate::error::RenderError;
use crate::gaussians::{Gaussians, check_len};
use crate::gradients::{ProjectGradients, Wanted};
use crate::image::Image;
use crate::render::{Saved, Scene, finish};
use crate::sort::gpu::lists::SortedHits;
use crate::splats::Splats;
use crate::statistics::{SplatStatistics, Statistics};
use crate::views::{Views, validate_sides};
use crate::{binning, composite, project, sort};

impl<R: Runtime> Gpu<R> {
    /// [`Backend::bin`] for hosts that must not block. In the large regime it waits for the number
    /// of hits.
    ///
    /// # Errors
    /// The errors of [`Backend::bin`].
    pub async fn bin_async(
        &self,
        splats: &Splats<&GpuBuffer>,
        width: usize,
        height: usize,
    ) -> Result<Hits, RenderError> {
        validate_splats(splats)?;
        binning::gpu::bin(self, splats, width, height).await
    }

    /// [`render`](crate::render()) for hosts that must not block.
    /// [`render_vjp`](crate::render_vjp()) never waits for the device, so it needs no such version.
    ///
    /// # Errors
    /// The errors of [`render`](crate::render()).
    pub async fn render_async(
        &self,
        scene: &Scene<'_, &GpuBuffer>,
        config: &RenderConfig,
    ) -> Result<(Image<GpuBuffer>, Saved<Self>), RenderError> {
        let views = scene.views;
        let splats = self.project(&scene.gaussians, views, config)?;
        let seen = splats.map(|buffer| buffer);
        let hits = self.bin_async(&seen, views.width, views.height).await?;
        finish(self, scene, config, splats, hits)
    }
}

impl<R: Runtime> Backend for Gpu<R> {
    type Buffer = GpuBuffer;
    type Indices = GpuIndices;
    type View<'a> = &'a GpuBuffer;
    type Hits = Hits;
    type SortedHits = SortedHits;
    type Composited = Composited;

    fn view(buffer: &GpuBuffer) -> &GpuBuffer {
        buffer
    }

    fn contributors(composited: &Composited) -> Option<&Contributors<GpuBuffer, GpuIndices>> {
        composited.contributors.as_ref()
    }

    fn project(
        &self,
        gaussians: &Gaussians<&GpuBuffer>,
        views: &Views,
        config: &RenderConfig,
    ) -> Result<Splats<GpuBuffer>, RenderError> {
        config.validate_at::<f32>()?;
        gaussians.validate_in(views, |buffer| buffer.len())?;
        project::gpu::forward::project(self, gaussians, views, config)
    }

    fn project_vjp(
        &self,
        gaussians: &Gaussians<&GpuBuffer>,
        views: &Views,
        config: &RenderConfig,
        splats: &Splats<&GpuBuffer>,
        v_splats: &Splats<&GpuBuffer>,
        wanted: Wanted,
    ) -> Result<ProjectGradients<GpuBuffer>, RenderError> {
        config.validate_at::<f32>()?;
        gaussians.validate_in(views, |buffer| buffer.len())?;
        project::gpu::backward::project_vjp(
            self, gaussians, views, config, splats, v_splats, wanted,
        )
    }

    fn complete(
        &self,
        ellipses: &Ellipses<'_, &GpuBuffer>,
        width: usize,
        height: usize,
        config: &RenderConfig,
    ) -> Result<Splats<GpuBuffer>, RenderError> {
        config.validate_at::<f32>()?;
        ellipses.validate(|buffer| buffer.len())?;
        let views = ellipses.offsets.len() - 1;
        validate_sides(["width", "height"], [width, height], views)?;
        project::gpu::complete::ellipses(self, ellipses, [width, height], config)
    }

    fn complete_vjp(
        &self,
        splats: &Splats<&GpuBuffer>,
        v_conics: &GpuBuffer,
    ) -> Result<GpuBuffer, RenderError> {
        validate_splats(splats)?;
        check_len("v_conics", "[M, 3]", &[splats.len(), 3], v_conics.len())?;
        project::gpu::complete::ellipses_vjp(self, splats, v_conics)
    }

    fn bin(
        &self,
        splats: &Splats<&GpuBuffer>,
        width: usize,
        height: usize,
    ) -> Result<Hits, RenderError> {
        cubecl::future::block_on(self.bin_async(splats, width, height))
    }

    fn sort(&self, splats: &Splats<&GpuBuffer>, hits: Hits) -> Result<SortedHits, RenderError> {
        validate_splats(splats)?;
        sort::gpu::sort(self, splats, hits)
    }

    fn composite(
        &self,
        splats: &Splats<&GpuBuffer>,
        sorted: &SortedHits,
        backgrounds: &GpuBuffer,
        config: &RenderConfig,
    ) -> Result<(Image<GpuBuffer>, Composited), RenderError> {
        config.validate_at::<f32>()?;
        validate_splats(splats)?;
        composite::gpu::forward::composite(self, splats, sorted, backgrounds, config)
    }

    fn composite_vjp(
        &self,
        splats: &Splats<&GpuBuffer>,
        sorted: &SortedHits,
        backgrounds: &GpuBuffer,
        composited: &Composited,
        v_image: &Image<&GpuBuffer>,
        wanted: Wanted,
    ) -> Result<(Splats<GpuBuffer>, GpuBuffer), RenderError> {
        validate_splats(splats)?;
        composite::gpu::backward::composite_vjp(
            self,
            splats,
            sorted,
            backgrounds,
            composited,
            v_image,
            wanted,
        )
    }

    fn splat_statistics(
        &self,
        splats: &Splats<&GpuBuffer>,
        sorted: &SortedHits,
        backgrounds: &GpuBuffer,
        composited: &Composited,
        v_image: &Image<&GpuBuffer>,
    ) -> Result<SplatStatistics<GpuBuffer>, RenderError> {
        validate_splats(splats)?;
        composite::gpu::statistics::splat_statistics(
            self,
            splats,
            sorted,
            backgrounds,
            composited,
            v_image,
        )
    }

    fn gaussian_statistics(
        &self,
        count: usize,
        views: &Views,
        splats: &Splats<&GpuBuffer>,
        v_means: &GpuBuffer,
        of_splats: SplatStatistics<GpuBuffer>,
    ) -> Result<Statistics<GpuBuffer>, RenderError> {
        project::gpu::statistics::gaussian_statistics(
            self, count, views, splats, v_means, of_splats,
        )
    }
}
