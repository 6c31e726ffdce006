//! Conversions from tensors to slices and from vectors to tensors. Only Burn itself copies.

use std::marker::PhantomData;

use burn::tensor::backend::Backend;
use burn::tensor::ops::FloatTensor;
use burn::tensor::{DType, Element, TensorData};
use splat::CpuScalar;

use crate::error::Error;

/// A scalar of the CPU backend that is also a Burn element: `f32` or `f64`.
pub(crate) trait Precision: CpuScalar + Element {}
impl<T: CpuScalar + Element> Precision for T {}

/// The data of a tensor on the host: aligned elements of type `T`.
///
/// The buffer keeps the bytes that Burn returned. `TensorData::into_vec` would copy them if their
/// allocation is aligned more strictly than a vector's. That is the case after a shared tensor is
/// read.
pub(crate) struct Buffer<T> {
    data: TensorData,
    element: PhantomData<T>,
}

impl<T: Precision> Buffer<T> {
    /// Takes ownership of `data`, and converts elements of another type to `T`.
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

/// Creates a tensor of `shape` from `values`, converted to `dtype`.
pub(crate) fn tensor_from_vec<B: Backend, T: Precision>(
    values: Vec<T>,
    shape: &[usize],
    dtype: DType,
    device: &B::Device,
) -> FloatTensor<B> {
    let data = TensorData::new(values, shape.to_vec());
    B::float_from_data(data.convert_dtype(dtype), device)
}
