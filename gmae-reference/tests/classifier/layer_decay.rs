//! The learning rates of the layers.

use std::collections::BTreeMap;

use gmae_reference::backend::{Cpu, Device};
use gmae_reference::config::{Config, Finetuning};
use gmae_reference::model::Autoencoder;
use gmae_reference::training::{Checkpoint, Classification, Plan, Snapshot, Trainer, train};

use crate::support::{IMAGES, Patterns, config, settings, tensors};

/// Returns the factor on the learning rate of a tensor of an encoder with three blocks. The result
/// is `None` for tensors that are not trained.
fn factor(name: &str, decay: f64) -> Option<f64> {
    let power = match name.split('.').collect::<Vec<_>>()[..] {
        ["pos_embed"] | ["norm", _] => return None,
        ["cls_token"] | ["patch_embed", ..] => 4,
        ["blocks", "0", ..] => 3,
        ["blocks", "1", ..] => 2,
        ["blocks", "2", ..] => 1,
        ["fc_norm" | "head", _] => 0,
        _ => panic!("{name}"),
    };
    Some(decay.powi(power))
}

/// The first step of Adam moves a parameter by the learning rate times a number that depends on the
/// gradient alone.
#[test]
fn each_layer_moves_by_its_power_of_the_layer_decay() {
    let config = Config {
        encoder_depth: 3,
        warmup_epochs: 0.0,
        weight_decay: 0.0,
        learning_rate: 0.256,
        ..config()
    };
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    let snapshot = Snapshot {
        config,
        finetuning: None,
        model: Autoencoder::<Cpu>::new(&config, &Device::default()),
        run: None,
    };
    snapshot.save(&path("pretrained")).expect("saving");
    let pretrained = Checkpoint::load(&path("pretrained")).expect("a checkpoint");
    let after = |name: &str, layer_decay: f64, steps: usize| {
        let settings = Finetuning {
            layer_decay,
            ..settings()
        };
        let plan = Plan::new(&config, &path(name), IMAGES).expect("a plan");
        let device = Device::default();
        let trainer =
            Trainer::<Cpu, Classification>::finetune(&pretrained, config, settings.into(), device);
        let mut trainer = trainer.expect("a trainer");
        train(
            &mut trainer,
            &Patterns(IMAGES),
            &plan.stop_at(steps),
            &mut |_| Ok(()),
        )
        .expect("training");
        tensors(&path(name))
    };
    let start = after("start", 1.0, 0);
    let (whole, decayed) = (after("whole", 1.0, 1), after("decayed", 0.5, 1));
    for (name, begun) in &start {
        let moved = |end: &BTreeMap<String, Vec<f32>>| -> Vec<f64> {
            let pairs = end[name].iter().zip(begun);
            pairs
                .map(|(end, begin)| f64::from(*end) - f64::from(*begin))
                .collect()
        };
        let (whole, decayed) = (moved(&whole), moved(&decayed));
        let Some(factor) = factor(name, 0.5) else {
            assert!(whole.iter().chain(&decayed).all(|&by| by == 0.0), "{name}");
            continue;
        };
        // The learning rate of the step is 0.256 x 6 / 256.
        let largest = whole
            .iter()
            .fold(0.0, |largest: f64, by| largest.max(by.abs()));
        assert!((largest - 0.006).abs() < 1e-4, "{name}: {largest}");
        for ((whole, decayed), begin) in whole.iter().zip(&decayed).zip(begun) {
            // Both ends are rounded to `f32`.
            let rounding = 1.2e-7 * f64::from(begin.abs()).max(0.01);
            assert!(
                (decayed - factor * whole).abs() < rounding,
                "{name}: {decayed}, {whole}"
            );
        }
    }
    let stored = tensors(&path("pretrained"));
    assert_eq!(start["norm.weight"], stored["norm.weight"]);
    assert_eq!(
        start["blocks.0.attn.qkv.weight"],
        stored["blocks.0.attn.qkv.weight"]
    );
}
