//! What a device may have beyond plain WebGPU, or want of kernels: planes, numbers of 16 bits, barriers in uniform control flow.

use cubecl::features::{Plane, TypeUsage};
use cubecl::ir::{ElemType, FloatKind, HardwareProperties};
use cubecl::prelude::*;

use crate::device::Gpu;

/// Whether kernels use something that plain WebGPU does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Support {
    /// Where `CubeCL` reports it. It reports what the adapter has: a device made by hand without the feature needs [`Support::Never`].
    #[default]
    Reported,
    /// Nowhere.
    Never,
    /// Reported or not. On a device without, kernels do not compile: [`RenderError::Device`](crate::RenderError::Device) at the next
    /// download.
    Assumed,
}

/// What `CubeCL` calls its CUDA runtime.
pub(crate) const CUDA: &str = "cuda";

/// The units of a plane that kernels are written for.
const PLANE_SIZES: [u32; 4] = [8, 16, 32, 64];

/// The units of every plane of a device, where they are always as many and kernels are written for them.
fn plane_size(hardware: &HardwareProperties) -> Option<u32> {
    let size = hardware.plane_size_min;
    (size == hardware.plane_size_max && PLANE_SIZES.contains(&size)).then_some(size)
}

impl<R: Runtime> Gpu<R> {
    /// The same backend with or without planes, which the backward compositor uses: gradients then differ in the order of their sums.
    /// llvmpipe, the software Vulkan of Mesa, has planes that `CubeCL` does not report, as it reports none of a CPU.
    #[must_use]
    pub fn with_planes(self, planes: Support) -> Self {
        Self { planes, ..self }
    }

    /// The same backend with or without numbers of 16 bits, in which the compositors read features with
    /// [`half_features`](crate::RenderConfig::half_features).
    #[must_use]
    pub fn with_halves(self, halves: Support) -> Self {
        Self { halves, ..self }
    }

    /// The same backend with or without kernels whose barriers every unit of a cube can be seen to reach, by a compiler that knows no more
    /// than which buffers are only read. Browsers' compilers demand it (the WGSL specification, "Uniformity"), so it is the default on
    /// `wasm` targets; elsewhere a tile is left as soon as none of its pixels goes on. Kernels with planes exchange numbers within one while others
    /// pass by, which browsers refuse in either case. The image does not depend on it.
    #[must_use]
    pub fn with_uniform_barriers(self, uniform: bool) -> Self {
        Self { uniform, ..self }
    }

    /// The units of a plane where kernels use planes: all planes of the device must have as many, 8, 16, 32 or 64.
    pub fn plane_size(&self) -> Option<u32> {
        let properties = self.client.properties();
        // A plane that a splat does not touch skips what the others do.
        let wanted = Plane::Ops | Plane::NonUniformControlFlow;
        let used = match self.planes {
            Support::Reported => properties.features.plane.is_superset(wanted),
            Support::Never => false,
            Support::Assumed => true,
        };
        plane_size(&properties.hardware).filter(|_| used)
    }

    /// Whether kernels read and write numbers of 16 bits.
    pub(crate) fn has_halves(&self) -> bool {
        let halves = ElemType::Float(FloatKind::F16);
        let usage = self.client.properties().type_usage(halves.into());
        match self.halves {
            Support::Reported => usage.is_superset(TypeUsage::Buffer | TypeUsage::Conversion),
            Support::Never => false,
            Support::Assumed => true,
        }
    }
}
