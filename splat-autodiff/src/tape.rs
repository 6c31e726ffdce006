//! Types shared by the CPU path and the device path: a recorded forward pass, the trait of its
//! backward pass, and the shapes of images and inputs.

use std::fmt::Debug;
use std::sync::Arc;

use burn::tensor::backend::Backend;
use burn::tensor::ops::FloatTensor;
use splat::{Image, RenderConfig};

use crate::error::Error;

/// A forward pass of `N` inputs with the saved state for its backward pass.
pub(crate) struct Recording<B: Backend, const N: usize> {
    /// The images as tensor primitives of the backend, each in its own shape.
    pub(crate) images: Image<FloatTensor<B>>,
    /// The number of culled Gaussians or ellipses of each view, if they were counted.
    pub(crate) culled: Option<Vec<usize>>,
    /// The saved state for the backward pass.
    pub(crate) tape: Arc<dyn Tape<B, N>>,
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

/// The saved state of a forward pass of `N` inputs, with its vjp.
pub(crate) trait Tape<B: Backend, const N: usize>: Debug + Send + Sync {
    /// Computes the gradients with respect to the `tracked` inputs from the gradients with respect
    /// to the images. Both arrays have the order of the inputs.
    fn vjp(
        &self,
        v_images: ImageGradients<FloatTensor<B>>,
        tracked: [bool; N],
    ) -> Result<[Option<FloatTensor<B>>; N], Error>;
}

/// The shapes of the outputs.
#[derive(Debug, Clone)]
pub(crate) struct ImageShapes {
    pub(crate) features: [usize; 4],
    pub(crate) plane: [usize; 3],
    pub(crate) layers: [usize; 5],
    pub(crate) layer_transmittance: [usize; 4],
}

impl ImageShapes {
    /// The shapes of `v` images of `h` x `w` px with `c` channels.
    pub(crate) fn new([v, h, w]: [usize; 3], c: usize, config: &RenderConfig) -> Self {
        let l = config.layers.len();
        Self {
            features: [v, h, w, c],
            plane: [v, h, w],
            layers: [v, l, h, w, c],
            layer_transmittance: [v, l, h, w],
        }
    }
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
