//! From tensors to slices and from vectors to tensors, copying nothing that Burn does not copy.

use std::marker::PhantomData;

use burn::tensor::backend::Backend;
use burn::tensor::ops::FloatTensor;
use burn::tensor::{DType, Element, TensorData};
use splat::CpuScalar;

use crate::error::Error;

/// A precision of the CPU backend that is a Burn element too: `f32` and `f64`.
pub(crate) trait Precision: CpuScalar + Element {}
impl<T: CpuScalar + Element> Precision for T {}

/// What was read of a tensor, known to hold aligned elements of type `T`.
///
/// Burn's own bytes are kept: `TensorData::into_vec` would copy them wherever their allocation is
/// aligned more strictly than a vector's, which is what reading a shared tensor gives.
pub(crate) struct Buffer<T> {
    data: TensorData,
    element: PhantomData<T>,
}

impl<T: Precision> Buffer<T> {
    /// Takes over `data`, converted if it holds other elements.
    pub(crate) fn new(argument: &'static str, data: TensorData) -> Result<Self, Error> {
        let data = data.convert::<T>();
        match data.as_slice::<T>() {
            Ok(_) => Ok(Self {
                data,
                element: PhantomData,
            }),
            Err(error) => Err(Error::read(argument, &format!("{error:?}"))),
        }
    }

    /// The elements, row-major.
    pub(crate) fn as_slice(&self) -> &[T] {
        self.data.as_slice().expect("checked in Buffer::new")
    }
}

/// `values` as a tensor of `shape`, rounded to `dtype` where that is not `T`.
pub(crate) fn tensor_from_vec<B: Backend, T: Precision>(
    values: Vec<T>,
    shape: &[usize],
    dtype: DType,
    device: &B::Device,
) -> FloatTensor<B> {
    let data = TensorData::new(values, shape.to_vec());
    B::float_from_data(data.convert_dtype(dtype), device)
}
