//! The layout of a render's outputs in one buffer. The buffer is the single output of the Burn
//! operation.

use splat::{Image, RenderConfig, Views};

/// The layout of a render's outputs in one buffer: features, then transmittance, then depth.
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
    /// The layout of a render of `views` with `config`.
    pub(crate) fn new(views: &Views, config: &RenderConfig, channels: usize) -> Self {
        Self {
            shape: [views.len(), views.height, views.width, channels],
            transmittance: config.outputs.transmittance,
            depth: config.outputs.depth,
        }
    }

    /// The number of elements of the feature images.
    pub(crate) fn features(&self) -> usize {
        self.shape.iter().product()
    }

    /// The number of elements of the transmittance plane or of the depth plane.
    pub(crate) fn plane(&self) -> usize {
        self.shape[..3].iter().product()
    }

    /// The number of elements of the joined buffer.
    pub(crate) fn elements(&self) -> usize {
        let planes = usize::from(self.transmittance) + usize::from(self.depth);
        self.features() + planes * self.plane()
    }

    /// Joins the outputs in one buffer. Without planes the feature buffer is moved, not copied.
    pub(crate) fn join<T: Copy>(image: Image<Vec<T>>) -> Vec<T> {
        let mut joined = image.features;
        for plane in [image.transmittance, image.depth].into_iter().flatten() {
            joined.extend_from_slice(&plane);
        }
        joined
    }

    /// Splits a joined buffer into its parts. Inverse of [`Layout::join`].
    pub(crate) fn split<'a, T>(&self, joined: &'a [T]) -> Image<&'a [T]> {
        let (features, mut rest) = joined.split_at(self.features());
        let mut plane = |present: bool| {
            present.then(|| {
                let (plane, after) = rest.split_at(self.plane());
                rest = after;
                plane
            })
        };
        Image::from_features(features)
            .with_transmittance(plane(self.transmittance))
            .with_depth(plane(self.depth))
    }
}
