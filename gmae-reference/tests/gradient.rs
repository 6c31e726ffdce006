//! The gradient of the whole method, from patches to loss, against finite differences of the loss.

mod common;
#[path = "common/walk.rs"]
mod walk;

use burn::module::Module;
use gmae_reference::config::{CameraKind, Config, LossKind, Method};
use gmae_reference::data::Shapes;
use gmae_reference::model::Batch;
use gmae_reference::model::render::settings;
use gmae_reference::training::{Trainer, held_out};
use walk::Walk;

/// Distance by which every parameter moves up and down. A distance ten times smaller is lost in the
/// rounding of the `f32` loss. A distance three times larger lets two Gaussians swap in the depth
/// order, where the loss is discontinuous.
const STEP: f64 = 3e-4;

/// Largest error, relative to the norm of the gradient. The largest observed error is 1.0e-3.
const TOLERANCE: f64 = 3e-3;

fn trainer(config: Config) -> (Trainer, Batch) {
    let images = Shapes::new(7, 3, config.image_size).expect("a valid size");
    let batch = held_out(&config, &images, 3).expect("images");
    // The default `alpha_min`, 1/255, cuts off every Gaussian at about 3 sigma. The edge moves
    // without a gradient, which makes slopes wrong by several per cent at 8 px. At 1e-12 the edge
    // is at 7 sigma, and the part that is cut off vanishes in `f32`.
    let smooth = settings(&config)
        .with_alpha_min(1e-12)
        .with_transmittance_min(0.0);
    let trainer = Trainer::new(config).expect("a trainer");
    (trainer.with_render_settings(smooth), batch)
}

#[test]
fn the_gradient_is_the_slope_of_the_loss_in_every_direction() {
    let gaussians = [
        (CameraKind::Hybrid, LossKind::Masked, false),
        (CameraKind::Orthographic, LossKind::All, false),
        (CameraKind::Perspective, LossKind::MaskedNormTarget, false),
        (CameraKind::Hybrid, LossKind::MaskedNormBoth, true),
    ]
    .map(|(camera, loss, random_depth_order)| Config {
        camera,
        loss,
        random_depth_order,
        ..common::config()
    });
    let patches =
        [(LossKind::Masked, false), (LossKind::All, true)].map(|(loss, norm_pix)| Config {
            method: Method::Mae,
            loss,
            norm_pix,
            ..common::config()
        });
    for config in gaussians.into_iter().chain(patches) {
        let (mut trainer, batch) = trainer(config);
        let model = trainer.model.clone();
        let (gradient, _) = trainer.gradient(&batch).expect("a gradient");
        let norm = gradient.norm(&model);
        for seed in 0..8 {
            let [up, down] = [STEP, -STEP].map(|length| {
                let mut walk = Walk::new(length, &gradient, seed);
                trainer.model = model.clone().map(&mut walk);
                let (_, loss) = trainer.gradient(&batch).expect("a gradient");
                (loss, walk.slope)
            });
            let (quotient, slope) = ((up.0 - down.0) / (2.0 * STEP), up.1);
            let error = (quotient - slope).abs() / norm;
            assert!(
                error < TOLERANCE,
                "{config:?}: quotient {quotient}, gradient says {slope}, norm {norm}"
            );
        }
    }
}
