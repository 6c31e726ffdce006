//! The trait of all backends: one method per stage and per vjp.
//!
//! A forward method `A -> B` has a vjp `(A, v_B) -> v_A` with the same structs. Tile sizes, lanes,
//! workgroups and atomics do not appear in this trait.

use crate::config::RenderConfig;
use crate::contributors::Contributors;
use crate::ellipse::Ellipses;
use crate::error::RenderError;
use crate::gaussians::Gaussians;
use crate::gradients::{ProjectGradients, Wanted};
use crate::image::Image;
use crate::splats::Splats;
use crate::statistics::{SplatStatistics, Statistics};
use crate::views::Views;

/// A compute engine: one method per stage of the render and per vjp.
///
/// Symbols in shapes: B views, N Gaussians, M splats (the sum of all ranges' lengths), C channels,
/// images of H x W px.
///
/// # Errors
/// Every method validates its arguments before it computes. Non-finite or degenerate values in a
/// buffer are not errors. Each method lists the conditions on its arguments. In addition, every
/// method may return
///
/// - the errors of [`Splats::validate`], if the method has an argument `splats`;
/// - [`RenderError::Capacity`] if a size exceeds 32-bit indices, an allocation fails, or a buffer
///   exceeds the largest buffer of a device;
/// - [`RenderError::Shape`] from `Gpu` if `splats.half_features` is present;
/// - [`RenderError::Config`] from [`Cpu`](crate::Cpu) if the machine lacks the selected instruction
///   set, see [`Simd`](crate::Simd);
/// - [`RenderError::Device`] from [`Cpu`](crate::Cpu) if the system cannot create the threads.
pub trait Backend {
    /// A buffer that the backend owns.
    type Buffer;
    /// A buffer of `u32` that the backend owns.
    type Indices;
    /// A borrowed buffer that the backend reads.
    type View<'a>: Copy;
    /// The tiles that each splat touches, made by [`Backend::bin`].
    type Hits;
    /// The hits of every tile in depth order, made by [`Backend::sort`].
    type SortedHits;
    /// The state of the forward pass that [`Backend::composite_vjp`] reads, made by
    /// [`Backend::composite`].
    type Composited;

    /// Borrows a buffer.
    fn view(buffer: &Self::Buffer) -> Self::View<'_>;

    /// Returns the contributors of every pixel. They are present if `config.outputs.contributors`
    /// was set in [`Backend::composite`].
    fn contributors(
        composited: &Self::Composited,
    ) -> Option<&Contributors<Self::Buffer, Self::Indices>>;

    /// Stage 1: projects the Gaussians of every view to splats (MATH eq. 1 to 12 and 16).
    ///
    /// A culled Gaussian becomes a splat with extents of zero. A Gaussian is culled from a view if
    ///
    /// - its camera z is below `near`, above `far` or not finite;
    /// - its opacity, anti-alias compensation included, is below `config.alpha_min` or not finite;
    /// - one of its features, or a value of its splat, is not finite;
    /// - the determinant of its covariance, blur included, is not positive;
    /// - its box contains no pixel centre of the image.
    ///
    /// # Errors
    /// - [`RenderError::Shape`] if a buffer of `gaussians` has the wrong length, `views` has
    ///   different numbers of cameras and ranges, a range is not within `0..N`, or fewer harmonics
    ///   are stored than their degree needs.
    /// - [`RenderError::Config`] if a setting of `config`, a camera, the image size, the number of
    ///   channels or the degree of harmonics is outside its domain.
    /// - The errors listed at [`Backend`].
    fn project(
        &self,
        gaussians: &Gaussians<Self::View<'_>>,
        views: &Views,
        config: &RenderConfig,
    ) -> Result<Splats<Self::Buffer>, RenderError>;

    /// Vjp of stage 1. Returns the gradients with respect to the Gaussians, and to the poses and
    /// the intrinsics of the cameras.
    ///
    /// `gaussians`, `views` and `config` are the arguments of [`Backend::project`], and `splats` is
    /// its result. `v_splats` is the gradient with respect to `splats`. The gradient of a Gaussian
    /// is summed over the views that show it, in ascending order of the views. The gradient with
    /// respect to features of splats is `v_splats.features`. On a device the two share their
    /// memory.
    ///
    /// # Errors
    /// - The errors of [`Backend::project`].
    /// - [`RenderError::Shape`] if the offsets of `splats` or `v_splats` do not match `views`, a
    ///   buffer of `splats` has the wrong length, or a wanted buffer of `v_splats` has the wrong
    ///   length.
    fn project_vjp(
        &self,
        gaussians: &Gaussians<Self::View<'_>>,
        views: &Views,
        config: &RenderConfig,
        splats: &Splats<Self::View<'_>>,
        v_splats: &Splats<Self::View<'_>>,
        wanted: Wanted,
    ) -> Result<ProjectGradients<Self::Buffer>, RenderError>;

    /// Makes splats of ellipses, which takes the place of stage 1: inverts covariances, and
    /// computes the extents for images of `width` x `height` px (MATH eq. 10 and 16).
    ///
    /// Composite the result with the same `config.alpha_min`.
    ///
    /// # Errors
    /// - The errors of [`Ellipses::validate`].
    /// - [`RenderError::Config`] if a setting or the image size is outside its domain.
    /// - The errors listed at [`Backend`].
    fn complete(
        &self,
        ellipses: &Ellipses<'_, Self::View<'_>>,
        width: usize,
        height: usize,
        config: &RenderConfig,
    ) -> Result<Splats<Self::Buffer>, RenderError>;

    /// Vjp of [`Backend::complete`] for covariances. Returns the gradient with respect to the
    /// covariances, `[M, 3]`, from `v_conics`, `[M, 3]` (MATH eq. 10'). `splats` is the result of
    /// [`Backend::complete`]. All other gradients pass unchanged.
    ///
    /// # Errors
    /// - [`RenderError::Shape`] if a buffer has the wrong length.
    /// - The errors listed at [`Backend`].
    fn complete_vjp(
        &self,
        splats: &Splats<Self::View<'_>>,
        v_conics: Self::View<'_>,
    ) -> Result<Self::Buffer, RenderError>;

    /// Stage 2: finds the tiles that each splat touches in an image of `width` x `height` px.
    ///
    /// # Errors
    /// - [`RenderError::Shape`] if a buffer of `splats` has the wrong length.
    /// - [`RenderError::Config`] if the image size is outside its domain, or if `Gpu` is set to
    ///   `Regime::Small` and a view has more than 1024 splats.
    /// - [`RenderError::Device`] from `Gpu` if the number of hits cannot be read back.
    /// - The errors listed at [`Backend`].
    fn bin(
        &self,
        splats: &Splats<Self::View<'_>>,
        width: usize,
        height: usize,
    ) -> Result<Self::Hits, RenderError>;

    /// Stage 3: lists the hits of each tile by ascending depth. Hits of equal depth are listed by
    /// ascending splat index.
    ///
    /// # Errors
    /// - [`RenderError::Shape`] if a buffer of `splats` has the wrong length, or if `hits` belongs
    ///   to other splats. [`Cpu`](crate::Cpu) compares the tiles of every splat. `Gpu` compares the
    ///   number of splats of each view.
    /// - The errors listed at [`Backend`].
    fn sort(
        &self,
        splats: &Splats<Self::View<'_>>,
        hits: Self::Hits,
    ) -> Result<Self::SortedHits, RenderError>;

    /// Stage 4: composites the images, front to back (MATH eq. 13 to 15).
    ///
    /// `backgrounds` is `[B, C]`. Returns the images and the state for [`Backend::composite_vjp`].
    ///
    /// # Errors
    /// - [`RenderError::Shape`] if a buffer of `splats` or `backgrounds` has the wrong length, or
    ///   if `sorted` has other views or numbers of splats than `splats`.
    /// - [`RenderError::Config`] if a setting of `config` is outside its domain.
    /// - The errors listed at [`Backend`].
    fn composite(
        &self,
        splats: &Splats<Self::View<'_>>,
        sorted: &Self::SortedHits,
        backgrounds: Self::View<'_>,
        config: &RenderConfig,
    ) -> Result<(Image<Self::Buffer>, Self::Composited), RenderError>;

    /// Vjp of stage 4. Returns the gradients with respect to the splats and to `backgrounds`,
    /// `[B, C]` (MATH eq. 13' to 15' and 17).
    ///
    /// `splats`, `sorted` and `backgrounds` are the arguments of [`Backend::composite`].
    /// `composited` is the state that [`Backend::composite`] returned. It contains the thresholds
    /// of the forward pass. `v_image` is the gradient with respect to the images. The returned
    /// splats have no extents.
    ///
    /// # Errors
    /// - [`RenderError::Shape`] if a buffer of `splats`, `backgrounds` or `v_image` has the wrong
    ///   length, `v_image.layers` or `v_image.layer_transmittance` is present, or `sorted` or
    ///   `composited` belongs to a different render.
    /// - The errors listed at [`Backend`].
    fn composite_vjp(
        &self,
        splats: &Splats<Self::View<'_>>,
        sorted: &Self::SortedHits,
        backgrounds: Self::View<'_>,
        composited: &Self::Composited,
        v_image: &Image<Self::View<'_>>,
        wanted: Wanted,
    ) -> Result<(Splats<Self::Buffer>, Self::Buffer), RenderError>;

    /// Statistics of the splats over their pixels (MATH eq. 23). The arguments are those of
    /// [`Backend::composite_vjp`].
    ///
    /// # Errors
    /// The errors of [`Backend::composite_vjp`].
    fn splat_statistics(
        &self,
        splats: &Splats<Self::View<'_>>,
        sorted: &Self::SortedHits,
        backgrounds: Self::View<'_>,
        composited: &Self::Composited,
        v_image: &Image<Self::View<'_>>,
    ) -> Result<SplatStatistics<Self::Buffer>, RenderError>;

    /// Statistics of `count` Gaussians over their views, from those of their splats (MATH eq. 23).
    ///
    /// `splats` is the result of [`Backend::project`] for `views`, `v_means` is the gradient with
    /// respect to the splats' means, `[M, 2]`, and `of_splats` is the result of
    /// [`Backend::splat_statistics`], which the returned struct takes over.
    ///
    /// # Errors
    /// - [`RenderError::Shape`] if the offsets of `splats` do not match `views`, a range of `views` is
    ///   not within `0..count`, or a buffer has the wrong length.
    /// - The errors listed at [`Backend`].
    fn gaussian_statistics(
        &self,
        count: usize,
        views: &Views,
        splats: &Splats<Self::View<'_>>,
        v_means: Self::View<'_>,
        of_splats: SplatStatistics<Self::Buffer>,
    ) -> Result<Statistics<Self::Buffer>, RenderError>;

    /// Takes back splats that a caller of this crate does not need, to reuse their memory.
    #[doc(hidden)]
    fn reclaim(&self, splats: Splats<Self::Buffer>) {
        drop(splats);
    }
}
