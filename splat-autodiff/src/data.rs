//! Conversions from tensors to slices and from vectors to tensors. Only Burn itself copies.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use burn::tensor::backend::Backend;
use burn::tensor::ops::FloatTensor;
use burn::tensor::{DType, Element, TensorData, bf16, f16};
use splat::stages::Recycle;
use splat::{CpuScalar, Workspace};

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

    /// Moves the memory to `workspace` if it is that of a vector. Otherwise it is freed.
    pub(crate) fn recycle(self, workspace: &Workspace<T>) {
        // Burn keeps the results of a render. Its own buffers take their place in the workspace.
        if let Ok(buffer) = self.data.into_bytes().try_into_vec::<T>() {
            workspace.adopt(buffer);
        }
    }

    /// The elements, row-major.
    pub(crate) fn as_slice(&self) -> &[T] {
        self.data.as_slice().expect("checked in Buffer::new")
    }
}

/// A result whose buffers return to a workspace when it is dropped.
pub(crate) struct Lent<T, R: Recycle<T>> {
    /// `Some` until the drop.
    value: Option<R>,
    workspace: Workspace<T>,
}

impl<T, R: Recycle<T>> Lent<T, R> {
    pub(crate) fn new(value: R, workspace: &Workspace<T>) -> Self {
        Self {
            value: Some(value),
            workspace: workspace.clone(),
        }
    }
}

impl<T, R: Recycle<T>> Deref for Lent<T, R> {
    type Target = R;

    fn deref(&self) -> &R {
        self.value.as_ref().expect("taken by the drop only")
    }
}

impl<T, R: Recycle<T>> Drop for Lent<T, R> {
    fn drop(&mut self) {
        self.workspace.recycle(self.value.take());
    }
}

impl<T, R: Recycle<T>> fmt::Debug for Lent<T, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lent").finish_non_exhaustive()
    }
}

/// Creates a tensor of `shape` from `values`, converted to `dtype`. The tensor takes the buffer.
/// If the conversion copies it, the buffer goes to `workspace`.
pub(crate) fn tensor_from_vec<B: Backend, T: Precision>(
    values: Vec<T>,
    shape: &[usize],
    dtype: DType,
    device: &B::Device,
    workspace: &Workspace<T>,
) -> FloatTensor<B> {
    let data = TensorData::new(values, shape.to_vec());
    let rounded = match dtype {
        DType::F16 => TensorData::new(data.iter::<f16>().collect(), shape.to_vec()),
        DType::BF16 => TensorData::new(data.iter::<bf16>().collect(), shape.to_vec()),
        // The same size, so that Burn converts in place.
        other => return B::float_from_data(data.convert_dtype(other), device),
    };
    if let Ok(buffer) = data.into_vec::<T>() {
        workspace.adopt(buffer);
    }
    B::float_from_data(rounded, device)
}
