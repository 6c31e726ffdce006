//! The dense form of a batch gives the same images and gradients as the ragged form.

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use burn_flex::FlexDevice;
use splat::check::{crowd, with_channels};
use splat::{Projection, RenderConfig, Views};
use splat_autodiff::{Error, GaussianBatch, GaussianTensors, render, render_forward};

use crate::scene::{Diff, Host, Plain, numbers, tensor};

const BATCH: usize = 3;
const COUNT: usize = 5;

fn host() -> Host<f32> {
    let scene = crowd(11, BATCH, COUNT, [16, 16], Projection::Pinhole);
    Host::from(with_channels(scene, 2).rounded())
}

fn dense<B: Backend>(host: &Host<f32>) -> GaussianBatch<B> {
    GaussianBatch {
        means: tensor(&host.gaussians.means, [BATCH, COUNT, 3]),
        scales: tensor(&host.gaussians.scales, [BATCH, COUNT, 3]),
        quaternions: tensor(&host.gaussians.quaternions, [BATCH, COUNT, 4]),
        opacities: tensor(&host.gaussians.opacities, [BATCH, COUNT]),
        features: tensor(&host.gaussians.features, [BATCH, COUNT, 2]),
    }
}

#[test]
fn dense_is_ragged_with_its_gradient() {
    let host = host();
    let config = RenderConfig::default();
    let ragged = host.tensors::<Diff>();
    let ragged = GaussianTensors {
        means: ragged.means.require_grad(),
        ..ragged
    };
    let batch = dense::<Diff>(&host);
    let batch = GaussianBatch {
        means: batch.means.require_grad(),
        ..batch
    };
    let flat = batch.clone().flatten().expect("the shapes agree");
    let cameras = host.views.cameras.clone();
    let views = Views::dense_with_cameras(16, 16, cameras, COUNT).expect("a small batch");
    let [one, other] = [(&ragged, &host.views), (&flat, &views)].map(|(gaussians, views)| {
        render(gaussians, views, host.background(), &config)
            .expect("a valid scene")
            .features
    });
    assert_eq!(one.dims(), [BATCH, 16, 16, 2]);
    assert_eq!(
        numbers::<_, f32, 4>(one.clone()),
        numbers::<_, f32, 4>(other.clone())
    );

    let gradients = other.powf_scalar(2.0).sum().backward();
    let by_batch = batch.means.grad(&gradients).expect("tracked");
    assert_eq!(by_batch.dims(), [BATCH, COUNT, 3]);
    let gradients = one.powf_scalar(2.0).sum().backward();
    let by_list = ragged.means.grad(&gradients).expect("tracked");
    assert_eq!(
        numbers::<_, f32, 3>(by_batch),
        numbers::<_, f32, 2>(by_list)
    );
}

#[test]
fn a_batch_is_its_images_one_by_one() {
    let host = host();
    let config = RenderConfig::default();
    let flat = dense::<Plain>(&host).flatten().expect("the shapes agree");
    let together =
        render_forward(&flat, &host.views, host.background(), &config).expect("a valid scene");
    for b in 0..BATCH {
        let rows = b * COUNT..(b + 1) * COUNT;
        let part = |x: &Tensor<Plain, 2>| x.clone().slice([rows.clone()]);
        let alone = GaussianTensors {
            means: part(&flat.means),
            scales: part(&flat.scales),
            quaternions: part(&flat.quaternions),
            opacities: flat.opacities.clone().slice([rows.clone()]),
            features: part(&flat.features),
        };
        let views = Views::single(16, 16, host.views.cameras[b], COUNT);
        let background = host.background().narrow(0, b, 1);
        let image = render_forward(&alone, &views, background, &config).expect("a valid scene");
        let expected = together.features.clone().narrow(0, b, 1);
        assert_eq!(
            numbers::<_, f32, 4>(image.features),
            numbers::<_, f32, 4>(expected)
        );
    }
}

#[test]
fn a_dense_form_that_disagrees_is_an_error() {
    let host = host();
    let device = FlexDevice;
    let batch = dense::<Plain>(&host);
    // The number of scales is right, but they are shaped as five scenes of three Gaussians.
    let turned = GaussianBatch {
        scales: batch.scales.clone().reshape([COUNT, BATCH, 3]),
        ..batch.clone()
    };
    let wide = GaussianBatch {
        means: Tensor::zeros([BATCH, COUNT, 4], &device),
        ..batch.clone()
    };
    let faint = GaussianBatch {
        opacities: Tensor::zeros([BATCH, 1], &device),
        ..batch.clone()
    };
    let bare = GaussianBatch {
        features: Tensor::zeros([BATCH, COUNT + 1, 2], &device),
        ..batch.clone()
    };
    let colourless = GaussianBatch {
        features: Tensor::zeros([BATCH, COUNT, 0], &device),
        ..batch
    };
    for (broken, name) in [
        (turned, "batch.scales"),
        (wide, "batch.means"),
        (faint, "batch.opacities"),
        (bare, "batch.features"),
        (colourless, "batch.features"),
    ] {
        match broken.flatten() {
            Err(Error::Shape { argument, .. }) => assert_eq!(argument, name),
            other => panic!("{name}: {other:?}"),
        }
    }
}
