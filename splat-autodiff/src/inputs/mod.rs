//! The input tensors of one render: checks, and reading to the host.

pub(crate) mod ellipses;
pub(crate) mod gaussians;

use burn::tensor::backend::{AutodiffBackend, Backend};
use burn::tensor::{DType, Tensor, TensorData, Transaction};

use crate::data::{Buffer, Precision};
use crate::error::Error;
use crate::op::Parents;

/// The `N` input tensors of one render, and what else it depends on.
pub(crate) trait Inputs<B: Backend, const N: usize> {
    /// The name of the means in the call.
    fn means(&self) -> &'static str;

    /// The element type of the means, which [`Inputs::check`] requires of all tensors.
    fn dtype(&self) -> DType;

    /// The device of the means, which [`Inputs::check`] requires of all tensors.
    fn device(&self) -> B::Device;

    /// Checks that all tensors have consistent shapes, one element type and one device.
    fn check(&self) -> Result<(), Error>;
}

/// The input tensors of a differentiable backend.
pub(crate) trait TrackedInputs<B: AutodiffBackend, const N: usize>: Inputs<B, N> {
    /// The same inputs on the inner backend.
    type Inner: Inputs<B::InnerBackend, N>;

    /// The tensors as tensors of Burn's graph. A constant stands for each optional tensor that is
    /// not present.
    ///
    /// # Errors
    /// [`Error::UnsupportedAutodiff`] if the backend is differentiable by a graph other than
    /// Burn's.
    fn parents(&self) -> Result<Parents<B::InnerBackend, N>, Error>;

    /// The inner tensors, without the autodiff graph.
    fn inner(self) -> Self::Inner;
}

/// The element type and the device that all tensors of a render must have.
struct Common<B: Backend> {
    dtype: DType,
    device: B::Device,
}

impl<B: Backend> Common<B> {
    fn of(means: &Tensor<B, 2>) -> Self {
        Self {
            dtype: means.dtype(),
            device: means.device(),
        }
    }

    fn check<const D: usize>(
        &self,
        argument: &'static str,
        tensor: &Tensor<B, D>,
        symbols: &str,
        expected: [usize; D],
    ) -> Result<(), Error> {
        let Self { dtype, device } = self;
        if tensor.dims() != expected {
            let expected = format!("{symbols} = {expected:?}");
            return Err(Error::shape(argument, expected, &tensor.dims()));
        }
        if tensor.dtype() != *dtype {
            return Err(Error::DType {
                argument,
                expected: format!("{dtype:?}, as the means"),
                got: format!("{:?}", tensor.dtype()),
            });
        }
        if tensor.device() != *device {
            return Err(Error::Device {
                argument,
                expected: format!("{device:?}, as the means"),
                got: format!("{:?}", tensor.device()),
            });
        }
        Ok(())
    }
}

/// Reads the six tensors of `transaction` to the host.
fn read_six<B: Backend>(transaction: Transaction<B>) -> Result<[TensorData; 6], Error> {
    let read = transaction.try_execute();
    read.map_err(|error| Error::read("the tensors", &error))?
        .try_into()
        .map_err(|data: Vec<_>| Error::read("the tensors", &format!("{} instead of 6", data.len())))
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
