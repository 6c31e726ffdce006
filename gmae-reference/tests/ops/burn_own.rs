//! The same operations by Burn.

use burn::backend::Autodiff;
use burn::module::Param;
use burn::nn::{LayerNorm, LayerNormConfig, Linear, LinearConfig};
use burn::optim::{AdamWConfig, SimpleOptimizer};
use burn::tensor::{DType, Tensor, TensorData};
use gmae_reference::backend::{Cpu, Device};
use gmae_reference::ops::cpu::adam::AdamStep;
use gmae_reference::ops::{self, Moments, Operations, Projections, burn_ops};

use crate::values;

/// Largest difference to Burn's own operations in `f32`, relative to the largest entry.
const BURN: f64 = 2e-6;

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
    let of = || Projections {
        query: turned(),
        key: turned() * 0.5,
        value: turned(),
        images: 2,
        heads: 3,
    };
    compare::<1>(
        "attention",
        std::slice::from_ref(&x),
        &[],
        DType::F32,
        || ops::attention(of()),
        || burn_ops::attention(of()),
    );
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
    let [a, b] = [50, 51].map(|seed| tensor(seed, [3, 4], DType::F64).inner());
    let sum = Cpu::add_scaled(None, a.clone(), 0.25);
    let sum = read(Cpu::add_scaled(Some(sum), b.clone(), 0.75));
    assert_equal("sum", &sum, &read(a * 0.25 + b * 0.75), DType::F64);
}
