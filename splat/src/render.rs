//! The whole path: the four stages in a row, and their vjps in reverse.

use crate::backend::Backend;
use crate::camera::Views;
use crate::config::RenderConfig;
use crate::error::RenderError;
use crate::gaussians::Gaussians;
use crate::gradients::{Gradients, ProjectGradients, Wanted};
use crate::image::Image;
use crate::splats::Splats;

/// What is to be rendered: Gaussians, the views of them, and a background per view.
#[derive(Debug, Clone, Copy)]
pub struct Scene<'a, V> {
    /// The N Gaussians.
    pub gaussians: Gaussians<V>,
    /// The B views.
    pub views: &'a Views,
    /// `[B, C]`: what shows through, per view.
    pub backgrounds: V,
}

/// What a render keeps for its vjp.
#[derive(Debug, Clone)]
pub struct Saved<B: Backend> {
    /// The projected splats: read by both vjps.
    pub splats: Splats<B::Buffer>,
    /// The order of compositing: read by `composite_vjp`.
    pub sorted: B::SortedHits,
    /// Where each pixel ended: read by `composite_vjp`.
    pub composited: B::Composited,
    /// The settings of the forward pass: read by both vjps.
    pub config: RenderConfig,
}

/// Renders every view of `scene`.
///
/// # Errors
/// Shapes that do not fit, settings outside their domain, sizes over capacity; never the numbers in
/// a buffer.
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

/// The last two stages of a render.
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
    let config = config.clone();
    Ok((
        image,
        Saved {
            splats,
            sorted,
            composited,
            config,
        },
    ))
}

/// Vjp of [`render`]: inputs `scene` and what the forward pass `saved`; incoming `v_image`;
/// outgoing whatever is `wanted`.
///
/// `saved` may be used any number of times.
///
/// # Errors
/// As [`render`].
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
    } = saved;
    let splats = splats.try_viewed(B::view)?;
    let (v_splats, backgrounds) = backend.composite_vjp(
        &splats,
        sorted,
        scene.backgrounds,
        composited,
        v_image,
        wanted,
    )?;
    let v_splats = v_splats.try_viewed(B::view)?;
    let ProjectGradients {
        gaussians,
        camera_from_world,
    } = backend.project_vjp(
        &scene.gaussians,
        scene.views,
        config,
        &splats,
        &v_splats,
        wanted,
    )?;
    Ok(Gradients {
        gaussians,
        backgrounds,
        camera_from_world,
    })
}
