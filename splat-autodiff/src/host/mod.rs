//! Renders on the CPU. The input tensors are read to the host, and the results are converted to
//! tensors.

pub(crate) mod ellipses;
pub(crate) mod gaussians;

use burn::tensor::DType;
use burn::tensor::backend::Backend;
use burn::tensor::ops::FloatTensor;
use splat::{Cpu, Image, Workspace};

use crate::data::{Buffer, Precision, tensor_from_vec};
use crate::error::Error;
use crate::inputs::read_one;
use crate::op::tensor;
use crate::tape::{ImageGradients, ImageShapes};

/// The CPU backend of a render, and the conversions of its results to tensors.
struct Host<T: Precision> {
    backend: Cpu<T>,
    /// The workspace of `backend`.
    workspace: Workspace<T>,
    /// The element type of the input tensors. Images and gradients are rounded to it.
    dtype: DType,
}

impl<T: Precision> Host<T> {
    fn new(workspace: &Workspace<T>, dtype: DType) -> Self {
        Self {
            backend: Cpu::<T>::new().with_workspace(workspace),
            workspace: workspace.clone(),
            dtype,
        }
    }

    fn tensor<B: Backend>(
        &self,
        values: Vec<T>,
        shape: &[usize],
        device: &B::Device,
    ) -> FloatTensor<B> {
        tensor_from_vec::<B, T>(values, shape, self.dtype, device, &self.workspace)
    }

    /// Converts the images to tensors.
    fn images<B: Backend>(
        &self,
        image: Image<Vec<T>>,
        shapes: &ImageShapes,
        device: &B::Device,
    ) -> Image<FloatTensor<B>> {
        let put = |values, shape: &[usize]| self.tensor::<B>(values, shape, device);
        let layer_transmittance = image.layer_transmittance;
        Image::from_features(put(image.features, &shapes.features))
            .with_transmittance(image.transmittance.map(|plane| put(plane, &shapes.plane)))
            .with_depth(image.depth.map(|plane| put(plane, &shapes.plane)))
            .with_layers(image.layers.map(|images| put(images, &shapes.layers)))
            .with_layer_transmittance(
                layer_transmittance.map(|planes| put(planes, &shapes.layer_transmittance)),
            )
    }

    /// Converts the gradients with respect to the `tracked` inputs of `shapes` to tensors.
    fn gradients<B: Backend, const N: usize>(
        &self,
        gradients: impl IntoIterator<Item = Vec<T>>,
        shapes: &[Vec<usize>; N],
        tracked: [bool; N],
        device: &B::Device,
    ) -> [Option<FloatTensor<B>>; N] {
        let mut outgoing = [const { None }; N];
        for (i, gradient) in gradients.into_iter().enumerate().take(N) {
            if tracked[i] {
                outgoing[i] = Some(self.tensor::<B>(gradient, &shapes[i], device));
            } else {
                self.workspace.recycle(gradient);
            }
        }
        outgoing
    }
}

/// The gradients with respect to the images, on the host.
struct Incoming<T> {
    features: Option<Buffer<T>>,
    /// The gradient with respect to the features if the loss does not depend on them.
    zeros: Vec<T>,
    transmittance: Option<Buffer<T>>,
    depth: Option<Buffer<T>>,
}

impl<T: Precision> Incoming<T> {
    /// Reads the gradients with respect to images of `shapes`. Also returns their device.
    fn read<B: Backend>(
        v_images: ImageGradients<FloatTensor<B>>,
        shapes: &ImageShapes,
    ) -> Result<(Self, B::Device), Error> {
        let ImageGradients {
            features,
            transmittance,
            depth,
        } = v_images;
        let given = [&features, &transmittance, &depth].into_iter().flatten();
        let device = given.map(B::float_device).next().unwrap_or_default();
        let read = |v_features| read_one("gradient of the features", tensor::<B, 4>(v_features));
        let features: Option<Buffer<T>> = features.map(read).transpose()?;
        let read = |v_plane| read_one("gradient of a plane", tensor::<B, 3>(v_plane));
        let incoming = Self {
            zeros: match &features {
                Some(_) => Vec::new(),
                None => vec![T::ZERO; shapes.features.iter().product()],
            },
            features,
            transmittance: transmittance.map(read).transpose()?,
            depth: depth.map(read).transpose()?,
        };
        Ok((incoming, device))
    }

    fn image(&self) -> Image<&[T]> {
        let features = self.features.as_ref();
        Image::from_features(features.map_or(&*self.zeros, Buffer::as_slice))
            .with_transmittance(self.transmittance.as_ref().map(Buffer::as_slice))
            .with_depth(self.depth.as_ref().map(Buffer::as_slice))
    }

    /// Gives the memory to the next images of `host`.
    ///
    /// The forward pass gave its images to Burn. The gradients with respect to them have their
    /// sizes, so that the next images fit in. The workspace does not grow, because each backward
    /// pass returns no more than its forward pass took. Converted images were copied, and their
    /// buffers are in the workspace already.
    fn recycle(self, host: &Host<T>) {
        if host.dtype.size() == T::dtype().size() {
            let given = [self.features, self.transmittance, self.depth];
            for gradient in given.into_iter().flatten() {
                gradient.recycle(&host.workspace);
            }
            host.workspace.recycle(self.zeros);
        }
    }
}
