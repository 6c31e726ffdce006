//! The kernels read and write the buffers of the tensors.

use burn::backend::Autodiff;
use burn::tensor::backend::Backend;
use burn::tensor::{DType, Tensor, TensorData};
use burn_wgpu::WgpuRuntime;
use libtest_mimic::Failed;
use splat::GpuBuffer;
use splat_autodiff::measure::{give, lies_on, take};
use splat_autodiff::{GaussianTensors, render_forward_with_cameras, render_with_cameras};

use crate::scene::{config, inputs, numbers, views};

/// Returns the identifier of the buffer's allocation in `CubeCL`.
fn allocation(buffer: &GpuBuffer) -> Result<String, Failed> {
    let text = format!("{:?}", buffer.handle().memory);
    let number = text.split("ManagedMemoryId { value: ").nth(1);
    let number = number.and_then(|rest| rest.split(' ').next());
    number
        .map(str::to_owned)
        .ok_or_else(|| format!("no number in {text}").into())
}

pub(crate) fn buffers_are_lent<B: Backend>(device: &B::Device) -> Result<(), Failed> {
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
pub(crate) fn allocation_of<B: Backend, const D: usize>(
    tensor: Tensor<B, D>,
) -> Result<String, Failed> {
    allocation(&take::<B, WgpuRuntime>("it", tensor.into_primitive().tensor())?.0)
}

/// The kernels write all images into one allocation, and the gradients with respect to geometry
/// into another. Tensors in a common allocation were therefore written by the kernels. Tensors
/// copied from the host each have a separate allocation.
pub(crate) fn renders_stay_on_the_device<B: Backend>(device: &B::Device) -> Result<(), Failed> {
    let given = inputs::<Autodiff<B>>(device);
    let cameras = given.cameras();
    let (means, scales) = (
        given.gaussians.means.require_grad(),
        given.gaussians.scales.require_grad(),
    );
    let gaussians = GaussianTensors {
        means: means.clone(),
        scales: scales.clone(),
        ..given.gaussians
    };
    let background = given.background;
    let image = render_with_cameras(&gaussians, &views(), background, cameras, &config())?;
    let gradients = image.features.sum().backward();
    let v_means = means
        .grad(&gradients)
        .ok_or("no gradient with respect to means")?;
    let v_scales = scales
        .grad(&gradients)
        .ok_or("no gradient with respect to scales")?;

    let given = inputs::<B>(device);
    let cameras = given.cameras();
    let forward = render_forward_with_cameras(
        &given.gaussians,
        &views(),
        given.background,
        cameras,
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
