//! The CPU backend: every stage at `f32` or `f64`, in parallel on the threads of rayon.

use crate::backend::Backend;
use crate::backends::stages::CpuScalar;
use crate::binning::grid::{Hits, TileSize};
use crate::composite::cpu::composited::Composited;
use crate::config::RenderConfig;
use crate::contributors::Contributors;
use crate::ellipse::Ellipses;
use crate::error::RenderError;
use crate::gaussians::{Gaussians, check_len};
use crate::gradients::{ProjectGradients, Wanted};
use crate::host::simd::Simd;
use crate::host::threads::check_threads;
use crate::host::workspace::{Resources, Workspace};
use crate::image::Image;
use crate::sort::cpu::lists::SortedHits;
use crate::splats::Splats;
use crate::statistics::{SplatStatistics, Statistics};
use crate::views::{Views, validate_sides, validate_size};

/// The CPU backend at the precision `T`, `f32` or `f64`. Inputs are slices, and outputs are
/// vectors.
///
/// The stages run in parallel on the threads of rayon. The number of threads does not change any
/// bit of the results. A clone shares the workspace.
#[derive(Debug, Clone, Default)]
pub struct Cpu<T> {
    tile: TileSize,
    simd: Option<Simd>,
    workspace: Workspace<T>,
}

impl<T: CpuScalar> Cpu<T> {
    /// Creates a backend with tiles of 32 x 32 px, the default instruction set and a private
    /// workspace.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the backend with another tile size. The tile size changes the run time, but no bit
    /// of the image. It changes the rounding of the gradients.
    #[must_use]
    pub fn with_tile(self, tile: TileSize) -> Self {
        Self { tile, ..self }
    }

    /// Returns the backend with another instruction set than [`Simd::preferred`]. The results
    /// differ only by rounding. If the machine lacks the set, the stages return
    /// [`RenderError::Config`].
    #[must_use]
    pub fn with_simd(self, simd: Simd) -> Self {
        let simd = Some(simd);
        Self { simd, ..self }
    }

    /// Returns the backend with `workspace` as the source of its buffers. By default a backend has a
    /// workspace of its own, which its clones share. Working memory returns to it by itself, and results
    /// if the caller recycles them.
    #[must_use]
    pub fn with_workspace(self, workspace: &Workspace<T>) -> Self {
        let workspace = workspace.clone();
        Self { workspace, ..self }
    }

    /// Returns the workspace of the backend.
    pub fn workspace(&self) -> &Workspace<T> {
        &self.workspace
    }

    /// Returns the instruction set, if the machine has it and the system can create the threads.
    pub(crate) fn simd(&self) -> Result<Simd, RenderError> {
        check_threads()?;
        match self.simd {
            None => Simd::preferred(),
            Some(simd) if simd.is_available() => Ok(simd),
            Some(simd) => {
                let expected = "an instruction set of this machine";
                Err(RenderError::config("simd", expected, simd.name()))
            }
        }
    }

    /// Returns the instruction set and the workspace of a stage.
    pub(crate) fn resources(&self) -> Result<Resources<'_, T>, RenderError> {
        let simd = self.simd()?;
        let workspace = &self.workspace;
        Ok(Resources { simd, workspace })
    }

    /// Completes splats that were made elsewhere: computes their `extents` and culls invisible
    /// splats.
    ///
    /// The extents follow from conic, opacity and `config.alpha_min` (MATH eq. 16). The existing
    /// `splats.extents` are not read. Composite the result with the same `config.alpha_min`.
    ///
    /// A splat is culled if one of its values is not finite, its conic is not positive definite,
    /// its opacity is below `config.alpha_min`, or its box contains no pixel centre of a `width` x
    /// `height` px image.
    ///
    /// # Errors
    /// - [`RenderError::Shape`] if the offsets or the length of a buffer other than `extents` do
    ///   not fit.
    /// - [`RenderError::Config`] if a setting, the image size or the number of channels is outside
    ///   its domain.
    /// - [`RenderError::Capacity`] if the number of splats or pixels exceeds 32-bit indices, or an
    ///   allocation fails.
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
    type Indices = Vec<u32>;
    type View<'a> = &'a [T];
    type Hits = Hits;
    type SortedHits = SortedHits;
    type Composited = Composited<T>;

    fn view(buffer: &Vec<T>) -> &[T] {
        buffer
    }

    fn contributors(composited: &Composited<T>) -> Option<&Contributors<Vec<T>, Vec<u32>>> {
        composited.contributors.as_ref()
    }

    fn project(
        &self,
        gaussians: &Gaussians<&[T]>,
        views: &Views,
        config: &RenderConfig,
    ) -> Result<Splats<Vec<T>>, RenderError> {
        config.validate_at::<T>()?;
        gaussians.validate_in(views, |buffer| buffer.len())?;
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
        gaussians.validate_in(views, |buffer| buffer.len())?;
        let resources = self.resources()?;
        T::stage_project_vjp(
            gaussians, views, config, splats, v_splats, wanted, resources,
        )
    }

    fn complete(
        &self,
        ellipses: &Ellipses<'_, &[T]>,
        width: usize,
        height: usize,
        config: &RenderConfig,
    ) -> Result<Splats<Vec<T>>, RenderError> {
        config.validate_at::<T>()?;
        ellipses.validate(|buffer| buffer.len())?;
        let views = ellipses.offsets.len() - 1;
        validate_sides(["width", "height"], [width, height], views)?;
        let size = [width, height];
        T::stage_ellipses(ellipses, size, config, self.resources()?)
    }

    fn complete_vjp(&self, splats: &Splats<&[T]>, v_conics: &[T]) -> Result<Vec<T>, RenderError> {
        splats.validate(|buffer| buffer.len())?;
        check_len("v_conics", "[M, 3]", &[splats.len(), 3], v_conics.len())?;
        T::stage_ellipses_vjp(splats, v_conics, self.resources()?)
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

    fn splat_statistics(
        &self,
        splats: &Splats<&[T]>,
        sorted: &SortedHits,
        backgrounds: &[T],
        composited: &Composited<T>,
        v_image: &Image<&[T]>,
    ) -> Result<SplatStatistics<Vec<T>>, RenderError> {
        splats.validate(|buffer| buffer.len())?;
        let resources = self.resources()?;
        T::stage_splat_statistics(splats, sorted, backgrounds, composited, v_image, resources)
    }

    fn gaussian_statistics(
        &self,
        count: usize,
        views: &Views,
        splats: &Splats<&[T]>,
        v_means: &[T],
        of_splats: SplatStatistics<Vec<T>>,
    ) -> Result<Statistics<Vec<T>>, RenderError> {
        let workspace = self.resources()?.workspace;
        T::stage_gaussian_statistics(count, views, splats, v_means, of_splats, workspace)
    }

    fn reclaim(&self, splats: Splats<Vec<T>>) {
        self.workspace.recycle(splats);
    }
}
