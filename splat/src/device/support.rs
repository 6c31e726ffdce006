//! Optional device features: subgroups and numbers of 16 bits.

use cubecl::features::{Plane, TypeUsage};
use cubecl::ir::{DeviceProperties, ElemType, FloatKind, HardwareProperties};

/// Whether kernels use something that plain WebGPU does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Support {
    /// Where `CubeCL` reports it. It reports what the adapter has: a device made by hand without
    /// the feature needs [`Support::Never`].
    #[default]
    Reported,
    /// Nowhere.
    Never,
    /// Reported or not. On a device without, kernels do not compile:
    /// [`RenderError::Device`](crate::RenderError::Device) at the next download.
    Assumed,
}

/// What `CubeCL` calls its CUDA runtime.
pub(crate) const CUDA: &str = "cuda";

/// The sizes of subgroups that kernels are written for.
const PLANE_SIZES: [u32; 4] = [8, 16, 32, 64];

/// The size of every subgroup of a device, where it is always the same and kernels are written for
/// it.
fn subgroup_size(hardware: &HardwareProperties) -> Option<u32> {
    let size = hardware.plane_size_min;
    (size == hardware.plane_size_max && PLANE_SIZES.contains(&size)).then_some(size)
}

/// The subgroup size that kernels may use, see [`Gpu::subgroup_size`](crate::Gpu::subgroup_size).
pub(crate) fn usable_subgroup_size(properties: &DeviceProperties, planes: Support) -> Option<u32> {
    // A subgroup that a splat does not touch skips what the others do.
    let wanted = Plane::Ops | Plane::NonUniformControlFlow;
    let used = match planes {
        Support::Reported => properties.features.plane.is_superset(wanted),
        Support::Never => false,
        Support::Assumed => true,
    };
    subgroup_size(&properties.hardware).filter(|_| used)
}

/// Whether kernels may read and write numbers of 16 bits.
pub(crate) fn has_halves(properties: &DeviceProperties, halves: Support) -> bool {
    let half = ElemType::Float(FloatKind::F16);
    let usage = properties.type_usage(half.into());
    match halves {
        Support::Reported => usage.is_superset(TypeUsage::Buffer | TypeUsage::Conversion),
        Support::Never => false,
        Support::Assumed => true,
    }
}
