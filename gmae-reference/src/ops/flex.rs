//! Burn's CPU tensors as slices, and slices as tensors.

use burn::tensor::backend::Backend;
use burn::tensor::ops::FloatTensor;
use burn::tensor::{Element, Tensor, TensorData, TensorPrimitive};
use burn_flex::FlexTensor;
use bytemuck::Pod;

/// The CPU backend.
pub(super) type Cpu = burn_flex::Flex;

/// Calls a function that is generic over the scalar with the scalar of a tensor.
macro_rules! with_scalar_of {
    ($tensor:expr, $function:ident($($argument:expr),*)) => {
        match crate::ops::flex::dtype(&$tensor) {
            burn::tensor::DType::F64 => $function::<f64>($($argument),*),
            burn::tensor::DType::F32 => $function::<f32>($($argument),*),
            other => panic!("the model's tensors are f32 or f64, got {other:?}"),
        }
    };
}
pub(super) use with_scalar_of;

pub(super) fn dtype(tensor: &FlexTensor) -> burn::tensor::DType {
    tensor.dtype()
}

/// The values of a contiguous tensor.
pub(super) fn slice<T: Pod + Element>(tensor: &FlexTensor) -> &[T] {
    tensor
        .as_slice()
        .expect("a contiguous tensor of this element type")
}

/// The values of a tensor, without a copy if no other tensor shares them.
pub(super) fn owned<T: Element>(tensor: FlexTensor) -> Vec<T> {
    let data = tensor.to_contiguous().into_data();
    data.into_vec().expect("a tensor of this element type")
}

/// A tensor of these values.
pub(super) fn flex<T: Element>(
    values: Vec<T>,
    shape: impl Into<burn::tensor::Shape>,
) -> FlexTensor {
    FlexTensor::from_data(TensorData::new(values, shape))
}

/// The primitive of a tensor.
pub(super) fn primitive<B: Backend, const D: usize>(tensor: Tensor<B, D>) -> FloatTensor<B> {
    tensor.into_primitive().tensor()
}

/// The tensor of a primitive of D dimensions.
pub(super) fn tensor<B: Backend, const D: usize>(primitive: FloatTensor<B>) -> Tensor<B, D> {
    Tensor::from_primitive(TensorPrimitive::Float(primitive))
}
