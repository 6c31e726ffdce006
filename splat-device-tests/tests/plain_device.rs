//! Every kernel on a device with the limits of plain WebGPU: eight storage buffers, 16 KB of shared
//! memory, 256 threads per workgroup, 128 MiB per buffer, no features. A kernel beyond these limits
//! does not run, and its results are wrong.
//!
//! The device is created with explicit limits, so this is a separate test program. Without an
//! adapter the tests are reported as ignored.
//!
//! `cargo test -p splat-device-tests --features wgpu --test plain_device`

use cubecl::prelude::*;
use cubecl_wgpu::{RuntimeOptions, WgpuDevice, WgpuRuntime, WgpuSetup, init_device};
use libtest_mimic::{Arguments, Failed, Trial};
use splat::check::{
    OwnedScene, Tolerance, check_backend, compare, cotangent, crowd, max_magnitude, run_backend,
    with_channels,
};
use splat::{Cpu, Gpu, Projection, Regime, RenderError, Support, Wanted};

/// Greatest difference between the device and the CPU at `f32`, relative to the largest element of
/// a buffer. The two round in a different order.
const TOLERANCE: f64 = 1e-3;

/// Share of the elements that can differ by more than [`TOLERANCE`]. These elements belong to
/// pixels where device and CPU decide a threshold differently, and to the splats in such pixels.
const SHARE: f64 = 0.02;

/// Greatest difference of these elements, relative to the largest element of a buffer. It is the
/// contribution of a pair with twice the least alpha.
const OUTLIER: f64 = 2.0 / 255.0;

/// Returns the backend on a device with the limits of plain WebGPU, or `None` without an adapter.
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
    // CubeCL reports the features of the adapter. This device was created without them.
    let gpu = Gpu::new(&device).ok()?;
    let never = Support::Never;
    let gpu = gpu.with_subgroups(never).with_halves(never);
    // Browsers require uniform barriers.
    Some(gpu.with_uniform_barriers(true))
}

/// Checks the limits of the device. On a device with higher limits the other tests prove nothing.
fn limits_are_those_of_plain_webgpu(gpu: &Gpu<WgpuRuntime>) -> Result<(), Failed> {
    let properties = gpu.client().properties();
    let hardware = &properties.hardware;
    // CubeCL reserves one of the eight storage buffers.
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

/// A world that needs all variants of the kernels. It has layers, transmittance and depth. Its nine
/// channels need two chunks in the forward pass and three in the backward pass.
fn world() -> OwnedScene {
    let world = with_channels(crowd(30, 2, 70, [35, 20], Projection::Pinhole), 9);
    let config = world.config.clone().with_layers(vec![3, 20]);
    let config = config.with_antialias(true).with_half_features(true);
    world.with_config(config)
}

/// Returns an error unless every element is within [`OUTLIER`] of `expected`, and all but a
/// [`SHARE`] of the elements are within [`TOLERANCE`]. NaN and infinity are errors.
fn near(name: &str, got: &[f64], expected: &[f64]) -> Result<(), Failed> {
    let outlier = Tolerance::of_largest(OUTLIER).with_floor(1e-3);
    compare(name, got, expected, outlier, |_| false)?;
    let bound = TOLERANCE * max_magnitude(expected).max(1e-3);
    // `close` is false for NaN.
    let close = |i: &usize| (got[*i] - expected[*i]).abs() <= bound;
    let far = got.len() - (0..got.len()).filter(close).count();
    if far as f64 <= SHARE * got.len() as f64 {
        return Ok(());
    }
    Err(format!(
        "{name}: {far} of {} elements differ by more than {bound:e}",
        got.len()
    )
    .into())
}

/// Checks that the comparison rejects wrong values.
fn comparison_rejects_wrong_numbers() -> Result<(), Failed> {
    let expected = vec![1.0; 200];
    let with = |count: usize, x: f64| {
        let mut numbers = expected.clone();
        numbers[..count].fill(x);
        near("numbers", &numbers, &expected).is_ok()
    };
    let accepted = [with(0, 0.0), with(200, 1.0005), with(4, 1.005)];
    let refused = [
        with(1, f64::NAN),
        with(1, f64::INFINITY),
        with(1, 1.1),
        with(5, 1.005),
        near("numbers", &expected[1..], &expected).is_ok(),
    ];
    if accepted == [true; 3] && refused == [false; 5] {
        return Ok(());
    }
    Err(format!("accepted {accepted:?}, refused {refused:?}").into())
}

fn passes_the_checks_of_a_backend(gpu: &Gpu<WgpuRuntime>, regime: Regime) -> Result<(), Failed> {
    let report = check_backend(&gpu.clone().with_regime(regime));
    if report.passed() {
        return Ok(());
    }
    Err(report.to_string().into())
}

fn equals_the_cpu(gpu: &Gpu<WgpuRuntime>, regime: Regime) -> Result<(), Failed> {
    let world = world();
    let v_image = cotangent(&world.render()?.0);
    let expected = run_backend(&Cpu::<f32>::new(), &world, &v_image, Wanted::ALL)?;
    let gpu = gpu.clone().with_regime(regime);
    let got = run_backend(&gpu, &world, &v_image, Wanted::ALL)?;
    let (image, right) = (&got.image, &expected.image);
    near("image", &image.features, &right.features)?;
    for (name, got, expected) in [
        ("transmittance", &image.transmittance, &right.transmittance),
        ("depth", &image.depth, &right.depth),
        ("layers", &image.layers, &right.layers),
    ] {
        let (Some(got), Some(expected)) = (got, expected) else {
            return Err(format!("{name}: asked for").into());
        };
        near(name, got, expected)?;
    }
    let pairs = got.gradients.buffers().into_iter();
    for ((name, got), (_, expected)) in pairs.zip(expected.gradients.buffers()) {
        near(name, got, expected)?;
    }
    Ok(())
}

/// `render_async` gives the same bits as `render`, which blocks the host.
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
    // The gradient of half the squared norm of the image. Layers carry no gradient.
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

/// With uniform barriers a workgroup processes its tile list to the end, even after all pixels of
/// the tile have ended. Without them it stops early. Both give the same bits. The world has many
/// nearly opaque splats, so that tiles end early.
fn equals_itself_leaving(gpu: &Gpu<WgpuRuntime>, regime: Regime) -> Result<(), Failed> {
    let mut world = crowd(31, 2, 900, [35, 20], Projection::Pinhole);
    world.gaussians.opacities.fill(0.9);
    world.config.outputs.transmittance = true;
    let v_image = cotangent(&world.render()?.0);
    let with = |uniform: bool| {
        let gpu = gpu.clone().with_regime(regime);
        let gpu = gpu.with_uniform_barriers(uniform);
        run_backend(&gpu, &world, &v_image, Wanted::ALL)
    };
    let (through, left) = (with(true)?, with(false)?);
    let transmittance = left.image.transmittance.iter().flatten();
    let brightest = transmittance.copied().fold(0.0, f64::max);
    if left.image.transmittance.is_none() || brightest > 0.01 {
        return Err(format!("no tile is left: {brightest} comes through").into());
    }
    if through.bits() == left.bits() {
        return Ok(());
    }
    Err("other numbers".into())
}

/// Allocates twice the shared memory of the device.
#[cube(launch)]
fn greedy_kernel(out: &mut Array<u32>) {
    let mut shared = SharedMemory::<u32>::new(8192usize);
    shared[(8191 - UNIT_POS) as usize] = UNIT_POS;
    sync_cube();
    out[UNIT_POS as usize] = shared[(8191 - UNIT_POS) as usize] + 1;
}

/// If `CubeCL` rejects a launch, the next download returns an error. Later downloads are valid
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
    Err("the downloaded values differ from the uploaded values".into())
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
        trial("passes_the_checks_of_a_backend_small", |gpu| {
            passes_the_checks_of_a_backend(gpu, Regime::Small)
        }),
        trial("passes_the_checks_of_a_backend_large", |gpu| {
            passes_the_checks_of_a_backend(gpu, Regime::Large)
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
