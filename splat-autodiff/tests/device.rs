//! Renders of tensors of Burn's wgpu backend, with and without fusion. The kernels read the
//! tensors' buffers. Images and gradients equal those of the CPU within a tolerance. Without a
//! device the tests are reported as ignored.
//!
//! `cargo test -p splat-autodiff --features wgpu,fusion --test device`

use std::fmt::Debug;

use burn::backend::Autodiff;
use burn::tensor::backend::Backend;
use burn::tensor::{DType, Tensor, TensorData};
use burn_cubecl::CubeBackend;
use burn_flex::Flex;
use burn_fusion::Fusion;
use burn_wgpu::{WgpuDevice, WgpuRuntime};
use libtest_mimic::{Arguments, Failed, Trial};
use splat::GpuBuffer;
use splat::{Camera, Outputs, RenderConfig, Views};
use splat_autodiff::measure::{give, lies_on, take};
use splat_autodiff::{GaussianTensors, render_forward, render_with_poses};

type Plain = CubeBackend<WgpuRuntime, f32, i32, u32>;
type Fused = Fusion<Plain>;

/// Greatest difference between device and CPU, relative to the largest element of a tensor. The
/// device rounds `f32` in another order and uses another exponential.
const TOLERANCE: f32 = 1e-4;

/// Numbers of Gaussians (N), channels (C) and views (V).
const N: usize = 24;
const C: usize = 3;
const V: usize = 2;

/// Quasi-random values in (-1, 1).
fn numbers(len: usize, seed: usize) -> Vec<f32> {
    let number = |i: usize| ((i + 97 * seed) as f32 * 0.618_034).fract() * 2.0 - 1.0;
    (1..=len).map(number).collect()
}

fn views() -> Views {
    let camera = Camera::pinhole(24.0, 24.0, 12.0, 10.0);
    Views {
        width: 24,
        height: 20,
        cameras: vec![camera; V],
        ranges: vec![0..N, 4..N],
    }
}

fn config() -> RenderConfig {
    let outputs = Outputs::ALL;
    RenderConfig::default()
        .with_outputs(outputs)
        .with_layers(vec![2])
}

/// The seven inputs of a render. [`inputs`] creates the means as a tensor that is not contiguous.
struct Inputs<B: Backend> {
    gaussians: GaussianTensors<B>,
    background: Tensor<B, 2>,
    poses: Tensor<B, 3>,
}

fn inputs<B: Backend>(device: &B::Device) -> Inputs<B> {
    let tensor = |values: Vec<f32>| Tensor::<B, 1>::from_data(TensorData::from(&*values), device);
    let means = tensor(numbers(3 * N, 1)).reshape([3, N]).transpose();
    let depth = Tensor::<B, 1>::from_floats([0.0, 0.0, 3.0], device).reshape([1, 3]);
    let pose = [
        1.0, 0.0, 0.0, 0.1, 0.0, 1.0, 0.0, -0.1, 0.0, 0.0, 1.0, 0.5f32,
    ];
    let gaussians = GaussianTensors {
        means: means + depth,
        scales: tensor(numbers(3 * N, 2)).reshape([N, 3]).abs() * 0.3 + 0.05,
        quaternions: tensor(numbers(4 * N, 3)).reshape([N, 4]),
        opacities: tensor(numbers(N, 4)).abs() * 0.8 + 0.1,
        features: tensor(numbers(C * N, 5)).reshape([N, C]),
    };
    Inputs {
        gaussians,
        background: tensor(numbers(V * C, 6)).reshape([V, C]),
        poses: tensor(pose.repeat(V)).reshape([V, 3, 4]),
    }
}

/// Returns the images and gradients of a render as named buffers.
fn everything<B: Backend>(device: &B::Device) -> Result<Vec<(&'static str, Vec<f32>)>, Failed> {
    let Inputs {
        gaussians: g,
        background,
        poses,
    } = inputs::<Autodiff<B>>(device);
    let g = GaussianTensors {
        means: g.means.require_grad(),
        scales: g.scales.require_grad(),
        quaternions: g.quaternions.require_grad(),
        opacities: g.opacities.require_grad(),
        features: g.features.require_grad(),
    };
    let (background, poses) = (background.require_grad(), poses.require_grad());
    let (views, config) = (views(), config());
    let image = render_with_poses(&g, &views, background.clone(), poses.clone(), &config)?;
    let (transmittance, depth, layers) = (image.transmittance, image.depth, image.layers);
    let transmittance = transmittance.ok_or("no transmittance")?;
    let depth = depth.ok_or("no depth")?;
    let layers = layers.ok_or("no layers")?;
    let weight = Tensor::<Autodiff<B>, 4>::from_data(
        TensorData::new(numbers(V * 20 * 24 * C, 7), [V, 20, 24, C]),
        device,
    );
    let loss = (image.features.clone() * weight).sum()
        + transmittance.clone().powf_scalar(2.0).sum()
        + depth.clone().sum() * 0.1;
    let gradients = loss.backward();
    let host = |data: TensorData| data.to_vec::<f32>().map_err(|error| format!("{error:?}"));
    macro_rules! gradient {
        ($tensor:expr) => {
            host($tensor.grad(&gradients).ok_or("no gradient")?.into_data())?
        };
    }
    Ok(vec![
        ("features", host(image.features.into_data())?),
        ("transmittance", host(transmittance.into_data())?),
        ("depth", host(depth.into_data())?),
        ("layers", host(layers.into_data())?),
        ("v_means", gradient!(g.means)),
        ("v_scales", gradient!(g.scales)),
        ("v_quaternions", gradient!(g.quaternions)),
        ("v_opacities", gradient!(g.opacities)),
        ("v_features", gradient!(g.features)),
        ("v_background", gradient!(background)),
        ("v_poses", gradient!(poses)),
    ])
}

fn equals_the_cpu<B: Backend>(device: &B::Device) -> Result<(), Failed> {
    let cpu = everything::<Flex>(&burn_flex::FlexDevice)?;
    for ((name, expected), (_, got)) in cpu.into_iter().zip(everything::<B>(device)?) {
        let scale = expected.iter().fold(0.0f32, |most, x| most.max(x.abs()));
        if scale == 0.0 || expected.len() != got.len() {
            return Err(format!("{name}: nothing to compare").into());
        }
        for (i, (a, b)) in got.iter().zip(&expected).enumerate() {
            // The comparison is false for NaN.
            let close = (a - b).abs() <= TOLERANCE * scale;
            if !close {
                return Err(format!("{name}[{i}]: device {a}, CPU {b}, scale {scale}").into());
            }
        }
    }
    Ok(())
}

fn forward_equals_recorded<B: Backend>(device: &B::Device) -> Result<(), Failed> {
    let given = inputs::<B>(device);
    let poses = given.poses;
    let forward = splat_autodiff::render_forward_with_poses(
        &given.gaussians,
        &views(),
        given.background,
        poses,
        &config(),
    )?;
    let recorded = everything::<B>(device)?;
    let features = forward.features.into_data().to_vec::<f32>();
    if features.map_err(|error| format!("{error:?}"))? == recorded[0].1 {
        return Ok(());
    }
    Err("images with and without gradient differ".into())
}

/// Returns the identifier of the buffer's allocation in `CubeCL`.
fn allocation(buffer: &GpuBuffer) -> Result<String, Failed> {
    let text = format!("{:?}", buffer.handle().memory);
    let number = text.split("ManagedMemoryId { value: ").nth(1);
    let number = number.and_then(|rest| rest.split(' ').next());
    number
        .map(str::to_owned)
        .ok_or_else(|| format!("no number in {text}").into())
}

fn buffers_are_lent<B: Backend>(device: &B::Device) -> Result<(), Failed> {
    if !lies_on::<B, WgpuRuntime>() {
        return Err("rendered on the CPU".into());
    }
    let tensor = Tensor::<B, 1>::from_data(TensorData::from(&*numbers(60, 1)), device);
    let tensor = tensor.reshape([20, 3]) + 1.0;
    let lend = |tensor: &Tensor<B, 2>| {
        take::<B, WgpuRuntime>("it", tensor.clone().into_primitive().tensor())
    };
    let ((first, like), (again, _)) = (lend(&tensor)?, lend(&tensor)?);
    same("a tensor lent twice", &first, &again)?;
    let other = tensor.clone() * 2.0;
    if allocation(&lend(&other)?.0)? == allocation(&first)? {
        return Err("two tensors have one buffer: the comparison says nothing".into());
    }
    // A buffer that becomes a tensor keeps its allocation.
    let back = give::<B, WgpuRuntime>("it", &first, &[20, 3], DType::F32, &like)?;
    let (back, _) = take::<B, WgpuRuntime>("it", back)?;
    same("a buffer returned", &first, &back)
}

/// Returns the identifier of the tensor's allocation in `CubeCL`.
fn allocation_of<B: Backend, const D: usize>(tensor: Tensor<B, D>) -> Result<String, Failed> {
    allocation(&take::<B, WgpuRuntime>("it", tensor.into_primitive().tensor())?.0)
}

/// The kernels write all images into one allocation, and the gradients with respect to geometry
/// into another. Tensors in a common allocation were therefore written by the kernels. Tensors
/// copied from the host each have a separate allocation.
fn renders_stay_on_the_device<B: Backend>(device: &B::Device) -> Result<(), Failed> {
    let given = inputs::<Autodiff<B>>(device);
    let (means, scales) = (
        given.gaussians.means.require_grad(),
        given.gaussians.scales.require_grad(),
    );
    let gaussians = GaussianTensors {
        means: means.clone(),
        scales: scales.clone(),
        ..given.gaussians
    };
    let (background, poses) = (given.background, given.poses);
    let image = render_with_poses(&gaussians, &views(), background, poses, &config())?;
    let gradients = image.features.sum().backward();
    let v_means = means
        .grad(&gradients)
        .ok_or("no gradient with respect to means")?;
    let v_scales = scales
        .grad(&gradients)
        .ok_or("no gradient with respect to scales")?;

    let given = inputs::<B>(device);
    let forward = splat_autodiff::render_forward_with_poses(
        &given.gaussians,
        &views(),
        given.background,
        given.poses,
        &config(),
    )?;
    let transmittance = forward.transmittance.ok_or("no transmittance")?;
    let depth = forward.depth.ok_or("no depth")?;
    let layers = forward.layers.ok_or("no layers")?;
    let images = [
        allocation_of(forward.features)?,
        allocation_of(transmittance)?,
        allocation_of(depth)?,
        allocation_of(layers)?,
    ];
    let gradients = [allocation_of(v_means)?, allocation_of(v_scales)?];
    if images.iter().any(|it| *it != images[0]) || gradients[0] != gradients[1] {
        return Err(format!("images in {images:?}, gradients in {gradients:?}").into());
    }
    Ok(())
}

fn same(what: &str, a: &GpuBuffer, b: &GpuBuffer) -> Result<(), Failed> {
    let (a, b) = (allocation(a)?, allocation(b)?);
    if a == b {
        return Ok(());
    }
    Err(format!("{what}: allocations {a} and {b}").into())
}

fn empty_scenes<B: Backend>(device: &B::Device) -> Result<(), Failed> {
    let zeros = |shape| Tensor::<B, 2>::zeros(shape, device);
    let gaussians = GaussianTensors {
        means: zeros([0, 3]),
        scales: zeros([0, 3]),
        quaternions: zeros([0, 4]),
        opacities: Tensor::zeros([0], device),
        features: zeros([0, C]),
    };
    let camera = Camera::pinhole(8.0, 8.0, 4.0, 4.0);
    let background = Tensor::<B, 2>::from_floats([[0.25, 0.5, 0.75]], device);
    let views = Views::single(8, 8, camera, 0);
    let image = render_forward(&gaussians, &views, background, &RenderConfig::default())?;
    let pixels = image.features.into_data().to_vec::<f32>();
    let pixels = pixels.map_err(|error| format!("{error:?}"))?;
    if pixels.chunks(C).all(|pixel| pixel == [0.25, 0.5, 0.75]) {
        return Ok(());
    }
    Err("not the background".into())
}

/// A check that runs as one trial on a device.
type Check<D> = fn(&D) -> Result<(), Failed>;

fn trials_on<B: Backend>(name: &str, device: &B::Device, found: bool, trials: &mut Vec<Trial>)
where
    B::Device: Debug,
{
    let checks: [(&str, Check<B::Device>); 5] = [
        ("equals_the_cpu", equals_the_cpu::<B>),
        ("forward_equals_recorded", forward_equals_recorded::<B>),
        ("buffers_are_lent", buffers_are_lent::<B>),
        (
            "renders_stay_on_the_device",
            renders_stay_on_the_device::<B>,
        ),
        ("empty_scenes", empty_scenes::<B>),
    ];
    for (check, run) in checks {
        let device = device.clone();
        let trial = Trial::test(format!("{name}::{check}"), move || run(&device));
        trials.push(trial.with_ignored_flag(!found));
    }
}

fn main() {
    let device = WgpuDevice::default();
    // CubeCL reports a missing adapter only by a panic.
    let found = std::panic::catch_unwind(|| Plain::name(&WgpuDevice::default())).is_ok();
    let mut trials = Vec::new();
    trials_on::<Plain>("plain", &device, found, &mut trials);
    trials_on::<Fused>("fused", &device, found, &mut trials);
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}
