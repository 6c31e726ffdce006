//! Every tracked tensor receives a gradient, and no other tensor does.

use burn::tensor::Tensor;
use burn_flex::FlexDevice;
use splat::RenderConfig;
use splat_autodiff::{CameraTensors, GaussianTensors, Rendered, render, render_with_cameras};

use crate::scene::{Diff, all_outputs, numbers, ragged, tensor, track};

const NAMES: [&str; 8] = [
    "means",
    "scales",
    "quaternions",
    "opacities",
    "features",
    "background",
    "poses",
    "intrinsics",
];

fn loss(rendered: Rendered<Diff>) -> Tensor<Diff, 1> {
    let planes = [rendered.transmittance, rendered.depth]
        .into_iter()
        .flatten();
    let loss = rendered.features.powf_scalar(2.0).sum();
    planes.fold(loss, |loss, plane| loss + plane.powf_scalar(2.0).sum())
}

/// Returns the gradients with respect to the eight inputs. `tracked` selects the tracked inputs.
fn gradients(tracked: [bool; 8], config: &RenderConfig) -> [Option<Vec<f32>>; 8] {
    let host = ragged::<f32>(6);
    let raw = host.tensors::<Diff>();
    let gaussians = GaussianTensors {
        means: raw.means.set_require_grad(tracked[0]),
        scales: raw.scales.set_require_grad(tracked[1]),
        quaternions: raw.quaternions.set_require_grad(tracked[2]),
        opacities: raw.opacities.set_require_grad(tracked[3]),
        features: raw.features.set_require_grad(tracked[4]),
    };
    let background = host.background().set_require_grad(tracked[5]);
    let poses = host.poses().set_require_grad(tracked[6]);
    let intrinsics = host.intrinsics().set_require_grad(tracked[7]);
    let rendered = render_with_cameras(
        &gaussians,
        &host.views,
        background.clone(),
        CameraTensors::new()
            .with_poses(poses.clone())
            .with_intrinsics(intrinsics.clone()),
        config,
    );
    let gradients = loss(rendered.expect("a valid scene")).backward();
    [
        gaussians.means.grad(&gradients).map(numbers),
        gaussians.scales.grad(&gradients).map(numbers),
        gaussians.quaternions.grad(&gradients).map(numbers),
        gaussians.opacities.grad(&gradients).map(numbers),
        gaussians.features.grad(&gradients).map(numbers),
        background.grad(&gradients).map(numbers),
        poses.grad(&gradients).map(numbers),
        intrinsics.grad(&gradients).map(numbers),
    ]
}

#[test]
fn each_input_alone_has_its_gradient_and_the_others_none() {
    for config in [RenderConfig::default(), all_outputs()] {
        let all = gradients([true; 8], &config);
        for alone in 0..8 {
            let got = gradients(std::array::from_fn(|i| i == alone), &config);
            for (i, name) in NAMES.iter().enumerate() {
                if i == alone {
                    assert_eq!(got[i], all[i], "{name}");
                    let gradient = got[i].as_ref().expect("compared above");
                    assert!(gradient.iter().any(|x| *x != 0.0), "{name}: all zero");
                } else {
                    assert!(
                        got[i].is_none(),
                        "{name} is not tracked, {} is",
                        NAMES[alone]
                    );
                }
            }
        }
    }
}

/// The gradient with respect to one tensor of cameras does not depend on the presence of the other.
#[test]
fn poses_and_intrinsics_may_come_alone() {
    let host = ragged::<f32>(6);
    let render = |cameras: CameraTensors<Diff>| {
        let (gaussians, config) = (host.tensors(), RenderConfig::default());
        let background = host.background();
        let rendered = render_with_cameras(&gaussians, &host.views, background, cameras, &config);
        loss(rendered.expect("a valid scene")).backward()
    };
    let poses = host.poses().require_grad();
    let intrinsics = host.intrinsics().require_grad();
    let none = CameraTensors::new;
    let alone = (
        render(none().with_poses(poses.clone())),
        render(none().with_intrinsics(intrinsics.clone())),
    );
    let both = none().with_poses(poses.clone());
    let both = render(both.with_intrinsics(intrinsics.clone()));
    let of_poses = |gradients| poses.grad(gradients).map(numbers::<_, f32, 3>);
    let of_intrinsics = |gradients| intrinsics.grad(gradients).map(numbers::<_, f32, 2>);
    assert!(of_poses(&both).is_some() && of_intrinsics(&both).is_some());
    assert_eq!(of_poses(&alone.0), of_poses(&both));
    assert_eq!(of_intrinsics(&alone.1), of_intrinsics(&both));
    assert!(of_intrinsics(&alone.0).is_none() && of_poses(&alone.1).is_none());
}

#[test]
fn without_a_tracked_input_the_image_is_a_constant() {
    let host = ragged::<f32>(6);
    let gaussians = host.tensors::<Diff>();
    let rendered = render(&gaussians, &host.views, host.background(), &all_outputs());
    let value = loss(rendered.expect("a valid scene"));
    let factor = Tensor::<Diff, 1>::ones([1], &FlexDevice).require_grad();
    let gradients = (value.clone() * factor.clone()).backward();
    let by_factor = factor.grad(&gradients).expect("tracked");
    assert_eq!(numbers::<_, f32, 1>(by_factor), numbers::<_, f32, 1>(value));
    assert!(gaussians.means.grad(&gradients).is_none());
}

#[test]
fn a_tensor_used_twice_gets_the_sum() {
    let host = ragged::<f32>(8);
    let split = gradients_of_scales_and_means(host.tensors(), false);
    let shared = gradients_of_scales_and_means(host.tensors(), true);
    let sum: Vec<f32> = split[0]
        .iter()
        .zip(&split[1])
        .map(|(means, scales)| means + scales)
        .collect();
    assert_eq!(shared[0], sum);
}

/// Returns the gradients with respect to means and scales. The scales have the values of the means.
/// If `shared` is set, means and scales are one tensor.
fn gradients_of_scales_and_means(gaussians: GaussianTensors<Diff>, shared: bool) -> [Vec<f32>; 2] {
    let host = ragged::<f32>(8);
    // Small positive values in front of the camera are valid both as means and as scales. A clone
    // of a tracked tensor is the same node of the graph, so distinct tensors are created twice.
    let values = || numbers::<_, f32, 2>(gaussians.means.clone().abs() + 0.1);
    let leaf = || tensor::<Diff, f32, 2>(&values(), [12, 3]).require_grad();
    let means = leaf();
    let scales = if shared { means.clone() } else { leaf() };
    let gaussians = GaussianTensors {
        means: means.clone(),
        scales: scales.clone(),
        ..gaussians
    };
    let rendered = render(
        &gaussians,
        &host.views,
        host.background(),
        &RenderConfig::default(),
    );
    let gradients = loss(rendered.expect("a valid scene")).backward();
    [means, scales].map(|x| numbers(x.grad(&gradients).expect("tracked")))
}

#[test]
fn prefix_images_carry_no_gradient() {
    let host = ragged::<f32>(9);
    let gaussians = track(host.tensors());
    let rendered =
        render(&gaussians, &host.views, host.background(), &all_outputs()).expect("a valid scene");
    let layers = rendered.layers.expect("asked for").sum();
    let gradients = (layers + rendered.depth.expect("asked for").sum()).backward();
    let with = numbers::<_, f32, 2>(gaussians.means.grad(&gradients).expect("tracked"));
    let rendered =
        render(&gaussians, &host.views, host.background(), &all_outputs()).expect("a valid scene");
    let gradients = rendered.depth.expect("asked for").sum().backward();
    let without = numbers::<_, f32, 2>(gaussians.means.grad(&gradients).expect("tracked"));
    assert_eq!(with, without);
}
