//! The inputs of a render of ellipses.

use burn::tensor::backend::{AutodiffBackend, Backend};
use burn::tensor::{DType, Tensor, Transaction};
use splat::Wanted;
use splat::ellipses::{EllipseScene, Ellipses, EllipsesGradient, Shapes};

use super::{Common, Inputs, TrackedInputs, read_six};
use crate::data::{Buffer, Precision};
use crate::ellipses::{EllipseTensors, EllipseViews};
use crate::error::Error;
use crate::op::{Parents, tracked};

/// The number of inputs of a render of ellipses: means, shapes, opacities, depths, features,
/// background, in this order.
pub(crate) const INPUTS: usize = 6;

/// The input tensors of a render of ellipses.
pub(crate) struct EllipseInputs<'a, B: Backend> {
    pub(crate) ellipses: EllipseTensors<B>,
    /// `[V, C]`
    pub(crate) background: Tensor<B, 2>,
    pub(crate) views: &'a EllipseViews,
}

/// The inputs as buffers of a backend of `splat`.
pub(crate) struct EllipseBuffers<S> {
    pub(crate) means: S,
    pub(crate) shapes: S,
    pub(crate) opacities: S,
    pub(crate) depths: S,
    pub(crate) features: S,
    pub(crate) backgrounds: S,
    pub(crate) kind: Shapes,
    pub(crate) views: EllipseViews,
    pub(crate) channels: usize,
}

impl<B: Backend> EllipseInputs<'_, B> {
    /// The number of channels.
    pub(crate) fn channels(&self) -> usize {
        self.ellipses.features.dims()[1]
    }

    /// Reads every tensor to the host once.
    pub(crate) fn read<T: Precision>(self) -> Result<EllipseBuffers<Buffer<T>>, Error> {
        let channels = self.channels();
        let EllipseTensors {
            means,
            shapes,
            kind,
            opacities,
            depths,
            features,
        } = self.ellipses;
        let transaction = Transaction::default()
            .register(means)
            .register(shapes)
            .register(opacities)
            .register(depths)
            .register(features)
            .register(self.background);
        let [means, shapes, opacities, depths, features, backgrounds] = read_six(transaction)?;
        Ok(EllipseBuffers {
            means: Buffer::new("ellipses.means", means)?,
            shapes: Buffer::new("ellipses.shapes", shapes)?,
            opacities: Buffer::new("ellipses.opacities", opacities)?,
            depths: Buffer::new("ellipses.depths", depths)?,
            features: Buffer::new("ellipses.features", features)?,
            backgrounds: Buffer::new("background", backgrounds)?,
            kind,
            views: self.views.clone(),
            channels,
        })
    }
}

impl<B: Backend> Inputs<B, INPUTS> for EllipseInputs<'_, B> {
    fn means(&self) -> &'static str {
        "ellipses.means"
    }

    fn dtype(&self) -> DType {
        self.ellipses.means.dtype()
    }

    fn device(&self) -> B::Device {
        self.ellipses.means.device()
    }

    /// The last offset must be the number of ellipses. `splat` checks the other offsets.
    fn check(&self) -> Result<(), Error> {
        let EllipseTensors {
            means,
            shapes,
            kind: _,
            opacities,
            depths,
            features,
        } = &self.ellipses;
        let (m, c, v) = (means.dims()[0], self.channels(), self.views.len());
        let common = Common::of(means);
        common.check("ellipses.means", means, "[M, 2]", [m, 2])?;
        common.check("ellipses.shapes", shapes, "[M, 3]", [m, 3])?;
        common.check("ellipses.opacities", opacities, "[M]", [m])?;
        common.check("ellipses.depths", depths, "[M]", [m])?;
        let symbols = "[M, C >= 1]";
        common.check("ellipses.features", features, symbols, [m, c.max(1)])?;
        common.check("background", &self.background, "[V, C]", [v, c])?;
        match self.views.offsets.last() {
            Some(&last) if last != m => Err(Error::Value {
                argument: "views.offsets",
                expected: format!("M = {m} as the last offset, the number of ellipses"),
                got: last.to_string(),
            }),
            _ => Ok(()),
        }
    }
}

impl<'a, B: AutodiffBackend> TrackedInputs<B, INPUTS> for EllipseInputs<'a, B> {
    type Inner = EllipseInputs<'a, B::InnerBackend>;

    fn parents(&self) -> Result<Parents<B::InnerBackend, INPUTS>, Error> {
        let of = &self.ellipses;
        Ok([
            tracked(of.means.clone())?,
            tracked(of.shapes.clone())?,
            tracked(of.opacities.clone())?,
            tracked(of.depths.clone())?,
            tracked(of.features.clone())?,
            tracked(self.background.clone())?,
        ])
    }

    fn inner(self) -> Self::Inner {
        let of = self.ellipses;
        EllipseInputs {
            ellipses: EllipseTensors {
                means: of.means.inner(),
                shapes: of.shapes.inner(),
                kind: of.kind,
                opacities: of.opacities.inner(),
                depths: of.depths.inner(),
                features: of.features.inner(),
            },
            background: self.background.inner(),
            views: self.views,
        }
    }
}

impl<S> EllipseBuffers<S> {
    /// The scene, with every buffer borrowed by `view`.
    pub(crate) fn scene<'a, V>(&'a self, view: impl Fn(&'a S) -> V) -> EllipseScene<'a, V> {
        EllipseScene {
            ellipses: Ellipses {
                means: view(&self.means),
                shapes: view(&self.shapes),
                kind: self.kind,
                opacities: view(&self.opacities),
                depths: view(&self.depths),
                features: view(&self.features),
                offsets: &self.views.offsets,
                channels: self.channels,
            },
            backgrounds: view(&self.backgrounds),
            width: self.views.width,
            height: self.views.height,
        }
    }

    /// The number of ellipses.
    pub(crate) fn count(&self) -> usize {
        self.views.offsets.last().copied().unwrap_or(0)
    }

    /// Number of images, height and width.
    pub(crate) fn size(&self) -> [usize; 3] {
        [self.views.len(), self.views.height, self.views.width]
    }

    /// The shapes of the inputs.
    pub(crate) fn shapes(&self) -> [Vec<usize>; INPUTS] {
        let (m, c, v) = (self.count(), self.channels, self.views.len());
        [
            vec![m, 2],
            vec![m, 3],
            vec![m],
            vec![m],
            vec![m, c],
            vec![v, c],
        ]
    }
}

/// Converts the `tracked` flags of the inputs to the groups of gradients of a vjp.
pub(crate) fn wanted(tracked: [bool; INPUTS]) -> Wanted {
    Wanted::NONE
        .with_geometry(tracked[..4].contains(&true))
        .with_features(tracked[4])
        .with_backgrounds(tracked[5])
}

/// Returns the gradients in the order of the inputs.
pub(crate) fn into_buffers<S>(v: EllipsesGradient<S>) -> [S; INPUTS] {
    [
        v.means,
        v.shapes,
        v.opacities,
        v.depths,
        v.features,
        v.backgrounds,
    ]
}
