//! Copies of whole structs between the host and the device.

use cubecl::future::block_on;
use cubecl::prelude::*;

use crate::contributors::Contributors;
use crate::device::Gpu;
use crate::device::buffer::{GpuBuffer, GpuIndices};
use crate::error::RenderError;
use crate::gaussians::Gaussians;
use crate::gradients::Gradients;
use crate::image::Image;
use crate::splats::Splats;

impl<R: Runtime> Gpu<R> {
    /// Copies Gaussians to the device.
    ///
    /// # Errors
    /// [`RenderError::Capacity`] if a buffer exceeds the device's largest buffer or 32-bit indices.
    pub fn upload_gaussians(
        &self,
        gaussians: &Gaussians<&[f32]>,
    ) -> Result<Gaussians<GpuBuffer>, RenderError> {
        gaussians.try_map(|buffer| self.upload(buffer))
    }

    /// Copies images, or the gradient with respect to them, to the device.
    ///
    /// # Errors
    /// [`RenderError::Capacity`] if a buffer exceeds the device's largest buffer or 32-bit indices.
    pub fn upload_image(&self, image: &Image<&[f32]>) -> Result<Image<GpuBuffer>, RenderError> {
        image.try_map(|buffer| self.upload(buffer))
    }

    /// Copies splats that were made elsewhere to the device. 16-bit features are converted to
    /// `f32`.
    ///
    /// # Errors
    /// [`RenderError::Capacity`] if a buffer exceeds the device's largest buffer or 32-bit indices.
    pub fn upload_splats(&self, splats: &Splats<&[f32]>) -> Result<Splats<GpuBuffer>, RenderError> {
        let halves = splats.half_features.iter().flat_map(|halves| halves.iter());
        let widened: Vec<f32> = halves.map(|half| half.to_f32()).collect();
        let features = match splats.half_features {
            Some(_) => &widened[..],
            None => splats.features,
        };
        let widened = Splats {
            features,
            half_features: None,
            ..splats.clone()
        };
        widened.try_map(|buffer| self.upload(buffer))
    }

    /// Copies Gaussians, or the gradient with respect to them, to the host.
    ///
    /// # Errors
    /// [`RenderError::Device`] if the device failed.
    ///
    /// # Panics
    /// Panics in a browser, where a host cannot block: use [`Gpu::download_gaussians_async`].
    pub fn download_gaussians(
        &self,
        gaussians: &Gaussians<GpuBuffer>,
    ) -> Result<Gaussians<Vec<f32>>, RenderError> {
        block_on(self.download_gaussians_async(gaussians))
    }

    /// [`Gpu::download_gaussians`] for hosts that must not block.
    ///
    /// # Errors
    /// [`RenderError::Device`] if the device failed.
    pub async fn download_gaussians_async(
        &self,
        gaussians: &Gaussians<GpuBuffer>,
    ) -> Result<Gaussians<Vec<f32>>, RenderError> {
        let mut reads = Reads::default();
        let asked = gaussians.try_map(|buffer| reads.ask(buffer))?;
        let mut read = reads.wait(self).await?;
        asked.try_map(|&i| read.take(i))
    }

    /// Copies images to the host.
    ///
    /// # Errors
    /// [`RenderError::Device`] if the device failed.
    ///
    /// # Panics
    /// Panics in a browser, where a host cannot block: use [`Gpu::download_image_async`].
    pub fn download_image(&self, image: &Image<GpuBuffer>) -> Result<Image<Vec<f32>>, RenderError> {
        block_on(self.download_image_async(image))
    }

    /// [`Gpu::download_image`] for hosts that must not block.
    ///
    /// # Errors
    /// [`RenderError::Device`] if the device failed.
    pub async fn download_image_async(
        &self,
        image: &Image<GpuBuffer>,
    ) -> Result<Image<Vec<f32>>, RenderError> {
        let mut reads = Reads::default();
        let asked = image.try_map(|buffer| reads.ask(buffer))?;
        let mut read = reads.wait(self).await?;
        asked.try_map(|&i| read.take(i))
    }

    /// Copies the contributors of every pixel to the host.
    ///
    /// # Errors
    /// [`RenderError::Device`] if the device failed.
    ///
    /// # Panics
    /// Panics in a browser, where a host cannot block: use [`Gpu::download_contributors_async`].
    pub fn download_contributors(
        &self,
        contributors: &Contributors<GpuBuffer, GpuIndices>,
    ) -> Result<Contributors<Vec<f32>, Vec<u32>>, RenderError> {
        block_on(self.download_contributors_async(contributors))
    }

    /// [`Gpu::download_contributors`] for hosts that must not block.
    ///
    /// # Errors
    /// [`RenderError::Device`] if the device failed.
    pub async fn download_contributors_async(
        &self,
        contributors: &Contributors<GpuBuffer, GpuIndices>,
    ) -> Result<Contributors<Vec<f32>, Vec<u32>>, RenderError> {
        Ok(Contributors::new(
            self.read(&contributors.indices.0).await?,
            self.download_async(&contributors.weights).await?,
            self.read(&contributors.counts.0).await?,
        ))
    }

    /// Copies splats, or the gradient with respect to them, to the host.
    ///
    /// # Errors
    /// [`RenderError::Device`] if the device failed.
    ///
    /// # Panics
    /// Panics in a browser, where a host cannot block: use [`Gpu::download_splats_async`].
    pub fn download_splats(
        &self,
        splats: &Splats<GpuBuffer>,
    ) -> Result<Splats<Vec<f32>>, RenderError> {
        block_on(self.download_splats_async(splats))
    }

    /// [`Gpu::download_splats`] for hosts that must not block.
    ///
    /// # Errors
    /// [`RenderError::Device`] if the device failed.
    pub async fn download_splats_async(
        &self,
        splats: &Splats<GpuBuffer>,
    ) -> Result<Splats<Vec<f32>>, RenderError> {
        let mut reads = Reads::default();
        let asked = splats.try_map(|buffer| reads.ask(buffer))?;
        let mut read = reads.wait(self).await?;
        asked.try_map(|&i| read.take(i))
    }

    /// Copies the gradients of a render to the host.
    ///
    /// # Errors
    /// [`RenderError::Device`] if the device failed.
    ///
    /// # Panics
    /// Panics in a browser, where a host cannot block: use [`Gpu::download_gradients_async`].
    pub fn download_gradients(
        &self,
        gradients: &Gradients<GpuBuffer>,
    ) -> Result<Gradients<Vec<f32>>, RenderError> {
        block_on(self.download_gradients_async(gradients))
    }

    /// [`Gpu::download_gradients`] for hosts that must not block.
    ///
    /// # Errors
    /// [`RenderError::Device`] if the device failed.
    pub async fn download_gradients_async(
        &self,
        gradients: &Gradients<GpuBuffer>,
    ) -> Result<Gradients<Vec<f32>>, RenderError> {
        let mut reads = Reads::default();
        let asked = gradients.try_map(|buffer| reads.ask(buffer))?;
        let mut read = reads.wait(self).await?;
        asked.try_map(|&i| read.take(i))
    }
}

/// The buffers to read, in the order of the calls of [`Reads::ask`].
#[derive(Default)]
struct Reads<'a>(Vec<&'a GpuBuffer>);

impl<'a> Reads<'a> {
    /// Adds a buffer and returns its index. Never fails, but `try_map` requires a `Result`.
    #[expect(
        clippy::unnecessary_wraps,
        reason = "`try_map` takes a function with this signature"
    )]
    fn ask(&mut self, buffer: &'a GpuBuffer) -> Result<usize, RenderError> {
        self.0.push(buffer);
        Ok(self.0.len() - 1)
    }

    /// Reads all buffers.
    async fn wait<R: Runtime>(self, gpu: &Gpu<R>) -> Result<Read, RenderError> {
        let mut read = Vec::with_capacity(self.0.len());
        for buffer in self.0 {
            read.push(gpu.download_async(buffer).await?);
        }
        Ok(Read(read))
    }
}

/// The values of the buffers.
struct Read(Vec<Vec<f32>>);

impl Read {
    /// Returns the values of buffer `i`. Each buffer can be taken once.
    fn take(&mut self, i: usize) -> Result<Vec<f32>, RenderError> {
        let numbers = self.0.get_mut(i).map(std::mem::take);
        numbers.ok_or_else(|| RenderError::Device {
            expected: "the contents of a buffer".to_owned(),
            got: "nothing".to_owned(),
        })
    }
}
