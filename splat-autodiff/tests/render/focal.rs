//! Finds the focal lengths of two cameras from images.

use burn::tensor::backend::AutodiffBackend;
use burn::tensor::{Tensor, TensorData};
use burn_flex::FlexDevice;
use splat::check::Random;
use splat::{Camera, RenderConfig, Views};
use splat_autodiff::{CameraTensors, Error, GaussianTensors, Renderer};

use crate::scene::Diff;

const SIDE: usize = 32;
const COUNT: usize = 24;
const STEPS: usize = 200;
/// The focal lengths of the images, px.
const RIGHT: [f32; 2] = [34.0, 29.0];
/// The focal lengths at the start, px.
const WRONG: [f32; 2] = [27.0, 35.0];

fn gaussians<B: AutodiffBackend>(device: &B::Device) -> GaussianTensors<B> {
    let mut random = Random::new(51);
    let mut tensor = |width: usize, low: f64, high: f64| {
        let values = random.several(COUNT * width, low, high);
        let data = TensorData::new(values, [COUNT, width]).convert::<f32>();
        Tensor::<B, 2>::from_data(data, device)
    };
    let ahead = Tensor::<B, 1>::from_floats([0.0, 0.0, 3.0], device).reshape([1, 3]);
    GaussianTensors {
        means: tensor(3, -1.0, 1.0) + ahead,
        scales: tensor(3, 0.15, 0.3),
        quaternions: tensor(4, -1.0, 1.0),
        opacities: tensor(1, 0.4, 0.9).reshape([COUNT]),
        features: tensor(3, 0.0, 1.0),
    }
}

/// Rows fx, fy, cx, cy with the same focal length along both axes.
fn intrinsics<B: AutodiffBackend>(focal: Tensor<B, 2>) -> Tensor<B, 2> {
    let centre = focal.clone() * 0.0 + SIDE as f32 / 2.0;
    Tensor::cat(vec![focal.clone(), focal, centre.clone(), centre], 1)
}

/// Returns the focal lengths after gradient descent from those of `WRONG`.
fn fit<B: AutodiffBackend>(device: &B::Device) -> Result<Vec<f32>, Error> {
    let gaussians = gaussians::<B>(device);
    // Both cameras see the same Gaussians. Their own intrinsics are not used.
    let views = Views {
        width: SIDE,
        height: SIDE,
        cameras: vec![Camera::pinhole(1.0, 1.0, 0.0, 0.0); 2],
        ranges: vec![0..COUNT; 2],
    };
    let (renderer, config) = (Renderer::new(), RenderConfig::default());
    let render = |focal: Tensor<B, 2>| {
        let background = Tensor::zeros([2, 3], device);
        let cameras = CameraTensors::new().with_intrinsics(intrinsics(focal));
        let image =
            renderer.render_with_cameras(&gaussians, &views, background, cameras, &config)?;
        Ok::<_, Error>(image.features)
    };
    let column = |values: [f32; 2]| Tensor::<B, 1>::from_floats(values, device).reshape([2, 1]);
    let target = render(column(RIGHT))?.detach();
    let mut focal = column(WRONG).inner();
    for _ in 0..STEPS {
        let leaf = Tensor::<B, 2>::from_inner(focal.clone()).require_grad();
        let image = render(leaf.clone())?;
        let loss = (image - target.clone()).powf_scalar(2.0).mean();
        let gradients = loss.backward();
        let gradient = leaf.grad(&gradients).expect("a tracked tensor");
        focal = focal - gradient * 1500.0;
    }
    Ok(focal.into_data().iter::<f32>().collect())
}

#[test]
fn wrong_focal_lengths_are_corrected() {
    let found = fit::<Diff>(&FlexDevice).expect("a valid scene");
    println!("{found:?} px");
    for (found, right) in found.iter().zip(RIGHT) {
        assert!((found - right).abs() < 0.02, "{found} px is not {right} px");
    }
}
