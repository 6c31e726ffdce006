//! Chooses where a render runs: on the device of the tensors if this build has kernels for their
//! runtime and element type, otherwise on the CPU. No other module makes this choice.

use burn::tensor::DType;
use burn::tensor::backend::Backend;
#[cfg(any(feature = "wgpu", feature = "cuda"))]
use burn_cubecl::CubeRuntime;
use splat::{RenderConfig, Workspace};

use crate::data::Precision;
#[cfg(any(feature = "wgpu", feature = "cuda"))]
use crate::device;
use crate::error::Error;
use crate::host;
use crate::inputs::{Inputs, ellipses, gaussians};
use crate::memory::Memory;
use crate::runtime;
use crate::tape::Recording;

#[cfg(feature = "wgpu")]
type Wgpu = burn_wgpu::WgpuRuntime;
#[cfg(feature = "cuda")]
type Cuda = cubecl_cuda::CudaRuntime;

/// Inputs that the CPU and a device can render.
pub(crate) trait Rendering<B: Backend, const N: usize>: Inputs<B, N> + Sized {
    /// Renders on the CPU and saves the state for the backward pass. The buffers come from
    /// `workspace`.
    fn on_host<T: Precision>(
        self,
        workspace: &Workspace<T>,
        config: &RenderConfig,
    ) -> Result<Recording<B, N>, Error>;

    /// Renders on the device of the tensors and saves the state for the backward pass. Counts what
    /// is culled if `count` is set.
    #[cfg(any(feature = "wgpu", feature = "cuda"))]
    fn on_device<R: CubeRuntime>(
        self,
        count: bool,
        config: &RenderConfig,
    ) -> Result<Recording<B, N>, Error>;
}

/// Implements [`Rendering`] for the inputs `$inputs` of the module `$module` by the functions
/// `record` of the modules of the same name.
macro_rules! rendering {
    ($module:ident :: $inputs:ident) => {
        impl<B: Backend> Rendering<B, { $module::INPUTS }> for $module::$inputs<'_, B> {
            fn on_host<T: Precision>(
                self,
                workspace: &Workspace<T>,
                config: &RenderConfig,
            ) -> Result<Recording<B, { $module::INPUTS }>, Error> {
                host::$module::record(workspace, self, config)
            }

            #[cfg(any(feature = "wgpu", feature = "cuda"))]
            fn on_device<R: CubeRuntime>(
                self,
                count: bool,
                config: &RenderConfig,
            ) -> Result<Recording<B, { $module::INPUTS }>, Error> {
                device::$module::record::<B, R>(count, self, config)
            }
        }
    };
}

rendering!(gaussians::GaussianInputs);
rendering!(ellipses::EllipseInputs);

/// Renders and saves the state for the backward pass. A render on the CPU takes its buffers from
/// `memory`. A render on a device counts what is culled if `culled_on_device` is set.
pub(crate) fn record<B: Backend, const N: usize>(
    memory: &Memory,
    culled_on_device: bool,
    inputs: impl Rendering<B, N>,
    config: &RenderConfig,
) -> Result<Recording<B, N>, Error> {
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
            return inputs.on_device::<Wgpu>(culled_on_device, config);
        }
        #[cfg(feature = "cuda")]
        if crate::primitive::lies_on::<B, Cuda>() {
            return inputs.on_device::<Cuda>(culled_on_device, config);
        }
    }
    match dtype {
        DType::F64 => inputs.on_host(&memory.double, config),
        DType::F32 | DType::Flex32 | DType::F16 | DType::BF16 => {
            inputs.on_host(&memory.single, config)
        }
        other => Err(Error::DType {
            argument: inputs.means(),
            expected: "F64, F32, Flex32, F16 or BF16".to_owned(),
            got: format!("{other:?}"),
        }),
    }
}
