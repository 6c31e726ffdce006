//! Renders of tensors of Burn's wgpu backend, with and without fusion. The kernels read the
//! tensors' buffers. Images and gradients equal those of the CPU within a tolerance. Without a
//! device the tests are reported as ignored.
//!
//! `cargo test -p splat-autodiff --features wgpu,fusion --test device`

mod buffers;
mod compare;
mod ellipses;
mod scene;

use std::any::{TypeId, type_name};
use std::fmt::Debug;

use burn::backend::Autodiff;
use burn::tensor::backend::Backend;
use burn::tensor::ops::FloatTensor;
use burn::tensor::{Tensor, TensorData};
use burn_cubecl::CubeBackend;
use burn_flex::Flex;
use burn_fusion::Fusion;
use burn_wgpu::{WgpuDevice, WgpuRuntime};
use libtest_mimic::{Arguments, Failed, Trial};
use splat::{Camera, RenderConfig, Views};
use splat_autodiff::measure::{Features, missing_feature};
use splat_autodiff::{
    CameraTensors, GaussianTensors, Renderer, render_forward, render_forward_with_cameras,
    render_with_cameras,
};

use buffers::{buffers_are_lent, renders_stay_on_the_device};
use compare::{TOLERANCE, all_close};
use scene::{C, Inputs, V, config, inputs, numbers, views};

type Plain = CubeBackend<WgpuRuntime, f32, i32, u32>;
type Fused = Fusion<Plain>;

/// Returns the images and gradients of a render as named buffers.
fn everything<B: Backend>(device: &B::Device) -> Result<Vec<(&'static str, Vec<f32>)>, Failed> {
    let Inputs {
        gaussians: g,
        background,
        poses,
        intrinsics,
    } = inputs::<Autodiff<B>>(device);
    let g = GaussianTensors {
        means: g.means.require_grad(),
        scales: g.scales.require_grad(),
        quaternions: g.quaternions.require_grad(),
        opacities: g.opacities.require_grad(),
        features: g.features.require_grad(),
    };
    let background = background.require_grad();
    let (poses, intrinsics) = (poses.require_grad(), intrinsics.require_grad());
    let (views, config) = (views(), config());
    let cameras = CameraTensors::new()
        .with_poses(poses.clone())
        .with_intrinsics(intrinsics.clone());
    let image = render_with_cameras(&g, &views, background.clone(), cameras, &config)?;
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
        ("v_intrinsics", gradient!(intrinsics)),
    ])
}

fn equals_the_cpu<B: Backend>(device: &B::Device) -> Result<(), Failed> {
    let cpu = everything::<Flex>(&burn_flex::FlexDevice)?;
    all_close(cpu, everything::<B>(device)?)
}

fn forward_equals_recorded<B: Backend>(device: &B::Device) -> Result<(), Failed> {
    let given = inputs::<B>(device);
    let cameras = given.cameras();
    let forward = render_forward_with_cameras(
        &given.gaussians,
        &views(),
        given.background,
        cameras,
        &config(),
    )?;
    let recorded = everything::<B>(device)?;
    let features = forward.features.into_data().to_vec::<f32>();
    if features.map_err(|error| format!("{error:?}"))? == recorded[0].1 {
        return Ok(());
    }
    Err("images with and without gradient differ".into())
}

/// The counts of culled Gaussians are copied from the device on request only.
fn culled_are_counted_on_request<B: Backend>(device: &B::Device) -> Result<(), Failed> {
    let given = inputs::<B>(device);
    let (cameras, behind) = (given.cameras(), given.background.clone());
    // A Gaussian without a depth, seen by both views.
    let means = given.gaussians.means.slice_fill([5..6, 2..3], f32::NAN);
    let gaussians = GaussianTensors {
        means,
        ..given.gaussians
    };
    let render = |renderer: &Renderer| {
        let (cameras, background) = (cameras.clone(), behind.clone());
        renderer.render_forward_with_cameras(&gaussians, &views(), background, cameras, &config())
    };
    let unasked = render(&Renderer::new())?.culled;
    let counted = render(&Renderer::new().with_culled_on_device(true))?.culled;
    let host = inputs::<Flex>(&burn_flex::FlexDevice);
    let cameras = host.cameras();
    let means = host.gaussians.means.slice_fill([5..6, 2..3], f32::NAN);
    let on_host = GaussianTensors {
        means,
        ..host.gaussians
    };
    let background = host.background;
    let image = render_forward_with_cameras(&on_host, &views(), background, cameras, &config())?;
    let expected = image.culled.ok_or("no counts of the CPU")?;
    if unasked.is_none() && counted.as_ref() == Some(&expected) && expected[0] > 0 {
        return Ok(());
    }
    Err(format!("unasked {unasked:?}, counted {counted:?}, on the CPU {expected:?}").into())
}

/// Returns the gradient with respect to the means of a loss that depends on the depth only.
fn by_depth<B: Backend>(device: &B::Device) -> Result<Vec<f32>, Failed> {
    let given = inputs::<Autodiff<B>>(device);
    let cameras = given.cameras();
    let means = given.gaussians.means.require_grad();
    let gaussians = GaussianTensors {
        means: means.clone(),
        ..given.gaussians
    };
    let background = given.background;
    let image = render_with_cameras(&gaussians, &views(), background, cameras, &config())?;
    let gradients = image.depth.ok_or("no depth")?.sum().backward();
    let v_means = means.grad(&gradients).ok_or("no gradient")?.into_data();
    Ok(v_means.to_vec().map_err(|error| format!("{error:?}"))?)
}

fn a_loss_of_the_depth_alone_equals_the_cpu<B: Backend>(device: &B::Device) -> Result<(), Failed> {
    let (expected, got) = (
        by_depth::<Flex>(&burn_flex::FlexDevice)?,
        by_depth::<B>(device)?,
    );
    let scale = expected.iter().fold(0.0f32, |most, x| most.max(x.abs()));
    let close = |(a, b): (&f32, &f32)| (a - b).abs() <= TOLERANCE * scale;
    if scale > 0.0 && got.len() == expected.len() && got.iter().zip(&expected).all(close) {
        return Ok(());
    }
    Err(format!("device {got:?}, CPU {expected:?}").into())
}

/// The names of the tensors' types tell which feature a build lacks.
fn a_missing_feature_is_named<B: Backend>(_: &B::Device) -> Result<(), Failed> {
    let name = type_name::<FloatTensor<B>>();
    let all = Features::BUILD;
    let without_fusion = Features {
        fusion: false,
        ..all
    };
    let without_wgpu = Features { wgpu: false, ..all };
    let fused = TypeId::of::<B>() == TypeId::of::<Fused>();
    let found = [all, without_fusion, without_wgpu].map(|build| missing_feature(name, build));
    if found == [None, fused.then_some("fusion"), Some("wgpu")] {
        return Ok(());
    }
    Err(format!("{name}: {found:?}").into())
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
    let checks: [(&str, Check<B::Device>); 10] = [
        ("equals_the_cpu", equals_the_cpu::<B>),
        ("forward_equals_recorded", forward_equals_recorded::<B>),
        ("buffers_are_lent", buffers_are_lent::<B>),
        (
            "renders_stay_on_the_device",
            renders_stay_on_the_device::<B>,
        ),
        ("empty_scenes", empty_scenes::<B>),
        (
            "ellipses_equal_the_cpu",
            ellipses::ellipses_equal_the_cpu::<B>,
        ),
        (
            "ellipses_stay_on_the_device",
            ellipses::ellipses_stay_on_the_device::<B>,
        ),
        (
            "culled_are_counted_on_request",
            culled_are_counted_on_request::<B>,
        ),
        (
            "a_loss_of_the_depth_alone_equals_the_cpu",
            a_loss_of_the_depth_alone_equals_the_cpu::<B>,
        ),
        (
            "a_missing_feature_is_named",
            a_missing_feature_is_named::<B>,
        ),
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
