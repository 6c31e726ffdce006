//! Every kernel on a device that has no more than plain WebGPU: eight storage buffers, 16 KB of
//! shared memory, 256 threads per workgroup, 128 MiB per buffer, no features. A kernel that asks
//! for more does not run, and the numbers say so.
//!
//! A program of its own, since the device is made by hand. Without an adapter the tests show as
//! ignored.
//!
//! `cargo test -p splat-device-tests --features wgpu --test plain_device`

#[expect(dead_code, reason = "this program uses a part of the module")]
mod backends_support;
#[path = "../../splat/tests/support/mod.rs"]
mod support;

use cubecl::prelude::*;
use cubecl_wgpu::{RuntimeOptions, WgpuDevice, WgpuRuntime, WgpuSetup, init_device};
use libtest_mimic::{Arguments, Failed, Trial};
use splat::{Gpu, Projection, Regime, RenderError, Support, Wanted};

use backends_support::compare::{compare, narrow, widen};
use backends_support::{Entry, on_device};
use support::{World, cotangent, crowd};

/// Device against the CPU at `f32`, relative to the largest number of a kind: some roundings, in
/// another order.
const TOLERANCE: f64 = 1e-3;

/// Numbers that may be off by more: those of pixels where a threshold decides otherwise, and of the
/// splats in them.
const SHARE: f64 = 0.02;

/// How far those may be off, relative to the largest of a kind: by a pair of twice the least alpha.
const OUTLIER: f64 = 2.0 / 255.0;

/// The backend on a device with the limits of plain WebGPU, where there is an adapter.
fn plain_gpu() -> Option<Gpu<WgpuRuntime>> {
    let backends = wgpu::Backends::VULKAN | wgpu::Backends::METAL | wgpu::Backends::DX12;
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor {
        backends,
        ..wgpu::InstanceDescriptor::new_without_display_handle()
    });
    let options = wgpu::RequestAdapterOptions::default();
    let adapter = cubecl::future::block_on(instance.request_adapter(&options)).ok()?;
    let descriptor = wgpu::DeviceDescriptor {
        required_limits: wgpu::Limits::default(),
        required_features: wgpu::Features::empty(),
        ..wgpu::DeviceDescriptor::default()
    };
    let (device, queue) = cubecl::future::block_on(adapter.request_device(&descriptor)).ok()?;
    let backend = adapter.get_info().backend;
    let setup = WgpuSetup {
        instance,
        adapter,
        device,
        queue,
        backend,
    };
    let device: WgpuDevice = init_device(setup, RuntimeOptions::default());
    // CubeCL reports what the adapter has, not what this device was made with.
    let gpu = Gpu::new(&device).ok()?;
    let never = Support::Never;
    let gpu = gpu.with_subgroups(never).with_halves(never);
    // As in a browser.
    Some(gpu.with_uniform_barriers(true))
}

/// The device really has no more: else this program would prove nothing.
fn limits_are_those_of_plain_webgpu(gpu: &Gpu<WgpuRuntime>) -> Result<(), Failed> {
    let properties = gpu.client().properties();
    let hardware = &properties.hardware;
    // CubeCL keeps one of the eight buffers to itself.
    let got = (
        hardware.max_bindings,
        hardware.max_shared_memory_size,
        properties.memory.max_page_size,
    );
    if got == (7, 16 << 10, 128 << 20) && gpu.subgroup_size().is_none() {
        return Ok(());
    }
    Err(format!("{got:?}").into())
}

/// Layers, depth, two chunks of channels forwards and three backwards: all variants of the kernels.
fn world() -> World {
    let mut world = crowd(30, 2, 70, [35, 20], Projection::Pinhole);
    let channels = 9;
    world.gaussians.channels = channels;
    let numbers = |len: usize| (0..len).map(support::weight).collect();
    world.gaussians.features = numbers(channels * world.gaussians.count);
    world.backgrounds = numbers(channels * world.views.len());
    let mut outputs = world.config.outputs;
    outputs.depth = true;
    outputs.transmittance = true;
    World {
        config: world
            .config
            .with_outputs(outputs)
            .with_layers(vec![3, 20])
            .with_antialias(true)
            .with_half_features(true),
        ..world
    }
}

/// Complains unless every number is finite and within [`OUTLIER`] of `expected`, and all but a
/// [`SHARE`] of them within [`TOLERANCE`].
fn near(name: &str, got: &[f32], expected: &[f32]) -> Result<(), Failed> {
    let expected = widen(&expected.to_vec());
    compare(name, got, &expected, OUTLIER, |_| false)?;
    let bound = TOLERANCE * support::scale(&expected).max(1e-3);
    // Phrased so that NaN is not close.
    let close = |i: &usize| (f64::from(got[*i]) - expected[*i]).abs() <= bound;
    let far = got.len() - (0..got.len()).filter(close).count();
    if far as f64 <= SHARE * got.len() as f64 {
        return Ok(());
    }
    Err(format!(
        "{name}: {far} of {} numbers are off by more than {bound:e}",
        got.len()
    )
    .into())
}

/// The comparison itself: it must refuse what is wrong.
fn comparison_rejects_wrong_numbers() -> Result<(), Failed> {
    let expected = vec![1.0f32; 200];
    let with = |count: usize, x: f32| {
        let mut numbers = expected.clone();
        numbers[..count].fill(x);
        near("numbers", &numbers, &expected).is_ok()
    };
    let accepted = [with(0, 0.0), with(200, 1.0005), with(4, 1.005)];
    let refused = [
        with(1, f32::NAN),
        with(1, f32::INFINITY),
        with(1, 1.1),
        with(5, 1.005),
        near("numbers", &expected[1..], &expected).is_ok(),
    ];
    if accepted == [true; 3] && refused == [false; 5] {
        return Ok(());
    }
    Err(format!("accepted {accepted:?}, refused {refused:?}").into())
}

fn equals_the_cpu(gpu: &Gpu<WgpuRuntime>, regime: Regime) -> Result<(), Failed> {
    let world = world();
    let v_image = cotangent(&world.render().0).map(narrow);
    let (expected, v_expected) = Entry::cpu().run(&world, &v_image, Wanted::ALL)?;
    let gpu = gpu.clone().with_regime(regime);
    let (image, v) = on_device(&gpu, &world, &v_image, Wanted::ALL)?;
    near("image", &image.features, &expected.features)?;
    for (name, got, expected) in [
        (
            "transmittance",
            &image.transmittance,
            &expected.transmittance,
        ),
        ("depth", &image.depth, &expected.depth),
        ("layers", &image.layers, &expected.layers),
    ] {
        let none = Vec::new();
        let got = got.as_ref().unwrap_or(&none);
        near(name, got, expected.as_ref().unwrap_or(&none))?;
    }
    let (a, b) = (&v.gaussians, &v_expected.gaussians);
    for (name, a, b) in [
        ("by means", &a.means, &b.means),
        ("by scales", &a.scales, &b.scales),
        ("by quaternions", &a.quaternions, &b.quaternions),
        ("by opacities", &a.opacities, &b.opacities),
        ("by features", &a.features, &b.features),
        ("by backgrounds", &v.backgrounds, &v_expected.backgrounds),
        (
            "by poses",
            &v.camera_from_world,
            &v_expected.camera_from_world,
        ),
    ] {
        near(name, a, b)?;
    }
    Ok(())
}

/// What a host that must not block asks for is what it would get by blocking, to the bit.
fn equals_itself_awaited(gpu: &Gpu<WgpuRuntime>, regime: Regime) -> Result<(), Failed> {
    let (config, world) = (world().config, world().rounded::<f32>());
    let gpu = gpu.clone().with_regime(regime);
    let gaussians = gpu.upload_gaussians(&world.gaussians.as_slices())?;
    let backgrounds = gpu.upload(&world.backgrounds)?;
    let scene = splat::Scene {
        gaussians: gaussians.map(|buffer| buffer),
        views: &world.views,
        backgrounds: &backgrounds,
    };
    let (expected, _) = splat::render(&gpu, &scene, &config)?;
    let expected = gpu.download_image(&expected)?;
    let (image, saved) = cubecl::future::block_on(gpu.render_async(&scene, &config))?;
    let image = gpu.download_image(&image)?;
    let drawn = image.features.iter().any(|&x| x != 0.0);
    if image != expected || !drawn {
        return Err("another image".into());
    }
    // Half the squared distance to black, but for the layers, which have no gradient.
    let v_image = image.without_layers();
    let v_image = gpu.upload_image(&v_image.as_slices())?;
    let v_image = v_image.map(|buffer| buffer);
    let v = splat::render_vjp(&gpu, &scene, &saved, &v_image, Wanted::ALL)?;
    let v = gpu.download_gradients(&v)?;
    if v.gaussians.means.iter().any(|&x| x != 0.0) {
        return Ok(());
    }
    Err("no gradient".into())
}

/// Tiles that are walked to the end of their lists, though no pixel goes on, have the bits of tiles
/// that are left: full ones in front of many others.
fn equals_itself_leaving(gpu: &Gpu<WgpuRuntime>, regime: Regime) -> Result<(), Failed> {
    let mut world = crowd(31, 2, 900, [35, 20], Projection::Pinhole);
    world.gaussians.opacities.fill(0.9);
    world.config.outputs.transmittance = true;
    let v_image = cotangent(&world.render().0).map(narrow);
    let run = |uniform: bool| {
        let gpu = gpu.clone().with_regime(regime);
        on_device(
            &gpu.with_uniform_barriers(uniform),
            &world,
            &v_image,
            Wanted::ALL,
        )
    };
    let ((image, v), (left, v_left)) = (run(true)?, run(false)?);
    let through = left.transmittance.iter().flatten();
    let brightest = through.copied().fold(0.0f32, f32::max);
    if left.transmittance.is_none() || brightest > 0.01 {
        return Err(format!("no tile is left: {brightest} comes through").into());
    }
    if image == left && v.gaussians == v_left.gaussians {
        return Ok(());
    }
    Err("other numbers".into())
}

/// Twice the shared memory there is.
#[cube(launch)]
fn greedy_kernel(out: &mut Array<u32>) {
    let mut shared = SharedMemory::<u32>::new(8192usize);
    shared[(8191 - UNIT_POS) as usize] = UNIT_POS;
    sync_cube();
    out[UNIT_POS as usize] = shared[(8191 - UNIT_POS) as usize] + 1;
}

/// A launch that `CubeCL` refused shows where its numbers are read; what is read later is sound
/// again.
fn a_kernel_that_did_not_run_is_an_error(gpu: &Gpu<WgpuRuntime>) -> Result<(), Failed> {
    let out = gpu.upload(&[0.0; 256])?;
    greedy_kernel::launch::<WgpuRuntime>(
        gpu.client(),
        CubeCount::Static(1, 1, 1),
        CubeDim::new_1d(256),
        // SAFETY: the handle has 256 words.
        unsafe { ArrayArg::from_raw_parts(out.handle().clone(), 256) },
    );
    match gpu.download(&out) {
        Err(RenderError::Device { .. }) => {}
        other => return Err(format!("{other:?}").into()),
    }
    if gpu.download(&out)? == [0.0; 256] {
        return Ok(());
    }
    Err("other numbers than were written".into())
}

fn main() {
    let gpu: &'static Option<Gpu<WgpuRuntime>> = Box::leak(Box::new(plain_gpu()));
    let trial = |name: &str, run: fn(&Gpu<WgpuRuntime>) -> Result<(), Failed>| {
        let run = move || run(gpu.as_ref().ok_or("no device")?);
        Trial::test(name, run).with_ignored_flag(gpu.is_none())
    };
    let trials = vec![
        Trial::test(
            "comparison_rejects_wrong_numbers",
            comparison_rejects_wrong_numbers,
        ),
        trial("limits_are_those_of_plain_webgpu", |gpu| {
            limits_are_those_of_plain_webgpu(gpu)
        }),
        trial("equals_the_cpu_small", |gpu| {
            equals_the_cpu(gpu, Regime::Small)
        }),
        trial("equals_the_cpu_large", |gpu| {
            equals_the_cpu(gpu, Regime::Large)
        }),
        trial("equals_itself_awaited_small", |gpu| {
            equals_itself_awaited(gpu, Regime::Small)
        }),
        trial("equals_itself_awaited_large", |gpu| {
            equals_itself_awaited(gpu, Regime::Large)
        }),
        trial("equals_itself_leaving_small", |gpu| {
            equals_itself_leaving(gpu, Regime::Small)
        }),
        trial("equals_itself_leaving_large", |gpu| {
            equals_itself_leaving(gpu, Regime::Large)
        }),
        trial("a_kernel_that_did_not_run_is_an_error", |gpu| {
            a_kernel_that_did_not_run_is_an_error(gpu)
        }),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}
