//! Chooses where a render runs: on the device of the tensors if this build has kernels for their
//! runtime and element type, otherwise on the CPU. No other module makes this choice.

use burn::tensor::DType;
use burn::tensor::backend::Backend;
use splat::{RenderConfig, Views};

use crate::error::Error;
use crate::host;
use crate::inputs::Inputs;
use crate::memory::Memory;
use crate::runtime;
use crate::tape::Recording;

#[cfg(feature = "wgpu")]
type Wgpu = burn_wgpu::WgpuRuntime;
#[cfg(feature = "cuda")]
type Cuda = cubecl_cuda::CudaRuntime;

/// Renders and saves the state for the backward pass. A render on the CPU takes its buffers from
/// `memory`. A render on a device counts the culled Gaussians if `culled_on_device` is set.
pub(crate) fn record<B: Backend>(
    memory: &Memory,
    culled_on_device: bool,
    inputs: Inputs<B>,
    views: &Views,
    config: &RenderConfig,
) -> Result<Recording<B>, Error> {
    // Only builds with kernels read it.
    let _ = culled_on_device;
    // This crate does not return contributors.
    let outputs = config.outputs.with_contributors(false);
    let config = &config.clone().with_outputs(outputs);
    let dtype = inputs.dtype();
    // `f64` is rendered on the CPU in every build.
    if dtype != DType::F64 {
        runtime::check::<B>(&inputs.device())?;
        #[cfg(feature = "wgpu")]
        if crate::primitive::lies_on::<B, Wgpu>() {
            return crate::device::record::<B, Wgpu>(culled_on_device, inputs, views, config);
        }
        #[cfg(feature = "cuda")]
        if crate::primitive::lies_on::<B, Cuda>() {
            return crate::device::record::<B, Cuda>(culled_on_device, inputs, views, config);
        }
    }
    match dtype {
        DType::F64 => host::record::<B, f64>(&memory.double, inputs, views, config),
        DType::F32 | DType::Flex32 | DType::F16 | DType::BF16 => {
            host::record::<B, f32>(&memory.single, inputs, views, config)
        }
        other => Err(Error::DType {
            argument: "gaussians.means",
            expected: "F64, F32, Flex32, F16 or BF16".to_owned(),
            got: format!("{other:?}"),
        }),
    }
}
