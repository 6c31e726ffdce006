//! Whole structs from the host to the device and back.

use cubecl::prelude::*;

use crate::composite::Image;
use crate::cube::{Cube, CubeBuffer};
use crate::error::RenderError;
use crate::gaussians::Gaussians;
use crate::project::Splats;
use crate::render::Gradients;

impl<R: Runtime> Cube<R> {
    /// Copies Gaussians to the device.
    ///
    /// # Errors
    /// As [`Cube::upload`]. So for every copy to the device.
    pub fn upload_gaussians(
        &self,
        gaussians: &Gaussians<&[f32]>,
    ) -> Result<Gaussians<CubeBuffer>, RenderError> {
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
    /// As [`Cube::upload`].
    pub fn upload_image(&self, image: &Image<&[f32]>) -> Result<Image<CubeBuffer>, RenderError> {
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
    /// As [`Cube::upload`].
    pub fn upload_splats(
        &self,
        splats: &Splats<&[f32]>,
    ) -> Result<Splats<CubeBuffer>, RenderError> {
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
    /// As [`Cube::download`]. So for every copy to the host.
    pub fn download_gaussians(
        &self,
        gaussians: &Gaussians<CubeBuffer>,
    ) -> Result<Gaussians<Vec<f32>>, RenderError> {
        Ok(Gaussians {
            means: self.download(&gaussians.means)?,
            scales: self.download(&gaussians.scales)?,
            quaternions: self.download(&gaussians.quaternions)?,
            opacities: self.download(&gaussians.opacities)?,
            features: self.download(&gaussians.features)?,
            count: gaussians.count,
            channels: gaussians.channels,
        })
    }

    /// Copies images to the host.
    ///
    /// # Errors
    /// As [`Cube::download`].
    pub fn download_image(
        &self,
        image: &Image<CubeBuffer>,
    ) -> Result<Image<Vec<f32>>, RenderError> {
        let optional = |plane: &Option<CubeBuffer>| {
            let plane = plane.as_ref();
            plane.map(|plane| self.download(plane)).transpose()
        };
        Ok(Image {
            features: self.download(&image.features)?,
            transmittance: optional(&image.transmittance)?,
            depth: optional(&image.depth)?,
            layers: optional(&image.layers)?,
        })
    }

    /// Copies splats, or the gradient by them, to the host.
    ///
    /// # Errors
    /// As [`Cube::download`].
    pub fn download_splats(
        &self,
        splats: &Splats<CubeBuffer>,
    ) -> Result<Splats<Vec<f32>>, RenderError> {
        Ok(Splats {
            means: self.download(&splats.means)?,
            conics: self.download(&splats.conics)?,
            opacities: self.download(&splats.opacities)?,
            depths: self.download(&splats.depths)?,
            features: self.download(&splats.features)?,
            half_features: splats.half_features.clone(),
            extents: self.download(&splats.extents)?,
            offsets: splats.offsets.clone(),
            channels: splats.channels,
        })
    }

    /// Copies the gradients of a render to the host.
    ///
    /// # Errors
    /// As [`Cube::download`].
    pub fn download_gradients(
        &self,
        gradients: &Gradients<CubeBuffer>,
    ) -> Result<Gradients<Vec<f32>>, RenderError> {
        Ok(Gradients {
            gaussians: self.download_gaussians(&gradients.gaussians)?,
            backgrounds: self.download(&gradients.backgrounds)?,
            camera_from_world: self.download(&gradients.camera_from_world)?,
        })
    }
}
