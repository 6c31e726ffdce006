//! Half features: the device rounds features to the same 16-bit values as the host.

use cubecl_wgpu::{WgpuDevice, WgpuRuntime};
use half::f16;
use libtest_mimic::Failed;
use splat::{Backend, Camera, Cpu, Gaussians, Gpu, Projection, RenderConfig, RenderError, Views};

/// Returns every finite value of binary16, the midpoints between neighbouring values, and the `f32`
/// neighbours of both. Also returns values that are too large or too small for binary16.
fn numbers_to_round() -> Vec<f32> {
    let halves = (0..=f16::MAX.to_bits()).map(|bits| f16::from_bits(bits).to_f32());
    let halves: Vec<f32> = halves.collect();
    let middles = halves.windows(2).map(|pair| 0.5 * (pair[0] + pair[1]));
    let exact: Vec<f32> = middles
        .chain(halves.iter().copied())
        .chain([1e-30, 65_519.0, 65_520.0, 1e30, f32::MAX])
        .collect();
    let near = exact
        .into_iter()
        .flat_map(|x| [x.next_down(), x, x.next_up()]);
    let near = near.filter(|x| x.is_finite());
    near.flat_map(|x| [x, -x]).collect()
}

/// Compares the half features of the device with those of the host, bit for bit.
pub fn half_features_are_those_of_the_host() -> Result<(), Failed> {
    const CHANNELS: usize = 1024;
    let mut features = numbers_to_round();
    features.resize(features.len().next_multiple_of(CHANNELS), 0.0);
    let count = features.len() / CHANNELS;
    let camera = Camera::new(Projection::Orthographic, 1.0, 1.0, 4.0, 4.0);
    let views = Views::dense(8, 8, camera, 1, count)?;
    let gaussians = Gaussians {
        means: &[0.0, 0.0, 1.0].repeat(count)[..],
        scales: &[1.0; 3].repeat(count),
        quaternions: &[1.0, 0.0, 0.0, 0.0].repeat(count),
        opacities: &vec![0.5; count],
        features: &features,
        count,
        channels: CHANNELS,
        encoding: splat::encoding::Encoding::PLAIN,
    };
    let config = RenderConfig::default().with_half_features(true);
    let host = Cpu::<f32>::new().project(&gaussians, &views, &config)?;
    let gpu = Gpu::<WgpuRuntime>::new(&WgpuDevice::default())?;
    let on_device = gpu.upload_gaussians(&gaussians)?;
    let splats = gpu.project(&on_device.map(|buffer| buffer), &views, &config)?;
    let device = gpu.download_splats(&splats)?.features;
    let host_again = gpu.download_splats(&gpu.upload_splats(&host.as_slices())?)?;
    // Kernels read only `features`, so `bin` must reject splats with a buffer `half_features`.
    let mut copied = gpu.upload_splats(&host.as_slices())?;
    copied.features = gpu.upload(&[])?;
    copied.half_features.clone_from(&host.half_features);
    match gpu.bin(&copied.map(|buffer| buffer), 8, 8) {
        Err(RenderError::Shape {
            argument: "splats.half_features",
            ..
        }) => {}
        other => return Err(format!("{:?}", other.map(|_| "hits")).into()),
    }
    let halves = host.half_features.ok_or("no features of 16 bits")?;
    if device.len() != halves.len() || host_again.features.len() != halves.len() {
        return Err(format!("{} features of {}", device.len(), halves.len()).into());
    }
    for (i, &x) in features.iter().enumerate() {
        let expected = f16::from_f32(x.clamp(-65_504.0, 65_504.0));
        let got = [device[i], halves[i].to_f32(), host_again.features[i]];
        if got.map(f32::to_bits) != [expected.to_f32().to_bits(); 3] {
            return Err(format!("{x:e}: {expected:e}, device and host twice {got:?}").into());
        }
    }
    Ok(())
}
