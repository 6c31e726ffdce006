//! Optional device features: subgroups and 16-bit floats.

use cubecl::features::{Plane, TypeUsage};
use cubecl::ir::{DeviceProperties, ElemType, FloatKind, HardwareProperties};

use crate::device::launch::{MAX_CUBES, UNITS};
use crate::error::RenderError;

/// Whether kernels use an optional device feature, beyond plain WebGPU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Support {
    /// Uses the feature if `CubeCL` reports it. For a device of `Gpu::from_wgpu` these are the
    /// enabled features of the device. For a client of `cubecl_wgpu::init_device` they are the
    /// features of the adapter: if the device was created without one of them, it needs
    /// [`Support::Never`].
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

/// Checks that the device has the limits that every kernel needs, those of plain WebGPU.
pub(crate) fn check_limits(properties: &DeviceProperties) -> Result<(), RenderError> {
    let hardware = &properties.hardware;
    let least = [
        (
            "threads per workgroup",
            hardware.max_units_per_cube.min(hardware.max_cube_dim.0) as usize,
            UNITS as usize,
        ),
        (
            "workgroups per side of a grid",
            hardware.max_cube_count.0.min(hardware.max_cube_count.1) as usize,
            MAX_CUBES,
        ),
        (
            "bytes of shared memory",
            hardware.max_shared_memory_size,
            16 << 10,
        ),
        ("buffers per kernel", hardware.max_bindings as usize, 7),
    ];
    for (what, got, needed) in least {
        if got < needed {
            return Err(RenderError::Device {
                expected: format!("a device with {needed} {what}"),
                got: got.to_string(),
            });
        }
    }
    Ok(())
}
