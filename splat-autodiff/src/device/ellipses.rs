//! Renders of ellipses on the device of the tensors.

use std::fmt;
use std::sync::Arc;

use burn::tensor::backend::Backend;
use burn::tensor::ops::FloatTensor;
use burn_cubecl::CubeRuntime;
use splat::ellipses::{SavedEllipses, render_ellipses, render_ellipses_vjp};
use splat::{Backend as _, Gpu, GpuBuffer, RenderConfig};

use super::Device;
use crate::error::Error;
use crate::inputs::Inputs as _;
use crate::inputs::ellipses::{EllipseBuffers, EllipseInputs, INPUTS, into_buffers, wanted};
use crate::op::primitive;
use crate::primitive::take;
use crate::tape::{ImageGradients, ImageShapes, Recording, Tape};

/// The saved state for the backward pass. All of its buffers are on the device.
struct DeviceTape<R: CubeRuntime> {
    device: Device<R>,
    inputs: EllipseBuffers<GpuBuffer>,
    saved: SavedEllipses<Gpu<R>>,
    shapes: ImageShapes,
}

impl<R: CubeRuntime> fmt::Debug for DeviceTape<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceTape")
            .field("gpu", &self.device.gpu)
            .field("ellipses", &self.inputs.count())
            .finish_non_exhaustive()
    }
}

/// Takes the buffers of `inputs`.
fn buffers<B: Backend, R: CubeRuntime>(
    inputs: EllipseInputs<'_, B>,
) -> Result<(Device<R>, EllipseBuffers<GpuBuffer>), Error> {
    let (dtype, channels) = (inputs.dtype(), inputs.channels());
    let of = inputs.ellipses;
    let (means, like) = take::<B, R>("ellipses.means", primitive(of.means))?;
    let gpu = Gpu::from_client(like.client.clone())?;
    let buffer = |argument, tensor| Ok::<_, Error>(take::<B, R>(argument, tensor)?.0);
    let inputs = EllipseBuffers {
        means,
        shapes: buffer("ellipses.shapes", primitive(of.shapes))?,
        opacities: buffer("ellipses.opacities", primitive(of.opacities))?,
        depths: buffer("ellipses.depths", primitive(of.depths))?,
        features: buffer("ellipses.features", primitive(of.features))?,
        backgrounds: buffer("background", primitive(inputs.background))?,
        kind: of.kind,
        views: inputs.views.clone(),
        channels,
    };
    Ok((Device { gpu, like, dtype }, inputs))
}

/// Renders and saves the state for the backward pass. Counts the culled ellipses if `count` is
/// set.
pub(crate) fn record<B: Backend, R: CubeRuntime>(
    count: bool,
    inputs: EllipseInputs<'_, B>,
    config: &RenderConfig,
) -> Result<Recording<B, INPUTS>, Error> {
    let (device, inputs) = buffers::<B, R>(inputs)?;
    let scene = inputs.scene(Gpu::<R>::view);
    let (image, saved) = render_ellipses(&device.gpu, &scene, config)?;
    let shapes = ImageShapes::new(inputs.size(), inputs.channels, config);
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
        let v = render_ellipses_vjp(&self.device.gpu, &scene, &self.saved, &v_image, wanted)?;
        let (v, shapes) = (into_buffers(v), self.inputs.shapes());
        self.device.gradients::<B, INPUTS>(&v, &shapes, tracked)
    }
}
