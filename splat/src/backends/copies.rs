//! Whole structs from the host to the device and back.

use cubecl::future::block_on;
use cubecl::prelude::*;

use crate::device::Gpu;
use crate::device::buffer::GpuBuffer;
use crate::error::RenderError;
use crate::gaussians::Gaussians;
use crate::gradients::Gradients;
use crate::image::Image;
use crate::splats::Splats;

impl<R: Runtime> Gpu<R> {
    /// Copies Gaussians to the device.
    ///
    /// # Errors
    /// As [`Gpu::upload`]. So for every copy to the device.
    pub fn upload_gaussians(
        &self,
        gaussians: &Gaussians<&[f32]>,
    ) -> Result<Gaussians<GpuBuffer>, RenderError> {
        Ok(Gaussians {
            means: self.upload(gaussians.means)?,
            scales: self.upload(gaussians.scales)?,
            quaternions: self.upload(gaussians.quaternions)?,
            opacities: self.upload(gaussians.opacities)?,
            features: self.upload(gaussians.features)?,
            count: gaussians.count,
            channels: gaussians.channels,
        })
    }

    /// Copies images, or the gradient by them, to the device.
    ///
    /// # Errors
    /// As [`Gpu::upload`].
    pub fn upload_image(&self, image: &Image<&[f32]>) -> Result<Image<GpuBuffer>, RenderError> {
        let optional = |plane: Option<&[f32]>| plane.map(|plane| self.upload(plane)).transpose();
        Ok(Image {
            features: self.upload(image.features)?,
            transmittance: optional(image.transmittance)?,
            depth: optional(image.depth)?,
            layers: optional(image.layers)?,
        })
    }

    /// Copies splats that were made elsewhere to the device, features of 16 bits as 32.
    ///
    /// # Errors
    /// As [`Gpu::upload`].
    pub fn upload_splats(&self, splats: &Splats<&[f32]>) -> Result<Splats<GpuBuffer>, RenderError> {
        let halves = splats.half_features.iter().flat_map(|halves| halves.iter());
        let widened: Vec<f32> = halves.map(|half| half.to_f32()).collect();
        let widened = splats.half_features.is_some().then_some(&widened[..]);
        Ok(Splats {
            means: self.upload(splats.means)?,
            conics: self.upload(splats.conics)?,
            opacities: self.upload(splats.opacities)?,
            depths: self.upload(splats.depths)?,
            features: self.upload(widened.unwrap_or(splats.features))?,
            half_features: None,
            extents: self.upload(splats.extents)?,
            offsets: splats.offsets.clone(),
            channels: splats.channels,
        })
    }

    /// Copies Gaussians, or the gradient by them, to the host.
    ///
    /// # Errors
    /// As [`Gpu::download`]. So for every copy to the host.
    pub fn download_gaussians(
        &self,
        gaussians: &Gaussians<GpuBuffer>,
    ) -> Result<Gaussians<Vec<f32>>, RenderError> {
        block_on(self.download_gaussians_async(gaussians))
    }

    /// [`Gpu::download_gaussians`] for hosts that must not block.
    ///
    /// # Errors
    /// As [`Gpu::download`].
    pub async fn download_gaussians_async(
        &self,
        gaussians: &Gaussians<GpuBuffer>,
    ) -> Result<Gaussians<Vec<f32>>, RenderError> {
        Ok(Gaussians {
            means: self.download_async(&gaussians.means).await?,
            scales: self.download_async(&gaussians.scales).await?,
            quaternions: self.download_async(&gaussians.quaternions).await?,
            opacities: self.download_async(&gaussians.opacities).await?,
            features: self.download_async(&gaussians.features).await?,
            count: gaussians.count,
            channels: gaussians.channels,
        })
    }

    /// Copies images to the host.
    ///
    /// # Errors
    /// As [`Gpu::download`].
    pub fn download_image(&self, image: &Image<GpuBuffer>) -> Result<Image<Vec<f32>>, RenderError> {
        block_on(self.download_image_async(image))
    }

    /// [`Gpu::download_image`] for hosts that must not block.
    ///
    /// # Errors
    /// As [`Gpu::download`].
    pub async fn download_image_async(
        &self,
        image: &Image<GpuBuffer>,
    ) -> Result<Image<Vec<f32>>, RenderError> {
        Ok(Image {
            features: self.download_async(&image.features).await?,
            transmittance: self.download_optional(image.transmittance.as_ref()).await?,
            depth: self.download_optional(image.depth.as_ref()).await?,
            layers: self.download_optional(image.layers.as_ref()).await?,
        })
    }

    async fn download_optional(
        &self,
        buffer: Option<&GpuBuffer>,
    ) -> Result<Option<Vec<f32>>, RenderError> {
        match buffer {
            Some(buffer) => Ok(Some(self.download_async(buffer).await?)),
            None => Ok(None),
        }
    }

    /// Copies splats, or the gradient by them, to the host.
    ///
    /// # Errors
    /// As [`Gpu::download`].
    pub fn download_splats(
        &self,
        splats: &Splats<GpuBuffer>,
    ) -> Result<Splats<Vec<f32>>, RenderError> {
        block_on(self.download_splats_async(splats))
    }

    /// [`Gpu::download_splats`] for hosts that must not block.
    ///
    /// # Errors
    /// As [`Gpu::download`].
    pub async fn download_splats_async(
        &self,
        splats: &Splats<GpuBuffer>,
    ) -> Result<Splats<Vec<f32>>, RenderError> {
        Ok(Splats {
            means: self.download_async(&splats.means).await?,
            conics: self.download_async(&splats.conics).await?,
            opacities: self.download_async(&splats.opacities).await?,
            depths: self.download_async(&splats.depths).await?,
            features: self.download_async(&splats.features).await?,
            half_features: splats.half_features.clone(),
            extents: self.download_async(&splats.extents).await?,
            offsets: splats.offsets.clone(),
            channels: splats.channels,
        })
    }

    /// Copies the gradients of a render to the host.
    ///
    /// # Errors
    /// As [`Gpu::download`].
    pub fn download_gradients(
        &self,
        gradients: &Gradients<GpuBuffer>,
    ) -> Result<Gradients<Vec<f32>>, RenderError> {
        block_on(self.download_gradients_async(gradients))
    }

    /// [`Gpu::download_gradients`] for hosts that must not block.
    ///
    /// # Errors
    /// As [`Gpu::download`].
    pub async fn download_gradients_async(
        &self,
        gradients: &Gradients<GpuBuffer>,
    ) -> Result<Gradients<Vec<f32>>, RenderError> {
        Ok(Gradients {
            gaussians: self.download_gaussians_async(&gradients.gaussians).await?,
            backgrounds: self.download_async(&gradients.backgrounds).await?,
            camera_from_world: self.download_async(&gradients.camera_from_world).await?,
        })
    }
}
