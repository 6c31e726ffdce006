//! The input tensors of one render: checks, and reading to the host.

use burn::tensor::backend::{AutodiffBackend, Backend};
use burn::tensor::{DType, Tensor, TensorData, Transaction};
use splat::encoding::{Encoding, Features};
use splat::{Gaussians, Views};

use crate::data::{Buffer, Precision};
use crate::error::Error;
use crate::gaussians::GaussianTensors;
use crate::op::{Parents, tracked};
use crate::tape::features_dims;

/// The input tensors of one render.
pub(crate) struct Inputs<B: Backend> {
    pub(crate) gaussians: GaussianTensors<B>,
    /// `[V, C]`
    pub(crate) background: Tensor<B, 2>,
    /// `[V, 3, 4]`
    pub(crate) poses: Option<Tensor<B, 3>>,
    /// The meaning of scales, opacities and features.
    pub(crate) encoding: Encoding,
}

/// The data of [`Inputs`] on the host.
pub(crate) struct Read<T> {
    pub(crate) gaussians: Gaussians<Buffer<T>>,
    pub(crate) backgrounds: Buffer<T>,
    pub(crate) poses: Option<Buffer<T>>,
}

impl<B: Backend> Inputs<B> {
    pub(crate) fn new(
        gaussians: &GaussianTensors<B>,
        background: Tensor<B, 2>,
        poses: Option<Tensor<B, 3>>,
        encoding: Encoding,
    ) -> Self {
        Self {
            gaussians: gaussians.clone(),
            background,
            poses,
            encoding,
        }
    }

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

    /// The element type of the means, which [`Inputs::check`] requires of all tensors.
    pub(crate) fn dtype(&self) -> DType {
        self.gaussians.means.dtype()
    }

    /// The device of the means, which [`Inputs::check`] requires of all tensors.
    pub(crate) fn device(&self) -> B::Device {
        self.gaussians.means.device()
    }

    /// Checks that all tensors have consistent shapes, one element type and one device. The shapes
    /// of background and poses must match the number of views.
    pub(crate) fn check(&self, views: &Views) -> Result<(), Error> {
        let GaussianTensors {
            means,
            scales,
            quaternions,
            opacities,
            features,
        } = &self.gaussians;
        let (n, c, v) = (self.count(), self.channels(), views.len());
        self.check_one("gaussians.means", means, "[N, 3]", [n, 3])?;
        self.check_one("gaussians.scales", scales, "[N, 3]", [n, 3])?;
        self.check_one("gaussians.quaternions", quaternions, "[N, 4]", [n, 4])?;
        self.check_one("gaussians.opacities", opacities, "[N]", [n])?;
        // No scene has features of zero channels, so that the message states the least number.
        let symbols = match self.encoding.features {
            Features::PerGaussian => "[N, C >= 1]",
            Features::PerSplat => "[M, C >= 1]",
            Features::Harmonics { .. } => "[N, K C]",
        };
        let dims = features_dims(self.encoding, [n, c.max(1)], views);
        self.check_one("gaussians.features", features, symbols, dims)?;
        self.check_one("background", &self.background, "[V, C]", [v, c])?;
        match &self.poses {
            Some(poses) => self.check_one("poses", poses, "[V, 3, 4]", [v, 3, 4]),
            None => Ok(()),
        }
    }

    fn check_one<const D: usize>(
        &self,
        argument: &'static str,
        tensor: &Tensor<B, D>,
        symbols: &str,
        expected: [usize; D],
    ) -> Result<(), Error> {
        let (dtype, device) = (self.dtype(), self.device());
        if tensor.dims() != expected {
            let expected = format!("{symbols} = {expected:?}");
            return Err(Error::shape(argument, expected, &tensor.dims()));
        }
        if tensor.dtype() != dtype {
            return Err(Error::DType {
                argument,
                expected: format!("{dtype:?}, as the means"),
                got: format!("{:?}", tensor.dtype()),
            });
        }
        if tensor.device() != device {
            return Err(Error::Device {
                argument,
                expected: format!("{device:?}, as the means"),
                got: format!("{:?}", tensor.device()),
            });
        }
        Ok(())
    }

    /// Reads every tensor to the host once.
    pub(crate) fn read<T: Precision>(self) -> Result<Read<T>, Error> {
        let (count, channels, encoding) = (self.count(), self.channels(), self.encoding);
        let GaussianTensors {
            means,
            scales,
            quaternions,
            opacities,
            features,
        } = self.gaussians;
        // One transaction synchronises a device once instead of six times.
        let read = Transaction::default()
            .register(means)
            .register(scales)
            .register(quaternions)
            .register(opacities)
            .register(features)
            .register(self.background)
            .try_execute();
        let data: [TensorData; 6] = read
            .map_err(|error| Error::read("the tensors", &error))?
            .try_into()
            .map_err(|data: Vec<_>| {
                Error::read("the tensors", &format!("{} instead of 6", data.len()))
            })?;
        let [means, scales, quaternions, opacities, features, backgrounds] = data;
        Ok(Read {
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
            poses: self
                .poses
                .map(|poses| read_one("poses", poses))
                .transpose()?,
        })
    }
}

/// Reads one tensor to the host.
pub(crate) fn read_one<B: Backend, T: Precision, const D: usize>(
    argument: &'static str,
    tensor: Tensor<B, D>,
) -> Result<Buffer<T>, Error> {
    let data = tensor
        .try_into_data()
        .map_err(|error| Error::read(argument, &error))?;
    Buffer::new(argument, data)
}

impl<B: AutodiffBackend> Inputs<B> {
    /// The tensors as tensors of Burn's graph. Without poses, the last of them is a constant.
    ///
    /// # Errors
    /// [`Error::UnsupportedAutodiff`] if the backend is differentiable by a graph other than
    /// Burn's.
    pub(crate) fn parents(&self) -> Result<Parents<B::InnerBackend>, Error> {
        let of = &self.gaussians;
        let constant = || Tensor::<B, 2>::from_inner(self.background.clone().inner());
        Ok([
            tracked(of.means.clone())?,
            tracked(of.scales.clone())?,
            tracked(of.quaternions.clone())?,
            tracked(of.opacities.clone())?,
            tracked(of.features.clone())?,
            tracked(self.background.clone())?,
            match &self.poses {
                Some(poses) => tracked(poses.clone())?,
                None => tracked(constant())?,
            },
        ])
    }

    /// The inner tensors, without the autodiff graph.
    pub(crate) fn inner(self) -> Inputs<B::InnerBackend> {
        let gaussians = self.gaussians;
        Inputs {
            gaussians: GaussianTensors {
                means: gaussians.means.inner(),
                scales: gaussians.scales.inner(),
                quaternions: gaussians.quaternions.inner(),
                opacities: gaussians.opacities.inner(),
                features: gaussians.features.inner(),
            },
            background: self.background.inner(),
            poses: self.poses.map(Tensor::inner),
            encoding: self.encoding,
        }
    }
}
