//! Finite differences in `f64`, and the error of `f32`.

use gmae_reference::ops::cpu::attention::{Qkv, Shape, attention, attention_vjp};
use gmae_reference::ops::cpu::gelu::{gelu, gelu_vjp};
use gmae_reference::ops::cpu::linear::{linear, linear_vjp_b, linear_vjp_w, linear_vjp_x};
use gmae_reference::ops::cpu::norm::{layer_norm, layer_norm_vjp};

use crate::values;

/// Largest error of a gradient against central differences in `f64`, relative to its largest entry.
const DIFFERENCES: f64 = 1e-8;

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
        let v_w = linear_vjp_w(&x, &weights, [inputs, out]);
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
    assert_eq!(gelu(&[-1e30f32, -40.0, 40.0, 1e30]), [0.0, 0.0, 40.0, 1e30]);
    assert!(gelu(&[f32::NAN])[0].is_nan());
}

/// The vjp of `f32` is that of `f64`, in the tails too.
#[test]
fn the_vjp_of_gelu_in_single_precision_is_that_of_double() {
    let x: Vec<f32> = (-16_000..=16_000).map(|k| k as f32 * 1e-3).collect();
    let double: Vec<f64> = x.iter().map(|x| f64::from(*x)).collect();
    let (mut v, mut exact) = (vec![1.0f32; x.len()], vec![1.0; x.len()]);
    gelu_vjp(&x, &mut v);
    gelu_vjp(&double, &mut exact);
    for ((x, v), exact) in x.iter().zip(v).zip(exact) {
        assert!((f64::from(v) - exact).abs() < 1e-6, "{x}: {v}, {exact}");
    }
}
