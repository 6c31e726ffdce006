//! Renders of Gaussians on the device of the tensors.

use std::fmt;
use std::sync::Arc;

use burn::tensor::backend::Backend;
use burn::tensor::ops::FloatTensor;
use burn_cubecl::CubeRuntime;
use splat::{Backend as _, Gaussians, Gpu, GpuBuffer, RenderConfig, Saved};

use super::Device;
use crate::error::Error;
use crate::inputs::Inputs as _;
use crate::inputs::gaussians::{GaussianBuffers, GaussianInputs, INPUTS, views_of, wanted};
use crate::op::primitive;
use crate::primitive::take;
use crate::tape::{ImageGradients, ImageShapes, Recording, Tape};

/// The saved state for the backward pass. All of its buffers are on the device.
struct DeviceTape<R: CubeRuntime> {
    device: Device<R>,
    inputs: GaussianBuffers<GpuBuffer>,
    saved: Saved<Gpu<R>>,
    shapes: ImageShapes,
}

impl<R: CubeRuntime> fmt::Debug for DeviceTape<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceTape")
            .field("gpu", &self.device.gpu)
            .field("gaussians", &self.inputs.gaussians.count)
            .finish_non_exhaustive()
    }
}

/// Takes the buffers of `inputs`. Only poses and intrinsics are copied to the host, because cameras
/// are host data.
fn buffers<B: Backend, R: CubeRuntime>(
    inputs: GaussianInputs<'_, B>,
) -> Result<(Device<R>, GaussianBuffers<GpuBuffer>), Error> {
    let dtype = inputs.dtype();
    let (count, channels) = (inputs.count(), inputs.channels());
    let views = views_of::<B, f32>(inputs.views, inputs.cameras)?;
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
        encoding: inputs.encoding,
    };
    let inputs = GaussianBuffers {
        gaussians,
        backgrounds: buffer("background", primitive(inputs.background))?,
        views,
    };
    Ok((Device { gpu, like, dtype }, inputs))
}

/// Renders and saves the state for the backward pass. Counts the culled Gaussians if `count` is
/// set.
pub(crate) fn record<B: Backend, R: CubeRuntime>(
    count: bool,
    inputs: GaussianInputs<'_, B>,
    config: &RenderConfig,
) -> Result<Recording<B, INPUTS>, Error> {
    let (device, inputs) = buffers::<B, R>(inputs)?;
    let scene = inputs.scene(Gpu::<R>::view);
    let (image, saved) = splat::render(&device.gpu, &scene, config)?;
    let shapes = ImageShapes::new(inputs.size(), inputs.gaussians.channels, config);
    Ok(Recording {
        images: device.images::<B>(&image, &shapes)?,
        culled: count.then(|| device.culled(&saved.splats)).transpose()?,
        tape: Arc::new(DeviceTape {
            device,
            inputs,
            saved,
            shapes,
        }),
    })
}

impl<B: Backend, R: CubeRuntime> Tape<B, INPUTS> for DeviceTape<R> {
    fn vjp(
        &self,
        v_images: ImageGradients<FloatTensor<B>>,
        tracked: [bool; INPUTS],
    ) -> Result<[Option<FloatTensor<B>>; INPUTS], Error> {
        let v_image = self.device.incoming::<B>(v_images, &self.shapes)?;
        let (v_image, wanted) = (v_image.map(Gpu::<R>::view), wanted(tracked));
        let scene = self.inputs.scene(Gpu::<R>::view);
        let v = splat::render_vjp(&self.device.gpu, &scene, &self.saved, &v_image, wanted)?;
        let (v, shapes) = (v.into_buffers(), self.inputs.shapes());
        self.device.gradients::<B, INPUTS>(&v, &shapes, tracked)
    }
}
