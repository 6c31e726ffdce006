//! Renders on the device of the tensors. The kernels of [`splat::Gpu`] read the tensors' buffers,
//! and the buffers that the kernels write become tensors.

use std::fmt;
use std::sync::Arc;

use burn::tensor::DType;
use burn::tensor::backend::Backend;
use burn::tensor::ops::FloatTensor;
use burn_cubecl::CubeRuntime;
use burn_cubecl::tensor::CubeTensor;
use splat::GpuBuffer;
use splat::{Backend as _, Gaussians, Gpu, Image, RenderConfig, Saved, Scene, Views};

use crate::error::Error;
use crate::inputs::{Inputs, read_one};
use crate::op::primitive;
use crate::poses::set_poses;
use crate::primitive::{give, take};
use crate::tape::{ImageGradients, Recording, Tape, culled, image_shapes, input_shapes, wanted};

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
        let (count, channels) = (inputs.count(), inputs.channels());
        let encoding = inputs.encoding;
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
            encoding,
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

    /// Converts the images to tensors.
    fn images<B: Backend>(&self, image: &Image<GpuBuffer>) -> Result<Image<FloatTensor<B>>, Error> {
        let put = |buffer: &Option<GpuBuffer>, shape: &[usize]| {
            let put = |buffer| give::<B, R>("the image", buffer, shape, self.dtype, &self.like);
            buffer.as_ref().map(put).transpose()
        };
        let shapes = image_shapes(&self.views, &self.saved.config, self.gaussians.channels);
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
    fn culled(&self) -> Result<Vec<usize>, Error> {
        let splats = &self.saved.splats;
        let extents = self.gpu.download(&splats.extents)?;
        Ok(culled(&extents, &splats.offsets))
    }
}

/// Renders and saves the state for the backward pass. Counts the culled Gaussians if `count` is
/// set.
pub(crate) fn record<B: Backend, R: CubeRuntime>(
    count: bool,
    inputs: Inputs<B>,
    views: &Views,
    config: &RenderConfig,
) -> Result<Recording<B>, Error> {
    let (image, tape) = DeviceTape::<R>::record(inputs, views, config)?;
    Ok(Recording {
        images: tape.images::<B>(&image)?,
        culled: count.then(|| tape.culled()).transpose()?,
        tape: Arc::new(tape),
    })
}

impl<B: Backend, R: CubeRuntime> Tape<B> for DeviceTape<R> {
    fn vjp(
        &self,
        v_images: ImageGradients<FloatTensor<B>>,
        tracked: [bool; 7],
    ) -> Result<[Option<FloatTensor<B>>; 7], Error> {
        let argument = "gradient of the rendered tensor";
        let buffer = |gradient| Ok::<_, Error>(take::<B, R>(argument, gradient)?.0);
        let features = if let Some(gradient) = v_images.features {
            buffer(gradient)?
        } else {
            let shapes = image_shapes(&self.views, &self.saved.config, self.gaussians.channels);
            let zeros = vec![0.0; shapes.features.iter().product()];
            self.gpu.upload(&zeros)?
        };
        let v_image = Image::from_features(features)
            .with_transmittance(v_images.transmittance.map(buffer).transpose()?)
            .with_depth(v_images.depth.map(buffer).transpose()?);
        let scene = Scene {
            gaussians: self.gaussians.map(Gpu::<R>::view),
            views: &self.views,
            backgrounds: &self.backgrounds,
        };
        let wanted = wanted(tracked);
        let v_image = v_image.map(Gpu::<R>::view);
        let gradients = splat::render_vjp(&self.gpu, &scene, &self.saved, &v_image, wanted)?;
        let shapes = input_shapes(&self.saved.shape, &self.views);
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
