//! A server of `CubeCL` on a device of the caller. The properties of the server are those of the
//! device. `cubecl_wgpu::init_device` takes most of them from the adapter, which may have more.

use std::sync::{Arc, Mutex, PoisonError};

use cubecl::client::ComputeClient;
use cubecl::features::{AtomicUsage, Features as Reported, Plane, TypeUsage};
use cubecl::ir::{
    AddressType, DeviceProperties, ElemType, FloatKind, HardwareProperties, IntKind,
    MemoryDeviceProperties, StorageType, Type, UIntKind,
};
use cubecl::prelude::*;
use cubecl::profile::TimingMethod;
use cubecl::server::ServerUtilities;
use cubecl_runtime::allocator::ContiguousMemoryLayoutPolicy;
use cubecl_runtime::logging::ServerLogger;
use cubecl_wgpu::{RuntimeOptions, WgpuDevice, WgpuRuntime, WgpuServer};
#[cfg(not(target_family = "wasm"))]
use wgpu::ErrorFilter;
use wgpu::{DeviceType, Features};

use crate::device::started::caught;
use crate::device::support::check_limits;
use crate::error::RenderError;

/// The number of bytes that one vector load of WGSL reads, in bits.
const LOAD_WIDTH: u32 = 128;

/// The devices for which [`client`] was called, with their clients. `CubeCL` keeps its servers
/// until the program ends.
static SHARED: Mutex<Vec<(wgpu::Device, ComputeClient<WgpuRuntime>)>> = Mutex::new(Vec::new());

/// Returns the client of a device, after creating it in the first call for the device.
///
/// # Errors
/// [`RenderError::Device`] if the device has too low limits, if the queue belongs to another
/// device, or if the device is lost.
pub(crate) fn client(
    device: &wgpu::Device,
    queue: &wgpu::Queue,
) -> Result<ComputeClient<WgpuRuntime>, RenderError> {
    let failed = |got: String| RenderError::Device {
        expected: "a wgpu device with its own queue".to_owned(),
        got,
    };
    let properties = properties(device);
    check_limits(&properties)?;
    if !caught(|| owns(device, queue)).unwrap_or(false) {
        let got = "the queue of another device, or a lost device";
        return Err(failed(got.to_owned()));
    }
    let mut all = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    for (other, client) in all.iter() {
        if caught(|| same(device, other)).map_err(failed)? {
            return Ok(client.clone());
        }
    }
    let index = u16::MAX - all.len().min(u16::MAX as usize) as u16;
    let client = caught(|| start(device, queue, properties, index)).map_err(failed)?;
    if WgpuRuntime::name(&client) == "wgpu<msl>"
        && !device.features().contains(Features::PASSTHROUGH_SHADERS)
    {
        return Err(RenderError::Device {
            expected: "a device with the feature PASSTHROUGH_SHADERS, for the Metal compiler \
                       that a feature of `cubecl-wgpu` selects"
                .to_owned(),
            got: "a device without this feature".to_owned(),
        });
    }
    all.push((device.clone(), client.clone()));
    Ok(client)
}

/// Returns whether two handles are the same device.
///
/// wgpu compares handles by numbers that each instance counts anew, so devices of two instances may
/// be equal. Handles of one device share the scopes that capture its errors. The test makes an
/// error on one device and looks whether a scope of the other captures it.
#[cfg(not(target_family = "wasm"))]
fn same(device: &wgpu::Device, other: &wgpu::Device) -> bool {
    if device != other {
        return false;
    }
    // Captures the error if the devices differ.
    let own = device.push_error_scope(ErrorFilter::Validation);
    let captured = captures(other, || drop(buffer(device, wgpu::BufferUsages::empty())));
    drop(own);
    captured
}

/// Returns whether `queue` is the queue of `device`. The test makes an error on the queue, a write
/// to an offset that is not aligned, and looks whether a scope of the device captures it.
#[cfg(not(target_family = "wasm"))]
fn owns(device: &wgpu::Device, queue: &wgpu::Queue) -> bool {
    let buffer = buffer(device, wgpu::BufferUsages::COPY_DST);
    captures(device, || queue.write_buffer(&buffer, 1, &[0; 4]))
}

/// Returns whether an error scope of `device` captures the error of `fail`.
#[cfg(not(target_family = "wasm"))]
fn captures(device: &wgpu::Device, fail: impl FnOnce()) -> bool {
    let scope = device.push_error_scope(ErrorFilter::Validation);
    fail();
    cubecl::future::block_on(scope.pop()).is_some()
}

#[cfg(not(target_family = "wasm"))]
fn buffer(device: &wgpu::Device, usage: wgpu::BufferUsages) -> wgpu::Buffer {
    device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("splat: test of the device"),
        size: 8,
        usage,
        mapped_at_creation: false,
    })
}

/// Returns whether two handles are the same device. A browser has one instance.
#[cfg(target_family = "wasm")]
fn same(device: &wgpu::Device, other: &wgpu::Device) -> bool {
    device == other
}

/// A browser reports errors later, so the queue is not tested.
#[cfg(target_family = "wasm")]
fn owns(_: &wgpu::Device, _: &wgpu::Queue) -> bool {
    true
}

/// Creates the server of a device and returns its client.
///
/// `cubecl_wgpu::init_device` numbers its devices upwards from 0. The servers of this function are
/// numbered downwards from the greatest index, so that the two do not meet.
fn start(
    device: &wgpu::Device,
    queue: &wgpu::Queue,
    properties: DeviceProperties,
    index: u16,
) -> ComputeClient<WgpuRuntime> {
    let backend = device.adapter_info().backend;
    let options = RuntimeOptions::default();
    let compilation = cubecl::WgpuCompilationOptions {
        supports_u64: properties.supports_type(ElemType::UInt(UIntKind::U64)),
        // The compiler to SPIR-V needs features that the caller's device may lack.
        supports_vulkan: false,
        ..Default::default()
    };
    let memory = properties.memory.clone();
    let timing = properties.timing_method;
    let layout = ContiguousMemoryLayoutPolicy::new(memory.alignment as usize);
    let logger = Arc::new(ServerLogger::default());
    let server = WgpuServer::new(
        memory,
        options.memory_config,
        compilation,
        device.clone(),
        queue.clone(),
        options.tasks_max,
        backend,
        timing,
        ServerUtilities::new(properties, logger, backend, layout),
    );
    ComputeClient::init(&WgpuDevice::Existing(u32::from(index)), server)
}

/// Returns the properties of a device: its limits and its enabled features.
fn properties(device: &wgpu::Device) -> DeviceProperties {
    let (limits, features) = (device.limits(), device.features());
    let cubes = limits.max_compute_workgroups_per_dimension;
    let info = device.adapter_info();
    let hardware = HardwareProperties {
        load_width: LOAD_WIDTH,
        plane_size_min: info.subgroup_min_size,
        plane_size_max: info.subgroup_max_size,
        // `CubeCL` binds one more buffer, with the lengths of the others and the scalars.
        max_bindings: limits
            .max_storage_buffers_per_shader_stage
            .saturating_sub(1),
        max_shared_memory_size: limits.max_compute_workgroup_storage_size as usize,
        max_cube_count: (cubes, cubes, cubes),
        max_units_per_cube: limits.max_compute_invocations_per_workgroup,
        max_cube_dim: (
            limits.max_compute_workgroup_size_x,
            limits.max_compute_workgroup_size_y,
            limits.max_compute_workgroup_size_z,
        ),
        num_streaming_multiprocessors: None,
        num_tensor_cores: None,
        min_tensor_cores_dim: None,
        num_cpu_cores: None,
        max_vector_size: 4,
    };
    let memory = MemoryDeviceProperties {
        max_page_size: limits
            .max_storage_buffer_binding_size
            .min(limits.max_buffer_size),
        alignment: u64::from(
            limits
                .min_storage_buffer_offset_alignment
                .max(limits.min_uniform_buffer_offset_alignment),
        ),
    };
    // Without timestamps `CubeCL` measures time on the host, which it refuses in a browser.
    let device_time = features.contains(Features::TIMESTAMP_QUERY) || cfg!(target_family = "wasm");
    let timing = if device_time {
        TimingMethod::Device
    } else {
        TimingMethod::System
    };
    let mut properties = DeviceProperties::new(Reported::default(), memory, hardware, timing);
    // As in `CubeCL`: the subgroups of a CPU are not worth using.
    if features.contains(Features::SUBGROUP) && info.device_type != DeviceType::Cpu {
        properties.features.plane.insert(Plane::Ops);
    }
    register_types(&mut properties, features);
    properties
}

/// Registers the types that WGSL has with these features.
fn register_types(properties: &mut DeviceProperties, features: Features) {
    let (int, uint) = (ElemType::Int(IntKind::I32), ElemType::UInt(UIntKind::U32));
    let (single, flex) = (FloatKind::F32, FloatKind::Flex32);
    let float = ElemType::Float;
    properties.register_address_type(AddressType::U32);
    let always = [int, uint, float(single), float(flex), ElemType::Bool].map(|kind| (kind, true));
    let optional = [
        (ElemType::Int(IntKind::I64), Features::SHADER_INT64),
        (ElemType::UInt(UIntKind::U64), Features::SHADER_INT64),
        (float(FloatKind::F64), Features::SHADER_F64),
        (float(FloatKind::F16), Features::SHADER_F16),
    ]
    .map(|(kind, feature)| (kind, features.contains(feature)));
    for (kind, present) in always.into_iter().chain(optional) {
        if present {
            properties.register_type_usage(kind, TypeUsage::all());
        }
    }
    let atomic_float = features.contains(Features::SHADER_FLOAT32_ATOMIC);
    for (kind, present) in [(int, true), (uint, true), (float(single), atomic_float)] {
        if present {
            let usage = AtomicUsage::LoadStore | AtomicUsage::Add;
            properties.register_atomic_type_usage(Type::new(StorageType::Atomic(kind)), usage);
        }
    }
}
