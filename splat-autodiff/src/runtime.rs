//! Finds tensors on a device that this build cannot render on because a feature is off.

use std::any::type_name;

use burn::tensor::backend::Backend;
use burn::tensor::ops::FloatTensor;

use crate::error::Error;

/// The features of this crate that decide on which tensors the kernels run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Features {
    /// Kernels for Burn's `Wgpu`.
    pub wgpu: bool,
    /// Kernels for Burn's `Cuda`.
    pub cuda: bool,
    /// Access to the buffers of Burn's fused tensors.
    pub fusion: bool,
}

impl Features {
    /// The features of this build.
    pub const BUILD: Self = Self {
        wgpu: cfg!(feature = "wgpu"),
        cuda: cfg!(feature = "cuda"),
        fusion: cfg!(feature = "fusion"),
    };
}

/// Returns the feature that a build with `features` lacks for tensors whose primitive has the type
/// `name`. Returns `None` if no feature would bring the tensors to their device.
///
/// The types themselves cannot be named here: without a feature, the crate that defines them is not
/// a dependency.
pub fn missing_feature(name: &str, features: Features) -> Option<&'static str> {
    let has = |part| name.contains(part);
    let (runtime, on) = match (has("WgpuRuntime"), has("CudaRuntime")) {
        (true, _) => ("wgpu", features.wgpu),
        (_, true) => ("cuda", features.cuda),
        _ => return None,
    };
    if has("AutodiffTensor") {
        // A render without gradients of a differentiable backend, documented to run on the CPU.
        None
    } else if !on {
        Some(runtime)
    } else if has("FusionTensor") && !features.fusion {
        Some("fusion")
    } else {
        None
    }
}

/// Checks that this build can render tensors of `B` where they are.
///
/// # Errors
/// [`Error::MissingFeature`] if a feature is off that would render them on their device. A build
/// without kernels renders everything on the CPU, and returns no error.
pub(crate) fn check<B: Backend>(device: &B::Device) -> Result<(), Error> {
    if !(Features::BUILD.wgpu || Features::BUILD.cuda) {
        return Ok(());
    }
    match missing_feature(type_name::<FloatTensor<B>>(), Features::BUILD) {
        None => Ok(()),
        Some(feature) => Err(Error::MissingFeature {
            backend: B::name(device),
            feature,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::{Features, missing_feature};

    const PLAIN: &str = "burn_cubecl::tensor::base::CubeTensor<cubecl_wgpu::runtime::WgpuRuntime>";
    const FUSED: &str = "burn_fusion::tensor::FusionTensor<burn_cubecl::fusion::FusionCubeRuntime<cubecl_wgpu::runtime::WgpuRuntime>>";
    const ALL: Features = Features {
        wgpu: true,
        cuda: true,
        fusion: true,
    };

    #[test]
    fn a_runtime_or_a_layer_without_its_feature_is_named() {
        let [plain, fused] = [PLAIN, FUSED].map(|name| name.replace("Wgpu", "Cuda"));
        let without_fusion = Features {
            fusion: false,
            ..ALL
        };
        let without_cuda = Features { cuda: false, ..ALL };
        let without_wgpu = Features { wgpu: false, ..ALL };
        assert_eq!(missing_feature(FUSED, without_fusion), Some("fusion"));
        assert_eq!(missing_feature(&fused, without_fusion), Some("fusion"));
        for name in [&*plain, &*fused] {
            assert_eq!(missing_feature(name, without_cuda), Some("cuda"));
            assert_eq!(missing_feature(name, without_wgpu), None);
        }
        for name in [PLAIN, FUSED] {
            assert_eq!(missing_feature(name, without_wgpu), Some("wgpu"));
            assert_eq!(missing_feature(name, without_cuda), None);
        }
        assert_eq!(missing_feature(PLAIN, without_fusion), None);
    }

    #[test]
    fn tensors_that_no_feature_renders_on_their_device_go_to_the_cpu() {
        let none = Features {
            wgpu: false,
            cuda: false,
            fusion: false,
        };
        let hip = FUSED.replace("Wgpu", "Hip");
        for name in ["burn_flex::tensor::FlexTensor", &*hip] {
            assert_eq!(missing_feature(name, none), None);
        }
    }
}
