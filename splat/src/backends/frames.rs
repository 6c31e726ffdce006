//! Renders without gradients into memory of the caller, frame after frame.

use crate::backend::Backend;
use crate::backends::cpu::Cpu;
use crate::backends::stages::CpuScalar;
use crate::config::{Outputs, RenderConfig};
use crate::error::RenderError;
use crate::gaussians::check_len;
use crate::host::threads::check_threads;
use crate::image::{Image, ImageSize};
use crate::pack::pixel::{Alpha, TransferFunction, rgba8_into};
use crate::render::Scene;

impl<T: CpuScalar> Cpu<T> {
    /// Renders every view of `scene` into `features`, `[B, H, W, C]`, without a state for gradients.
    /// The values are those of [`render`](crate::render()). Outputs and layers of `config` are not
    /// computed.
    ///
    /// The working memory stays in the workspace of the backend: after its first frames, a loop
    /// allocates no buffer of more than 1 KiB, if it has at most about ten views. Returns the number
    /// of visible splats in all views. If it is zero, everything is culled and the image shows the
    /// backgrounds.
    ///
    /// ```
    /// # use splat::{Camera, Cpu, Gaussians, RenderConfig, Scene, Views, encoding::Encoding};
    /// # let gaussians = Gaussians {
    /// #     means: &[0.0f32, 0.0, 2.0][..],
    /// #     scales: &[0.2, 0.2, 0.2],
    /// #     quaternions: &[1.0, 0.0, 0.0, 0.0],
    /// #     opacities: &[0.8],
    /// #     features: &[1.0, 0.0, 0.0],
    /// #     count: 1,
    /// #     channels: 3,
    /// #     encoding: Encoding::PLAIN,
    /// # };
    /// let backend = Cpu::<f32>::new();
    /// let mut frame = vec![0.0; 64 * 48 * 3];
    /// for step in 0..10 {
    ///     let camera = Camera::pinhole(60.0, 60.0, 32.0, 24.0);
    ///     let camera = camera.look_at([0.1 * f64::from(step), 0.0, 0.0], [0.0, 0.0, 2.0], [0.0, -1.0, 0.0])?;
    ///     let views = Views::single(64, 48, camera, gaussians.count);
    ///     let scene = Scene { gaussians, views: &views, backgrounds: &[0.0; 3] };
    ///     let visible = backend.render_into(&scene, &RenderConfig::default(), &mut frame)?;
    ///     assert_eq!(visible, 1);
    /// }
    /// # Ok::<(), splat::RenderError>(())
    /// ```
    ///
    /// # Errors
    /// - The errors of [`render`](crate::render()).
    /// - [`RenderError::Shape`] if `features` does not have the size of the images.
    pub fn render_into(
        &self,
        scene: &Scene<'_, &[T]>,
        config: &RenderConfig,
        features: &mut [T],
    ) -> Result<usize, RenderError> {
        check_threads()?;
        // One job of the pool for all stages: every job from outside takes room in the pool's queue.
        rayon::scope(|_| self.frame(scene, config, features, None))
    }

    /// Renders into `features` and, if wanted, `transmittance`.
    fn frame(
        &self,
        scene: &Scene<'_, &[T]>,
        config: &RenderConfig,
        features: &mut [T],
        transmittance: Option<&mut [T]>,
    ) -> Result<usize, RenderError> {
        let config = config
            .clone()
            .with_outputs(Outputs::NONE)
            .with_layers(Vec::new());
        let (views, channels) = (scene.views, scene.gaussians.channels);
        let splats = self.project(&scene.gaussians, views, &config)?;
        // The views are valid, or the projection would have failed.
        let dims = [views.len(), views.height, views.width, channels];
        check_len("features", "[B, H, W, C]", &dims, features.len())?;
        let seen = splats.try_viewed(Vec::as_slice)?;
        let hits = self.bin(&seen, views.width, views.height)?;
        let visible = hits.from_splat.windows(2).filter(|ends| ends[0] < ends[1]);
        let visible = visible.count();
        let sorted = self.sort(&seen, hits)?;
        let image = Image {
            features,
            transmittance,
            depth: None,
            layers: None,
            layer_transmittance: None,
        };
        let (resources, backgrounds) = (self.resources()?, scene.backgrounds);
        let saved =
            T::stage_composite_into(&seen, &sorted, backgrounds, &config, resources, image)?;
        let workspace = resources.workspace;
        workspace.recycle(saved);
        workspace.recycle(sorted);
        workspace.recycle(splats);
        Ok(visible)
    }
}

impl Cpu<f32> {
    /// Renders every view of `scene` to `bytes`, `[B, H, W, 4]`, in the order red, green, blue, alpha.
    /// The bytes are those of [`pack::rgba8`](crate::pack::rgba8) of the image, over the backgrounds of
    /// the scene. The features have 3 or 4 channels. Memory and result are as in
    /// [`render_into`](Self::render_into).
    ///
    /// # Errors
    /// The errors of [`render`](crate::render()) and [`pack::rgba8_into`](crate::pack::rgba8_into).
    /// [`RenderError::Shape`] names `gaussians.channels` if there are not 3 or 4 channels, or not 4 with
    /// [`Alpha::Channel`].
    pub fn render_rgba8_into(
        &self,
        scene: &Scene<'_, &[f32]>,
        config: &RenderConfig,
        transfer: TransferFunction,
        alpha: Alpha,
        bytes: &mut [u8],
    ) -> Result<usize, RenderError> {
        let (views, channels) = (scene.views, scene.gaussians.channels);
        scene.gaussians.validate_in(views, |buffer| buffer.len())?;
        let size = ImageSize {
            views: views.len(),
            height: views.height,
            width: views.width,
        };
        if !(channels == 4 || channels == 3 && alpha != Alpha::Channel) {
            let expected = match alpha {
                Alpha::Channel => "4 channels, of which the last is alpha",
                Alpha::Opaque | Alpha::Transmittance => "3 or 4 channels",
            };
            return Err(RenderError::shape("gaussians.channels", expected, channels));
        }
        let dims = [size.views, size.height, size.width, 4];
        check_len("bytes", "[B, H, W, 4]", &dims, bytes.len())?;
        let workspace = self.resources()?.workspace;
        let what = "image [B, H, W, C]";
        let mut features = workspace.scalars(what, size.elements(what, channels)?)?;
        let mut transmittance = match alpha {
            Alpha::Transmittance => Some(workspace.scalars("transmittance", size.pixels())?),
            Alpha::Opaque | Alpha::Channel => None,
        };
        let visible = rayon::scope(|_| {
            let rest = transmittance.as_deref_mut();
            let visible = self.frame(scene, config, &mut features, rest)?;
            let image = Image {
                features: &features[..],
                transmittance: transmittance.as_deref(),
                depth: None,
                layers: None,
                layer_transmittance: None,
            };
            rgba8_into(&image, size, transfer, alpha, bytes)?;
            Ok::<_, RenderError>(visible)
        })?;
        workspace.recycle(features);
        workspace.recycle(transmittance);
        Ok(visible)
    }
}
