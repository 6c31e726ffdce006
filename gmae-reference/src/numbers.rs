//! Copies of tensor values on the host.

use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};

use crate::error::Error;

/// Returns the values of a tensor, row by row.
///
/// # Errors
///
/// [`Error::Render`] if the values are not `f32`.
pub(crate) fn numbers<B: Backend, const D: usize>(tensor: Tensor<B, D>) -> Result<Vec<f32>, Error> {
    let data: TensorData = tensor.into_data();
    data.into_vec()
        .map_err(|error| Error::Render(format!("{error:?}")))
}
