//! What every backend offers: one method per stage and per vjp, buffers as associated types.
//!
//! A forward method `A -> B` has a vjp `(A, v_B) -> v_A` with the same structs. Tile size, lanes,
//! workgroups and atomics never cross this trait.

use crate::camera::Views;
use crate::config::RenderConfig;
use crate::error::RenderError;
use crate::gaussians::Gaussians;
use crate::gradients::{ProjectGradients, Wanted};
use crate::image::Image;
use crate::splats::Splats;

/// An engine to compute on. Methods validate what they are given; see each type for shapes.
pub trait Backend {
    /// A buffer that the backend made.
    type Buffer;
    /// A buffer the backend can read, borrowed.
    type View<'a>: Copy;
    /// Which tiles each splat touches, see [`Backend::bin`].
    type Hits;
    /// The hits of every tile in depth order, see [`Backend::sort`].
    type SortedHits;
    /// What the compositor's vjp replays, see [`Backend::composite`].
    type Composited;

    /// Borrows a buffer.
    fn view(buffer: &Self::Buffer) -> Self::View<'_>;

    /// Stage 1. Culled Gaussians (behind near, beyond far, below `alpha_min`, not finite, off every
    /// pixel) become splats without extent.
    ///
    /// # Errors
    /// Shapes that do not fit, settings outside their domain, sizes over capacity. So for every
    /// method.
    fn project(
        &self,
        gaussians: &Gaussians<Self::View<'_>>,
        views: &Views,
        config: &RenderConfig,
    ) -> Result<Splats<Self::Buffer>, RenderError>;

    /// Vjp of stage 1: inputs `gaussians`, `views`, `config` and `splats` as [`Backend::project`]
    /// had and gave them; incoming `v_splats`; outgoing the gradients by Gaussians, summed over the
    /// views in order, and by poses.
    ///
    /// # Errors
    /// As [`Backend::project`].
    fn project_vjp(
        &self,
        gaussians: &Gaussians<Self::View<'_>>,
        views: &Views,
        config: &RenderConfig,
        splats: &Splats<Self::View<'_>>,
        v_splats: &Splats<Self::View<'_>>,
        wanted: Wanted,
    ) -> Result<ProjectGradients<Self::Buffer>, RenderError>;

    /// Stage 2: which tiles of a `width` x `height` image each splat touches.
    ///
    /// # Errors
    /// As [`Backend::project`].
    fn bin(
        &self,
        splats: &Splats<Self::View<'_>>,
        width: usize,
        height: usize,
    ) -> Result<Self::Hits, RenderError>;

    /// Stage 3: the hits of each tile by ascending depth, ties by index.
    ///
    /// # Errors
    /// As [`Backend::project`].
    fn sort(
        &self,
        splats: &Splats<Self::View<'_>>,
        hits: Self::Hits,
    ) -> Result<Self::SortedHits, RenderError>;

    /// Stage 4: the images. `backgrounds` is `[B, C]`.
    ///
    /// # Errors
    /// As [`Backend::project`].
    fn composite(
        &self,
        splats: &Splats<Self::View<'_>>,
        sorted: &Self::SortedHits,
        backgrounds: Self::View<'_>,
        config: &RenderConfig,
    ) -> Result<(Image<Self::Buffer>, Self::Composited), RenderError>;

    /// Vjp of stage 4: inputs as [`Backend::composite`] had them, and the `composited` it gave,
    /// which remembers its settings; incoming `v_image`; outgoing the gradients by splats and by
    /// backgrounds `[B, C]`.
    ///
    /// # Errors
    /// As [`Backend::project`].
    fn composite_vjp(
        &self,
        splats: &Splats<Self::View<'_>>,
        sorted: &Self::SortedHits,
        backgrounds: Self::View<'_>,
        composited: &Self::Composited,
        v_image: &Image<Self::View<'_>>,
        wanted: Wanted,
    ) -> Result<(Splats<Self::Buffer>, Self::Buffer), RenderError>;
}
