//! Burn's behaviour when a graph is used again after its backward pass. These tests check the
//! statements of the crate's documentation.

use burn::tensor::Tensor;
use splat::RenderConfig;
use splat_autodiff::{GaussianTensors, render};

use crate::scene::{Diff, numbers, ragged, track};

fn tracked() -> (GaussianTensors<Diff>, Tensor<Diff, 4>) {
    let host = ragged::<f32>(1);
    let gaussians = track(host.tensors());
    let image = render(
        &gaussians,
        &host.views,
        host.background(),
        &RenderConfig::default(),
    );
    (gaussians, image.expect("a valid scene").features)
}

#[test]
#[should_panic(expected = "Node should have a step registered")]
fn a_second_backward_of_the_same_loss_panics() {
    let (_gaussians, image) = tracked();
    let loss = image.sum();
    let _gradients = loss.backward();
    let _again = loss.backward();
}

#[test]
#[should_panic(expected = "Node should have a step registered")]
fn a_second_loss_of_the_same_render_panics() {
    let (gaussians, image) = tracked();
    let (first, second) = (image.clone().sum(), (image.clone() * 2.0).sum());
    let gradients = first.backward();
    if gaussians.means.grad(&gradients).is_some() {
        let _again = second.backward();
    }
}

#[test]
fn a_loss_computed_after_the_backward_pass_gets_no_gradient() {
    let (gaussians, image) = tracked();
    let gradients = image.clone().sum().backward();
    assert!(gaussians.means.grad(&gradients).is_some());
    let gradients = image.sum().backward();
    assert!(gaussians.means.grad(&gradients).is_none());
}

#[test]
fn the_sum_of_two_losses_gets_the_sum_of_their_gradients() {
    let gradient = |loss: fn(Tensor<Diff, 4>) -> Tensor<Diff, 1>| {
        let (gaussians, image) = tracked();
        let gradients = loss(image).backward();
        numbers::<_, f32, 2>(gaussians.features.grad(&gradients).expect("tracked"))
    };
    let once = gradient(Tensor::sum);
    let both = gradient(|image| image.clone().sum() + (image * 2.0).sum());
    // The factor 3 is exact. It is applied before or after the backward pass, which rounds.
    let scale = once.iter().fold(0.0f32, |scale, x| scale.max(x.abs()));
    for (both, once) in both.iter().zip(&once) {
        assert!(
            (both - 3.0 * once).abs() <= 1e-5 * scale,
            "{both} is not three times {once}"
        );
    }
    assert!(scale > 0.0);
}

#[test]
fn rendering_again_gives_the_same_gradients() {
    let run = || {
        let (gaussians, image) = tracked();
        let gradients = image.sum().backward();
        numbers::<_, f32, 2>(gaussians.means.grad(&gradients).expect("tracked"))
    };
    assert_eq!(run(), run());
}
