//! Optional device features: subgroups and 16-bit floats.

use cubecl::features::{Plane, TypeUsage};
use cubecl::ir::{DeviceProperties, ElemType, FloatKind, HardwareProperties};

/// Whether kernels use an optional device feature, beyond plain WebGPU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Support {
    /// Uses the feature if `CubeCL` reports it. `CubeCL` reports the features of the adapter. A
    /// device that was created without a feature of its adapter needs [`Support::Never`].
    #[default]
    Reported,
    /// Never uses the feature.
    Never,
    /// Uses the feature even if `CubeCL` does not report it. If the device lacks it, kernels do not
    /// compile, and the next download returns [`RenderError::Device`](crate::RenderError::Device).
    Assumed,
}

/// The name of the CUDA runtime in `CubeCL`.
pub(crate) const CUDA: &str = "cuda";

/// The subgroup sizes that the kernels support.
const PLANE_SIZES: [u32; 4] = [8, 16, 32, 64];

/// Returns the subgroup size of a device, if all subgroups have the same size and the kernels
/// support it.
fn subgroup_size(hardware: &HardwareProperties) -> Option<u32> {
    let size = hardware.plane_size_min;
    (size == hardware.plane_size_max && PLANE_SIZES.contains(&size)).then_some(size)
}

/// Returns the subgroup size that kernels use, see
/// [`Gpu::subgroup_size`](crate::Gpu::subgroup_size).
pub(crate) fn usable_subgroup_size(properties: &DeviceProperties, planes: Support) -> Option<u32> {
    // Subgroups that a splat does not touch skip operations that other subgroups perform.
    let wanted = Plane::Ops | Plane::NonUniformControlFlow;
    let used = match planes {
        Support::Reported => properties.features.plane.is_superset(wanted),
        Support::Never => false,
        Support::Assumed => true,
    };
    subgroup_size(&properties.hardware).filter(|_| used)
}

/// Returns whether kernels read and write 16-bit floats.
pub(crate) fn has_halves(properties: &DeviceProperties, halves: Support) -> bool {
    let half = ElemType::Float(FloatKind::F16);
    let usage = properties.type_usage(half.into());
    match halves {
        Support::Reported => usage.is_superset(TypeUsage::Buffer | TypeUsage::Conversion),
        Support::Never => false,
        Support::Assumed => true,
    }
}
