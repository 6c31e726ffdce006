//! The operations of `ops`. Each vjp is the derivative of its operation. Each operation and each
//! gradient equals that of Burn's own operations.

use burn::backend::Autodiff;
use burn::module::Param;
use burn::nn::{LayerNorm, LayerNormConfig, Linear, LinearConfig};
use burn::tensor::{DType, Tensor, TensorData};
use gmae_reference::backend::{Cpu, Device};
use gmae_reference::ops::cpu::attention::{Qkv, Shape, attention, attention_vjp};
use gmae_reference::ops::cpu::gelu::{gelu, gelu_vjp};
use gmae_reference::ops::cpu::linear::{linear, linear_vjp_b, linear_vjp_w, linear_vjp_x};
use gmae_reference::ops::cpu::norm::{layer_norm, layer_norm_vjp};
use gmae_reference::ops::{self, Projections, burn_ops};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Largest error of a gradient against central differences in `f64`, relative to its largest entry.
const DIFFERENCES: f64 = 1e-8;
/// Largest difference to Burn's own operations in `f32`, relative to the largest entry.
const BURN: f64 = 2e-6;

/// Values in [-2, 2).
fn values(seed: u64, count: usize) -> Vec<f64> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..count).map(|_| rng.random_range(-2.0..2.0)).collect()
}

/// Asserts that `gradient` is the derivative of `weights . of(x)` at `x`.
fn assert_derivative(
    name: &str,
    x: &[f64],
    gradient: &[f64],
    weights: &[f64],
    of: impl Fn(&[f64]) -> Vec<f64>,
) {
    let error = derivative_error(x, gradient, weights, of);
    assert!(error < DIFFERENCES, "{name}: {error}");
}

/// The largest difference of `gradient` to fourth-order central differences, relative to the
/// largest entry.
fn derivative_error(
    x: &[f64],
    gradient: &[f64],
    weights: &[f64],
    of: impl Fn(&[f64]) -> Vec<f64>,
) -> f64 {
    const STEP: f64 = 1e-3;
    let at = |k: usize, by: f64| {
        let mut x = x.to_vec();
        x[k] += by * STEP;
        let y = of(&x);
        assert_eq!(y.len(), weights.len());
        y.iter().zip(weights).map(|(y, w)| y * w).sum::<f64>()
    };
    let scale = gradient.iter().fold(0.0f64, |most, v| most.max(v.abs()));
    assert_eq!(gradient.len(), x.len());
    (0..x.len())
        .map(|k| {
            let near = at(k, 1.0) - at(k, -1.0);
            let far = at(k, 2.0) - at(k, -2.0);
            let slope = (8.0 * near - far) / (12.0 * STEP);
            (slope - gradient[k]).abs() / scale
        })
        .fold(0.0, f64::max)
}

#[test]
fn the_vjp_of_gelu_is_its_derivative() {
    let x: Vec<f64> = (-70..=70).map(|k| f64::from(k) * 0.1).collect();
    let weights = values(1, x.len());
    let mut v = weights.clone();
    gelu_vjp(&x, &mut v);
    assert_derivative("x", &x, &v, &weights, gelu);
}

#[test]
fn the_vjp_of_layer_norm_is_its_derivative() {
    const ROWS: usize = 3;
    for width in [1, 2, 16, 21, 40] {
        let x = values(2, ROWS * width);
        let (gain, shift) = (values(3, width), values(4, width));
        let weights = values(5, ROWS * width);
        let of = |x: &[f64], gain: &[f64], shift: &[f64]| layer_norm(x, gain, shift, 1e-2);
        let saved = of(&x, &gain, &shift).statistics;
        let v = layer_norm_vjp(&x, &gain, &saved, weights.clone());
        // One channel is always its own mean, so that the gradient is zero.
        if width > 1 {
            assert_derivative("x", &x, &v.x, &weights, |x| of(x, &gain, &shift).y);
            assert_derivative("gain", &gain, &v.gain, &weights, |gain| {
                of(&x, gain, &shift).y
            });
        } else {
            assert_eq!(v.x, vec![0.0; ROWS]);
        }
        assert_derivative("shift", &shift, &v.shift, &weights, |shift| {
            of(&x, &gain, shift).y
        });
    }
}

#[test]
fn the_vjps_of_the_linear_layer_are_its_derivatives() {
    for [rows, inputs, out] in [[1, 1, 1], [3, 5, 2], [7, 4, 19]] {
        let (x, w) = (values(6, rows * inputs), values(7, inputs * out));
        let (b, weights) = (values(8, out), values(9, rows * out));
        let shape = [rows, out];
        let v_x = linear_vjp_x(&w, &weights, shape);
        assert_derivative("x", &x, &v_x, &weights, |x| linear(x, &w, Some(&b), shape));
        let v_w = linear_vjp_w(&x, &weights, shape);
        assert_derivative("w", &w, &v_w, &weights, |w| linear(&x, w, None, shape));
        let v_b = linear_vjp_b(&weights, out);
        assert_derivative("b", &b, &v_b, &weights, |b| linear(&x, &w, Some(b), shape));
    }
}

#[test]
fn the_vjp_of_attention_is_its_derivative() {
    for (images, shape) in [
        (
            1,
            Shape {
                tokens: 1,
                width: 1,
                heads: 1,
            },
        ),
        (
            2,
            Shape {
                tokens: 3,
                width: 4,
                heads: 2,
            },
        ),
        (
            3,
            Shape {
                tokens: 5,
                width: 6,
                heads: 3,
            },
        ),
    ] {
        let count = images * shape.tokens * shape.width;
        let [q, k, v] = [10, 11, 12].map(|seed| values(seed, count));
        let weights = values(13, count);
        let of = |q: &[f64], k: &[f64], v: &[f64]| attention(Qkv { q, k, v }, shape);
        let gradients = attention_vjp(
            Qkv {
                q: &q,
                k: &k,
                v: &v,
            },
            &weights,
            shape,
        );
        // One token has weight 1 whatever its score.
        if shape.tokens > 1 {
            assert_derivative("q", &q, &gradients.q, &weights, |q| of(q, &k, &v));
            assert_derivative("k", &k, &gradients.k, &weights, |k| of(&q, k, &v));
        } else {
            assert_eq!(gradients.q, vec![0.0; count]);
        }
        assert_derivative("v", &v, &gradients.v, &weights, |v| of(&q, &k, v));
    }
}

/// A gradient that is wrong in one entry by a thousandth is not accepted.
#[test]
fn a_wrong_gradient_is_seen() {
    let (x, weights) = (values(14, 20), values(15, 20));
    let mut v = weights.clone();
    gelu_vjp(&x, &mut v);
    let right = derivative_error(&x, &v, &weights, gelu);
    v[7] += 1e-3 * v.iter().fold(0.0f64, |most, v| most.max(v.abs()));
    let wrong = derivative_error(&x, &v, &weights, gelu);
    assert!(right < DIFFERENCES && wrong > 5e-4, "{right}, {wrong}");
}

/// The error of `f32` against `f64` is the one that `cpu/gelu.rs` states: 2.1e-7 in `Phi`.
#[test]
fn gelu_in_single_precision_has_the_stated_error() {
    let x: Vec<f32> = (-160_000..=160_000).map(|k| k as f32 * 1e-4).collect();
    let exact: Vec<f64> = gelu(&x.iter().map(|x| f64::from(*x)).collect::<Vec<_>>());
    let mut worst = 0.0f64;
    for ((x, y), exact) in x.iter().zip(gelu(&x)).zip(exact) {
        if *x != 0.0 {
            worst = worst.max((f64::from(y) - exact).abs() / f64::from(x.abs()));
        }
    }
    assert!(worst < 2.1e-7, "{worst}");
    let ends = [f32::NEG_INFINITY, -1e30, -40.0, 40.0, 1e30];
    assert_eq!(gelu(&ends[1..]), [0.0, 0.0, 40.0, 1e30]);
    assert!(gelu(&[f32::NAN])[0].is_nan());
}

/// Burn's tensors of the values of a seed, in `f32` or `f64`.
fn tensor<const D: usize>(seed: u64, shape: [usize; D], dtype: DType) -> Tensor<Graph, D> {
    let data = TensorData::new(values(seed, shape.iter().product()), shape);
    let device = Device::default();
    Tensor::<Graph, D>::from_data(data, (&device, dtype)).require_grad()
}

type Graph = Autodiff<Cpu>;

/// The values of results and gradients in `f64`.
fn read<const D: usize>(tensor: Tensor<Cpu, D>) -> Vec<f64> {
    tensor.into_data().iter::<f64>().collect()
}

fn assert_equal(name: &str, ours: &[f64], burn: &[f64], dtype: DType) {
    let bound = if dtype == DType::F64 { 1e-11 } else { BURN };
    let scale = burn.iter().fold(0.0f64, |most, v| most.max(v.abs()));
    assert_eq!(ours.len(), burn.len());
    for (ours, burn) in ours.iter().zip(burn) {
        // Written so that NaN fails.
        assert!(
            (ours - burn).abs() <= bound * scale,
            "{name}: {ours}, {burn}"
        );
    }
}

/// Compares the results of two functions of the same tensors, and the gradients of a weighted sum
/// of the results.
fn compare<const D: usize>(
    name: &str,
    inputs: &[Tensor<Graph, 2>],
    others: &[Tensor<Graph, D>],
    dtype: DType,
    ours: impl Fn() -> Tensor<Graph, 2>,
    burn: impl Fn() -> Tensor<Graph, 2>,
) {
    let run = |result: Tensor<Graph, 2>| {
        let weights = tensor(99, result.dims(), dtype).detach();
        let gradients = (result.clone() * weights).sum().backward();
        let mut found = vec![read(result.inner())];
        let grad = |missing| format!("{name}: no gradient of {missing}");
        for input in inputs {
            found.push(read(
                input
                    .grad(&gradients)
                    .ok_or_else(|| grad("an input"))
                    .unwrap(),
            ));
        }
        for other in others {
            found.push(read(
                other
                    .grad(&gradients)
                    .ok_or_else(|| grad("a weight"))
                    .unwrap(),
            ));
        }
        found
    };
    let (ours, burn) = (run(ours()), run(burn()));
    for (k, (ours, burn)) in ours.iter().zip(&burn).enumerate() {
        assert_equal(&format!("{name}, {dtype:?}, part {k}"), ours, burn, dtype);
    }
}

#[test]
fn operations_and_gradients_are_those_of_burn() {
    for dtype in [DType::F64, DType::F32] {
        let x = tensor(20, [10, 12], dtype);
        compare::<1>(
            "gelu",
            std::slice::from_ref(&x),
            &[],
            dtype,
            || ops::gelu(x.clone()),
            || burn::tensor::activation::gelu(x.clone()),
        );

        let mut norm: LayerNorm<Graph> = LayerNormConfig::new(12)
            .with_epsilon(ops::LAYER_NORM_EPSILON)
            .init(&Device::default());
        let (gain, shift) = (tensor(21, [12], dtype), tensor(22, [12], dtype));
        norm.gamma = Param::from_tensor(gain.clone());
        norm.beta = Some(Param::from_tensor(shift.clone()));
        compare(
            "layer_norm",
            std::slice::from_ref(&x),
            &[norm.gamma.val(), norm.beta.as_ref().unwrap().val()],
            dtype,
            || ops::layer_norm(&norm, x.clone()),
            || norm.forward(x.clone()),
        );

        for bias in [true, false] {
            let mut layer: Linear<Graph> = LinearConfig::new(12, 7).init(&Device::default());
            layer.weight = Param::from_tensor(tensor(23, [12, 7], dtype));
            layer.bias = bias.then(|| Param::from_tensor(tensor(24, [7], dtype)));
            let biases: Vec<_> = layer.bias.iter().map(Param::val).collect();
            compare(
                "linear",
                &[x.clone(), layer.weight.val()],
                &biases,
                dtype,
                || ops::linear(&layer, x.clone()),
                || layer.forward(x.clone()),
            );
        }

        let [query, key, value] = [25, 26, 27].map(|seed| tensor(seed, [10, 12], dtype));
        let of = || Projections {
            query: query.clone(),
            key: key.clone(),
            value: value.clone(),
            images: 2,
            heads: 3,
        };
        let inputs = [query.clone(), key.clone(), value.clone()];
        compare::<1>(
            "attention",
            &inputs,
            &[],
            dtype,
            || ops::attention(of()),
            || burn_ops::attention(of()),
        );
    }
}

/// The head reads a part of a tensor, which is not contiguous.
#[test]
fn operations_read_tensors_of_any_layout() {
    let x = tensor(30, [12, 10], DType::F32);
    let turned = || x.clone().transpose();
    compare::<1>(
        "gelu",
        std::slice::from_ref(&x),
        &[],
        DType::F32,
        || ops::gelu(turned()),
        || burn::tensor::activation::gelu(turned()),
    );
}

/// Three steps of the fused optimiser are three steps of Burn's, with and without decay.
#[test]
fn the_optimiser_is_that_of_burn() {
    use burn::optim::{AdamWConfig, SimpleOptimizer};
    use gmae_reference::ops::cpu::adam::AdamStep;
    use gmae_reference::ops::{Moments, Operations};

    for decay in [0.0, 0.05] {
        let burn = AdamWConfig::new()
            .with_beta_1(0.9)
            .with_beta_2(0.95)
            .with_epsilon(1e-8)
            .with_weight_decay(decay)
            .build();
        let (mut theirs, mut state) = (tensor(40, [5, 7], DType::F32).inner(), None);
        let mut ours = theirs.clone();
        let zeros = ours.zeros_like();
        let mut moments = Moments {
            first: zeros.clone(),
            second: zeros,
        };
        for time in 1..=3 {
            let g = tensor(40 + time as u64, [5, 7], DType::F32).inner();
            (theirs, state) = burn.step(1e-2, theirs, g.clone(), state);
            let step = AdamStep {
                rate: 1e-2,
                beta1: 0.9,
                beta2: 0.95,
                epsilon: 1e-8,
                decay: f64::from(decay),
                time,
            };
            (ours, moments) = Cpu::adam(ours, g, moments, &step);
            assert_equal("x", &read(ours.clone()), &read(theirs.clone()), DType::F32);
        }
        let momentum = state.expect("a state").momentum;
        let first = (read(moments.first), read(momentum.moment_1));
        let second = (read(moments.second), read(momentum.moment_2));
        assert_equal("first moment", &first.0, &first.1, DType::F32);
        assert_equal("second moment", &second.0, &second.1, DType::F32);
    }
}

#[test]
fn gradients_are_added_with_their_weights() {
    use gmae_reference::ops::Operations;

    let [a, b] = [50, 51].map(|seed| tensor(seed, [3, 4], DType::F64).inner());
    let sum = Cpu::add_scaled(None, a.clone(), 0.25);
    let sum = read(Cpu::add_scaled(Some(sum), b.clone(), 0.75));
    assert_equal("sum", &sum, &read(a * 0.25 + b * 0.75), DType::F64);
}
