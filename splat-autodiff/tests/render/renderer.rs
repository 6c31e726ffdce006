//! A renderer that is used for several steps gives the bits of the direct calls, and keeps memory.

use burn::tensor::{DType, Tensor};
use splat::check::{Random, crowd, with_channels};
use splat::{Cpu, Image, Projection, RenderConfig, Wanted, render_vjp};
use splat_autodiff::{CameraTensors, GaussianTensors, Renderer};

use crate::scene::{Diff, Host, Number, Plain, all_outputs, numbers, rounded, tensor, track};

/// Views, Gaussians per view, channels, width and height of the steps.
const STEPS: [[usize; 5]; 6] = [
    [2, 6, 3, 40, 24],
    [1, 3, 1, 9, 7],
    [3, 5, 4, 33, 65],
    [2, 6, 3, 40, 24],
    [1, 40, 2, 70, 70],
    [1, 3, 1, 9, 7],
];

fn host<T: Number>([views, count, channels, width, height]: [usize; 5]) -> Host<T> {
    let scene = crowd(
        width as u64,
        views,
        count,
        [width, height],
        Projection::Pinhole,
    );
    Host::from(with_channels(scene, channels).rounded())
}

fn assert_equal<T: Number>(what: &str, got: &[T], expected: &[T]) {
    assert_eq!(got.len(), expected.len(), "{what}");
    for (i, (got, expected)) in got.iter().zip(expected).enumerate() {
        // Zeros of both signs are equal.
        assert!(got == expected, "{what}[{i}]: {got} is not {expected}");
    }
}

/// Random weights for every element of `image`.
fn weights<T: Number>(image: &Image<Vec<T>>) -> Image<Vec<T>> {
    let weights = |values: &Vec<T>| rounded(&Random::new(7).several(values.len(), -1.0, 1.0));
    image.map(weights).without_layers()
}

/// Renders one step through `renderer` and directly, and compares images and gradients.
fn step<T: Number>(renderer: &Renderer, sizes: [usize; 5], config: &RenderConfig) {
    let host = host::<T>(sizes);
    let [v, _, c, w, h] = sizes;
    let backend = Cpu::<T>::new();
    let (image, saved) = splat::render(&backend, &host.scene(), config).expect("a valid scene");
    let v_image = weights(&image);
    let expected = render_vjp(
        &backend,
        &host.scene(),
        &saved,
        &v_image.as_slices(),
        Wanted::ALL,
    )
    .expect("a valid scene");

    let gaussians = track(host.tensors::<Diff>());
    let background = host.background().require_grad();
    let poses = host.poses().require_grad();
    let intrinsics = host.intrinsics().require_grad();
    let rendered = renderer
        .render_with_cameras(
            &gaussians,
            &host.views,
            background.clone(),
            CameraTensors::new()
                .with_poses(poses.clone())
                .with_intrinsics(intrinsics.clone()),
            config,
        )
        .expect("a valid scene");
    let features = numbers::<_, T, 4>(rendered.features.clone());
    assert_equal("features", &features, &image.features);
    let mut loss = (rendered.features * tensor(&v_image.features, [v, h, w, c])).sum();
    for (plane, weights) in [
        (rendered.transmittance, v_image.transmittance),
        (rendered.depth, v_image.depth),
    ] {
        if let (Some(plane), Some(weights)) = (plane, weights) {
            loss = loss + (plane * tensor(&weights, [v, h, w])).sum();
        }
    }
    let gradients = loss.backward();
    macro_rules! check {
        ($tensor:expr, $expected:expr) => {{
            let gradient = $tensor.grad(&gradients).expect("tracked");
            assert_equal(stringify!($tensor), &numbers(gradient), &$expected);
        }};
    }
    check!(gaussians.means, expected.gaussians.means);
    check!(gaussians.scales, expected.gaussians.scales);
    check!(gaussians.quaternions, expected.gaussians.quaternions);
    check!(gaussians.opacities, expected.gaussians.opacities);
    check!(gaussians.features, expected.gaussians.features);
    check!(background, expected.backgrounds);
    check!(poses, expected.camera_from_world);
    check!(intrinsics, expected.intrinsics);
}

fn several_steps<T: Number>() {
    let renderer = Renderer::new();
    for config in [RenderConfig::default(), all_outputs()] {
        for sizes in STEPS {
            step::<T>(&renderer, sizes, &config);
        }
    }
    assert!(renderer.bytes() > 0);
    renderer.clear();
    assert_eq!(renderer.bytes(), 0);
}

#[test]
fn several_steps_are_the_direct_calls_in_single() {
    several_steps::<f32>();
}

#[test]
fn several_steps_are_the_direct_calls_in_double() {
    several_steps::<f64>();
}

/// Both precisions in turns share one renderer and not their memory.
#[test]
fn precisions_may_alternate() {
    let renderer = Renderer::new();
    for sizes in STEPS {
        step::<f32>(&renderer, sizes, &RenderConfig::default());
        step::<f64>(&renderer, sizes, &all_outputs());
    }
}

/// Checks that the memory after each of equal steps does not grow. It varies: a step can leave a
/// buffer that the next one replaces.
pub(crate) fn assert_bounded(sizes: &[usize]) {
    let (first, later) = sizes.split_at(sizes.len() / 2);
    let most = |sizes: &[usize]| sizes.iter().copied().max().unwrap_or(0);
    assert!(
        most(first) > 0 && most(later) <= 2 * most(first),
        "{sizes:?}"
    );
}

/// The memory of equal steps does not grow.
#[test]
fn memory_is_bounded() {
    for config in [RenderConfig::default(), all_outputs()] {
        let renderer = Renderer::new();
        let mut sizes = Vec::new();
        for _ in 0..60 {
            step::<f32>(&renderer, STEPS[0], &config);
            sizes.push(renderer.bytes());
        }
        assert_bounded(&sizes);
    }
}

/// The same in half precision, in which all images and gradients are converted.
#[test]
fn memory_is_bounded_in_half_precision() {
    let (renderer, host) = (Renderer::new(), host::<f32>(STEPS[0]));
    let half = |x: Tensor<Plain, 2>| Tensor::<Diff, 2>::from_inner(x.cast(DType::F16));
    let wide = host.tensors::<Plain>();
    let gaussians = track(GaussianTensors {
        means: half(wide.means),
        scales: half(wide.scales),
        quaternions: half(wide.quaternions),
        opacities: Tensor::from_inner(wide.opacities.cast(DType::F16)),
        features: half(wide.features),
    });
    let mut sizes = Vec::new();
    for _ in 0..60 {
        let background = half(host.background());
        let image = renderer.render(&gaussians, &host.views, background, &all_outputs());
        let image = image.expect("a valid scene");
        let loss = image.features.mean() + image.depth.expect("asked for").mean();
        let gradients = loss.backward();
        assert!(gaussians.means.grad(&gradients).is_some());
        sizes.push(renderer.bytes());
    }
    assert_bounded(&sizes);
}

/// Images without a backward pass, and a graph that is dropped without one, return the saved state.
#[test]
fn a_render_without_a_backward_pass_returns_its_memory() {
    let (renderer, host) = (Renderer::new(), host::<f32>(STEPS[0]));
    let config = RenderConfig::default();
    // The memory is complete after a few renders.
    for _ in 0..4 {
        let forward = renderer.render_forward(
            &host.tensors::<Plain>(),
            &host.views,
            host.background(),
            &config,
        );
        forward.expect("a valid scene");
    }
    let kept = renderer.bytes();
    assert!(kept > 0);

    let untracked = host.tensors::<Diff>();
    let constant = renderer.render(&untracked, &host.views, host.background(), &config);
    constant.expect("a valid scene");
    assert!((kept / 2..2 * kept).contains(&renderer.bytes()), "{kept}");

    let tracked = || {
        let gaussians = track(host.tensors::<Diff>());
        let image = renderer.render(&gaussians, &host.views, host.background(), &config);
        image.expect("a valid scene").features
    };
    drop(tracked());
    // Burn frees the steps of dropped tensors during the next backward pass.
    let _gradients = tracked().sum().backward();
    assert!(2 * renderer.bytes() >= kept);
}

/// A conversion to `f16` copies the images. Their buffers return to the renderer.
#[test]
fn copied_images_return_their_memory() {
    let host = host::<f32>(STEPS[0]);
    let half = |x: Tensor<Plain, 2>| x.cast(DType::F16);
    let wide = host.tensors::<Plain>();
    let narrow = GaussianTensors {
        means: half(wide.means.clone()),
        scales: half(wide.scales.clone()),
        quaternions: half(wide.quaternions.clone()),
        opacities: wide.opacities.clone().cast(DType::F16),
        features: half(wide.features.clone()),
    };
    let config = RenderConfig::default();
    let kept = |gaussians: &GaussianTensors<Plain>, background| {
        let renderer = Renderer::new();
        let rendered = renderer.render_forward(gaussians, &host.views, background, &config);
        let pixels = rendered
            .expect("a valid scene")
            .features
            .shape()
            .num_elements();
        (renderer.bytes(), pixels * size_of::<f32>())
    };
    let (single, image) = kept(&wide, host.background());
    let (with_image, _) = kept(&narrow, half(host.background()));
    assert!(with_image >= single + image / 2, "{single}, {with_image}");
}
