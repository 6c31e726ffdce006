//! What every backend offers: one method per stage and per vjp, buffers as associated types.
//!
//! A forward method `A -> B` has a vjp `(A, v_B) -> v_A` with the same structs. Tile size, lanes, workgroups and atomics
//! never cross this trait.

use crate::camera::Views;
use crate::composite::Image;
use crate::config::RenderConfig;
use crate::error::RenderError;
use crate::gaussians::Gaussians;
use crate::project::Splats;

/// Which gradients a vjp shall compute. What is not wanted takes no memory, comes back as an empty
/// buffer, and whole passes are left out where nothing in them is wanted.
#[expect(clippy::struct_excessive_bools, reason = "four independent switches")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// Means, scales, quaternions and opacities.
    pub geometry: bool,
    /// Features.
    pub features: bool,
    /// Backgrounds.
    pub backgrounds: bool,
    /// The cameras' poses.
    pub cameras: bool,
}

impl Wanted {
    /// Every gradient there is.
    pub const ALL: Self = Self {
        geometry: true,
        features: true,
        backgrounds: true,
        cameras: true,
    };

    /// Whether anything that moves a splat is wanted.
    pub fn splat_geometry(self) -> bool {
        self.geometry || self.cameras
    }
}

/// The gradients that [`Backend::project_vjp`] returns.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ProjectGradients<S> {
    /// By the Gaussians; buffers not wanted are empty.
    pub gaussians: Gaussians<S>,
    /// By `camera_from_world`, `[B, 3, 4]`, its entries as free numbers; empty if not wanted.
    pub camera_from_world: S,
}

/// A place to compute on. Methods validate what they are given; see each type for shapes.
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

    /// Stage 1. Culled Gaussians (behind near, beyond far, below `alpha_min`, not finite, off every pixel) become splats
    /// without extent.
    ///
    /// # Errors
    /// Shapes that do not fit, settings outside their domain, sizes over capacity. So for every method.
    fn project(
        &self,
        gaussians: &Gaussians<Self::View<'_>>,
        views: &Views,
        config: &RenderConfig,
    ) -> Result<Splats<Self::Buffer>, RenderError>;

    /// Vjp of stage 1: inputs `gaussians`, `views`, `config` and `splats` as [`Backend::project`] had and gave them; incoming
    /// `v_splats`; outgoing the gradients by Gaussians, summed over the views in order, and by poses.
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

    /// Vjp of stage 4: inputs as [`Backend::composite`] had them, and the `composited` it gave, which remembers its settings;
    /// incoming `v_image`; outgoing the gradients by splats and by backgrounds `[B, C]`.
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
