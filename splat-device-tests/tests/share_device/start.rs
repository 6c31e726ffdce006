//! Backends on the caller's device, and backends that start without blocking.

use cubecl::future::block_on;
use cubecl::ir::{ElemType, FloatKind};
use cubecl_wgpu::{WgpuDevice, WgpuRuntime};
use libtest_mimic::Failed;
use splat::check::check_backend;
use splat::{Gpu, RenderError};
use wgpu::Features;

use crate::caller::{Caller, Case, ensure};

pub(crate) const TRIALS: &[Case] = &[
    ("a_device_has_one_client", a_device_has_one_client),
    (
        "features_are_those_of_the_device",
        features_are_those_of_the_device,
    ),
    (
        "a_plain_device_passes_the_checks",
        a_plain_device_passes_the_checks,
    ),
    ("low_limits_are_named", low_limits_are_named),
    (
        "a_queue_of_another_device_is_an_error",
        a_queue_of_another_device_is_an_error,
    ),
    (
        "new_async_and_new_share_a_client",
        new_async_and_new_share_a_client,
    ),
    ("an_absent_device_is_an_error", an_absent_device_is_an_error),
];

/// A second backend on a device reads the buffers of the first.
fn a_device_has_one_client(_: &Caller) -> Result<(), Failed> {
    let caller = Caller::plain().ok_or("no device")?;
    let first = caller.gpu()?;
    let second = Gpu::from_wgpu(&caller.device.clone(), &caller.queue.clone())?;
    let buffer = first.upload(&[1.0, -2.0, 3.0])?;
    ensure(
        second.download(&buffer)? == [1.0, -2.0, 3.0],
        "other values",
    )?;
    // Another device of the same adapter.
    let other = Caller::plain().ok_or("no device")?.gpu()?;
    let buffer = other.upload(&[4.0])?;
    ensure(other.download(&buffer)? == [4.0], "other values")
}

fn has_halves(gpu: &Gpu<WgpuRuntime>) -> bool {
    let half = ElemType::Float(FloatKind::F16);
    gpu.client().properties().supports_type(half)
}

fn features_are_those_of_the_device(caller: &Caller) -> Result<(), Failed> {
    let plain = caller.gpu()?;
    let planes = plain.client().properties().features.plane;
    ensure(
        !has_halves(&plain) && planes.is_empty(),
        format!("{planes:?}"),
    )?;
    let adapter = caller.adapter.features();
    let wanted = Features::SHADER_F16 | Features::SUBGROUP;
    let descriptor = wgpu::DeviceDescriptor::default();
    let with = Caller::with(&descriptor, |all| all & wanted).ok_or("no device")?;
    let gpu = with.gpu()?;
    ensure(
        has_halves(&gpu) == adapter.contains(Features::SHADER_F16),
        format!("{adapter:?}"),
    )?;
    let config = splat::RenderConfig::default().with_half_features(true);
    let world = splat::check::crowd(3, 1, 20, [20, 20], splat::Projection::Pinhole);
    let world = world.with_config(config);
    let v_image = splat::check::cotangent(&world.render()?.0);
    let features = |gpu| {
        let run = splat::check::run_backend(gpu, &world, &v_image, splat::Wanted::ALL);
        run.map(|outcome| outcome.image.features)
    };
    ensure(features(&gpu)? == features(&plain)?, "another image")
}

fn a_plain_device_passes_the_checks(caller: &Caller) -> Result<(), Failed> {
    let report = check_backend(&caller.gpu()?);
    ensure(report.passed(), &report)
}

fn low_limits_are_named(_: &Caller) -> Result<(), Failed> {
    let refused = |change: fn(&mut wgpu::Limits), words: &str| {
        let mut required_limits = wgpu::Limits::default();
        change(&mut required_limits);
        let descriptor = wgpu::DeviceDescriptor {
            required_limits,
            ..Default::default()
        };
        let caller = Caller::with(&descriptor, |_| Features::empty()).ok_or("no device")?;
        match caller.gpu() {
            Err(error @ RenderError::Device { .. }) => {
                ensure(error.to_string().contains(words), error)
            }
            other => Err(format!("{other:?}").into()),
        }
    };
    refused(
        |limits| limits.max_storage_buffers_per_shader_stage = 4,
        "7 buffers per kernel, got 3",
    )?;
    refused(
        |limits| limits.max_compute_workgroup_size_x = 128,
        "256 threads per workgroup, got 128",
    )?;
    refused(
        |limits| limits.max_compute_workgroup_storage_size = 8192,
        "16384 bytes of shared memory, got 8192",
    )?;
    refused(
        |limits| limits.max_compute_workgroups_per_dimension = 1000,
        "65535 workgroups per side of a grid, got 1000",
    )
}

fn a_queue_of_another_device_is_an_error(caller: &Caller) -> Result<(), Failed> {
    let other = Caller::plain().ok_or("no device")?;
    let mixed = |device: &Caller, queue: &Caller| match Gpu::from_wgpu(&device.device, &queue.queue)
    {
        Err(RenderError::Device { .. }) => Ok(()),
        other => Err(Failed::from(format!("{other:?}"))),
    };
    mixed(&other, caller)?;
    // A failed call does not spoil the device.
    other.gpu()?;
    mixed(&other, caller)?;
    caller.gpu()?;
    mixed(caller, &other)?;
    // A second device of the same adapter.
    let sibling = caller.sibling().ok_or("no device")?;
    mixed(caller, &sibling)?;
    mixed(&sibling, caller)?;
    let buffer = sibling.gpu()?.upload(&[1.0])?;
    ensure(sibling.gpu()?.download(&buffer)? == [1.0], "other values")
}

fn new_async_and_new_share_a_client(_: &Caller) -> Result<(), Failed> {
    let shared = |first: Gpu<WgpuRuntime>, second: Gpu<WgpuRuntime>| {
        let buffer = first.upload(&[5.0, 6.0])?;
        ensure(second.download(&buffer)? == [5.0, 6.0], "other values")
    };
    let device = WgpuDevice::default();
    let first = block_on(Gpu::new_async(&device))?;
    let second = block_on(Gpu::new_async(&device))?;
    shared(first.clone(), second)?;
    shared(first, Gpu::new(&device)?)?;
    // The other order, on a machine that has such a device.
    let Ok(first) = Gpu::new(&WgpuDevice::Cpu) else {
        return Ok(());
    };
    shared(first, block_on(Gpu::new_async(&WgpuDevice::Cpu))?)
}

fn an_absent_device_is_an_error(_: &Caller) -> Result<(), Failed> {
    // The second call meets the state that the first left.
    for _ in 0..2 {
        let absent = Gpu::<WgpuRuntime>::new_async(&WgpuDevice::VirtualGpu(77));
        match block_on(absent) {
            Err(RenderError::Device { got, .. }) => {
                ensure(got.contains("No Virtual GPU"), got)?;
            }
            other => return Err(format!("{other:?}").into()),
        }
    }
    Ok(())
}
