//! Models of boxes: frozen tokens, learning, resumed runs, and the files.

use std::path::Path;

use burn::module::{AutodiffModule, Module};
use gmae_reference::backend::{Cpu, Device, Training};
use gmae_reference::config::{BoxFinetuning, Config, Tuning};
use gmae_reference::data::{Annotated, BoxedImages, Dataset, Shapes};
use gmae_reference::evaluation::segmentation::constant_boxes;
use gmae_reference::model::{Autoencoder, Batch, Localizer, Mask, Visible};
use gmae_reference::training::{
    Checkpoint, Classification, Gradient, Localization, Piece, Plan, Snapshot, Task, Trainer, train,
};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::support::{IMAGES, config, run_on, tensors};
use crate::walk::Walk;

/// Procedural scenes of 16 px.
fn scenes(count: usize) -> Annotated {
    Annotated::shapes(Shapes::new(4, count, 16).expect("a size"))
}

fn training(set: &Annotated, size: usize) -> BoxedImages<'_> {
    BoxedImages::new(set, (0..set.len()).collect(), size).for_training()
}

/// The first images of a set as one piece.
fn piece(config: &Config, data: &dyn Dataset, images: usize) -> Piece {
    let mut piece = Piece::unlabelled(Batch {
        pixels: Vec::new(),
        masks: vec![Mask::none(config.patches()); images],
    });
    for index in 0..images {
        let mut rng = ChaCha8Rng::seed_from_u64(index as u64);
        let sample = data.sample(index, &mut rng).expect("an image");
        piece.batch.pixels.extend(sample.image.pixels);
        piece.corners[index] = sample.corners;
        piece.positions[index] = index as u64;
    }
    piece
}

/// Saves an autoencoder with initial weights.
fn pretrained(folder: &Path) -> Checkpoint {
    let config = Config {
        seed: 5,
        ..config()
    };
    let snapshot = Snapshot {
        config,
        finetuning: None,
        model: Autoencoder::<Cpu>::new(&config, &Device::default()),
        run: None,
    };
    snapshot.save(folder).expect("saving");
    Checkpoint::load(folder).expect("a checkpoint")
}

/// The recipe has weight decay, which must not move frozen weights.
#[test]
fn frozen_encoders_keep_every_bit() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    let pretrained = pretrained(&path("pretrained"));
    let config = Config {
        learning_rate: 0.2,
        weight_decay: 0.5,
        ..config()
    };
    let set = scenes(IMAGES);
    let data = training(&set, config.image_size);
    for (name, settings) in [
        ("frozen", BoxFinetuning::frozen()),
        ("fine-tuned", BoxFinetuning::fine_tuned()),
    ] {
        let device = Device::default();
        let trainer =
            Trainer::<Cpu, Localization>::finetune(&pretrained, config, settings.into(), device);
        let mut trainer = trainer.expect("a trainer");
        let plan = Plan::new(&config, &path(name), data.len()).expect("a plan");
        train(&mut trainer, &data, &plan, &mut |_| Ok(())).expect("training");
        assert_eq!(trainer.step, 6);
        let (before, after) = (tensors(&path("pretrained")), tensors(&path(name)));
        let mut heads = 0;
        for (tensor, values) in &after {
            let Some(old) = before.get(tensor) else {
                heads += 1;
                continue;
            };
            // The last norm is not used, and the position table is fixed.
            let fixed = tensor == "pos_embed" || tensor.starts_with("norm.");
            let same = values == old;
            assert_eq!(same, name == "frozen" || fixed, "{name}: {tensor}");
        }
        assert_eq!(heads, 4, "{:?}", after.keys());
        assert_eq!(after["box_head.weight"].len(), 5 * 16);
        assert_eq!(after["box_head.bias"].len(), 5);
        // The bias of the score has no effect, and no gradient except for rounding.
        assert!(
            after["box_head.bias"][1..]
                .iter()
                .all(|&value| value != 0.0)
        );
        assert_eq!(after["box_norm.weight"].len(), 16);
        let stored = Checkpoint::load(&path(name)).expect("a checkpoint");
        let kept = Tuning::from(settings).starting_from(stored.finetuning.and_then(|s| s.start()));
        assert_eq!(stored.finetuning, Some(kept));
        assert!(kept.start().is_some());
    }
}

#[test]
fn the_files_hold_the_model() {
    let folder = tempfile::tempdir().expect("a folder");
    let (config, device) = (config(), Device::default());
    let set = scenes(IMAGES);
    let data = training(&set, config.image_size);
    let settings = BoxFinetuning::fine_tuned().into();
    let mut trainer =
        Trainer::<Cpu, Localization>::of(config, Some(settings), device).expect("a trainer");
    let plan = Plan::new(&config, folder.path(), data.len()).expect("a plan");
    train(&mut trainer, &data, &plan.stop_at(3), &mut |_| Ok(())).expect("training");
    let checkpoint = Checkpoint::load(folder.path()).expect("a checkpoint");
    assert_eq!(checkpoint.finetuning, Some(settings));
    let stored = checkpoint
        .localizer::<Cpu>(&device)
        .expect("a model of boxes");
    let Batch { pixels, masks } = piece(&config, &data, 5).batch;
    let visible = Visible::new(&config, &pixels, &masks, &device).expect("images");
    let boxes = |model: &Localizer<Cpu>| -> Vec<f32> {
        model.forward(&visible).into_data().into_vec().expect("f32")
    };
    assert_eq!(boxes(&stored), boxes(&trainer.model.valid()));
    // The encoder can be used, and the model is not taken for another kind.
    checkpoint.encoder::<Cpu>(&device).expect("an encoder");
    let refusals = [
        checkpoint.model::<Cpu>(&device).err(),
        checkpoint.classifier::<Cpu>(&device).err(),
        Trainer::<Cpu, Classification>::resume_on(&checkpoint, device).err(),
    ];
    for error in refusals {
        let error = error.expect("another kind").to_string();
        assert!(error.contains("got a model of boxes"), "{error}");
    }
}

#[test]
fn stopped_and_resumed_is_bitwise_the_same_as_uninterrupted() {
    let (config, set) = (config(), scenes(IMAGES));
    let data = training(&set, config.image_size);
    for settings in [BoxFinetuning::frozen(), BoxFinetuning::fine_tuned()] {
        let [whole, parts] = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
        let run = |folder: &Path, threads, stop_at| {
            run_on::<Localization>(
                folder,
                config,
                settings.into(),
                &data,
                threads,
                Some(stop_at),
            )
        };
        let expected = run(whole.path(), 2, 4);
        assert_eq!(expected.len(), 4);
        assert_eq!(run(parts.path(), 1, 2), expected[..2]);
        assert_eq!(run(parts.path(), 3, 4), expected);
        for file in ["model.safetensors", "config.json"] {
            let read = |folder: &Path| std::fs::read(folder.join(file)).expect("a file");
            assert!(read(whole.path()) == read(parts.path()), "{file}");
        }
    }
}

/// The gradient and the loss of `piece`. The model shares no graph with `model`.
fn gradient(
    settings: BoxFinetuning,
    model: &Localizer<Training>,
    piece: &Piece,
) -> (Gradient, f64) {
    let (config, device) = (config(), Device::default());
    let settings = Some(settings.into());
    let task = <Localization as Task<Cpu>>::new(&config, settings).expect("settings");
    let model = model.clone().fork(&device);
    Task::<Cpu>::gradient(&task, &config, &model, piece, &device).expect("a gradient")
}

#[test]
fn the_gradient_is_the_slope_of_the_loss_in_every_direction() {
    const STEP: f64 = 1e-3;
    let (config, set) = (config(), scenes(7));
    let piece = piece(&config, &training(&set, config.image_size), 7);
    let autoencoder = Autoencoder::<Training>::new(&config, &Device::default());
    let model = Localizer::new(&config, autoencoder);
    // The weights of the head begin close to zero, and so does the gradient of the encoder.
    let model = model.map(&mut Walk::new(0.1, &Gradient::zero(), 100));
    let settings = BoxFinetuning {
        drop_path: 0.5,
        ..BoxFinetuning::fine_tuned()
    };
    let (predicted, _) = gradient(settings, &model, &piece);
    let norm = predicted.norm(&model);
    for seed in 0..8 {
        let [up, down] = [STEP, -STEP].map(|length| {
            let mut walk = Walk::new(length, &predicted, seed);
            let moved = model.clone().map(&mut walk);
            (gradient(settings, &moved, &piece).1, walk.slope)
        });
        let quotient = (up.0 - down.0) / (2.0 * STEP);
        let error = (quotient - up.1).abs() / norm;
        assert!(error < 2e-3, "{seed}: {quotient}, {}, norm {norm}", up.1);
    }
    // Frozen tokens: only the head has a gradient.
    let (frozen, _) = gradient(BoxFinetuning::frozen(), &model, &piece);
    assert!(frozen.norm(&model) > 0.0);
    assert!(frozen.norm(&model) < norm);
}

/// The loss of the same box in every image, by its definition.
fn loss_of_constant(predicted: [f64; 4], truths: &[[f64; 4]]) -> f64 {
    let area = |c: [f64; 4]| (c[2] - c[0]).max(0.0) * (c[3] - c[1]).max(0.0);
    let one = |truth: &[f64; 4]| {
        let pair = |i: usize| (predicted[i], truth[i]);
        let [min, max] = [f64::min, f64::max]
            .map(|of: fn(f64, f64) -> f64| [0, 1, 2, 3].map(|i| of(pair(i).0, pair(i).1)));
        let shared = area([max[0], max[1], min[2], min[3]]);
        let hull = area([min[0], min[1], max[2], max[3]]);
        let either = area(predicted) + area(*truth) - shared;
        let distance: f64 = (0..4).map(|i| (pair(i).0 - pair(i).1).abs()).sum();
        5.0 * distance + 2.0 * (2.0 - shared / either - either / hull)
    };
    truths.iter().map(one).sum::<f64>() / truths.len() as f64
}

#[test]
fn boxes_are_learned() {
    let config = Config {
        image_size: 16,
        encoder_width: 24,
        batch_size: 16,
        micro_batch: 8,
        epochs: 20,
        learning_rate: 0.08,
        ..config()
    };
    let set = scenes(48);
    let data = training(&set, config.image_size);
    let settings = BoxFinetuning {
        layer_decay: 1.0,
        drop_path: 0.0,
        ..BoxFinetuning::fine_tuned()
    };
    let folder = tempfile::tempdir().expect("a folder");
    let losses = run_on::<Localization>(folder.path(), config, settings.into(), &data, 2, None);
    let truths = data.truths().expect("boxes");
    let [_, _, (_, mean)] = constant_boxes(&truths);
    let trivial = loss_of_constant(mean, &truths);
    // The last epoch has three steps of the 60.
    let last = losses[losses.len() - 3..].iter().sum::<f64>() / 3.0;
    assert!(
        last < 0.8 * trivial,
        "{last}, mean box {trivial}: {losses:?}"
    );
}
