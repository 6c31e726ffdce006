//! Renders on the device of the tensors. The kernels of [`splat::Gpu`] read the tensors' buffers,
//! and the buffers that the kernels write become tensors.

pub(crate) mod ellipses;
pub(crate) mod gaussians;

use burn::tensor::DType;
use burn::tensor::backend::Backend;
use burn::tensor::ops::FloatTensor;
use burn_cubecl::CubeRuntime;
use burn_cubecl::tensor::CubeTensor;
use splat::{Gpu, GpuBuffer, Image, Splats};

use crate::error::Error;
use crate::primitive::{give, take};
use crate::tape::{ImageGradients, ImageShapes, culled};

/// The GPU backend of a render, and the conversions of its results to tensors.
struct Device<R: CubeRuntime> {
    gpu: Gpu<R>,
    /// One of the rendered tensors, kept for its client and device.
    like: CubeTensor<R>,
    dtype: DType,
}

impl<R: CubeRuntime> Device<R> {
    /// Converts the images to tensors.
    fn images<B: Backend>(
        &self,
        image: &Image<GpuBuffer>,
        shapes: &ImageShapes,
    ) -> Result<Image<FloatTensor<B>>, Error> {
        let put = |buffer: &Option<GpuBuffer>, shape: &[usize]| {
            let put = |buffer| give::<B, R>("the image", buffer, shape, self.dtype, &self.like);
            buffer.as_ref().map(put).transpose()
        };
        let (features, like) = (&image.features, &self.like);
        let features = give::<B, R>("the image", features, &shapes.features, self.dtype, like)?;
        Ok(Image::from_features(features)
            .with_transmittance(put(&image.transmittance, &shapes.plane)?)
            .with_depth(put(&image.depth, &shapes.plane)?)
            .with_layers(put(&image.layers, &shapes.layers)?)
            .with_layer_transmittance(put(
                &image.layer_transmittance,
                &shapes.layer_transmittance,
            )?))
    }

    /// Copies the extents of the splats to the host and counts the culled splats of each view.
    fn culled(&self, splats: &Splats<GpuBuffer>) -> Result<Vec<usize>, Error> {
        let extents = self.gpu.download(&splats.extents)?;
        Ok(culled(&extents, &splats.offsets))
    }

    /// Takes the buffers of the gradients with respect to images of `shapes`.
    fn incoming<B: Backend>(
        &self,
        v_images: ImageGradients<FloatTensor<B>>,
        shapes: &ImageShapes,
    ) -> Result<Image<GpuBuffer>, Error> {
        let argument = "gradient of the rendered tensor";
        let buffer = |gradient| Ok::<_, Error>(take::<B, R>(argument, gradient)?.0);
        let features = if let Some(gradient) = v_images.features {
            buffer(gradient)?
        } else {
            let zeros = vec![0.0; shapes.features.iter().product()];
            self.gpu.upload(&zeros)?
        };
        Ok(Image::from_features(features)
            .with_transmittance(v_images.transmittance.map(buffer).transpose()?)
            .with_depth(v_images.depth.map(buffer).transpose()?))
    }

    /// Converts the gradients with respect to the `tracked` inputs of `shapes` to tensors.
    fn gradients<B: Backend, const N: usize>(
        &self,
        gradients: &[GpuBuffer; N],
        shapes: &[Vec<usize>; N],
        tracked: [bool; N],
    ) -> Result<[Option<FloatTensor<B>>; N], Error> {
        let mut outgoing = [const { None }; N];
        for (i, gradient) in gradients.iter().enumerate() {
            if tracked[i] {
                let put = give::<B, R>("a gradient", gradient, &shapes[i], self.dtype, &self.like)?;
                outgoing[i] = Some(put);
            }
        }
        Ok(outgoing)
    }
}
