//! A whole render: the four stages in order, and their vjps in reverse order.

use crate::backend::Backend;
use crate::config::RenderConfig;
use crate::contributors::Contributors;
use crate::error::RenderError;
use crate::gaussians::Gaussians;
use crate::gradients::{Gradients, ProjectGradients, Wanted};
use crate::image::Image;
use crate::splats::Splats;
use crate::views::Views;

/// The input of a render: Gaussians, their views, and one background per view.
#[derive(Debug, Clone, Copy)]
pub struct Scene<'a, V> {
    /// The N Gaussians.
    pub gaussians: Gaussians<V>,
    /// The B views.
    pub views: &'a Views,
    /// The backgrounds `[B, C]`, one per view.
    pub backgrounds: V,
}

/// The saved state of a render, which [`render_vjp`] reads.
#[derive(Debug, Clone)]
pub struct Saved<B: Backend> {
    /// The projected splats. Both vjps read them.
    pub splats: Splats<B::Buffer>,
    /// The hits of every tile in depth order. `composite_vjp` reads them.
    pub sorted: B::SortedHits,
    /// The state at the end of each pixel. On the CPU, also the blocks of pixels in which each hit
    /// was composited. `composite_vjp` reads it.
    pub composited: B::Composited,
    /// The settings of the forward pass. `project_vjp` reads them.
    pub config: RenderConfig,
    /// The views of the forward pass. [`render_vjp`] compares them with those of its scene.
    pub views: Views,
    /// The numbers and the encoding of the Gaussians of the forward pass. [`render_vjp`] compares
    /// them with those of its scene.
    pub shape: Gaussians<()>,
}

impl<B: Backend> Saved<B> {
    /// Returns the contributors of every pixel. They are present if `config.outputs.contributors`
    /// was set.
    pub fn contributors(&self) -> Option<&Contributors<B::Buffer, B::Indices>> {
        B::contributors(&self.composited)
    }
}

/// Renders every view of `scene`.
///
/// Returns the images and the saved state for [`render_vjp`]. The stages are [`Backend::project`],
/// [`Backend::bin`], [`Backend::sort`] and [`Backend::composite`].
///
/// # Errors
/// The errors of these four stages: [`RenderError::Shape`], [`RenderError::Config`],
/// [`RenderError::Capacity`] and [`RenderError::Device`]. Non-finite or degenerate values in a
/// buffer are not errors.
pub fn render<B: Backend>(
    backend: &B,
    scene: &Scene<'_, B::View<'_>>,
    config: &RenderConfig,
) -> Result<(Image<B::Buffer>, Saved<B>), RenderError> {
    let views = scene.views;
    let splats = backend.project(&scene.gaussians, views, config)?;
    let hits = backend.bin(&splats.try_viewed(B::view)?, views.width, views.height)?;
    finish(backend, scene, config, splats, hits)
}

/// Runs the last two stages of a render.
pub(crate) fn finish<B: Backend>(
    backend: &B,
    scene: &Scene<'_, B::View<'_>>,
    config: &RenderConfig,
    splats: Splats<B::Buffer>,
    hits: B::Hits,
) -> Result<(Image<B::Buffer>, Saved<B>), RenderError> {
    let (sorted, (image, composited)) = {
        let splats = splats.try_viewed(B::view)?;
        let sorted = backend.sort(&splats, hits)?;
        let composited = backend.composite(&splats, &sorted, scene.backgrounds, config)?;
        (sorted, composited)
    };
    let saved = Saved {
        splats,
        sorted,
        composited,
        config: config.clone(),
        views: scene.views.try_copied()?,
        shape: scene.gaussians.map(|_| ()),
    };
    Ok((image, saved))
}

/// Vjp of [`render`]. Returns the `wanted` gradients with respect to the inputs in `scene`.
///
/// `saved` is the saved state of the forward pass, and `v_image` is the gradient with respect to
/// its images. One saved state serves any number of calls.
///
/// `scene` must be that of the forward pass. Views, encoding and numbers of Gaussians are compared.
/// The numbers in the buffers are not: if they have changed since the forward pass, the gradients
/// are wrong.
///
/// # Errors
/// - [`RenderError::Shape`] if the views of `scene`, or the numbers or the encoding of its Gaussians,
///   are not those of the forward pass.
/// - The errors of [`Backend::composite_vjp`] and [`Backend::project_vjp`].
pub fn render_vjp<B: Backend>(
    backend: &B,
    scene: &Scene<'_, B::View<'_>>,
    saved: &Saved<B>,
    v_image: &Image<B::View<'_>>,
    wanted: Wanted,
) -> Result<Gradients<B::Buffer>, RenderError> {
    let Saved {
        splats,
        sorted,
        composited,
        config,
        views,
        shape,
    } = saved;
    scene.views.check_same(views)?;
    scene.gaussians.check_same(shape)?;
    let splats = splats.try_viewed(B::view)?;
    let (v_splats, backgrounds) = backend.composite_vjp(
        &splats,
        sorted,
        scene.backgrounds,
        composited,
        v_image,
        wanted.of_splats(scene.gaussians.encoding),
    )?;
    let (by_inputs, statistics) = {
        let v_splats = v_splats.try_viewed(B::view)?;
        let (gaussians, views) = (&scene.gaussians, scene.views);
        let by_inputs =
            backend.project_vjp(gaussians, views, config, &splats, &v_splats, wanted)?;
        let statistics = if wanted.statistics {
            let backgrounds = scene.backgrounds;
            let of_splats =
                backend.splat_statistics(&splats, sorted, backgrounds, composited, v_image)?;
            let v_means = v_splats.means;
            let count = gaussians.count;
            Some(backend.gaussian_statistics(count, views, &splats, v_means, of_splats)?)
        } else {
            None
        };
        (by_inputs, statistics)
    };
    let v_splats = if wanted.splats {
        Some(v_splats)
    } else {
        backend.reclaim(v_splats);
        None
    };
    let ProjectGradients {
        gaussians,
        camera_from_world,
        intrinsics,
    } = by_inputs;
    Ok(Gradients {
        gaussians,
        backgrounds,
        camera_from_world,
        intrinsics,
        splats: v_splats,
        statistics,
    })
}
