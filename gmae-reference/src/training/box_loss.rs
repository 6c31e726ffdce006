//! The loss of a predicted box: the absolute differences of its sides, and the generalised
//! intersection over union (`GIoU`, Rezatofighi et al., arXiv 1902.09630).
//!
//! With the areas I of the intersection, U of the union and C of the smallest box around both
//! boxes, `GIoU = I / U - (C - U) / C`. Boxes that do not meet have a gradient too. The weights of
//! the two parts are those of DETR (arXiv 2005.12872), which takes the differences of centre, width
//! and height instead of those of the sides.

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

/// Weight of the sum of the absolute differences of the four sides.
const DISTANCE_WEIGHT: f64 = 5.0;
/// Weight of `1 - GIoU`.
const OVERLAP_WEIGHT: f64 = 2.0;
/// Smallest area by which is divided. A pixel of an image of 4096 x 4096 px is larger.
const SMALLEST_AREA: f64 = 1e-8;

/// Computes `5 |a - b|_1 + 2 (1 - GIoU(a, b))`, a mean over the images, for boxes `[B, 4]` of left,
/// top, right and bottom as fractions of the sides of the image.
///
/// The gradient is finite for equal boxes and for boxes without an area.
pub(super) fn box_loss<B: Backend>(predicted: Tensor<B, 2>, truth: Tensor<B, 2>) -> Tensor<B, 1> {
    let images = predicted.dims()[0] as f64;
    let distance = (predicted.clone() - truth.clone()).abs().sum();
    let [start, end] = [0, 2].map(|first| predicted.clone().narrow(1, first, 2));
    let [true_start, true_end] = [0, 2].map(|first| truth.clone().narrow(1, first, 2));
    let shared = area(
        start.clone().max_pair(true_start.clone()),
        end.clone().min_pair(true_end.clone()),
    );
    let hull = area(
        start.clone().min_pair(true_start.clone()),
        end.clone().max_pair(true_end.clone()),
    );
    let either = area(start, end) + area(true_start, true_end) - shared.clone();
    let safe = |area: Tensor<B, 2>| area.clamp_min(SMALLEST_AREA);
    // 1 - GIoU = 2 - I / U - U / C.
    let missed = (shared / safe(either.clone()) + either / safe(hull)).neg() + 2.0;
    (distance * DISTANCE_WEIGHT + missed.sum() * OVERLAP_WEIGHT) / images
}

/// Computes the areas `[B, 1]` of boxes from their first and their second corners, `[B, 2]` each. A
/// box whose sides are not in order has no area.
fn area<B: Backend>(start: Tensor<B, 2>, end: Tensor<B, 2>) -> Tensor<B, 2> {
    let sides = (end - start).clamp_min(0.0);
    sides.clone().narrow(1, 0, 1) * sides.narrow(1, 1, 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::{Cpu, Device, Training};

    type Corners = [f64; 4];

    /// The loss and its gradient with respect to the predicted box.
    fn found(predicted: Corners, truth: Corners) -> (f64, Corners) {
        let device = Device::default();
        let tensor = |corners: Corners| {
            let corners = corners.map(|side| side as f32);
            Tensor::<Training, 2>::from_floats([corners], &device)
        };
        let predicted = tensor(predicted).require_grad();
        let loss = box_loss(predicted.clone(), tensor(truth));
        let value = f64::from(loss.clone().into_scalar());
        let gradients = loss.backward();
        let gradient: Tensor<Cpu, 2> = predicted.grad(&gradients).expect("a gradient");
        let values: Vec<f32> = gradient.into_data().into_vec().expect("f32");
        (value, std::array::from_fn(|i| f64::from(values[i])))
    }

    /// The loss by its definition.
    fn direct(a: Corners, b: Corners) -> f64 {
        let area = |c: Corners| (c[2] - c[0]).max(0.0) * (c[3] - c[1]).max(0.0);
        let joined = |first: fn(f64, f64) -> f64, second: fn(f64, f64) -> f64| {
            let [l, t] = [0, 1].map(|i| first(a[i], b[i]));
            let [r, d] = [2, 3].map(|i| second(a[i], b[i]));
            area([l, t, r, d])
        };
        let (shared, hull) = (joined(f64::max, f64::min), joined(f64::min, f64::max));
        let either = area(a) + area(b) - shared;
        let distance: f64 = a.iter().zip(b).map(|(a, b)| (a - b).abs()).sum();
        5.0 * distance + 2.0 * (1.0 - (shared / either - (hull - either) / hull))
    }

    #[test]
    fn known_boxes_have_known_losses() {
        for (a, b, expected) in [
            // Equal boxes.
            ([0.25, 0.5, 0.5, 1.0], [0.25, 0.5, 0.5, 1.0], 0.0),
            // GIoU is 1/2, and one side is 1/2 away.
            ([0.0, 0.0, 0.5, 0.5], [0.0, 0.0, 1.0, 0.5], 3.5),
            // The boxes touch: GIoU is 0, and two sides are 1/2 away.
            ([0.0, 0.0, 0.5, 1.0], [0.5, 0.0, 1.0, 1.0], 7.0),
            // Half of the hull is empty: GIoU is -1/2.
            ([0.0, 0.0, 0.25, 1.0], [0.75, 0.0, 1.0, 1.0], 10.5),
            // A box without an area in the middle of another.
            ([0.5, 0.5, 0.5, 0.5], [0.0, 0.0, 1.0, 1.0], 12.0),
        ] {
            let (value, gradient) = found(a, b);
            assert!((value - expected).abs() < 1e-5, "{a:?}, {b:?}: {value}");
            assert!(gradient.iter().all(|v| v.is_finite()), "{gradient:?}");
        }
    }

    #[test]
    fn boxes_without_an_area_have_a_finite_gradient() {
        let point = [0.25; 4];
        for (a, b) in [
            (point, point),
            (point, [0.5; 4]),
            ([0.5, 0.5, 0.25, 0.25], [0.0, 0.0, 0.5, 1.0]),
            ([0.0, 0.25, 1.0, 0.25], [0.0, 0.25, 1.0, 0.25]),
        ] {
            let (value, gradient) = found(a, b);
            let all = gradient.iter().chain([&value]);
            assert!(
                all.clone().all(|v| v.is_finite()),
                "{a:?}, {b:?}: {gradient:?}"
            );
        }
    }

    #[test]
    fn the_gradient_is_the_slope_of_the_loss() {
        const STEP: f64 = 1e-6;
        let truth = [0.25, 0.5, 0.75, 0.875];
        for predicted in [
            [0.125, 0.375, 0.5, 0.75],
            // Around the truth, inside it, and far from it.
            [0.125, 0.25, 0.875, 1.0],
            [0.375, 0.625, 0.5, 0.75],
            [0.0, 0.0, 0.125, 0.25],
            [-0.25, 0.75, 1.25, 1.5],
        ] {
            let (value, gradient) = found(predicted, truth);
            assert!((value - direct(predicted, truth)).abs() < 1e-5, "{value}");
            for side in 0..4 {
                let at = |by: f64| {
                    let mut moved = predicted;
                    moved[side] += by;
                    direct(moved, truth)
                };
                let slope = (at(STEP) - at(-STEP)) / (2.0 * STEP);
                let error = (gradient[side] - slope).abs();
                assert!(error < 1e-4, "{predicted:?}, {side}: {gradient:?}, {slope}");
            }
        }
    }

    #[test]
    fn the_loss_is_a_mean_over_images() {
        let device = Device::default();
        let tensor = |corners: [[f32; 4]; 2]| Tensor::<Cpu, 2>::from_floats(corners, &device);
        let [a, b] = [[0.0, 0.0, 0.5, 1.0], [0.0, 0.0, 0.5, 0.5]];
        let [c, d] = [[0.5, 0.0, 1.0, 1.0], [0.0, 0.0, 1.0, 0.5]];
        let loss = box_loss(tensor([a, b]), tensor([c, d])).into_scalar();
        assert!((loss - 5.25).abs() < 1e-5, "{loss}");
    }
}
