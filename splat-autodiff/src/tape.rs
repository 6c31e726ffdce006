//! Types shared by the CPU path and the device path: a recorded forward pass, the trait of its
//! backward pass, and the shapes of images and inputs.

use std::fmt::Debug;
use std::sync::Arc;

use burn::tensor::backend::Backend;
use burn::tensor::ops::FloatTensor;
use splat::encoding::Encoding;
use splat::{Gaussians, Image, RenderConfig, Views, Wanted};

use crate::error::Error;

/// A forward pass with the saved state for its backward pass.
pub(crate) struct Recording<B: Backend> {
    /// The images as tensor primitives of the backend, each in its own shape.
    pub(crate) images: Image<FloatTensor<B>>,
    /// The number of culled Gaussians of each view, if they were counted.
    pub(crate) culled: Option<Vec<usize>>,
    /// The saved state for the backward pass.
    pub(crate) tape: Arc<dyn Tape<B>>,
}

/// The gradients with respect to the images of a render. `None` stands for a gradient of zero.
#[derive(Debug)]
pub(crate) struct ImageGradients<F> {
    /// `[V, H, W, C]`
    pub(crate) features: Option<F>,
    /// `[V, H, W]`
    pub(crate) transmittance: Option<F>,
    /// `[V, H, W]`
    pub(crate) depth: Option<F>,
}

// The derived implementation would need `F: Default`.
impl<F> Default for ImageGradients<F> {
    fn default() -> Self {
        Self {
            features: None,
            transmittance: None,
            depth: None,
        }
    }
}

/// The saved state of a forward pass, with its vjp.
pub(crate) trait Tape<B: Backend>: Debug + Send + Sync {
    /// Computes the gradients with respect to the `tracked` inputs from the gradients with respect
    /// to the images. The inputs are, in this order: means, scales, quaternions, opacities,
    /// features, background, poses.
    fn vjp(
        &self,
        v_images: ImageGradients<FloatTensor<B>>,
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

/// The shapes of the images of `views` with `c` channels.
pub(crate) fn image_shapes(views: &Views, config: &RenderConfig, c: usize) -> ImageShapes {
    let (v, h, w, l) = (views.len(), views.height, views.width, config.layers.len());
    ImageShapes {
        features: [v, h, w, c],
        plane: [v, h, w],
        layers: [v, l, h, w, c],
        layer_transmittance: [v, l, h, w],
    }
}

/// The dimensions of the tensor of features: `[N, C]`, `[M, C]` or `[N, K C]`.
pub(crate) fn features_dims(
    encoding: Encoding,
    [count, channels]: [usize; 2],
    views: &Views,
) -> [usize; 2] {
    if let Some(row) = encoding.features_per_gaussian(channels) {
        return [count, row];
    }
    let lengths = views.ranges.iter().map(ExactSizeIterator::len);
    [lengths.fold(0, usize::saturating_add), channels]
}

/// The shapes of the seven inputs of a render.
pub(crate) fn input_shapes(gaussians: &Gaussians<()>, views: &Views) -> [Vec<usize>; 7] {
    let (n, c, v) = (gaussians.count, gaussians.channels, views.len());
    [
        vec![n, 3],
        vec![n, 3],
        vec![n, 4],
        vec![n],
        features_dims(gaussians.encoding, [n, c], views).to_vec(),
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

/// Counts the culled splats of each view. `extents` is `[M, 2]`, and a culled splat has extents of
/// zero. `offsets` has the first splat of each view, then M.
pub(crate) fn culled<T: PartialOrd + Default>(extents: &[T], offsets: &[usize]) -> Vec<usize> {
    let zero = T::default();
    let extents = extents.as_chunks::<2>().0;
    let count = |ends: &[usize]| {
        let visible = |[x, y]: &&[T; 2]| *x > zero && *y > zero;
        let splats = extents.get(ends[0]..ends[1]).unwrap_or_default();
        splats.len() - splats.iter().filter(visible).count()
    };
    offsets.windows(2).map(count).collect()
}
