//! Outputs and gradients equal those of `splat` bit for bit.

use burn::backend::Autodiff;
use burn::backend::autodiff::checkpoint::strategy::{BalancedCheckpointing, CheckpointStrategy};
use burn::tensor::{DType, Tensor};
use burn_flex::Flex;
use splat::check::Random;
use splat::{Cpu, Gradients, Image, Outputs, RenderConfig, Wanted};
use splat_autodiff::{
    CameraTensors, GaussianTensors, Rendered, render_forward, render_forward_with_cameras,
    render_with_cameras,
};

use crate::scene::{Host, Number, Plain, all_outputs, numbers, ragged, rounded, tensor};

/// Asserts that two buffers are equal bit for bit, except for the sign of zeros. Burn adds the
/// parts of a gradient, which can change that sign.
fn assert_same<T: Number>(what: &str, got: &[T], expected: &[T]) {
    assert_eq!(got.len(), expected.len(), "{what}");
    for (i, (got, expected)) in got.iter().zip(expected).enumerate() {
        assert!(got == expected, "{what}[{i}]: {got} is not {expected}");
    }
    assert!(
        expected.iter().any(|&x| x != T::ZERO),
        "{what} is all zero: nothing was compared"
    );
}

#[test]
#[should_panic(expected = "x[1]")]
fn the_comparison_sees_one_ulp() {
    assert_same("x", &[1.0f32, 2.0], &[1.0, 2.0f32.next_up()]);
}

fn image<T: Number>(host: &Host<T>, config: &RenderConfig) -> Image<Vec<T>> {
    splat::render(&Cpu::<T>::new(), &host.scene(), config)
        .expect("a valid scene")
        .0
}

fn assert_same_image<T: Number>(rendered: Rendered<Plain>, expected: &Image<Vec<T>>) {
    assert_eq!(rendered.features.dims(), [3, 21, 37, 5]);
    assert_eq!(rendered.features.dtype(), T::dtype());
    assert_same("features", &numbers(rendered.features), &expected.features);
    let planes = [
        (
            "transmittance",
            rendered.transmittance,
            &expected.transmittance,
        ),
        ("depth", rendered.depth, &expected.depth),
    ];
    for (what, got, expected) in planes {
        assert_eq!(got.is_some(), expected.is_some(), "{what}");
        if let (Some(got), Some(expected)) = (got, expected) {
            assert_eq!(got.dims(), [3, 21, 37]);
            assert_same(what, &numbers(got), expected);
        }
    }
    assert_eq!(rendered.layers.is_some(), expected.layers.is_some());
    let transmittance = (rendered.layer_transmittance, &expected.layer_transmittance);
    assert_eq!(transmittance.0.is_some(), transmittance.1.is_some());
    if let (Some(got), Some(expected)) = transmittance {
        assert_eq!(got.dims(), [3, 2, 21, 37]);
        assert_same("transmittance of layers", &numbers(got), expected);
    }
    if let (Some(got), Some(expected)) = (rendered.layers, &expected.layers) {
        assert_eq!(got.dims(), [3, 2, 21, 37, 5]);
        assert_same("layers", &numbers(got), expected);
    }
}

/// Settings for the four layouts of the joined outputs.
fn configs() -> Vec<RenderConfig> {
    let with = |transmittance, depth| {
        RenderConfig::default().with_outputs(
            Outputs::NONE
                .with_transmittance(transmittance)
                .with_depth(depth),
        )
    };
    vec![
        with(false, false),
        with(true, false),
        with(false, true),
        all_outputs(),
    ]
}

fn forward_is_splats<T: Number>() {
    let host = ragged::<T>(2);
    for config in configs() {
        let (gaussians, background) = (host.tensors::<Plain>(), host.background());
        let rendered = render_forward(&gaussians, &host.views, background, &config);
        assert_same_image(rendered.expect("a valid scene"), &image(&host, &config));
    }
}

#[test]
fn forward_is_splats_in_single() {
    forward_is_splats::<f32>();
}

#[test]
fn forward_is_splats_in_double() {
    forward_is_splats::<f64>();
}

/// A loss that is the sum of weight times output. Its gradient with respect to the outputs equals
/// the weights exactly.
struct Weights<T> {
    features: Vec<T>,
    plane: Vec<T>,
}

impl<T: Number> Weights<T> {
    fn new() -> Self {
        let mut random = Random::new(7);
        let mut several = |count: usize| rounded(&random.several(count, -1.0, 1.0));
        Self {
            features: several(3 * 21 * 37 * 5),
            plane: several(3 * 21 * 37),
        }
    }

    fn loss<C: CheckpointStrategy>(
        &self,
        rendered: Rendered<Autodiff<Flex, C>>,
    ) -> Tensor<Autodiff<Flex, C>, 1> {
        let mut loss = (rendered.features * tensor(&self.features, [3, 21, 37, 5])).sum();
        for plane in [rendered.transmittance, rendered.depth]
            .into_iter()
            .flatten()
        {
            loss = loss + (plane * tensor(&self.plane, [3, 21, 37])).sum();
        }
        loss
    }

    fn gradients(&self, host: &Host<T>, config: &RenderConfig) -> Gradients<Vec<T>> {
        let backend = Cpu::<T>::new();
        let (_, saved) = splat::render(&backend, &host.scene(), config).expect("a valid scene");
        let v_image = Image::from_features(self.features.as_slice())
            .with_transmittance(
                config
                    .outputs
                    .transmittance
                    .then_some(self.plane.as_slice()),
            )
            .with_depth(config.outputs.depth.then_some(self.plane.as_slice()));
        splat::render_vjp(&backend, &host.scene(), &saved, &v_image, Wanted::ALL)
            .expect("a valid scene")
    }
}

fn gradients_are_splats<T: Number, C: CheckpointStrategy>() {
    let (host, weights) = (ragged::<T>(3), Weights::<T>::new());
    for config in configs() {
        let raw = host.tensors::<Autodiff<Flex, C>>();
        let gaussians = GaussianTensors {
            means: raw.means.require_grad(),
            scales: raw.scales.require_grad(),
            quaternions: raw.quaternions.require_grad(),
            opacities: raw.opacities.require_grad(),
            features: raw.features.require_grad(),
        };
        let background = host.background().require_grad();
        let (poses, intrinsics) = (
            host.poses().require_grad(),
            host.intrinsics().require_grad(),
        );
        let rendered = render_with_cameras(
            &gaussians,
            &host.views,
            background.clone(),
            CameraTensors::new()
                .with_poses(poses.clone())
                .with_intrinsics(intrinsics.clone()),
            &config,
        );
        let gradients = weights.loss(rendered.expect("a valid scene")).backward();
        let expected = weights.gradients(&host, &config);
        macro_rules! check {
            ($tensor:expr, $expected:expr) => {{
                let gradient = $tensor.grad(&gradients).expect("tracked");
                assert_eq!(gradient.dims(), $tensor.dims());
                assert_same(stringify!($tensor), &numbers(gradient), &$expected);
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
}

#[test]
fn gradients_are_splats_in_single() {
    gradients_are_splats::<f32, burn::backend::autodiff::checkpoint::strategy::NoCheckpointing>();
}

#[test]
fn gradients_are_splats_in_double() {
    gradients_are_splats::<f64, burn::backend::autodiff::checkpoint::strategy::NoCheckpointing>();
}

#[test]
fn gradients_are_splats_with_checkpointing() {
    gradients_are_splats::<f32, BalancedCheckpointing>();
}

/// The tensors replace the numbers of the views, with the other numbers of the views kept.
#[test]
fn cameras_replace_those_of_the_views() {
    let host = ragged::<f32>(4);
    let mut elsewhere = host.views.clone();
    let mut wider = host.views.clone();
    for camera in &mut elsewhere.cameras {
        camera.camera_from_world[0][3] += 1.0;
    }
    for camera in &mut wider.cameras {
        // A focal length that is no longer used may also be invalid.
        (camera.fx, camera.fy, camera.cx, camera.cy) = (-1.0, 7.0, 3.0, f64::NAN);
    }
    let poses = || CameraTensors::new().with_poses(host.poses());
    let intrinsics = || CameraTensors::new().with_intrinsics(host.intrinsics());
    let mut both = elsewhere.clone();
    for (camera, other) in both.cameras.iter_mut().zip(&wider.cameras) {
        *camera = other.with_pose(camera.camera_from_world);
    }
    for (views, cameras) in [
        (elsewhere, poses()),
        (wider, intrinsics()),
        (both, poses().with_intrinsics(host.intrinsics())),
    ] {
        let (gaussians, background) = (host.tensors::<Plain>(), host.background());
        let config = RenderConfig::default();
        let rendered =
            render_forward_with_cameras(&gaussians, &views, background, cameras, &config);
        assert_same_image(rendered.expect("a valid scene"), &image(&host, &config));
    }
}

/// A render of `f16` tensors equals the `f32` render of the same values, rounded to `f16`.
#[test]
fn half_precision_goes_through_single() {
    let host = ragged::<f32>(5);
    let half = |x: Tensor<Plain, 2>| x.cast(DType::F16);
    let wide = host.tensors::<Plain>();
    let gaussians = GaussianTensors {
        means: half(wide.means),
        scales: half(wide.scales),
        quaternions: half(wide.quaternions),
        opacities: wide.opacities.cast(DType::F16),
        features: half(wide.features),
    };
    let single = |x: Tensor<Plain, 2>| x.cast(DType::F32);
    let rounded = GaussianTensors {
        means: single(gaussians.means.clone()),
        scales: single(gaussians.scales.clone()),
        quaternions: single(gaussians.quaternions.clone()),
        opacities: gaussians.opacities.clone().cast(DType::F32),
        features: single(gaussians.features.clone()),
    };
    let config = RenderConfig::default();
    let background = half(host.background());
    let narrow = render_forward(&gaussians, &host.views, background.clone(), &config)
        .expect("a valid scene");
    let expected =
        render_forward(&rounded, &host.views, single(background), &config).expect("a valid scene");
    assert_eq!(narrow.features.dtype(), DType::F16);
    let bits = |x: Tensor<Plain, 4>| numbers::<_, f32, 4>(x.cast(DType::F16).cast(DType::F32));
    assert_same("features", &bits(narrow.features), &bits(expected.features));
}
