//! Renders without a projection: the last three stages and their vjps.

use crate::backend::Backend;
use crate::config::RenderConfig;
use crate::contributors::Contributors;
use crate::ellipse::{Ellipses, EllipsesGradient, Shapes};
use crate::error::RenderError;
use crate::gradients::Wanted;
use crate::image::Image;
use crate::splats::Splats;

/// The input of a render without cameras: ellipses, the size of their images, and one background
/// per view.
#[derive(Debug, Clone, Copy)]
pub struct EllipseScene<'a, V> {
    /// The M ellipses of B views.
    pub ellipses: Ellipses<'a, V>,
    /// The backgrounds `[B, C]`, one per view.
    pub backgrounds: V,
    /// Width W of every image, px, 1 to 2^22.
    pub width: usize,
    /// Height H of every image, px, 1 to 2^22.
    pub height: usize,
}

/// The saved state of a render of ellipses, which [`render_ellipses_vjp`] reads.
#[derive(Debug, Clone)]
pub struct SavedEllipses<B: Backend> {
    /// The ellipses as splats, with conics and extents.
    pub splats: Splats<B::Buffer>,
    /// The hits of every tile in depth order.
    pub sorted: B::SortedHits,
    /// The state at the end of each pixel.
    pub composited: B::Composited,
    /// The meaning of the shapes of the ellipses.
    pub kind: Shapes,
    /// Width and height of the images, px.
    pub size: [usize; 2],
}

impl<B: Backend> SavedEllipses<B> {
    /// Returns the contributors of every pixel. They are present if `config.outputs.contributors`
    /// was set.
    pub fn contributors(&self) -> Option<&Contributors<B::Buffer, B::Indices>> {
        B::contributors(&self.composited)
    }
}

/// Renders ellipses.
///
/// Returns the images and the saved state for [`render_ellipses_vjp`]. The stages are
/// [`Backend::complete`], [`Backend::bin`], [`Backend::sort`] and [`Backend::composite`].
///
/// ```
/// use splat::ellipses::{EllipseScene, Ellipses, Shapes, render_ellipses};
/// use splat::{Cpu, RenderConfig};
///
/// let ellipses = Ellipses {
///     means: &[16.0f32, 12.0][..],
///     shapes: &[9.0, 2.0, 4.0],
///     kind: Shapes::Covariances,
///     opacities: &[0.8],
///     depths: &[0.0],
///     features: &[1.0, 0.0, 0.0],
///     offsets: &[0, 1],
///     channels: 3,
/// };
/// let scene = EllipseScene { ellipses, backgrounds: &[0.0; 3], width: 32, height: 24 };
/// let (image, _) = render_ellipses(&Cpu::<f32>::new(), &scene, &RenderConfig::default())?;
/// assert!(image.features[3 * (12 * 32 + 16)] > 0.7);
/// # Ok::<(), splat::RenderError>(())
/// ```
///
/// # Errors
/// The errors of the four stages. Values that are not finite or not positive definite are not
/// errors.
pub fn render_ellipses<B: Backend>(
    backend: &B,
    scene: &EllipseScene<'_, B::View<'_>>,
    config: &RenderConfig,
) -> Result<(Image<B::Buffer>, SavedEllipses<B>), RenderError> {
    let EllipseScene {
        ellipses,
        backgrounds,
        width,
        height,
    } = scene;
    let splats = backend.complete(ellipses, *width, *height, config)?;
    let (sorted, (image, composited)) = {
        let views = splats.try_viewed(B::view)?;
        let hits = backend.bin(&views, *width, *height)?;
        let sorted = backend.sort(&views, hits)?;
        let composited = backend.composite(&views, &sorted, *backgrounds, config)?;
        (sorted, composited)
    };
    let saved = SavedEllipses {
        splats,
        sorted,
        composited,
        kind: ellipses.kind,
        size: [*width, *height],
    };
    Ok((image, saved))
}

/// Vjp of [`render_ellipses`]. Returns the `wanted` gradients with respect to the inputs in
/// `scene`: `geometry` selects means, shapes, opacities and depths. There are no cameras, and the
/// gradient with respect to the splats is the one that is returned.
///
/// `saved` is the saved state of the forward pass, and `v_image` is the gradient with respect to
/// its images. The numbers in the buffers must be those of the forward pass.
///
/// # Errors
/// [`RenderError::Shape`] if the ellipses or the size of `scene` are not those of the forward pass,
/// and the errors of [`Backend::composite_vjp`] and [`Backend::complete_vjp`].
pub fn render_ellipses_vjp<B: Backend>(
    backend: &B,
    scene: &EllipseScene<'_, B::View<'_>>,
    saved: &SavedEllipses<B>,
    v_image: &Image<B::View<'_>>,
    wanted: Wanted,
) -> Result<EllipsesGradient<B::Buffer>, RenderError> {
    check_same(scene, saved)?;
    let splats = saved.splats.try_viewed(B::view)?;
    let (v_splats, backgrounds) = backend.composite_vjp(
        &splats,
        &saved.sorted,
        scene.backgrounds,
        &saved.composited,
        v_image,
        Wanted {
            cameras: false,
            intrinsics: false,
            splats: false,
            statistics: false,
            ..wanted
        },
    )?;
    let statistics = if wanted.statistics {
        let (sorted, composited) = (&saved.sorted, &saved.composited);
        let backgrounds = scene.backgrounds;
        Some(backend.splat_statistics(&splats, sorted, backgrounds, composited, v_image)?)
    } else {
        None
    };
    let Splats {
        means,
        conics,
        opacities,
        depths,
        features,
        ..
    } = v_splats;
    let shapes = match saved.kind {
        Shapes::Conics => conics,
        Shapes::Covariances if !wanted.geometry => conics,
        Shapes::Covariances => backend.complete_vjp(&splats, B::view(&conics))?,
    };
    Ok(EllipsesGradient {
        means,
        shapes,
        opacities,
        depths,
        features,
        backgrounds,
        statistics,
    })
}

/// Checks that a scene has the shapes of the forward pass.
fn check_same<B: Backend>(
    scene: &EllipseScene<'_, B::View<'_>>,
    saved: &SavedEllipses<B>,
) -> Result<(), RenderError> {
    let fault = |argument, expected: String, got: String| {
        let expected = format!("{expected}, as in the forward pass");
        Err(RenderError::shape(argument, expected, got))
    };
    let (own, size) = (&scene.ellipses, [scene.width, scene.height]);
    if size != saved.size {
        let say = |[w, h]: [usize; 2]| format!("{w} x {h} px");
        return fault("scene.width, scene.height", say(saved.size), say(size));
    }
    if own.kind != saved.kind {
        let (expected, got) = (format!("{:?}", saved.kind), format!("{:?}", own.kind));
        return fault("scene.ellipses.kind", expected, got);
    }
    if own.offsets != saved.splats.offsets {
        let say = |offsets: &[usize]| {
            let (count, views) = (offsets.last(), offsets.len().saturating_sub(1));
            format!("{} ellipses in {views} views", count.unwrap_or(&0))
        };
        let (expected, got) = (say(&saved.splats.offsets), say(own.offsets));
        return fault("scene.ellipses.offsets", expected, got);
    }
    if own.channels != saved.splats.channels {
        let say = |channels: usize| format!("{channels} channels");
        let (expected, got) = (say(saved.splats.channels), say(own.channels));
        return fault("scene.ellipses.channels", expected, got);
    }
    Ok(())
}
