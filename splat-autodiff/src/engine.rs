//! Chooses where a render runs: on the device of the tensors if this build has kernels for their
//! runtime and element type, otherwise on the CPU. No other module makes this choice.

use burn::tensor::DType;
use burn::tensor::backend::Backend;
use splat::{RenderConfig, Views};

use crate::error::Error;
use crate::host;
use crate::inputs::Inputs;
use crate::tape::{Forward, Recording};

/// Calls `$function` of `device` or of `host`, depending on the runtime and the element type of the
/// tensors.
macro_rules! on_the_right_place {
    ($function:ident::<$backend:ty>, $inputs:expr, $views:expr, $config:expr) => {{
        let (inputs, views, config) = ($inputs, $views, $config);
        let dtype = inputs.dtype();
        #[cfg(feature = "wgpu")]
        if dtype != DType::F64 && crate::primitive::lies_on::<$backend, Wgpu>() {
            return crate::device::$function::<$backend, Wgpu>(inputs, views, config);
        }
        #[cfg(feature = "cuda")]
        if dtype != DType::F64 && crate::primitive::lies_on::<$backend, Cuda>() {
            return crate::device::$function::<$backend, Cuda>(inputs, views, config);
        }
        match dtype {
            DType::F64 => host::$function::<$backend, f64>(inputs, views, config),
            DType::F32 | DType::Flex32 | DType::F16 | DType::BF16 => {
                host::$function::<$backend, f32>(inputs, views, config)
            }
            other => Err(Error::DType {
                argument: "gaussians.means",
                expected: "F64, F32, Flex32, F16 or BF16".to_owned(),
                got: format!("{other:?}"),
            }),
        }
    }};
}

#[cfg(feature = "wgpu")]
type Wgpu = burn_wgpu::WgpuRuntime;
#[cfg(feature = "cuda")]
type Cuda = cubecl_cuda::CudaRuntime;

/// Returns the settings without contributors, which this crate does not return.
fn without_contributors(config: &RenderConfig) -> RenderConfig {
    let outputs = config.outputs.with_contributors(false);
    config.clone().with_outputs(outputs)
}

/// Renders without saving state for a backward pass.
pub(crate) fn forward<B: Backend>(
    inputs: Inputs<B>,
    views: &Views,
    config: &RenderConfig,
) -> Result<Forward<B>, Error> {
    let config = &without_contributors(config);
    on_the_right_place!(forward::<B>, inputs, views, config)
}

/// Renders and saves the state for the backward pass.
pub(crate) fn record<B: Backend>(
    inputs: Inputs<B>,
    views: &Views,
    config: &RenderConfig,
) -> Result<Recording<B>, Error> {
    let config = &without_contributors(config);
    on_the_right_place!(record::<B>, inputs, views, config)
}
