//! Compares gradients through a small Burn graph with central differences, in `f64`.

use burn::tensor::activation::sigmoid;
use burn::tensor::{DType, Tensor};
use splat::{Camera, Outputs, RenderConfig, Views};
use splat_autodiff::{GaussianTensors, Rendered, render_with_poses};

use crate::scene::{Diff, Random, numbers, pose, tensor};

/// Numbers of Gaussians (N), channels (C) and views (V) of the scene.
const N: usize = 4;
const C: usize = 2;
const V: usize = 2;
/// Height and width, px.
const SIDES: [usize; 2] = [9, 11];

/// Half the interval of the central difference. The truncation error is about `STEP^2` times the
/// third derivative.
const STEP: f64 = 1e-5;

/// Greatest difference allowed, relative to the largest gradient of the same input. The truncation
/// error is of the order of `STEP^2` times the third derivative. The cancellation error is of the
/// order of `1e-16 / STEP` times the loss, which is several hundred. The largest measured
/// difference is 6e-9.
const TOLERANCE: f64 = 1e-7;

/// Names and lengths of the seven inputs before their activations.
const SHAPES: [(&str, usize); 7] = [
    ("means", N * 3),
    ("scales", N * 3),
    ("quaternions", N * 4),
    ("opacities", N),
    ("features", N * C),
    ("background", V * C),
    ("poses", V * 12),
];

fn start() -> [Vec<f64>; 7] {
    let mut random = Random(21);
    let poses = (0..V).flat_map(|_| pose(&mut random)).flatten().collect();
    [
        random.vec(N * 3, -0.8, 0.8),
        random.vec(N * 3, -1.5, -0.5),
        random.vec(N * 4, -1.0, 1.0),
        random.vec(N, -1.0, 1.0),
        random.vec(N * C, -1.0, 1.0),
        random.vec(V * C, 0.0, 1.0),
        poses,
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
fn graph(values: &[Vec<f64>; 7]) -> ([Tensor<Diff, 1>; 7], Tensor<Diff, 1>) {
    let leaves: [Tensor<Diff, 1>; 7] = std::array::from_fn(|i| {
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
    let (background, poses) = (background.reshape([V, C]), poses.reshape([V, 3, 4]));
    let rendered = render_with_poses(&gaussians, &views, background, poses, &config());
    (leaves, loss(rendered.expect("a valid scene")))
}

/// Returns the squared distance to random images, plus the planes times random weights.
fn loss(rendered: Rendered<Diff>) -> Tensor<Diff, 1> {
    let mut random = Random(22);
    let [h, w] = SIDES;
    let target = tensor::<Diff, f64, 4>(&random.vec(V * h * w * C, -1.0, 1.0), [V, h, w, C]);
    let shade = tensor::<Diff, f64, 3>(&random.vec(V * h * w, -1.0, 1.0), [V, h, w]);
    let (transmittance, depth) = (
        rendered.transmittance.expect("asked for"),
        rendered.depth.expect("asked for"),
    );
    (rendered.features - target).powf_scalar(2.0).sum()
        + (transmittance * shade.clone()).sum()
        + (depth * shade).sum()
}

fn value(values: &[Vec<f64>; 7]) -> f64 {
    numbers::<_, f64, 1>(graph(values).1)[0]
}

#[test]
fn gradients_through_a_graph_are_finite_differences() {
    let values = start();
    let (leaves, loss) = graph(&values);
    assert_eq!(loss.dtype(), DType::F64);
    let gradients = loss.backward();
    for (i, (name, len)) in SHAPES.iter().enumerate() {
        let got = numbers::<_, f64, 1>(leaves[i].grad(&gradients).expect("tracked"));
        assert_eq!(got.len(), *len, "{name}");
        let expected: Vec<f64> = (0..*len).map(|j| difference(&values, i, j)).collect();
        let scale = expected.iter().fold(0.0f64, |scale, x| scale.max(x.abs()));
        assert!(scale > 1e-2, "{name}: the loss hardly depends on it");
        let worst = got
            .iter()
            .zip(&expected)
            .map(|(got, expected)| (got - expected).abs() / scale)
            .fold(
                0.0,
                |worst: f64, error| if error <= worst { worst } else { error },
            );
        println!("{name}: {worst:.1e} of {scale:.1e}");
        assert!(
            worst.is_finite() && worst < TOLERANCE,
            "{name}: off by {worst:e} of {scale}\n{got:?}\n{expected:?}"
        );
    }
}

/// Returns the central difference of the loss with respect to element `j` of input `i`.
fn difference(values: &[Vec<f64>; 7], i: usize, j: usize) -> f64 {
    let at = |step: f64| {
        let mut moved = values.clone();
        moved[i][j] += step;
        value(&moved)
    };
    (at(STEP) - at(-STEP)) / (2.0 * STEP)
}
