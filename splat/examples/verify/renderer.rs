//! A common interface of the backends, with inputs and results in host memory.

use splat::{
    Cpu, CpuScalar, Gradients, Image, RenderConfig, RenderError, Scene, Wanted, render, render_vjp,
};

/// An image, and one gradient per loss.
pub(crate) type Rendered<T> = (Image<Vec<T>>, Vec<Gradients<Vec<T>>>);

/// A backend in the precision `T`.
pub(crate) trait Renderer<T> {
    /// Renders `scene`. For each of `v_images`, which are gradients with respect to the image,
    /// computes the gradients with respect to the scene.
    fn render(
        &self,
        scene: &Scene<'_, &[T]>,
        config: &RenderConfig,
        v_images: &[Image<&[T]>],
    ) -> Result<Rendered<T>, RenderError>;
}

impl<T: CpuScalar> Renderer<T> for Cpu<T> {
    fn render(
        &self,
        scene: &Scene<'_, &[T]>,
        config: &RenderConfig,
        v_images: &[Image<&[T]>],
    ) -> Result<Rendered<T>, RenderError> {
        let (image, saved) = render(self, scene, config)?;
        let vjp = |v_image| render_vjp(self, scene, &saved, v_image, Wanted::ALL);
        Ok((image, v_images.iter().map(vjp).collect::<Result<_, _>>()?))
    }
}

#[cfg(feature = "gpu")]
impl<R: cubecl::Runtime> Renderer<f32> for splat::Gpu<R> {
    fn render(
        &self,
        scene: &Scene<'_, &[f32]>,
        config: &RenderConfig,
        v_images: &[Image<&[f32]>],
    ) -> Result<Rendered<f32>, RenderError> {
        let gaussians = self.upload_gaussians(&scene.gaussians)?;
        let backgrounds = self.upload(scene.backgrounds)?;
        let scene = Scene {
            gaussians: gaussians.map(|buffer| buffer),
            views: scene.views,
            backgrounds: &backgrounds,
        };
        let (image, saved) = render(self, &scene, config)?;
        let vjp = |v_image| {
            let v_image = self.upload_image(v_image)?;
            let v_image = v_image.map(|buffer| buffer);
            self.download_gradients(&render_vjp(self, &scene, &saved, &v_image, Wanted::ALL)?)
        };
        let gradients = v_images.iter().map(vjp).collect::<Result<_, _>>()?;
        Ok((self.download_image(&image)?, gradients))
    }
}
