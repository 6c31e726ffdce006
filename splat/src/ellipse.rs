//! Splats that are not projections of Gaussians, such as those of a fit to one image.

use crate::error::{RenderError, checked_product};
use crate::gaussians::{check_channels, check_len};
use crate::splats::check_offsets;
use crate::statistics::SplatStatistics;

/// M Gaussian ellipses in the images of B views, with C feature channels.
///
/// View `b` shows the ellipses `offsets[b] .. offsets[b + 1]`. `V` is the type of a buffer: a slice
/// or a device buffer. An ellipse is culled if one of its values or the inverse of its shape is not
/// finite, its shape is not positive definite, its opacity is below `alpha_min`, or its box
/// contains no pixel centre of the image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ellipses<'a, V> {
    /// Centres `[M, 2]` as x, y, px. Pixel (row i, column j) is sampled at `(j + 0.5, i + 0.5)`.
    pub means: V,
    /// Symmetric matrices `[M, 3]` as xx, xy, yy. `kind` states their meaning. No blur is added.
    pub shapes: V,
    /// The meaning of `shapes`.
    pub kind: Shapes,
    /// Opacities `[M]`, normally in `[0, 1]`.
    pub opacities: V,
    /// Depths `[M]` of any unit. Ellipses are composited in ascending order of depth, and those of
    /// equal depth in ascending order of their indices.
    pub depths: V,
    /// Features `[M, C]` of any unit and sign.
    pub features: V,
    /// Index of each view's first ellipse, `[B + 1]`, ascending from 0. The last entry is M.
    pub offsets: &'a [usize],
    /// The number C of feature channels, at least 1.
    pub channels: usize,
}

/// The meaning of the symmetric matrices of [`Ellipses`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shapes {
    /// Covariances, px^2.
    Covariances,
    /// Inverse covariances, px^-2.
    Conics,
}

/// The gradients of a render of [`Ellipses`]. Buffers that are not wanted are empty.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EllipsesGradient<S> {
    /// Gradient with respect to the centres, `[M, 2]`.
    pub means: S,
    /// Gradient with respect to the shapes, `[M, 3]`. That of xy is the derivative with respect to
    /// the one value in both off-diagonal entries.
    pub shapes: S,
    /// Gradient with respect to the opacities, `[M]`.
    pub opacities: S,
    /// Gradient with respect to the depths, `[M]`, through the depth image. The order has no
    /// gradient.
    pub depths: S,
    /// Gradient with respect to the features, `[M, C]`.
    pub features: S,
    /// Gradient with respect to the backgrounds, `[B, C]`.
    pub backgrounds: S,
    /// Statistics of the ellipses, if they are wanted.
    pub statistics: Option<SplatStatistics<S>>,
}

impl<V> Ellipses<'_, V> {
    /// Returns the number M of ellipses.
    pub fn len(&self) -> usize {
        self.offsets.last().copied().unwrap_or(0)
    }

    /// Returns whether there are no ellipses.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Checks the offsets, the number of channels and the length of every buffer. `len` returns the
    /// length of a buffer.
    ///
    /// # Errors
    /// - [`RenderError::Config`] if `channels` is 0 or exceeds 32 bits.
    /// - [`RenderError::Shape`] if `offsets` is empty, does not start at 0 or descends, or names the
    ///   first buffer with a wrong length.
    /// - [`RenderError::Capacity`] if the number of ellipses exceeds 32-bit indices, or the number of
    ///   elements of a shape overflows.
    pub fn validate(&self, len: impl Fn(&V) -> usize) -> Result<(), RenderError> {
        check_channels("ellipses.channels", self.channels)?;
        check_offsets("ellipses.offsets", self.offsets)?;
        let (m, c) = (self.len(), self.channels);
        checked_product("ellipses.features", &[m, c])?;
        check_len("ellipses.means", "[M, 2]", &[m, 2], len(&self.means))?;
        check_len("ellipses.shapes", "[M, 3]", &[m, 3], len(&self.shapes))?;
        check_len("ellipses.opacities", "[M]", &[m], len(&self.opacities))?;
        check_len("ellipses.depths", "[M]", &[m], len(&self.depths))?;
        check_len("ellipses.features", "[M, C]", &[m, c], len(&self.features))
    }
}
