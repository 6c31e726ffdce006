//! Where the outputs of a render lie in one buffer, the operation's one output.

use splat::{Image, RenderConfig, Views};

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
    /// The layout of a render of `views` by `config`.
    pub(crate) fn new(views: &Views, config: &RenderConfig, channels: usize) -> Self {
        Self {
            shape: [views.len(), views.height, views.width, channels],
            transmittance: config.outputs.transmittance,
            depth: config.outputs.depth,
        }
    }

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
