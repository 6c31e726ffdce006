//! The activations of the head: ranges, values and gradients.

use burn::tensor::Tensor;
use gmae_reference::backend::{Cpu, Device, Training};
use gmae_reference::model::Gaussians;
use gmae_reference::model::head::{ATTRIBUTES, activate};

const RANGE: f64 = 1.0;
const SCALE: f64 = 2.0;

/// Returns rows of small, large and very large values of both signs.
fn raw() -> Vec<f32> {
    let magnitudes = [
        0.0, 0.3, -1.7, 4.0, -9.0, 30.0, -30.0, 120.0, -120.0, 1e4, -1e4, 1e30, -1e30,
    ];
    let rows = magnitudes.len();
    (0..rows * ATTRIBUTES)
        .map(|i| magnitudes[(i * 5 + i / ATTRIBUTES) % rows])
        .collect()
}

fn values(tensor: Tensor<Cpu, 2>) -> Vec<f32> {
    tensor.into_data().into_vec().expect("f32")
}

fn activated(raw: &[f32]) -> Gaussians<Cpu> {
    let tensor = Tensor::<Cpu, 1>::from_floats(raw, &Device::default());
    activate(
        &tensor.reshape([raw.len() / ATTRIBUTES, ATTRIBUTES]),
        RANGE,
        SCALE,
        1,
    )
}

fn sigmoid(a: f32) -> f64 {
    1.0 / (1.0 + (-f64::from(a)).exp())
}

#[test]
fn every_attribute_stays_in_its_range() {
    let gaussians = activated(&raw());
    assert!(
        values(gaussians.means)
            .iter()
            .all(|v| (-1.0..=1.0).contains(v))
    );
    assert!(
        values(gaussians.scales)
            .iter()
            .all(|v| (0.0..=SCALE as f32).contains(v))
    );
    assert!(
        values(gaussians.colours)
            .iter()
            .all(|v| (0.0..=1.0).contains(v))
    );
    let opacities = gaussians.opacities.reshape([-1, 1]);
    assert!(values(opacities).iter().all(|v| (0.0..=1.0).contains(v)));
    for q in values(gaussians.quaternions).chunks(4) {
        let norm: f32 = q.iter().map(|v| v * v).sum();
        assert!((norm - 1.0).abs() < 1e-5, "{q:?}");
    }
}

#[test]
fn values_are_those_of_the_formulas() {
    let raw: Vec<f32> = (0..ATTRIBUTES).map(|i| (i as f32 - 6.0) * 0.7).collect();
    let gaussians = activated(&raw);
    let close = |got: Vec<f32>, want: Vec<f64>| {
        assert_eq!(got.len(), want.len());
        for (got, want) in got.iter().zip(want) {
            assert!(
                (f64::from(*got) - want).abs() < 1e-6,
                "{got} against {want}"
            );
        }
    };
    close(
        values(gaussians.means),
        raw[..3].iter().map(|&a| 2.0 * sigmoid(a) - 1.0).collect(),
    );
    close(
        values(gaussians.scales),
        raw[3..6].iter().map(|&a| SCALE * sigmoid(a)).collect(),
    );
    let [u, v, w] = [6, 7, 8].map(|i| sigmoid(raw[i]));
    let (v, w) = (v * std::f64::consts::TAU, w * std::f64::consts::TAU);
    let (low, high) = ((1.0 - u).sqrt(), u.sqrt());
    close(
        values(gaussians.quaternions),
        vec![low * v.sin(), low * v.cos(), high * w.sin(), high * w.cos()],
    );
    close(
        values(gaussians.colours),
        raw[10..13].iter().map(|&a| sigmoid(a)).collect(),
    );
    close(
        values(gaussians.opacities.reshape([-1, 1])),
        vec![sigmoid(raw[13])],
    );
}

#[test]
fn gradients_are_finite_everywhere() {
    let raw = raw();
    let device = Device::default();
    let leaf = Tensor::<Training, 1>::from_floats(raw.as_slice(), &device).require_grad();
    let shaped = leaf.clone().reshape([raw.len() / ATTRIBUTES, ATTRIBUTES]);
    let g = activate(&shaped, RANGE, SCALE, 1);
    let sum =
        g.means.sum() + g.scales.sum() + g.quaternions.sum() + g.colours.sum() + g.opacities.sum();
    let gradients = sum.backward();
    let gradient = leaf
        .grad(&gradients)
        .expect("a gradient")
        .into_data()
        .into_vec::<f32>()
        .expect("f32");
    assert!(gradient.iter().all(|v| v.is_finite()), "{gradient:?}");
    assert!(gradient.iter().any(|&v| v != 0.0));
    let unused = gradient.iter().skip(9).step_by(ATTRIBUTES);
    assert!(
        unused.into_iter().all(|&v| v == 0.0),
        "the tenth number is not used"
    );
}
