//! The CPU backend: every stage at `f32` or `f64`, parallel over rayon's threads, the same bits on
//! any number of them.

use crate::backend::Backend;
use crate::backends::stages::CpuScalar;
use crate::binning::grid::{Hits, TileSize};
use crate::camera::{Views, validate_size};
use crate::composite::cpu::composited::Composited;
use crate::config::RenderConfig;
use crate::error::RenderError;
use crate::gaussians::Gaussians;
use crate::gradients::{ProjectGradients, Wanted};
use crate::host::simd::Simd;
use crate::host::threads::check_threads;
use crate::host::workspace::{Resources, Workspace};
use crate::image::Image;
use crate::sort::cpu::lists::SortedHits;
use crate::splats::Splats;

/// The CPU backend at the precision `T`, `f32` or `f64`. Inputs are slices, outputs vectors.
#[derive(Debug, Clone, Default)]
pub struct Cpu<T> {
    tile: TileSize,
    simd: Option<Simd>,
    workspace: Workspace<T>,
}

impl<T: CpuScalar> Cpu<T> {
    /// A backend with tiles of 32 x 32 px.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same backend with other tiles. The image does not depend on them, only the time it
    /// takes.
    #[must_use]
    pub fn with_tile(self, tile: TileSize) -> Self {
        Self { tile, ..self }
    }

    /// The same backend on other vector instructions than [`Simd::preferred`]: the same image but
    /// for rounding.
    #[must_use]
    pub fn with_simd(self, simd: Simd) -> Self {
        let simd = Some(simd);
        Self { simd, ..self }
    }

    /// The same backend with `workspace` to take its buffers from. By default a backend has a
    /// private workspace that is never refilled; clones share it.
    #[must_use]
    pub fn with_workspace(self, workspace: &Workspace<T>) -> Self {
        let workspace = workspace.clone();
        Self { workspace, ..self }
    }

    /// What to run on.
    fn resources(&self) -> Result<Resources<'_, T>, RenderError> {
        check_threads()?;
        let simd = match self.simd {
            None => Simd::preferred()?,
            Some(simd) if simd.is_available() => simd,
            Some(simd) => {
                let expected = "an instruction set of this machine";
                return Err(RenderError::config("simd", expected, simd.name()));
            }
        };
        let workspace = &self.workspace;
        Ok(Resources { simd, workspace })
    }

    /// Completes splats that were made elsewhere, to be composited with the same
    /// `config.alpha_min`.
    ///
    /// Works out `extents` from conic, opacity and `config.alpha_min`. Culls what is not finite,
    /// not positive definite, too faint or off every pixel of a `width` x `height` image.
    ///
    /// # Errors
    /// Shapes that do not fit (`splats.extents` is not read), settings outside their domain.
    pub fn splats(
        &self,
        splats: Splats<Vec<T>>,
        width: usize,
        height: usize,
        config: &RenderConfig,
    ) -> Result<Splats<Vec<T>>, RenderError> {
        config.validate_at::<T>()?;
        splats.validate_but_extents(Vec::len)?;
        validate_size(width, height, splats.offsets.len() - 1)?;
        T::stage_complete(splats, width, height, config)
    }
}

impl<T: CpuScalar> Backend for Cpu<T> {
    type Buffer = Vec<T>;
    type View<'a> = &'a [T];
    type Hits = Hits;
    type SortedHits = SortedHits;
    type Composited = Composited<T>;

    fn view(buffer: &Vec<T>) -> &[T] {
        buffer
    }

    fn project(
        &self,
        gaussians: &Gaussians<&[T]>,
        views: &Views,
        config: &RenderConfig,
    ) -> Result<Splats<Vec<T>>, RenderError> {
        config.validate_at::<T>()?;
        gaussians.validate(|buffer| buffer.len())?;
        views.validate(gaussians.count)?;
        T::stage_project(gaussians, views, config, self.resources()?)
    }

    fn project_vjp(
        &self,
        gaussians: &Gaussians<&[T]>,
        views: &Views,
        config: &RenderConfig,
        splats: &Splats<&[T]>,
        v_splats: &Splats<&[T]>,
        wanted: Wanted,
    ) -> Result<ProjectGradients<Vec<T>>, RenderError> {
        config.validate_at::<T>()?;
        gaussians.validate(|buffer| buffer.len())?;
        views.validate(gaussians.count)?;
        let resources = self.resources()?;
        T::stage_project_vjp(
            gaussians, views, config, splats, v_splats, wanted, resources,
        )
    }

    fn bin(&self, splats: &Splats<&[T]>, width: usize, height: usize) -> Result<Hits, RenderError> {
        splats.validate(|buffer| buffer.len())?;
        T::stage_bin(splats, width, height, self.tile, self.resources()?)
    }

    fn sort(&self, splats: &Splats<&[T]>, hits: Hits) -> Result<SortedHits, RenderError> {
        splats.validate(|buffer| buffer.len())?;
        T::stage_sort(splats, hits, self.resources()?)
    }

    fn composite(
        &self,
        splats: &Splats<&[T]>,
        sorted: &SortedHits,
        backgrounds: &[T],
        config: &RenderConfig,
    ) -> Result<(Image<Vec<T>>, Composited<T>), RenderError> {
        config.validate_at::<T>()?;
        splats.validate(|buffer| buffer.len())?;
        T::stage_composite(splats, sorted, backgrounds, config, self.resources()?)
    }

    fn composite_vjp(
        &self,
        splats: &Splats<&[T]>,
        sorted: &SortedHits,
        backgrounds: &[T],
        composited: &Composited<T>,
        v_image: &Image<&[T]>,
        wanted: Wanted,
    ) -> Result<(Splats<Vec<T>>, Vec<T>), RenderError> {
        splats.validate(|buffer| buffer.len())?;
        T::stage_composite_vjp(
            splats,
            sorted,
            backgrounds,
            composited,
            v_image,
            wanted,
            self.resources()?,
        )
    }
}
