//! Renders on the CPU. The input tensors are read to the host, and the results are converted to
//! tensors.

use std::fmt;
use std::sync::Arc;

use burn::tensor::DType;
use burn::tensor::backend::Backend;
use burn::tensor::ops::FloatTensor;
use splat::{
    Cpu, Gaussians, Gradients, Image, RenderConfig, RenderError, Saved, Scene, Views, Wanted,
};

use crate::data::{Buffer, Precision, tensor_from_vec};
use crate::error::Error;
use crate::inputs::{Inputs, Read, read_one};
use crate::layout::Layout;
use crate::op::tensor;
use crate::poses::set_poses;
use crate::tape::{Forward, Recording, Tape, image_shapes, input_shapes, wanted};

/// The saved state for the backward pass.
struct HostTape<T: Precision> {
    gaussians: Gaussians<Buffer<T>>,
    backgrounds: Buffer<T>,
    /// The rendered views. They contain the poses of the pose tensor if one was passed.
    views: Views,
    saved: Saved<Cpu<T>>,
    /// The element type of the input tensors. Images and gradients are rounded to it.
    dtype: DType,
}

impl<T: Precision> HostTape<T> {
    /// Reads `inputs` and renders them.
    fn record<B: Backend>(
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
        let (image, saved) = splat::render(&Cpu::<T>::new(), &scene, config)?;
        Ok((
            image,
            Self {
                gaussians,
                backgrounds,
                views,
                saved,
                dtype,
            },
        ))
    }

    fn layout(&self) -> Layout {
        Layout::new(&self.views, &self.saved.config, self.gaussians.channels)
    }

    fn tensor<B: Backend>(
        &self,
        values: Vec<T>,
        shape: &[usize],
        device: &B::Device,
    ) -> FloatTensor<B> {
        tensor_from_vec::<B, T>(values, shape, self.dtype, device)
    }

    /// Computes the gradients with respect to the inputs from the gradient with respect to the
    /// joined outputs.
    fn gradients(&self, v_joined: &[T], wanted: Wanted) -> Result<Gradients<Vec<T>>, RenderError> {
        let scene = Scene {
            gaussians: self.gaussians.map(Buffer::as_slice),
            views: &self.views,
            backgrounds: self.backgrounds.as_slice(),
        };
        let v_image = self.layout().split(v_joined);
        splat::render_vjp(&Cpu::<T>::new(), &scene, &self.saved, &v_image, wanted)
    }
}

/// Burn prints the states of its graph. The buffers are left out because of their length.
impl<T: Precision> fmt::Debug for HostTape<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostTape")
            .field("dtype", &self.dtype)
            .field("gaussians", &self.gaussians.count)
            .field("layout", &self.layout())
            .finish_non_exhaustive()
    }
}

/// Renders without saving state for a backward pass.
pub(crate) fn forward<B: Backend, T: Precision>(
    inputs: Inputs<B>,
    views: &Views,
    config: &RenderConfig,
) -> Result<Forward<B>, Error> {
    let device = inputs.device();
    let (image, tape) = HostTape::<T>::record(inputs, views, config)?;
    let shapes = image_shapes(tape.layout(), config.layers.len());
    let put = |values, shape: &[usize]| tape.tensor::<B>(values, shape, &device);
    Ok(Image::from_features(put(image.features, &shapes.features))
        .with_transmittance(image.transmittance.map(|plane| put(plane, &shapes.plane)))
        .with_depth(image.depth.map(|plane| put(plane, &shapes.plane)))
        .with_layers(image.layers.map(|images| put(images, &shapes.layers)))
        .with_layer_transmittance(
            image
                .layer_transmittance
                .map(|planes| put(planes, &shapes.layer_transmittance)),
        ))
}

/// Renders and saves the state for the backward pass.
pub(crate) fn record<B: Backend, T: Precision>(
    inputs: Inputs<B>,
    views: &Views,
    config: &RenderConfig,
) -> Result<Recording<B>, Error> {
    let device = inputs.device();
    let (mut image, tape) = HostTape::<T>::record(inputs, views, config)?;
    let layout = tape.layout();
    let shapes = image_shapes(layout, config.layers.len());
    let put = |values, shape: &[usize]| tape.tensor::<B>(values, shape, &device);
    let layers = image.layers.take();
    let layer_transmittance = image.layer_transmittance.take();
    Ok(Recording {
        layers: layers.map(|images| put(images, &shapes.layers)),
        layer_transmittance: layer_transmittance
            .map(|planes| put(planes, &shapes.layer_transmittance)),
        joined: put(Layout::join(image), &[layout.elements()]),
        layout,
        tape: Arc::new(tape),
    })
}

impl<B: Backend, T: Precision> Tape<B> for HostTape<T> {
    fn vjp(
        &self,
        v_joined: FloatTensor<B>,
        tracked: [bool; 7],
    ) -> Result<[Option<FloatTensor<B>>; 7], Error> {
        let device = B::float_device(&v_joined);
        let v_joined = read_one::<B, T, 1>("gradient of the rendered tensor", tensor(v_joined))?;
        let wanted = wanted(tracked);
        let gradients = self.gradients(v_joined.as_slice(), wanted)?;
        let shapes = input_shapes(
            self.gaussians.count,
            self.gaussians.channels,
            self.views.len(),
        );
        let mut outgoing = [const { None }; 7];
        for (i, (gradient, shape)) in gradients.into_buffers().into_iter().zip(shapes).enumerate() {
            if tracked[i] {
                outgoing[i] = Some(self.tensor::<B>(gradient, &shape, &device));
            }
        }
        Ok(outgoing)
    }
}
