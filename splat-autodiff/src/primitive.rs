//! Conversions between Burn's tensors on a `CubeCL` runtime and the buffers of the runtime. Only
//! tensors that are not contiguous or not `f32` are copied.

use std::any::TypeId;

use burn::tensor::backend::Backend;
use burn::tensor::ops::FloatTensor;
use burn::tensor::{DType, FloatDType, TensorMetadata};
use burn_cubecl::CubeRuntime;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;
use splat::GpuBuffer;

use crate::cast::cast;
use crate::error::Error;

/// Whether the tensors of `B` belong to the runtime `R`, directly or through Burn's fusion.
pub fn lies_on<B: Backend, R: CubeRuntime>() -> bool {
    let held = TypeId::of::<FloatTensor<B>>();
    held == TypeId::of::<CubeTensor<R>>() || fused::lies_on::<R>(held)
}

/// Returns the buffer of `tensor` as contiguous `f32` elements. Also returns the tensor of that
/// buffer, which holds its client and device.
///
/// # Errors
/// Returns [`Error::Read`] if the tensor belongs to another runtime. Returns [`Error::Render`] if
/// [`GpuBuffer::from_handle`] rejects the buffer.
pub fn take<B: Backend, R: CubeRuntime>(
    argument: &'static str,
    tensor: FloatTensor<B>,
) -> Result<(GpuBuffer, CubeTensor<R>), Error> {
    let tensor = match tensor.dtype() {
        DType::F32 => tensor,
        _ => B::float_cast(tensor, FloatDType::F32),
    };
    let other = || Error::read(argument, &"not a tensor of this runtime");
    let tensor = if fused::lies_on::<R>(TypeId::of::<FloatTensor<B>>()) {
        fused::resolve(tensor)
    } else {
        cast(tensor)
    }
    .ok_or_else(other)?;
    let tensor = into_contiguous(tensor);
    let len = tensor.shape().num_elements();
    let buffer = GpuBuffer::from_handle(tensor.handle.clone(), len)?;
    Ok((buffer, tensor))
}

/// Wraps a buffer of `f32` elements as a tensor of `shape`, on the client and device of `like`. The
/// tensor is converted to `dtype`.
///
/// # Errors
/// Returns [`Error::Read`] if the tensors of `B` belong to another runtime.
pub fn give<B: Backend, R: CubeRuntime>(
    argument: &'static str,
    buffer: &GpuBuffer,
    shape: &[usize],
    dtype: DType,
    like: &CubeTensor<R>,
) -> Result<FloatTensor<B>, Error> {
    let tensor = CubeTensor::new_contiguous(
        like.client.clone(),
        like.device.clone(),
        shape.to_vec().into(),
        buffer.handle().clone(),
        DType::F32,
    );
    let other = || Error::read(argument, &"not a tensor of this runtime");
    let tensor: FloatTensor<B> = if fused::lies_on::<R>(TypeId::of::<FloatTensor<B>>()) {
        fused::register(tensor)
    } else {
        cast(tensor)
    }
    .ok_or_else(other)?;
    Ok(match dtype {
        DType::F32 => tensor,
        other => B::float_cast(tensor, other.into()),
    })
}

/// Burn's fusion delays operations, and a fused tensor is only an identifier of a future result.
/// This module resolves such identifiers to tensors with a buffer, and registers tensors with
/// Burn's fusion.
#[cfg(feature = "fusion")]
mod fused {
    use std::any::TypeId;

    use burn::tensor::TensorMetadata;
    use burn_cubecl::fusion::FusionCubeRuntime;
    use burn_cubecl::tensor::CubeTensor;
    use burn_cubecl::{CubeBackend, CubeRuntime};
    use burn_fusion::client::GlobalFusionClient;
    use burn_fusion::stream::OperationStreams;
    use burn_fusion::{FusionTensor, NoOp};
    use burn_ir::{InitOperationIr, OperationIr};

    use crate::cast::cast;

    type Fused<R> = FusionTensor<FusionCubeRuntime<R>>;
    /// Burn's backend of the runtime. The type of its float tensors does not depend on the other
    /// element types.
    type Plain<R> = CubeBackend<R, f32, i32, u32>;

    pub(super) fn lies_on<R: CubeRuntime>(held: TypeId) -> bool {
        held == TypeId::of::<Fused<R>>()
    }

    /// Launches the pending operations of `tensor` and returns the tensor with its buffer. Returns
    /// `None` if `A` is not a fused tensor.
    pub(super) fn resolve<A: 'static, R: CubeRuntime>(tensor: A) -> Option<CubeTensor<R>> {
        let tensor: Fused<R> = cast(tensor)?;
        let client = tensor.client.clone();
        Some(client.resolve_tensor_float::<Plain<R>>(tensor))
    }

    /// Registers `tensor` with Burn's fusion: the inverse of [`resolve`]. Returns `None` if `Z` is
    /// not a fused tensor.
    pub(super) fn register<Z: 'static, R: CubeRuntime>(tensor: CubeTensor<R>) -> Option<Z> {
        let client = GlobalFusionClient::<FusionCubeRuntime<R>>::load(&tensor.device);
        let (shape, dtype) = (tensor.shape(), tensor.dtype);
        let initial = InitOperationIr::create(shape, dtype, || {
            client.register_tensor_handle(tensor.into())
        });
        let streams = OperationStreams::default();
        let operation = OperationIr::Init(initial);
        let mut outputs = client.register(streams, operation, NoOp::<Plain<R>>::new());
        cast(outputs.pop()?)
    }
}

#[cfg(not(feature = "fusion"))]
mod fused {
    use std::any::TypeId;

    use burn_cubecl::CubeRuntime;
    use burn_cubecl::tensor::CubeTensor;

    #[expect(
        clippy::extra_unused_type_parameters,
        reason = "same signature as with fusion"
    )]
    pub(super) fn lies_on<R: CubeRuntime>(_: TypeId) -> bool {
        false
    }

    pub(super) fn resolve<A: 'static, R: CubeRuntime>(_: A) -> Option<CubeTensor<R>> {
        None
    }

    pub(super) fn register<Z: 'static, R: CubeRuntime>(_: CubeTensor<R>) -> Option<Z> {
        None
    }
}
