//! Renders on the CPU. The input tensors are read to the host, and the results are converted to
//! tensors.

use std::fmt;
use std::sync::Arc;

use burn::tensor::DType;
use burn::tensor::backend::Backend;
use burn::tensor::ops::FloatTensor;
use splat::{Cpu, Gaussians, Image, RenderConfig, Saved, Scene, Views, Workspace};

use crate::data::{Buffer, Lent, Precision, tensor_from_vec};
use crate::error::Error;
use crate::inputs::{Inputs, Read, read_one};
use crate::op::tensor;
use crate::poses::set_poses;
use crate::tape::{
    ImageGradients, ImageShapes, Recording, Tape, culled, image_shapes, input_shapes, wanted,
};

/// The saved state for the backward pass.
struct HostTape<T: Precision> {
    gaussians: Gaussians<Buffer<T>>,
    backgrounds: Buffer<T>,
    /// The rendered views. They contain the poses of the pose tensor if one was passed.
    views: Views,
    saved: Lent<T, Saved<Cpu<T>>>,
    /// The element type of the input tensors. Images and gradients are rounded to it.
    dtype: DType,
    backend: Cpu<T>,
    /// The workspace of `backend`.
    workspace: Workspace<T>,
}

impl<T: Precision> HostTape<T> {
    /// Reads `inputs` and renders them.
    fn record<B: Backend>(
        workspace: &Workspace<T>,
        inputs: Inputs<B>,
        views: &Views,
        config: &RenderConfig,
    ) -> Result<(Image<Vec<T>>, Self), Error> {
        let dtype = inputs.dtype();
        let Read {
            gaussians,
            backgrounds,
            poses,
        } = inputs.read::<T>()?;
        let mut views = views.clone();
        if let Some(poses) = poses {
            set_poses(&mut views, poses.as_slice());
        }
        let scene = Scene {
            gaussians: gaussians.map(Buffer::as_slice),
            views: &views,
            backgrounds: backgrounds.as_slice(),
        };
        let backend = Cpu::<T>::new().with_workspace(workspace);
        let (image, saved) = splat::render(&backend, &scene, config)?;
        Ok((
            image,
            Self {
                gaussians,
                backgrounds,
                views,
                saved: Lent::new(saved, workspace),
                dtype,
                backend,
                workspace: workspace.clone(),
            },
        ))
    }

    fn shapes(&self) -> ImageShapes {
        image_shapes(&self.views, &self.saved.config, self.gaussians.channels)
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
        device: &B::Device,
    ) -> Image<FloatTensor<B>> {
        let shapes = self.shapes();
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
}

/// Burn prints the states of its graph. The buffers are left out because of their length.
impl<T: Precision> fmt::Debug for HostTape<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostTape")
            .field("dtype", &self.dtype)
            .field("gaussians", &self.gaussians.count)
            .field("images", &self.shapes().features)
            .finish_non_exhaustive()
    }
}

/// Renders and saves the state for the backward pass. The buffers come from `workspace`.
pub(crate) fn record<B: Backend, T: Precision>(
    workspace: &Workspace<T>,
    inputs: Inputs<B>,
    views: &Views,
    config: &RenderConfig,
) -> Result<Recording<B>, Error> {
    let device = inputs.device();
    let (image, tape) = HostTape::<T>::record(workspace, inputs, views, config)?;
    let splats = &tape.saved.splats;
    Ok(Recording {
        culled: Some(culled(&splats.extents, &splats.offsets)),
        images: tape.images::<B>(image, &device),
        tape: Arc::new(tape),
    })
}

impl<B: Backend, T: Precision> Tape<B> for HostTape<T> {
    fn vjp(
        &self,
        v_images: ImageGradients<FloatTensor<B>>,
        tracked: [bool; 7],
    ) -> Result<[Option<FloatTensor<B>>; 7], Error> {
        let ImageGradients {
            features,
            transmittance,
            depth,
        } = v_images;
        let shapes = self.shapes();
        let given = [&features, &transmittance, &depth].into_iter().flatten();
        let device = given.map(B::float_device).next().unwrap_or_default();
        let read = |v_features| read_one("gradient of the features", tensor::<B, 4>(v_features));
        let features: Option<Buffer<T>> = features.map(read).transpose()?;
        let read = |v_plane| read_one("gradient of a plane", tensor::<B, 3>(v_plane));
        let transmittance: Option<Buffer<T>> = transmittance.map(read).transpose()?;
        let depth: Option<Buffer<T>> = depth.map(read).transpose()?;
        let zeros = match &features {
            Some(_) => Vec::new(),
            None => vec![T::ZERO; shapes.features.iter().product()],
        };
        let v_features = features.as_ref().map_or(&*zeros, Buffer::as_slice);
        let v_image = Image::from_features(v_features)
            .with_transmittance(transmittance.as_ref().map(Buffer::as_slice))
            .with_depth(depth.as_ref().map(Buffer::as_slice));
        let scene = Scene {
            gaussians: self.gaussians.map(Buffer::as_slice),
            views: &self.views,
            backgrounds: self.backgrounds.as_slice(),
        };
        let wanted = wanted(tracked);
        let gradients = splat::render_vjp(&self.backend, &scene, &self.saved, &v_image, wanted)?;
        // The forward pass gave its images to Burn. The gradients with respect to them have their
        // sizes, so that the next images fit in. The workspace does not grow, because each backward
        // pass returns no more than its forward pass took. Converted images were copied, and their
        // buffers are in the workspace already.
        if self.dtype.size() == T::dtype().size() {
            for gradient in [features, transmittance, depth].into_iter().flatten() {
                gradient.recycle(&self.workspace);
            }
            self.workspace.recycle(zeros);
        }
        let shapes = input_shapes(&self.saved.shape, &self.views);
        let mut outgoing = [const { None }; 7];
        for (i, (gradient, shape)) in gradients.into_buffers().into_iter().zip(shapes).enumerate() {
            if tracked[i] {
                outgoing[i] = Some(self.tensor::<B>(gradient, &shape, &device));
            } else {
                self.workspace.recycle(gradient);
            }
        }
        Ok(outgoing)
    }
}
