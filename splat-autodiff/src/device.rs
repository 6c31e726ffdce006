//! Renders on the device of the tensors. The kernels of [`splat::Gpu`] read the tensors' buffers,
//! and the buffers that the kernels write become tensors.

use std::fmt;
use std::sync::Arc;

use burn::tensor::backend::Backend;
use burn::tensor::ops::FloatTensor;
use burn::tensor::{DType, Tensor};
use burn_cubecl::CubeRuntime;
use burn_cubecl::tensor::CubeTensor;
use splat::GpuBuffer;
use splat::{Backend as _, Gaussians, Gpu, Image, RenderConfig, Saved, Scene, Views};

use crate::error::Error;
use crate::inputs::{Inputs, read_one};
use crate::layout::Layout;
use crate::op::{primitive, tensor};
use crate::poses::set_poses;
use crate::primitive::{give, take};
use crate::tape::{Forward, Recording, Tape, image_shapes, input_shapes, wanted};

/// The saved state for the backward pass. All of its buffers are on the device.
struct DeviceTape<R: CubeRuntime> {
    gpu: Gpu<R>,
    gaussians: Gaussians<GpuBuffer>,
    backgrounds: GpuBuffer,
    views: Views,
    saved: Saved<Gpu<R>>,
    /// One of the rendered tensors, kept for its client and device.
    like: CubeTensor<R>,
    dtype: DType,
}

impl<R: CubeRuntime> fmt::Debug for DeviceTape<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceTape")
            .field("gpu", &self.gpu)
            .field("gaussians", &self.gaussians.count)
            .finish_non_exhaustive()
    }
}

impl<R: CubeRuntime> DeviceTape<R> {
    /// Renders `inputs`. Only the poses are copied to the host, because cameras are host data.
    fn record<B: Backend>(
        inputs: Inputs<B>,
        views: &Views,
        config: &RenderConfig,
    ) -> Result<(Image<GpuBuffer>, Self), Error> {
        let dtype = inputs.dtype();
        let ([count, _], [_, channels]) = (
            inputs.gaussians.means.dims(),
            inputs.gaussians.features.dims(),
        );
        let mut views = views.clone();
        if let Some(poses) = inputs.poses {
            let poses = read_one::<B, f32, 3>("poses", poses)?;
            set_poses(&mut views, poses.as_slice());
        }
        let of = inputs.gaussians;
        let (means, like) = take::<B, R>("gaussians.means", primitive(of.means))?;
        let gpu = Gpu::from_client(like.client.clone())?;
        let buffer = |argument, tensor| Ok::<_, Error>(take::<B, R>(argument, tensor)?.0);
        let gaussians = Gaussians {
            means,
            scales: buffer("gaussians.scales", primitive(of.scales))?,
            quaternions: buffer("gaussians.quaternions", primitive(of.quaternions))?,
            opacities: buffer("gaussians.opacities", primitive(of.opacities))?,
            features: buffer("gaussians.features", primitive(of.features))?,
            count,
            channels,
            encoding: splat::encoding::Encoding::PLAIN,
        };
        let backgrounds = buffer("background", primitive(inputs.background))?;
        let scene = Scene {
            gaussians: gaussians.map(Gpu::<R>::view),
            views: &views,
            backgrounds: &backgrounds,
        };
        let (image, saved) = splat::render(&gpu, &scene, config)?;
        let tape = Self {
            gpu,
            gaussians,
            backgrounds,
            views,
            saved,
            like,
            dtype,
        };
        Ok((image, tape))
    }

    fn layout(&self) -> Layout {
        Layout::new(&self.views, &self.saved.config, self.gaussians.channels)
    }

    /// Converts the images to tensors.
    fn images<B: Backend>(&self, image: &Image<GpuBuffer>) -> Result<Forward<B>, Error> {
        let put = |buffer: &GpuBuffer, shape: &[usize]| {
            give::<B, R>("the image", buffer, shape, self.dtype, &self.like)
        };
        let shapes = image_shapes(self.layout(), self.saved.config.layers.len());
        let plane = |buffer: &Option<GpuBuffer>| {
            buffer
                .as_ref()
                .map(|buffer| put(buffer, &shapes.plane))
                .transpose()
        };
        Ok(
            Image::from_features(put(&image.features, &shapes.features)?)
                .with_transmittance(plane(&image.transmittance)?)
                .with_depth(plane(&image.depth)?)
                .with_layers(
                    image
                        .layers
                        .as_ref()
                        .map(|images| put(images, &shapes.layers))
                        .transpose()?,
                )
                .with_layer_transmittance(
                    image
                        .layer_transmittance
                        .as_ref()
                        .map(|planes| put(planes, &shapes.layer_transmittance))
                        .transpose()?,
                ),
        )
    }
}

/// Renders without saving state for a backward pass.
pub(crate) fn forward<B: Backend, R: CubeRuntime>(
    inputs: Inputs<B>,
    views: &Views,
    config: &RenderConfig,
) -> Result<Forward<B>, Error> {
    let (image, tape) = DeviceTape::<R>::record(inputs, views, config)?;
    tape.images::<B>(&image)
}

/// Renders and saves the state for the backward pass.
pub(crate) fn record<B: Backend, R: CubeRuntime>(
    inputs: Inputs<B>,
    views: &Views,
    config: &RenderConfig,
) -> Result<Recording<B>, Error> {
    let (image, tape) = DeviceTape::<R>::record(inputs, views, config)?;
    let (layout, images) = (tape.layout(), tape.images::<B>(&image)?);
    let features = tensor::<B, 4>(images.features).reshape([layout.features()]);
    let planes = [images.transmittance, images.depth].into_iter().flatten();
    let planes = planes.map(|plane| tensor::<B, 3>(plane).reshape([layout.plane()]));
    let mut parts: Vec<Tensor<B, 1>> = vec![features];
    parts.extend(planes);
    let joined = match parts.len() {
        1 => parts.remove(0),
        _ => Tensor::cat(parts, 0),
    };
    Ok(Recording {
        joined: primitive(joined),
        layers: images.layers,
        layer_transmittance: images.layer_transmittance,
        layout,
        tape: Arc::new(tape),
    })
}

impl<B: Backend, R: CubeRuntime> Tape<B> for DeviceTape<R> {
    fn vjp(
        &self,
        v_joined: FloatTensor<B>,
        tracked: [bool; 7],
    ) -> Result<[Option<FloatTensor<B>>; 7], Error> {
        let layout = self.layout();
        let v_joined = tensor::<B, 1>(v_joined);
        let mut from = 0;
        let mut part = |len: usize| {
            let part = v_joined.clone().slice(from..from + len);
            from += len;
            let argument = "gradient of the rendered tensor";
            Ok::<_, Error>(take::<B, R>(argument, primitive(part))?.0)
        };
        let features = part(layout.features())?;
        let mut plane = |present: bool| present.then(|| part(layout.plane())).transpose();
        let v_image = Image::from_features(features)
            .with_transmittance(plane(layout.transmittance)?)
            .with_depth(plane(layout.depth)?);
        let scene = Scene {
            gaussians: self.gaussians.map(Gpu::<R>::view),
            views: &self.views,
            backgrounds: &self.backgrounds,
        };
        let wanted = wanted(tracked);
        let v_image = v_image.map(Gpu::<R>::view);
        let gradients = splat::render_vjp(&self.gpu, &scene, &self.saved, &v_image, wanted)?;
        let shapes = input_shapes(
            self.gaussians.count,
            self.gaussians.channels,
            self.views.len(),
        );
        let mut outgoing = [const { None }; 7];
        for (i, gradient) in gradients.into_buffers().iter().enumerate().take(7) {
            if tracked[i] {
                let put = give::<B, R>("a gradient", gradient, &shapes[i], self.dtype, &self.like)?;
                outgoing[i] = Some(put);
            }
        }
        Ok(outgoing)
    }
}
