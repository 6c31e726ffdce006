//! The types that both paths of a render share: a recorded forward pass, the trait of its backward
//! pass, and the shapes of the images and of the inputs.

use std::fmt::Debug;
use std::sync::Arc;

use burn::tensor::backend::Backend;
use burn::tensor::ops::FloatTensor;
use splat::{Image, Wanted};

use crate::error::Error;
use crate::layout::Layout;

/// Images as tensors of the backend's own form, in their shapes.
pub(crate) type Forward<B> = Image<FloatTensor<B>>;

/// A forward pass that can be followed by a backward pass.
pub(crate) struct Recording<B: Backend> {
    /// Features, then transmittance, then depth, in one dimension.
    pub(crate) joined: FloatTensor<B>,
    /// `[V, L, H, W, C]`
    pub(crate) layers: Option<FloatTensor<B>>,
    /// Where the outputs lie in `joined`.
    pub(crate) layout: Layout,
    /// What the backward pass reads.
    pub(crate) tape: Arc<dyn Tape<B>>,
}

/// What a forward pass keeps, and the vjp that reads it.
pub(crate) trait Tape<B: Backend>: Debug + Send + Sync {
    /// The gradients with respect to the `tracked` inputs, from that with respect to the joined
    /// outputs. Means, scales, quaternions, opacities, features, background, poses.
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
}

/// The shapes of images with `layers` prefix images.
pub(crate) fn image_shapes(layout: Layout, layers: usize) -> ImageShapes {
    let [v, h, w, c] = layout.shape;
    ImageShapes {
        features: layout.shape,
        plane: [v, h, w],
        layers: [v, layers, h, w, c],
    }
}

/// The shapes of the seven inputs: N Gaussians of C channels, V views.
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

/// What a vjp shall compute so that all `tracked` inputs have their gradient.
pub(crate) fn wanted(tracked: [bool; 7]) -> Wanted {
    Wanted::NONE
        .with_geometry(tracked[..4].contains(&true))
        .with_features(tracked[4])
        .with_backgrounds(tracked[5])
        .with_cameras(tracked[6])
}
