//! Every kernel on a device that has no more than plain WebGPU: eight storage buffers, 16 KB of shared memory, 256 units per cube,
//! 128 MiB per buffer, no features. A kernel that asks for more does not run, and the numbers say so.
//!
//! A program of its own, since the device is made by hand. Without an adapter the tests show as ignored.
//!
//! `cargo test -p splat --features wgpu --test plain_device`

#[expect(dead_code, reason = "this program uses a part of the module")]
mod backends_support;
mod support;

use cubecl::prelude::*;
use cubecl_wgpu::{RuntimeOptions, WgpuDevice, WgpuRuntime, WgpuSetup, init_device};
use libtest_mimic::{Arguments, Failed, Trial};
use splat::{Gpu, Projection, Regime, RenderError, Support, Wanted};

use backends_support::compare::{compare, narrow, widen};
use backends_support::{Place, on_device};
use support::{World, cotangent, crowd};

/// Device against the CPU at `f32`, relative to the largest number of a kind: some roundings, in another order.
const TOLERANCE: f64 = 1e-3;

/// Pixels that may differ by more: those where a threshold decides otherwise.
const SHARE: f64 = 0.02;

/// The backend on a device with the limits of plain WebGPU, where there is an adapter.
fn plain_cube() -> Option<Gpu<WgpuRuntime>> {
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
    let cube = Gpu::new(&device).ok()?;
    let never = Support::Never;
    let cube = cube.with_planes(never).with_halves(never);
    // As in a browser.
    Some(cube.with_uniform_barriers(true))
}

/// The device really has no more: else this program would prove nothing.
fn limits_are_those_of_plain_webgpu(cube: &Gpu<WgpuRuntime>) -> Result<(), Failed> {
    let properties = cube.client().properties();
    let hardware = &properties.hardware;
    // CubeCL keeps one of the eight buffers to itself.
    let got = (
        hardware.max_bindings,
        hardware.max_shared_memory_size,
        properties.memory.max_page_size,
    );
    if got == (7, 16 << 10, 128 << 20) && cube.plane_size().is_none() {
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

fn near(name: &str, got: &[f32], expected: &[f32]) -> Result<(), Failed> {
    let expected = widen(&expected.to_vec());
    let largest = support::scale(&expected).max(1e-3);
    // Phrased so that NaN is not close.
    let close = |i: usize| (f64::from(got[i]) - expected[i]).abs() <= TOLERANCE * largest;
    if got.len() == expected.len() {
        let count = (0..got.len()).filter(|&i| !close(i)).count();
        if count as f64 <= SHARE * got.len() as f64 {
            return Ok(());
        }
    }
    compare(name, got, &expected, TOLERANCE, |_| false)
}

fn equals_the_cpu(cube: &Gpu<WgpuRuntime>, regime: Regime) -> Result<(), Failed> {
    let world = world();
    let v_image = cotangent(&world.render().0).map(narrow);
    let (expected, v_expected) = Place::cpu().run(&world, &v_image, Wanted::ALL)?;
    let cube = cube.clone().with_regime(regime);
    let (image, v) = on_device(&cube, &world, &v_image, Wanted::ALL)?;
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
fn equals_itself_awaited(cube: &Gpu<WgpuRuntime>, regime: Regime) -> Result<(), Failed> {
    let (config, world) = (world().config, world().rounded::<f32>());
    let cube = cube.clone().with_regime(regime);
    let gaussians = cube.upload_gaussians(&world.gaussians.as_slices())?;
    let backgrounds = cube.upload(&world.backgrounds)?;
    let scene = splat::Scene {
        gaussians: gaussians.map(|buffer| buffer),
        views: &world.views,
        backgrounds: &backgrounds,
    };
    let (expected, _) = splat::render(&cube, &scene, &config)?;
    let expected = cube.download_image(&expected)?;
    let (image, saved) = cubecl::future::block_on(cube.render_async(&scene, &config))?;
    let image = cube.download_image(&image)?;
    let drawn = image.features.iter().any(|&x| x != 0.0);
    if image != expected || !drawn {
        return Err("another image".into());
    }
    // Half the squared distance to black, but for the layers, which have no gradient.
    let v_image = image.without_layers();
    let v_image = cube.upload_image(&v_image.as_slices())?;
    let v_image = v_image.map(|buffer| buffer);
    let v = splat::render_vjp(&cube, &scene, &saved, &v_image, Wanted::ALL)?;
    let v = cube.download_gradients(&v)?;
    if v.gaussians.means.iter().any(|&x| x != 0.0) {
        return Ok(());
    }
    Err("no gradient".into())
}

/// Tiles that are walked to the end of their lists, though no pixel goes on, have the bits of tiles that are left: full ones in front of
/// many others.
fn equals_itself_leaving(cube: &Gpu<WgpuRuntime>, regime: Regime) -> Result<(), Failed> {
    let mut world = crowd(31, 2, 900, [35, 20], Projection::Pinhole);
    world.gaussians.opacities.fill(0.9);
    world.config.outputs.transmittance = true;
    let v_image = cotangent(&world.render().0).map(narrow);
    let run = |uniform: bool| {
        let cube = cube.clone().with_regime(regime);
        on_device(
            &cube.with_uniform_barriers(uniform),
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

/// A launch that `CubeCL` refused shows where its numbers are read; what is read later is sound again.
fn a_kernel_that_did_not_run_is_an_error(cube: &Gpu<WgpuRuntime>) -> Result<(), Failed> {
    let out = cube.upload(&[0.0; 256])?;
    greedy_kernel::launch::<WgpuRuntime>(
        cube.client(),
        CubeCount::Static(1, 1, 1),
        CubeDim::new_1d(256),
        // SAFETY: the handle has 256 words.
        unsafe { ArrayArg::from_raw_parts(out.handle().clone(), 256) },
    );
    match cube.download(&out) {
        Err(RenderError::Device { .. }) => {}
        other => return Err(format!("{other:?}").into()),
    }
    if cube.download(&out)? == [0.0; 256] {
        return Ok(());
    }
    Err("other numbers than were written".into())
}

fn main() {
    let cube: &'static Option<Gpu<WgpuRuntime>> = Box::leak(Box::new(plain_cube()));
    let trial = |name: &str, run: fn(&Gpu<WgpuRuntime>) -> Result<(), Failed>| {
        let run = move || run(cube.as_ref().ok_or("no device")?);
        Trial::test(name, run).with_ignored_flag(cube.is_none())
    };
    let trials = vec![
        trial("limits_are_those_of_plain_webgpu", |cube| {
            limits_are_those_of_plain_webgpu(cube)
        }),
        trial("equals_the_cpu_small", |cube| {
            equals_the_cpu(cube, Regime::Small)
        }),
        trial("equals_the_cpu_large", |cube| {
            equals_the_cpu(cube, Regime::Large)
        }),
        trial("equals_itself_awaited_small", |cube| {
            equals_itself_awaited(cube, Regime::Small)
        }),
        trial("equals_itself_awaited_large", |cube| {
            equals_itself_awaited(cube, Regime::Large)
        }),
        trial("equals_itself_leaving_small", |cube| {
            equals_itself_leaving(cube, Regime::Small)
        }),
        trial("equals_itself_leaving_large", |cube| {
            equals_itself_leaving(cube, Regime::Large)
        }),
        trial("a_kernel_that_did_not_run_is_an_error", |cube| {
            a_kernel_that_did_not_run_is_an_error(cube)
        }),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}
