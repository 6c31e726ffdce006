//! Labelled pictures, settings, runs, and the tensors of files.

use std::collections::BTreeMap;
use std::path::Path;

use gmae_reference::backend::{Cpu, Device};
use gmae_reference::config::{Config, Finetuning, Tuning};
use gmae_reference::data::{DataError, Dataset, Image, Sample};
use gmae_reference::model::{Batch, Mask};
use gmae_reference::training::{
    Checkpoint, Classification, Outcome, Piece, Plan, Task, Trainer, metrics, train,
};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use safetensors::SafeTensors;

use crate::common;

pub(crate) const CLASSES: usize = 3;
/// Number of pictures: 2 epochs of 3 steps with 6 images each, and 2 images left over.
pub(crate) const IMAGES: usize = 20;

/// Pictures of 8 px with horizontal stripes, vertical stripes or a chessboard. The two colours of a
/// picture are random, so that they do not determine the class.
pub(crate) struct Patterns(pub(crate) usize);

impl Dataset for Patterns {
    fn len(&self) -> usize {
        self.0
    }

    fn image(&self, index: usize, _: &mut ChaCha8Rng) -> Result<Image, DataError> {
        let mut rng = ChaCha8Rng::seed_from_u64(index as u64);
        let colours: [[f32; 3]; 2] = rng.random();
        let pixel = |i: usize| {
            let (x, y) = (i % 8 / 2, i / 8 / 2);
            colours[[y, x, x + y][index % CLASSES] % 2]
        };
        Ok(Image {
            width: 8,
            height: 8,
            pixels: (0..64).flat_map(pixel).collect(),
        })
    }

    fn sample(&self, index: usize, rng: &mut ChaCha8Rng) -> Result<Sample, DataError> {
        Ok(Sample {
            image: self.image(index, rng)?,
            label: Some(index % CLASSES),
            corners: None,
        })
    }

    fn fingerprint(&self) -> String {
        format!("{} patterns", self.0)
    }
}

/// Two blocks, and batches in pieces of 4 and 2 images.
pub(crate) fn config() -> Config {
    Config {
        encoder_depth: 2,
        batch_size: 6,
        micro_batch: 4,
        epochs: 2,
        warmup_epochs: 0.5,
        ..common::config().for_finetuning()
    }
}

/// All random choices are on. A branch is often dropped.
pub(crate) fn settings() -> Finetuning {
    Finetuning {
        drop_path: 0.5,
        layer_decay: 0.5,
        ..Finetuning::published(CLASSES)
    }
}

/// Without mixing, dropping and smoothing.
pub(crate) fn plain() -> Finetuning {
    Finetuning {
        drop_path: 0.0,
        mixup: 0.0,
        cutmix: 0.0,
        label_smoothing: 0.0,
        layer_decay: 1.0,
        ..settings()
    }
}

/// The first pictures as one piece.
pub(crate) fn piece(config: &Config, images: usize) -> Piece {
    let data = Patterns(images);
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let mut pixels = Vec::new();
    for index in 0..images {
        pixels.extend(data.image(index, &mut rng).expect("a picture").pixels);
    }
    Piece {
        batch: Batch {
            pixels,
            masks: vec![Mask::none(config.patches()); images],
        },
        labels: (0..images).map(|index| Some(index % CLASSES)).collect(),
        positions: (0..images as u64).collect(),
        ..Piece::default()
    }
}

/// Trains a classifier of the pictures to `stop_at`, from the checkpoint in `folder` if there is
/// one. Returns all losses in the metrics file.
pub(crate) fn run(
    folder: &Path,
    config: Config,
    finetuning: Finetuning,
    threads: usize,
    stop_at: Option<usize>,
) -> Vec<f64> {
    let data = Patterns(IMAGES);
    run_on::<Classification>(folder, config, finetuning.into(), &data, threads, stop_at)
}

/// Trains on `data` to `stop_at`, from the checkpoint in `folder` if there is one. Returns all
/// losses in the metrics file.
pub(crate) fn run_on<T: Task<Cpu>>(
    folder: &Path,
    config: Config,
    settings: Tuning,
    data: &dyn Dataset,
    threads: usize,
    stop_at: Option<usize>,
) -> Vec<f64> {
    let plan = Plan::new(&config, folder, data.len()).expect("a plan");
    let mut plan = plan.stop_at(stop_at.unwrap_or(usize::MAX));
    plan.loader.threads = threads;
    let trainer = if folder.join("config.json").exists() {
        let checkpoint = Checkpoint::load(folder).expect("a checkpoint");
        Trainer::<Cpu, T>::resume_on(&checkpoint, Device::default())
    } else {
        Trainer::of(config, Some(settings), Device::default())
    };
    let mut trainer = trainer
        .and_then(|trainer| trainer.on_threads(threads))
        .expect("a trainer");
    let outcome = train(&mut trainer, data, &plan, &mut |_| Ok(()));
    assert_eq!(outcome.expect("training"), Outcome::Finished);
    let records = metrics::read(&plan.metrics()).expect("metrics");
    records.iter().map(|record| record.loss).collect()
}

/// Returns the tensors of `model.safetensors` in `folder`.
pub(crate) fn tensors(folder: &Path) -> BTreeMap<String, Vec<f32>> {
    let bytes = std::fs::read(folder.join("model.safetensors")).expect("a file");
    let file = SafeTensors::deserialize(&bytes).expect("safetensors");
    let values = |data: &[u8]| {
        let (chunks, rest) = data.as_chunks();
        assert!(rest.is_empty());
        chunks
            .iter()
            .map(|chunk| f32::from_le_bytes(*chunk))
            .collect()
    };
    let tensors = file.iter();
    tensors
        .map(|(name, tensor)| (name.to_owned(), values(tensor.data())))
        .collect()
}
