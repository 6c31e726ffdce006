//! Runs the forward and the backward pass on invalid and extreme values and shapes, in `f32` and
//! `f64`.
//!
//! No call may panic. If the render succeeds, its vjp must succeed too. With a single view, the
//! opacity gradients of culled Gaussians must be zero.

#![no_main]

use std::ops::Range;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use splat::{
    Camera, Cpu, CpuScalar, Gaussians, Outputs, Projection, RenderConfig, Scene, Views, Wanted,
};

/// Arbitrary values for all arguments of a render.
#[derive(Debug, Arbitrary)]
struct Input {
    means: Vec<f32>,
    scales: Vec<f32>,
    quaternions: Vec<f32>,
    opacities: Vec<f32>,
    features: Vec<f32>,
    backgrounds: Vec<f32>,
    count: u8,
    channels: u8,
    /// Whether the buffers are resized to the right lengths, so that the fuzzer passes validation.
    mend: bool,
    width: u8,
    height: u8,
    ranges: Vec<(u8, u8)>,
    camera: [f64; 6],
    pose: [[f64; 4]; 3],
    projection: u8,
    settings: [f64; 4],
    antialias: bool,
    half_features: bool,
    layers: Vec<u8>,
}

fn fitted(mut values: Vec<f32>, len: usize, mend: bool) -> Vec<f32> {
    if mend {
        values.resize(len, 0.5);
    }
    values
}

impl Input {
    fn views(&self) -> Views {
        let projection = [
            Projection::Pinhole,
            Projection::Orthographic,
            Projection::Hybrid,
        ][self.projection as usize % 3];
        let [fx, fy, cx, cy, near, far] = self.camera;
        let camera = Camera::new(projection, fx, fy, cx, cy)
            .with_pose(self.pose)
            .with_depth_range(near, far);
        let ranges: Vec<Range<usize>> = self
            .ranges
            .iter()
            .take(4)
            .map(|&(start, end)| start as usize..end as usize)
            .collect();
        Views {
            width: self.width as usize % 70,
            height: self.height as usize % 70,
            cameras: vec![camera; ranges.len()],
            ranges,
        }
    }

    fn config(&self) -> RenderConfig {
        let [blur, alpha_min, alpha_max, transmittance_min] = self.settings;
        RenderConfig::default()
            .with_blur(blur)
            .with_antialias(self.antialias)
            .with_alpha_min(alpha_min)
            .with_alpha_max(alpha_max)
            .with_transmittance_min(transmittance_min)
            .with_half_features(self.half_features)
            .with_outputs(Outputs::ALL)
            .with_layers(
                self.layers
                    .iter()
                    .take(4)
                    .map(|&rank| rank as usize)
                    .collect(),
            )
    }
}

fn run<T: CpuScalar>(
    input: &Input,
    gaussians: &Gaussians<Vec<f32>>,
    backgrounds: &[f32],
    config: &RenderConfig,
) {
    let convert = |x: &[f32]| x.iter().map(|&x| T::from_f64(x.into())).collect::<Vec<T>>();
    let gaussians = gaussians.map(|x| convert(x));
    let (views, backgrounds) = (input.views(), convert(backgrounds));
    let scene = Scene {
        gaussians: gaussians.as_slices(),
        views: &views,
        backgrounds: &backgrounds,
    };
    let backend = Cpu::<T>::new();
    let Ok((image, saved)) = splat::render(&backend, &scene, config) else {
        return;
    };
    let v_image = image.clone().without_layers();
    let gradients = splat::render_vjp(&backend, &scene, &saved, &v_image.as_slices(), Wanted::ALL)
        .expect("what render accepts, its vjp accepts");
    let [ref range] = views.ranges[..] else {
        return;
    };
    for (splat, i) in range.clone().enumerate() {
        if saved.splats.extents[2 * splat] <= T::ZERO {
            let v = gradients.gaussians.opacities[i];
            assert!(v == T::ZERO, "a culled Gaussian got the gradient {v}");
        }
    }
}

fuzz_target!(|input: Input| {
    let (n, c) = (input.count as usize, input.channels as usize % 6);
    let mend = input.mend;
    let gaussians = Gaussians {
        means: fitted(input.means.clone(), 3 * n, mend),
        scales: fitted(input.scales.clone(), 3 * n, mend),
        quaternions: fitted(input.quaternions.clone(), 4 * n, mend),
        opacities: fitted(input.opacities.clone(), n, mend),
        features: fitted(input.features.clone(), n * c, mend),
        count: n,
        channels: c,
    };
    let backgrounds = fitted(
        input.backgrounds.clone(),
        input.ranges.len().min(4) * c,
        mend,
    );
    let mut config = input.config();
    run::<f32>(&input, &gaussians, &backgrounds, &config);
    if config.validate().is_err() {
        config = RenderConfig::default();
        run::<f32>(&input, &gaussians, &backgrounds, &config);
    }
    run::<f64>(&input, &gaussians, &backgrounds, &config);
});
