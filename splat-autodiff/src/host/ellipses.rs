//! Renders of ellipses on the CPU.

use std::fmt;
use std::sync::Arc;

use burn::tensor::backend::Backend;
use burn::tensor::ops::FloatTensor;
use splat::ellipses::{SavedEllipses, render_ellipses, render_ellipses_vjp};
use splat::{Cpu, RenderConfig, Workspace};

use super::{Host, Incoming};
use crate::data::{Buffer, Lent, Precision};
use crate::error::Error;
use crate::inputs::Inputs as _;
use crate::inputs::ellipses::{EllipseBuffers, EllipseInputs, INPUTS, into_buffers, wanted};
use crate::tape::{ImageGradients, ImageShapes, Recording, Tape, culled};

/// The saved state for the backward pass.
struct HostTape<T: Precision> {
    host: Host<T>,
    inputs: EllipseBuffers<Buffer<T>>,
    saved: Lent<T, SavedEllipses<Cpu<T>>>,
    shapes: ImageShapes,
}

/// Burn prints the states of its graph. The buffers are left out because of their length.
impl<T: Precision> fmt::Debug for HostTape<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostTape")
            .field("dtype", &self.host.dtype)
            .field("ellipses", &self.inputs.count())
            .field("images", &self.shapes.features)
            .finish_non_exhaustive()
    }
}

/// Renders and saves the state for the backward pass. The buffers come from `workspace`.
pub(crate) fn record<B: Backend, T: Precision>(
    workspace: &Workspace<T>,
    inputs: EllipseInputs<'_, B>,
    config: &RenderConfig,
) -> Result<Recording<B, INPUTS>, Error> {
    let device = inputs.device();
    let host = Host::new(workspace, inputs.dtype());
    let inputs = inputs.read::<T>()?;
    let scene = inputs.scene(Buffer::as_slice);
    let (image, saved) = render_ellipses(&host.backend, &scene, config)?;
    let shapes = ImageShapes::new(inputs.size(), inputs.channels, config);
    Ok(Recording {
        culled: Some(culled(&saved.splats.extents, &saved.splats.offsets)),
        images: host.images::<B>(image, &shapes, &device),
        tape: Arc::new(HostTape {
            host,
            inputs,
            saved: Lent::new(saved, workspace),
            shapes,
        }),
    })
}

impl<B: Backend, T: Precision> Tape<B, INPUTS> for HostTape<T> {
    fn vjp(
        &self,
        v_images: ImageGradients<FloatTensor<B>>,
        tracked: [bool; INPUTS],
    ) -> Result<[Option<FloatTensor<B>>; INPUTS], Error> {
        let (incoming, device) = Incoming::<T>::read::<B>(v_images, &self.shapes)?;
        let scene = self.inputs.scene(Buffer::as_slice);
        let (v_image, wanted) = (incoming.image(), wanted(tracked));
        let v = render_ellipses_vjp(&self.host.backend, &scene, &self.saved, &v_image, wanted)?;
        incoming.recycle(&self.host);
        let (v, shapes) = (into_buffers(v), self.inputs.shapes());
        Ok(self
            .host
            .gradients::<B, INPUTS>(v, &shapes, tracked, &device))
    }
}
