//! Compares gradients through a small Burn graph with central differences, in `f64`.

use burn::tensor::activation::sigmoid;
use burn::tensor::{DType, Tensor};
use splat::check::{Random, check_vjp, max_magnitude};
use splat::{Camera, Outputs, RenderConfig, Views};
use splat_autodiff::{CameraTensors, GaussianTensors, Rendered, render_with_cameras};

use crate::scene::{Diff, numbers, tensor};

/// Numbers of Gaussians (N), channels (C) and views (V) of the scene.
const N: usize = 4;
const C: usize = 2;
const V: usize = 2;
/// Height and width, px.
const SIDES: [usize; 2] = [9, 11];

/// Names and lengths of the eight inputs before their activations.
const SHAPES: [(&str, usize); 8] = [
    ("means", N * 3),
    ("scales", N * 3),
    ("quaternions", N * 4),
    ("opacities", N),
    ("features", N * C),
    ("background", V * C),
    ("poses", V * 12),
    ("intrinsics", V * 4),
];

fn start() -> [Vec<f64>; 8] {
    let mut random = Random::new(21);
    // Poses near the identity.
    let poses = (0..V).flat_map(|_| {
        let (sin, cos) = random.between(-0.1, 0.1).sin_cos();
        let [x, y, z] = [(); 3].map(|()| random.between(-0.2, 0.2));
        [cos, 0.0, sin, x, 0.0, 1.0, 0.0, y, -sin, 0.0, cos, z]
    });
    let poses = poses.collect();
    [
        random.several(N * 3, -0.8, 0.8),
        random.several(N * 3, -1.5, -0.5),
        random.several(N * 4, -1.0, 1.0),
        random.several(N, -1.0, 1.0),
        random.several(N * C, -1.0, 1.0),
        random.several(V * C, 0.0, 1.0),
        poses,
        random.several(V * 4, -0.1, 0.1),
    ]
}

/// Settings that keep thresholds from disturbing the finite differences. Only pairs with an alpha
/// below 1e-14 are skipped. Such pairs change the loss by less than the tolerance. No pixel ends
/// early.
fn config() -> RenderConfig {
    RenderConfig::default()
        .with_alpha_min(1e-14)
        .with_transmittance_min(0.0)
        .with_antialias(true)
        .with_outputs(Outputs::ALL)
}

/// Returns the leaves of the graph, and the loss of the image rendered from them.
fn graph(values: &[Vec<f64>; 8]) -> ([Tensor<Diff, 1>; 8], Tensor<Diff, 1>) {
    let leaves: [Tensor<Diff, 1>; 8] = std::array::from_fn(|i| {
        tensor::<Diff, f64, 1>(&values[i], [values[i].len()]).require_grad()
    });
    let [
        means,
        scales,
        quaternions,
        opacities,
        features,
        background,
        poses,
        intrinsics,
    ] = leaves.clone();
    let ahead = tensor::<Diff, f64, 2>(&[0.0, 0.0, 3.0], [1, 3]);
    let gaussians = GaussianTensors {
        means: means.tanh().reshape([N, 3]) + ahead,
        scales: scales.exp().reshape([N, 3]),
        quaternions: quaternions.reshape([N, 4]),
        opacities: sigmoid(opacities),
        features: features.reshape([N, C]),
    };
    let camera = Camera::pinhole(9.0, 8.0, 5.5, 4.5);
    let views = Views {
        width: SIDES[1],
        height: SIDES[0],
        cameras: vec![camera; V],
        ranges: vec![0..3, 1..4],
    };
    // Focal lengths and principal points within about 10 % of those of `camera`.
    let around = tensor::<Diff, f64, 2>(&[9.0, 8.0, 5.5, 4.5], [1, 4]);
    let cameras = CameraTensors::new()
        .with_poses(poses.reshape([V, 3, 4]))
        .with_intrinsics(intrinsics.reshape([V, 4]).exp() * around);
    let background = background.reshape([V, C]);
    let rendered = render_with_cameras(&gaussians, &views, background, cameras, &config());
    (leaves, loss(rendered.expect("a valid scene")))
}

/// Returns the squared distance to random images, plus the planes times random weights.
fn loss(rendered: Rendered<Diff>) -> Tensor<Diff, 1> {
    let mut random = Random::new(22);
    let [h, w] = SIDES;
    let target = tensor::<Diff, f64, 4>(&random.several(V * h * w * C, -1.0, 1.0), [V, h, w, C]);
    let shade = tensor::<Diff, f64, 3>(&random.several(V * h * w, -1.0, 1.0), [V, h, w]);
    let (transmittance, depth) = (
        rendered.transmittance.expect("asked for"),
        rendered.depth.expect("asked for"),
    );
    (rendered.features - target).powf_scalar(2.0).sum()
        + (transmittance * shade.clone()).sum()
        + (depth * shade).sum()
}

/// Splits a row of all inputs.
fn split(row: &[f64]) -> [Vec<f64>; 8] {
    let mut rest = row;
    SHAPES.map(|(_, len)| {
        let (head, tail) = rest.split_at(len);
        rest = tail;
        head.to_vec()
    })
}

#[test]
fn gradients_through_a_graph_are_finite_differences() {
    let values = start();
    let (leaves, loss) = graph(&values);
    assert_eq!(loss.dtype(), DType::F64);
    let gradients = loss.backward();
    let gradient = leaves
        .each_ref()
        .map(|leaf| numbers::<_, f64, 1>(leaf.grad(&gradients).expect("tracked")));
    let names = SHAPES
        .map(|(name, len)| vec![name; len].join(" "))
        .join(" ");
    let value = |row: &[f64]| numbers::<_, f64, 1>(graph(&split(row)).1);
    let outcome = check_vjp(&names, &values.concat(), &[1.0], value, &gradient.concat());
    assert_eq!(outcome, Ok(()));
    for ((name, _), gradient) in SHAPES.iter().zip(&gradient) {
        assert!(
            max_magnitude(gradient) > 1e-2,
            "{name}: the loss hardly depends on it"
        );
    }
}
