//! Types shared by the CPU path and the device path: a recorded forward pass, the trait of its
//! backward pass, and the shapes of images and inputs.

use std::fmt::Debug;
use std::sync::Arc;

use burn::tensor::backend::Backend;
use burn::tensor::ops::FloatTensor;
use splat::{Image, Wanted};

use crate::error::Error;
use crate::layout::Layout;

/// Images as tensor primitives of the backend, each in its own shape.
pub(crate) type Forward<B> = Image<FloatTensor<B>>;

/// A forward pass with the saved state for its backward pass.
pub(crate) struct Recording<B: Backend> {
    /// Features, then transmittance, then depth, as one tensor of rank 1.
    pub(crate) joined: FloatTensor<B>,
    /// `[V, L, H, W, C]`
    pub(crate) layers: Option<FloatTensor<B>>,
    /// `[V, L, H, W]`
    pub(crate) layer_transmittance: Option<FloatTensor<B>>,
    /// The layout of the outputs in `joined`.
    pub(crate) layout: Layout,
    /// The saved state for the backward pass.
    pub(crate) tape: Arc<dyn Tape<B>>,
}

/// The saved state of a forward pass, with its vjp.
pub(crate) trait Tape<B: Backend>: Debug + Send + Sync {
    /// Computes the gradients with respect to the `tracked` inputs from the gradient with respect
    /// to the joined outputs. The inputs are, in this order: means, scales, quaternions, opacities,
    /// features, background, poses.
    fn vjp(
        &self,
        v_joined: FloatTensor<B>,
        tracked: [bool; 7],
    ) -> Result<[Option<FloatTensor<B>>; 7], Error>;
}

/// The shapes of the outputs.
pub(crate) struct ImageShapes {
    pub(crate) features: [usize; 4],
    pub(crate) plane: [usize; 3],
    pub(crate) layers: [usize; 5],
    pub(crate) layer_transmittance: [usize; 4],
}

/// The shapes of images with `layers` prefix images.
pub(crate) fn image_shapes(layout: Layout, layers: usize) -> ImageShapes {
    let [v, h, w, c] = layout.shape;
    ImageShapes {
        features: layout.shape,
        plane: [v, h, w],
        layers: [v, layers, h, w, c],
        layer_transmittance: [v, layers, h, w],
    }
}

/// The shapes of the seven inputs of a render with `n` Gaussians, `c` channels and `v` views.
pub(crate) fn input_shapes(n: usize, c: usize, v: usize) -> [Vec<usize>; 7] {
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

/// Converts the `tracked` flags of the seven inputs to the groups of gradients of a vjp.
pub(crate) fn wanted(tracked: [bool; 7]) -> Wanted {
    Wanted::NONE
        .with_geometry(tracked[..4].contains(&true))
        .with_features(tracked[4])
        .with_backgrounds(tracked[5])
        .with_cameras(tracked[6])
}
