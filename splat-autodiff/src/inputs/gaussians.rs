//! The inputs of a render of Gaussians.

use burn::tensor::backend::{AutodiffBackend, Backend};
use burn::tensor::{DType, Tensor, Transaction};
use splat::encoding::{Encoding, Features};
use splat::{Gaussians, Scene, Views, Wanted};

use super::{Common, Inputs, TrackedInputs, read_one, read_six};
use crate::cameras::{CameraTensors, set_intrinsics, set_poses};
use crate::data::{Buffer, Precision};
use crate::error::Error;
use crate::gaussians::GaussianTensors;
use crate::op::{Parents, tracked};

/// The number of inputs of a render of Gaussians: means, scales, quaternions, opacities, features,
/// background, poses, intrinsics, in this order.
pub(crate) const INPUTS: usize = 8;

/// The input tensors of a render of Gaussians.
pub(crate) struct GaussianInputs<'a, B: Backend> {
    pub(crate) gaussians: GaussianTensors<B>,
    /// `[V, C]`
    pub(crate) background: Tensor<B, 2>,
    pub(crate) cameras: CameraTensors<B>,
    pub(crate) views: &'a Views,
    /// The meaning of scales, opacities and features.
    pub(crate) encoding: Encoding,
}

/// The inputs as buffers of a backend of `splat`.
pub(crate) struct GaussianBuffers<S> {
    pub(crate) gaussians: Gaussians<S>,
    pub(crate) backgrounds: S,
    /// The rendered views, with the poses and intrinsics of the tensors.
    pub(crate) views: Views,
}

impl<B: Backend> GaussianInputs<'_, B> {
    /// The number of Gaussians.
    pub(crate) fn count(&self) -> usize {
        self.gaussians.means.dims()[0]
    }

    /// The number of channels. The features have as many columns unless they are harmonics.
    pub(crate) fn channels(&self) -> usize {
        match self.encoding.features {
            Features::Harmonics { .. } => self.background.dims()[1],
            Features::PerGaussian | Features::PerSplat => self.gaussians.features.dims()[1],
        }
    }

    /// Reads every tensor to the host once.
    pub(crate) fn read<T: Precision>(self) -> Result<GaussianBuffers<Buffer<T>>, Error> {
        let (count, channels, encoding) = (self.count(), self.channels(), self.encoding);
        let views = views_of::<B, T>(self.views, self.cameras)?;
        let GaussianTensors {
            means,
            scales,
            quaternions,
            opacities,
            features,
        } = self.gaussians;
        // One transaction synchronises a device once instead of six times.
        let transaction = Transaction::default()
            .register(means)
            .register(scales)
            .register(quaternions)
            .register(opacities)
            .register(features)
            .register(self.background);
        let [means, scales, quaternions, opacities, features, backgrounds] = read_six(transaction)?;
        Ok(GaussianBuffers {
            gaussians: Gaussians {
                means: Buffer::new("gaussians.means", means)?,
                scales: Buffer::new("gaussians.scales", scales)?,
                quaternions: Buffer::new("gaussians.quaternions", quaternions)?,
                opacities: Buffer::new("gaussians.opacities", opacities)?,
                features: Buffer::new("gaussians.features", features)?,
                count,
                channels,
                encoding,
            },
            backgrounds: Buffer::new("background", backgrounds)?,
            views,
        })
    }
}

/// Returns `views` with the poses and intrinsics of `cameras`, which are read to the host.
///
/// # Errors
/// Those of [`read_one`] and [`set_intrinsics`].
pub(crate) fn views_of<B: Backend, T: Precision>(
    views: &Views,
    cameras: CameraTensors<B>,
) -> Result<Views, Error> {
    let mut views = views.clone();
    if let Some(poses) = cameras.poses {
        let poses = read_one::<B, T, 3>("cameras.poses", poses)?;
        set_poses(&mut views, poses.as_slice());
    }
    if let Some(intrinsics) = cameras.intrinsics {
        let intrinsics = read_one::<B, T, 2>("cameras.intrinsics", intrinsics)?;
        set_intrinsics(&mut views, intrinsics.as_slice())?;
    }
    Ok(views)
}

impl<B: Backend> Inputs<B, INPUTS> for GaussianInputs<'_, B> {
    fn means(&self) -> &'static str {
        "gaussians.means"
    }

    fn dtype(&self) -> DType {
        self.gaussians.means.dtype()
    }

    fn device(&self) -> B::Device {
        self.gaussians.means.device()
    }

    /// The shapes of background, poses and intrinsics must match the number of views.
    fn check(&self) -> Result<(), Error> {
        let GaussianTensors {
            means,
            scales,
            quaternions,
            opacities,
            features,
        } = &self.gaussians;
        let (n, c, v) = (self.count(), self.channels(), self.views.len());
        let common = Common::of(means);
        common.check("gaussians.means", means, "[N, 3]", [n, 3])?;
        common.check("gaussians.scales", scales, "[N, 3]", [n, 3])?;
        common.check("gaussians.quaternions", quaternions, "[N, 4]", [n, 4])?;
        common.check("gaussians.opacities", opacities, "[N]", [n])?;
        // No scene has features of zero channels, so that the message states the least number.
        let symbols = match self.encoding.features {
            Features::PerGaussian => "[N, C >= 1]",
            Features::PerSplat => "[M, C >= 1]",
            Features::Harmonics { .. } => "[N, K C]",
        };
        let dims = features_dims(self.encoding, [n, c.max(1)], self.views);
        common.check("gaussians.features", features, symbols, dims)?;
        common.check("background", &self.background, "[V, C]", [v, c])?;
        if let Some(poses) = &self.cameras.poses {
            common.check("cameras.poses", poses, "[V, 3, 4]", [v, 3, 4])?;
        }
        match &self.cameras.intrinsics {
            Some(intrinsics) => common.check("cameras.intrinsics", intrinsics, "[V, 4]", [v, 4]),
            None => Ok(()),
        }
    }
}

impl<'a, B: AutodiffBackend> TrackedInputs<B, INPUTS> for GaussianInputs<'a, B> {
    type Inner = GaussianInputs<'a, B::InnerBackend>;

    fn parents(&self) -> Result<Parents<B::InnerBackend, INPUTS>, Error> {
        let of = &self.gaussians;
        let constant = || tracked(Tensor::<B, 2>::from_inner(self.background.clone().inner()));
        Ok([
            tracked(of.means.clone())?,
            tracked(of.scales.clone())?,
            tracked(of.quaternions.clone())?,
            tracked(of.opacities.clone())?,
            tracked(of.features.clone())?,
            tracked(self.background.clone())?,
            match &self.cameras.poses {
                Some(poses) => tracked(poses.clone())?,
                None => constant()?,
            },
            match &self.cameras.intrinsics {
                Some(intrinsics) => tracked(intrinsics.clone())?,
                None => constant()?,
            },
        ])
    }

    fn inner(self) -> Self::Inner {
        let (gaussians, cameras) = (self.gaussians, self.cameras);
        GaussianInputs {
            gaussians: GaussianTensors {
                means: gaussians.means.inner(),
                scales: gaussians.scales.inner(),
                quaternions: gaussians.quaternions.inner(),
                opacities: gaussians.opacities.inner(),
                features: gaussians.features.inner(),
            },
            background: self.background.inner(),
            cameras: CameraTensors {
                poses: cameras.poses.map(Tensor::inner),
                intrinsics: cameras.intrinsics.map(Tensor::inner),
            },
            views: self.views,
            encoding: self.encoding,
        }
    }
}

impl<S> GaussianBuffers<S> {
    /// The scene, with every buffer borrowed by `view`.
    pub(crate) fn scene<'a, V>(&'a self, view: impl Fn(&'a S) -> V) -> Scene<'a, V> {
        Scene {
            gaussians: self.gaussians.map(&view),
            views: &self.views,
            backgrounds: view(&self.backgrounds),
        }
    }

    /// Number of images, height and width.
    pub(crate) fn size(&self) -> [usize; 3] {
        [self.views.len(), self.views.height, self.views.width]
    }

    /// The shapes of the inputs.
    pub(crate) fn shapes(&self) -> [Vec<usize>; INPUTS] {
        let Gaussians {
            count: n,
            channels: c,
            encoding,
            ..
        } = self.gaussians;
        let v = self.views.len();
        [
            vec![n, 3],
            vec![n, 3],
            vec![n, 4],
            vec![n],
            features_dims(encoding, [n, c], &self.views).to_vec(),
            vec![v, c],
            vec![v, 3, 4],
            vec![v, 4],
        ]
    }
}

/// The dimensions of the tensor of features: `[N, C]`, `[M, C]` or `[N, K C]`.
fn features_dims(encoding: Encoding, [count, channels]: [usize; 2], views: &Views) -> [usize; 2] {
    if let Some(row) = encoding.features_per_gaussian(channels) {
        return [count, row];
    }
    let lengths = views.ranges.iter().map(ExactSizeIterator::len);
    [lengths.fold(0, usize::saturating_add), channels]
}

/// Converts the `tracked` flags of the inputs to the groups of gradients of a vjp.
pub(crate) fn wanted(tracked: [bool; INPUTS]) -> Wanted {
    Wanted::NONE
        .with_geometry(tracked[..4].contains(&true))
        .with_features(tracked[4])
        .with_backgrounds(tracked[5])
        .with_cameras(tracked[6])
        .with_intrinsics(tracked[7])
}
