//! The splats that contribute to each pixel.

/// For every pixel of B images: the splat with the largest weight, that weight, and the number of
/// composited splats. `S` is a buffer of scalars and `I` a buffer of `u32`.
///
/// A render computes the contributors if `config.outputs.contributors` is set. They are part of the
/// saved state, see [`Saved::contributors`](crate::Saved::contributors), because they carry no
/// gradient.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Contributors<S, I> {
    /// The splat with the largest weight `[B, H, W]`, or [`NO_CONTRIBUTOR`] if no splat was
    /// composited. Of equal weights, the nearest splat has precedence.
    ///
    /// The index counts from the first splat of the view. Index `i` in view `b` is the Gaussian
    /// `views.ranges[b].start + i`, and the splat `splats.offsets[b] + i`.
    pub indices: I,
    /// The largest weight `[B, H, W]`: alpha times the transmittance in front of the splat. Zero if
    /// no splat was composited.
    pub weights: S,
    /// The number of composited splats `[B, H, W]`. Splats below `alpha_min` and splats behind the
    /// end of the pixel do not count.
    pub counts: I,
}

/// The index of a pixel without a composited splat in [`Contributors::indices`].
pub const NO_CONTRIBUTOR: u32 = u32::MAX;

impl<S, I> Contributors<S, I> {
    /// Bundles the three buffers.
    pub fn new(indices: I, weights: S, counts: I) -> Self {
        Self {
            indices,
            weights,
            counts,
        }
    }
}
