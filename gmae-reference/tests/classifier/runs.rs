//! Runs of classifiers: learning, resuming, and the files.

use std::collections::BTreeSet;
use std::path::Path;

use gmae_reference::Error;
use gmae_reference::backend::{Cpu, Device};
use gmae_reference::config::Config;
use gmae_reference::model::{Batch, Visible};
use gmae_reference::training::{Checkpoint, Classification, DataId, Schedule, Snapshot, Trainer};

use crate::support::{CLASSES, IMAGES, Patterns, config, piece, plain, run, settings, tensors};

/// Returns the share of the pictures that the classifier in `folder` recognises.
fn accuracy(folder: &Path) -> f64 {
    let checkpoint = Checkpoint::load(folder).expect("a checkpoint");
    let device = Device::default();
    let model = checkpoint.classifier::<Cpu>(&device).expect("a classifier");
    let piece = piece(&checkpoint.config, IMAGES);
    let Batch { pixels, masks } = &piece.batch;
    let visible = Visible::new(&checkpoint.config, pixels, masks, &device).expect("pictures");
    let scores = model.forward(&visible);
    let classes: Vec<i64> = scores.argmax(1).into_data().iter().collect();
    let right = classes.iter().zip(&piece.labels);
    let right = right.filter(|(class, label)| label.map(|label| label as i64) == Some(**class));
    right.count() as f64 / IMAGES as f64
}

#[test]
fn a_classifier_learns() {
    let config = Config {
        epochs: 40,
        learning_rate: 0.2,
        ..config()
    };
    let folder = tempfile::tempdir().expect("a folder");
    run(folder.path(), config, plain(), 2, Some(1));
    let before = accuracy(folder.path());
    let losses = run(folder.path(), config, plain(), 2, None);
    assert!(before < 0.7, "{before}");
    assert_eq!(accuracy(folder.path()), 1.0, "{losses:?}");
    assert!(losses[losses.len() - 1] < 0.2, "{losses:?}");
    // The head begins close to zero: every class has probability 1/3.
    assert!((losses[0] - 3.0_f64.ln()).abs() < 0.02, "{losses:?}");
}

#[test]
fn stopped_and_resumed_is_bitwise_the_same_as_uninterrupted() {
    let (config, settings) = (config(), settings());
    let [whole, parts] = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
    let expected = run(whole.path(), config, settings, 2, None);
    assert_eq!(expected.len(), 6);
    assert_eq!(
        run(parts.path(), config, settings, 1, Some(2)),
        expected[..2]
    );
    // Steps 2 to 4 cross the end of the first epoch.
    assert_eq!(
        run(parts.path(), config, settings, 3, Some(4)),
        expected[..4]
    );
    assert_eq!(run(parts.path(), config, settings, 1, None), expected);
    let weights =
        |folder: &Path| std::fs::read(folder.join("model.safetensors")).expect("a file of weights");
    assert!(weights(whole.path()) == weights(parts.path()));
}

/// The names of timm's Vision Transformer with `global_pool="avg"`, of two blocks, and the last
/// norm of the encoder, which is not trained.
fn public_names() -> BTreeSet<String> {
    let leaves = [
        "norm1",
        "attn.qkv",
        "attn.proj",
        "norm2",
        "mlp.fc1",
        "mlp.fc2",
    ];
    let block = |i: usize| leaves.map(|leaf| format!("blocks.{i}.{leaf}"));
    let others = ["patch_embed.proj", "norm", "fc_norm", "head"].map(str::to_owned);
    let layers = (0..2).flat_map(block).chain(others);
    let both = |layer: String| ["weight", "bias"].map(|leaf| format!("{layer}.{leaf}"));
    let tokens = ["cls_token", "pos_embed"].map(str::to_owned);
    layers.flat_map(both).chain(tokens).collect()
}

#[test]
fn the_files_of_a_classifier_have_public_names_and_its_encoder_is_found() {
    let folder = tempfile::tempdir().expect("a folder");
    let (tuned, encoder) = (folder.path().join("tuned"), folder.path().join("encoder"));
    run(&tuned, config(), settings(), 2, None);
    let stored = tensors(&tuned);
    assert_eq!(
        stored.keys().cloned().collect::<BTreeSet<_>>(),
        public_names()
    );
    assert_eq!(stored["head.weight"].len(), CLASSES * 16);
    let checkpoint = Checkpoint::load(&tuned).expect("a checkpoint");
    assert_eq!(checkpoint.finetuning, Some(settings().into()));
    assert_eq!(checkpoint.config, config());
    let model = checkpoint
        .encoder::<Cpu>(&Device::default())
        .expect("an encoder");
    let snapshot = Snapshot {
        config: config(),
        finetuning: None,
        model,
        run: None,
    };
    snapshot.save(&encoder).expect("saving");
    let copied = tensors(&encoder);
    let of_head = |name: &str| name.starts_with("fc_norm.") || name.starts_with("head.");
    for (name, values) in stored.iter().filter(|(name, _)| !of_head(name)) {
        assert_eq!(copied.get(name), Some(values), "{name}");
    }
    assert!(copied.contains_key("decoder_pred.weight"));
}

/// A classifier is not taken for a masked autoencoder, nor the other way round.
#[test]
fn the_kinds_of_models_are_told_apart() {
    let folder = tempfile::tempdir().expect("a folder");
    let (tuned, plain) = (folder.path().join("tuned"), folder.path().join("plain"));
    run(&tuned, config(), settings(), 2, Some(1));
    let trainer = Trainer::new(config()).expect("a trainer");
    let data = DataId::of(&Patterns(IMAGES));
    let schedule = Schedule::new(&config(), 3);
    trainer
        .snapshot(schedule, data)
        .save(&plain)
        .expect("saving");
    let load = |folder: &Path| Checkpoint::load(folder).expect("a checkpoint");
    let (tuned, plain) = (load(&tuned), load(&plain));
    let device = Device::default();
    let classifier = "expected a masked autoencoder, got a classifier";
    let autoencoder = "expected a classifier, got a masked autoencoder";
    let refusals: [(Option<Error>, &str); 5] = [
        (tuned.model::<Cpu>(&device).err(), classifier),
        (Trainer::resume(&tuned).err(), classifier),
        (
            Trainer::<Cpu>::start_from(&tuned, config(), device).err(),
            classifier,
        ),
        (plain.classifier::<Cpu>(&device).err(), autoencoder),
        (
            Trainer::<Cpu, Classification>::resume_on(&plain, device).err(),
            autoencoder,
        ),
    ];
    for (error, words) in refusals {
        let error = error.expect("the other kind").to_string();
        assert!(error.contains(words), "{error}");
    }
    Trainer::resume(&plain).expect("a masked autoencoder");
    assert_eq!(plain.finetuning, None);
    Trainer::<Cpu, Classification>::resume_on(&tuned, device).expect("a classifier");
}
