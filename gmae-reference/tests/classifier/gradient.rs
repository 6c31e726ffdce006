//! The gradient of a classifier against finite differences of the loss.

use burn::module::Module;
use gmae_reference::backend::{Cpu, Device, Training};
use gmae_reference::config::Finetuning;
use gmae_reference::model::{Autoencoder, Classifier};
use gmae_reference::training::{Classification, Gradient, Piece, Task};

use crate::support::{CLASSES, config, piece, settings};
use crate::walk::Walk;

type Model = Classifier<Training>;

/// The gradient and the loss of `piece`. The model shares no graph with `model`.
fn gradient(finetuning: Finetuning, model: &Model, piece: &Piece) -> (Gradient, f64) {
    let (config, device) = (config(), Device::default());
    let finetuning = Some(finetuning.into());
    let task = <Classification as Task<Cpu>>::new(&config, finetuning).expect("settings");
    let model = model.clone().fork(&device);
    Task::<Cpu>::gradient(&task, &config, &model, piece, &device).expect("a gradient")
}

/// Distance by which every parameter moves up and down.
const STEP: f64 = 1e-3;

/// Largest error, relative to the norm of the gradient. The largest observed error is 3.2e-4.
const TOLERANCE: f64 = 1e-3;

/// Returns the largest difference between the slopes of the loss and those that `predicted` states,
/// relative to the norm of `predicted`.
fn error_of_slopes(predicted: &Gradient, model: &Model, piece: &Piece) -> f64 {
    let norm = predicted.norm(model);
    let error = |seed| {
        let [up, down] = [STEP, -STEP].map(|length| {
            let mut walk = Walk::new(length, predicted, seed);
            let moved = model.clone().map(&mut walk);
            (gradient(settings(), &moved, piece).1, walk.slope)
        });
        let quotient = (up.0 - down.0) / (2.0 * STEP);
        (quotient - up.1).abs() / norm
    };
    (0..8).map(error).fold(0.0, f64::max)
}

/// Mixing and dropped branches are functions of the positions, so that the loss has a slope.
#[test]
fn the_gradient_is_the_slope_of_the_loss_in_every_direction() {
    let config = config();
    let piece = piece(&config, 7);
    let autoencoder = Autoencoder::<Training>::new(&config, &Device::default());
    let model = Classifier::new(&config, CLASSES, autoencoder);
    // The weights of the linear map begin close to zero, and so does the gradient of the encoder.
    let model = model.map(&mut Walk::new(0.1, &Gradient::zero(), 100));
    let (right, loss) = gradient(settings(), &model, &piece);
    let error = error_of_slopes(&right, &model, &piece);
    assert!(error < TOLERANCE, "{error}");
    // Each setting takes part. The gradient without it is not that of the loss.
    for other in [
        Finetuning {
            drop_path: 0.0,
            ..settings()
        },
        Finetuning {
            mixup: 0.0,
            ..settings()
        },
        Finetuning {
            cutmix: 0.0,
            ..settings()
        },
        Finetuning {
            label_smoothing: 0.0,
            ..settings()
        },
    ] {
        let (wrong, other_loss) = gradient(other, &model, &piece);
        assert!((other_loss - loss).abs() > 1e-3, "{other:?}");
        let error = error_of_slopes(&wrong, &model, &piece);
        assert!(error > 5.0 * TOLERANCE, "{other:?}: {error}");
    }
}
