//! What a forward pass keeps, and the vjp that reads it: splat's own, without Burn's graph.

use std::fmt;

use burn::tensor::DType;
use burn::tensor::backend::Backend;
use splat::{
    Cpu, Gaussians, Gradients, Image, RenderConfig, RenderError, Saved, Scene, Views, Wanted,
};

use crate::data::{Buffer, Precision};
use crate::error::Error;
use crate::inputs::{Inputs, Read};

/// What the backward pass reads.
pub(crate) struct Tape<T: Precision> {
    gaussians: Gaussians<Buffer<T>>,
    backgrounds: Buffer<T>,
    /// The views as rendered: with the poses that came as a tensor.
    views: Views,
    saved: Saved<Cpu<T>>,
    /// The element type of the tensors, to which gradients are rounded.
    pub(crate) dtype: DType,
}

/// Where the outputs of a render lie in one buffer: features, then transmittance, then depth.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Layout {
    /// `[V, H, W, C]`
    pub(crate) shape: [usize; 4],
    /// Whether a transmittance plane `[V, H, W]` follows.
    pub(crate) transmittance: bool,
    /// Whether a depth plane `[V, H, W]` follows.
    pub(crate) depth: bool,
}

impl Layout {
    /// Elements of the feature images.
    pub(crate) fn features(&self) -> usize {
        self.shape.iter().product()
    }

    /// Elements of one plane.
    pub(crate) fn plane(&self) -> usize {
        self.shape[..3].iter().product()
    }

    /// Elements of one buffer with everything.
    pub(crate) fn elements(&self) -> usize {
        let planes = usize::from(self.transmittance) + usize::from(self.depth);
        self.features() + planes * self.plane()
    }

    /// The outputs in one buffer. Moves the features where nothing follows them.
    pub(crate) fn join<T: Copy>(image: Image<Vec<T>>) -> Vec<T> {
        let mut joined = image.features;
        for plane in [image.transmittance, image.depth].into_iter().flatten() {
            joined.extend_from_slice(&plane);
        }
        joined
    }

    /// The parts of one buffer; inverse of [`Layout::join`].
    fn split<'a, T>(&self, joined: &'a [T]) -> Image<&'a [T]> {
        let (features, mut rest) = joined.split_at(self.features());
        let mut plane = |present: bool| {
            present.then(|| {
                let (plane, after) = rest.split_at(self.plane());
                rest = after;
                plane
            })
        };
        Image {
            features,
            transmittance: plane(self.transmittance),
            depth: plane(self.depth),
            layers: None,
        }
    }
}

impl<T: Precision> Tape<T> {
    /// Reads `inputs` and renders them.
    pub(crate) fn record<B: Backend>(
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

    /// Where the outputs lie in one buffer.
    pub(crate) fn layout(&self) -> Layout {
        let Views { width, height, .. } = self.views;
        let outputs = self.saved.config.outputs;
        Layout {
            shape: [self.views.len(), height, width, self.gaussians.channels],
            transmittance: outputs.transmittance,
            depth: outputs.depth,
        }
    }

    /// The number L of prefix images.
    pub(crate) fn layers(&self) -> usize {
        self.saved.config.layers.len()
    }

    /// The shapes of the seven inputs, in the order of the operation's parents.
    pub(crate) fn input_shapes(&self) -> [Vec<usize>; 7] {
        let (n, c, v) = (
            self.gaussians.count,
            self.gaussians.channels,
            self.views.len(),
        );
        [
            vec![n, 3],
            vec![n, 3],
            vec![n, 4],
            vec![n],
            vec![n, c],
            vec![v, c],
            vec![v, 3, 4],
        ]
    }

    /// The gradients by the inputs, given that by the outputs in one buffer.
    pub(crate) fn vjp(
        &self,
        v_joined: &[T],
        wanted: Wanted,
    ) -> Result<Gradients<Vec<T>>, RenderError> {
        let scene = Scene {
            gaussians: self.gaussians.map(Buffer::as_slice),
            views: &self.views,
            backgrounds: self.backgrounds.as_slice(),
        };
        let v_image = self.layout().split(v_joined);
        splat::render_vjp(&Cpu::<T>::new(), &scene, &self.saved, &v_image, wanted)
    }
}

/// Burn prints the states of its graph; the buffers themselves would fill screens.
impl<T: Precision> fmt::Debug for Tape<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tape")
            .field("dtype", &self.dtype)
            .field("gaussians", &self.gaussians.count)
            .field("layout", &self.layout())
            .finish_non_exhaustive()
    }
}

/// Replaces `camera_from_world` of every camera by rows of `poses`, `[V, 3, 4]`.
fn set_poses<T: Precision>(views: &mut Views, poses: &[T]) {
    for (camera, pose) in views.cameras.iter_mut().zip(poses.chunks_exact(12)) {
        for (to, &from) in camera
            .camera_from_world
            .as_flattened_mut()
            .iter_mut()
            .zip(pose)
        {
            *to = from.to_f64();
        }
    }
}
