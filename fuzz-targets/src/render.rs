//! Forward and backward passes on invalid and extreme values and shapes, in `f32` and `f64`.

use splat::{Cpu, CpuScalar, RenderConfig, Scene, Wanted};

use crate::input::{Input, convert, made};

/// If the render succeeds, its vjp must succeed too. With a single view, the opacity gradients of
/// culled Gaussians must be zero.
pub fn render(data: &[u8]) -> usize {
    let Some(input) = made::<Input>(data) else {
        return 0;
    };
    let config = input.config();
    let mut renders = run::<f32>(&input, &config);
    if config.validate().is_err() {
        let config = RenderConfig::default();
        renders += run::<f32>(&input, &config) + run::<f64>(&input, &config);
    } else {
        renders += run::<f64>(&input, &config);
    }
    renders
}

fn run<T: CpuScalar>(input: &Input, config: &RenderConfig) -> usize {
    let (gaussians, backgrounds) = input.buffers();
    let gaussians = gaussians.map(|x| convert::<T>(x));
    let (views, backgrounds) = (input.views(), convert(&backgrounds));
    let scene = Scene {
        gaussians: gaussians.as_slices(),
        views: &views,
        backgrounds: &backgrounds,
    };
    let backend = Cpu::<T>::new();
    let Ok((image, saved)) = splat::render(&backend, &scene, config) else {
        return 0;
    };
    let v_image = image.clone().without_layers();
    let gradients = splat::render_vjp(&backend, &scene, &saved, &v_image.as_slices(), Wanted::ALL)
        .expect("what render accepts, its vjp accepts");
    let [ref range] = views.ranges[..] else {
        return 1;
    };
    for (splat, i) in range.clone().enumerate() {
        if saved.splats.extents[2 * splat] <= T::ZERO {
            let v = gradients.gaussians.opacities[i];
            assert!(v == T::ZERO, "a culled Gaussian got the gradient {v}");
        }
    }
    1
}
