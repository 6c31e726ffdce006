//! Runs are repeatable, resumable, and independent of the number of threads.

mod common;

use std::path::Path;

use burn::module::AutodiffModule;
use gmae_reference::Error;
use gmae_reference::config::{CameraKind, Config, LossKind};
use gmae_reference::data::Shapes;
use gmae_reference::model::predict;
use gmae_reference::training::{Checkpoint, Outcome, Plan, Trainer, held_out, metrics, train};

/// Number of images in the set: 2 epochs of 8 steps with 6 images each.
const IMAGES: usize = 50;

/// Creates `count` pictures of the configured size.
fn data(config: &Config, count: usize) -> Shapes {
    Shapes::new(7, count, config.image_size)
        .expect("a valid size")
        .for_training()
}

/// Trains to `stop_at`, from the checkpoint in `folder` if there is one. Returns all losses in the
/// metrics file.
fn run(folder: &Path, config: Config, threads: usize, stop_at: Option<usize>) -> Vec<f64> {
    let plan = Plan::new(&config, folder, IMAGES).expect("a plan");
    let mut plan = plan.stop_at(stop_at.unwrap_or(usize::MAX));
    plan.loader.threads = threads;
    let trainer = if folder.join("config.json").exists() {
        Trainer::resume(&Checkpoint::load(folder).expect("a checkpoint"))
    } else {
        Trainer::new(config)
    };
    let mut trainer = trainer
        .and_then(|t| t.on_threads(threads))
        .expect("a trainer");
    let images = data(&config, IMAGES);
    assert_eq!(
        train(&mut trainer, &images, &plan, &mut |_| Ok(())).expect("training"),
        Outcome::Finished
    );
    let records = metrics::read(&plan.metrics()).expect("metrics");
    records.iter().map(|record| record.loss).collect()
}

/// Returns the losses in a metrics file as text.
fn losses_as_written(folder: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(folder.join("metrics.jsonl")).expect("metrics");
    let loss = |line: &str| {
        line.split("\"loss\":")
            .nth(1)?
            .split(',')
            .next()
            .map(str::to_owned)
    };
    text.lines()
        .map(|line| loss(line).expect("a loss"))
        .collect()
}

#[test]
fn stopped_and_resumed_is_bitwise_the_same_as_uninterrupted() {
    let config = common::config();
    let [whole, parts] = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
    let expected = run(whole.path(), config, 2, None);
    assert_eq!(expected.len(), 16);
    assert_eq!(run(parts.path(), config, 2, Some(5)), expected[..5]);
    // Steps 5 to 11 cross the end of the first epoch.
    assert_eq!(run(parts.path(), config, 1, Some(11)), expected[..11]);
    assert_eq!(run(parts.path(), config, 3, None), expected);
    let [a, b] = [&whole, &parts].map(|folder| losses_as_written(folder.path()));
    assert_eq!(a, b, "to the last digit in the file");
    let weights =
        |folder: &Path| std::fs::read(folder.join("model.safetensors")).expect("a file of weights");
    assert!(
        weights(whole.path()) == weights(parts.path()),
        "the files of the weights are the same"
    );
    let [a, b] =
        [&whole, &parts].map(|folder| Checkpoint::load(folder.path()).expect("a checkpoint"));
    let image = held_out(&config, &data(&config, 3), 3).expect("images");
    let [a, b] = [a, b].map(|checkpoint| {
        let trainer = Trainer::resume(&checkpoint).expect("a trainer");
        predict(&config, &trainer.model.valid(), &image)
            .expect("a prediction")
            .pixels
    });
    assert_eq!(a, b, "the models are the same too");
}

#[test]
fn metrics_after_the_checkpoint_are_dropped_on_resume() {
    let config = common::config();
    let folder = tempfile::tempdir().expect("a folder");
    let expected = run(folder.path(), config, 2, Some(6));
    let names = [
        "config.json",
        "model.safetensors",
        "state.safetensors",
        "SHA256SUMS",
    ];
    let old = names.map(|name| std::fs::read(folder.path().join(name)).expect("a file"));
    run(folder.path(), config, 2, Some(9));
    // A run was killed in the middle of a line after step 9. Its last checkpoint is of step 6.
    for (name, content) in names.into_iter().zip(old) {
        std::fs::write(folder.path().join(name), content).expect("writing");
    }
    let metrics = folder.path().join("metrics.jsonl");
    let mut text = std::fs::read_to_string(&metrics).expect("metrics");
    text.push_str("{\"step\":10,\"lo");
    std::fs::write(&metrics, text).expect("writing");
    let resumed = run(folder.path(), config, 2, Some(8));
    assert_eq!(resumed.len(), 8);
    assert_eq!(resumed[..6], expected);
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let config = common::config();
    let losses = [1, 2, 5].map(|threads| {
        let folder = tempfile::tempdir().expect("a folder");
        run(folder.path(), config, threads, Some(4))
    });
    assert_eq!(losses[0], losses[1]);
    assert_eq!(losses[0], losses[2]);
}

#[test]
fn every_camera_and_every_loss_trains() {
    let variants = [
        CameraKind::Hybrid,
        CameraKind::Orthographic,
        CameraKind::Perspective,
    ];
    let losses = [
        LossKind::All,
        LossKind::MaskedNormTarget,
        LossKind::MaskedNormBoth,
    ];
    let mut seen = Vec::new();
    for (camera, loss) in variants.into_iter().zip(losses) {
        let config = Config {
            camera,
            loss,
            ..common::config()
        };
        let batch = held_out(&config, &data(&config, 6), 6).expect("images");
        let mut trainer = Trainer::new(config).expect("a trainer");
        let (loss, norm) = trainer.step(&batch, 1e-3).expect("a step");
        assert!(
            loss > 0.0 && norm > 0.0,
            "{camera:?}: loss {loss}, gradient {norm}"
        );
        assert!(!seen.contains(&loss));
        seen.push(loss);
    }
}

#[test]
fn the_loss_falls() {
    let config = Config {
        epochs: 12,
        warmup_epochs: 1.0,
        learning_rate: 0.2,
        ..common::config()
    };
    let folder = tempfile::tempdir().expect("a folder");
    let losses = run(folder.path(), config, 2, None);
    let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
    let (start, end) = (mean(&losses[..8]), mean(&losses[losses.len() - 8..]));
    assert!(end < 0.9 * start, "{start} to {end}");
}

#[test]
fn a_checkpoint_of_another_configuration_is_refused_by_name() {
    let config = common::config();
    let folder = tempfile::tempdir().expect("a folder");
    run(folder.path(), config, 2, Some(1));
    let checkpoint = Checkpoint::load(folder.path()).expect("a checkpoint");
    checkpoint.expect(&config).expect("its own configuration");
    let other = Config {
        gaussians: 5,
        ..config
    };
    let error = checkpoint
        .expect(&other)
        .expect_err("another configuration");
    assert!(
        matches!(&error, Error::OtherConfig { name, found, expected, .. }
        if name == "gaussians" && found == "4" && expected == "5"),
        "{error}"
    );
}

#[test]
fn a_loss_that_is_not_a_number_takes_no_step() {
    let config = common::config();
    let mut batch = held_out(&config, &data(&config, 6), 6).expect("images");
    let mut trainer = Trainer::new(config).expect("a trainer");
    batch.pixels[..8 * 8 * 3].fill(f32::NAN);
    let before = trainer.model.clone();
    let error = trainer
        .step(&batch, 1e-3)
        .expect_err("a loss that is no number");
    assert!(matches!(error, Error::NotFinite { step: 1, .. }), "{error}");
    assert_eq!(trainer.step, 0);
    let image = held_out(&config, &data(&config, 3), 3).expect("images");
    let [a, b] = [&before, &trainer.model].map(|model| {
        predict(&config, &model.valid(), &image)
            .expect("a prediction")
            .pixels
    });
    assert_eq!(a, b);
}
