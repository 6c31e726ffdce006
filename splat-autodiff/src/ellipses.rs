//! Ellipses in the image as Burn tensors.

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use splat::ellipses::Shapes;

/// One list of M ellipses for all images: [`splat::ellipses::Ellipses`] as Burn tensors.
///
/// [`EllipseViews::offsets`] assigns a part of these ellipses to each image. All tensors of a
/// render have one element type and one device.
///
/// An ellipse is culled if one of its values or the inverse of its shape is not finite, its shape
/// is not positive definite, its opacity is below `config.alpha_min`, or its box contains no pixel
/// centre of the image.
#[derive(Debug, Clone)]
pub struct EllipseTensors<B: Backend> {
    /// Centres `[M, 2]` as x, y, px. Pixel (row i, column j) is sampled at `(j + 0.5, i + 0.5)`.
    pub means: Tensor<B, 2>,
    /// Symmetric matrices `[M, 3]` as xx, xy, yy. `kind` states their meaning. No blur is added.
    /// The gradient of xy is the derivative with respect to the one value in both off-diagonal
    /// entries.
    pub shapes: Tensor<B, 2>,
    /// The meaning of `shapes`: covariances, px^2, or conics, px^-2.
    pub kind: Shapes,
    /// Opacities `[M]` in [0, 1].
    pub opacities: Tensor<B, 1>,
    /// Depths `[M]` of any unit. Ellipses are composited in ascending order of depth, and those of
    /// equal depth in ascending order of their indices. The gradient is that through the depth
    /// image. The order has no gradient.
    pub depths: Tensor<B, 1>,
    /// Features `[M, C]` of any sign and unit, C at least 1.
    pub features: Tensor<B, 2>,
}

/// The V images of a render of ellipses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EllipseViews {
    /// Width W of every image, px, 1 to 2^22.
    pub width: usize,
    /// Height H of every image, px, 1 to 2^22.
    pub height: usize,
    /// Index of each image's first ellipse, `[V + 1]`, ascending from 0. The last entry is M.
    /// Image `v` shows the ellipses `offsets[v] .. offsets[v + 1]`.
    pub offsets: Vec<usize>,
}

impl EllipseViews {
    /// Returns one image of `width` x `height` px that shows the ellipses `0..count`.
    pub fn single(width: usize, height: usize, count: usize) -> Self {
        Self {
            width,
            height,
            offsets: vec![0, count],
        }
    }

    /// Returns the number V of images.
    pub fn len(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    /// Returns whether there are no images.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
