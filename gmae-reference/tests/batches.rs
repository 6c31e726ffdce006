//! A batch whose pixels and masks disagree is rejected as a whole. Neither training nor evaluation
//! uses a part of it.

mod common;

use gmae_reference::Error;
use gmae_reference::config::{Config, LossKind, Preset};
use gmae_reference::data::{DataError, Dataset, Image, Shapes};
use gmae_reference::evaluation::{masked_mse, mean_colour_mse};
use gmae_reference::model::{Batch, Mask, predict};
use gmae_reference::training::{Sampler, Target, Trainer, held_out};
use rand_chacha::ChaCha8Rng;

/// Returns a batch of six images. A piece has two images, so that the batch ends at the border of a
/// piece.
fn batch(config: &Config) -> Batch {
    let images = Shapes::new(7, 6, config.image_size).expect("a valid size");
    held_out(config, &images, 6).expect("images")
}

/// Returns the number of values of one image.
fn image_len(config: &Config) -> usize {
    config.image_size * config.image_size * 3
}

/// Returns batches whose pixels and masks disagree. Each has a name, the expected length and the
/// length received, which the message must contain.
fn disagreeing(config: &Config) -> Vec<(&'static str, Batch, String, String)> {
    let len = image_len(config);
    let whole = batch(config);
    let mut all = Vec::new();
    for (what, images, masks) in [
        ("a whole piece of pixels without masks", 6, 4),
        ("a whole piece of masks without pixels", 4, 6),
        ("one mask short", 6, 5),
        ("one image short", 5, 6),
        ("no masks", 6, 0),
        ("no pixels", 0, 6),
        ("nothing", 0, 0),
    ] {
        let part = Batch {
            pixels: whole.pixels[..images * len].to_vec(),
            masks: whole.masks[..masks].to_vec(),
        };
        let (expected, got) = if masks == 0 {
            (1, 0)
        } else {
            (masks * len, images * len)
        };
        all.push((what, part, expected.to_string(), got.to_string()));
    }
    let mut torn = whole;
    torn.pixels.pop();
    let (expected, got) = (6 * len, 6 * len - 1);
    all.push(("a torn image", torn, expected.to_string(), got.to_string()));
    all
}

#[test]
fn pixels_and_masks_that_disagree_are_an_error() {
    let config = common::config();
    let mut trainer = Trainer::new(config).expect("a trainer");
    for (what, batch, expected, got) in disagreeing(&config) {
        let results = [
            ("step", trainer.step(&batch, 1e-3).err()),
            ("gradient", trainer.gradient(&batch).err()),
            ("predict", trainer.predict(&batch).err()),
            (
                "target",
                Target::new(&config, LossKind::All, &batch.pixels, &batch.masks).err(),
            ),
        ];
        for (call, error) in results {
            let error = error.unwrap_or_else(|| panic!("{call} accepted {what}"));
            assert!(
                matches!(error, Error::Length { .. }),
                "{call}, {what}: {error}"
            );
            let words = error.to_string();
            assert!(
                words.contains(&expected) && words.contains(&got),
                "{call}, {what}: {words}"
            );
        }
        assert_eq!(trainer.step, 0, "{what}");
    }
}

/// Returns masks that do not split four patches.
fn broken_masks() -> Vec<(&'static str, Mask)> {
    let mask = |visible: &[usize], masked: &[usize]| Mask {
        visible: visible.to_vec(),
        masked: masked.to_vec(),
    };
    vec![
        ("a visible patch that is not there", mask(&[4], &[0, 1, 2])),
        ("a hidden patch that is not there", mask(&[0], &[1, 2, 4])),
        ("an absurd patch", mask(&[usize::MAX], &[0, 1, 2])),
        ("a patch in both lists", mask(&[0], &[0, 1, 2])),
        ("a patch named twice", mask(&[0], &[1, 1, 2])),
        ("a patch in neither list", mask(&[0], &[1, 2])),
        ("too many patches", mask(&[0], &[1, 2, 3, 3])),
    ]
}

#[test]
fn masks_that_do_not_split_the_patches_are_an_error() {
    let config = common::config();
    let mut trainer = Trainer::new(config).expect("a trainer");
    for (what, mask) in broken_masks() {
        let mut batch = batch(&config);
        batch.masks[3] = mask.clone();
        let image = &batch.pixels[..image_len(&config)];
        let results = [
            trainer.step(&batch, 1e-3).err(),
            trainer.predict(&batch).err(),
            Target::new(&config, LossKind::Masked, &batch.pixels, &batch.masks).err(),
            masked_mse(&config, image, image, &mask).err(),
            mean_colour_mse(&config, image, &mask).err(),
        ];
        for error in results {
            let words = error
                .unwrap_or_else(|| panic!("accepted {what}"))
                .to_string();
            assert!(
                words.contains("mask") && words.contains("0..4"),
                "{what}: {words}"
            );
        }
    }
}

/// All images of one piece must have the same number of visible patches.
#[test]
fn masks_of_different_sizes_are_an_error() {
    let config = common::config();
    let trainer = Trainer::new(config).expect("a trainer");
    let mut batch = batch(&config);
    batch.masks[1] = Mask::none(4);
    let error = trainer.gradient(&batch).expect_err("masks that differ");
    assert!(error.to_string().contains("expected 1, got 4"), "{error}");
}

#[test]
fn an_image_and_its_render_have_one_length() {
    let config = common::config();
    let batch = batch(&config);
    let len = image_len(&config);
    let (image, mask) = (&batch.pixels[..len], &batch.masks[0]);
    for render in [&image[1..], &[], &batch.pixels[..2 * len]] {
        assert!(masked_mse(&config, image, render, mask).is_err());
        assert!(masked_mse(&config, render, image, mask).is_err());
        assert!(mean_colour_mse(&config, render, mask).is_err());
    }
}

/// A render of one image must not be broadcast to every target of a batch.
#[test]
fn a_render_of_another_shape_is_an_error() {
    use burn::tensor::Tensor;
    use gmae_reference::backend::{Cpu, Device};
    let config = common::config();
    let batch = batch(&config);
    let target = Target::new(&config, LossKind::All, &batch.pixels, &batch.masks);
    let target = target.expect("lengths fit");
    for shape in [[1, 8, 8, 3], [6, 8, 8, 1], [6, 4, 8, 3], [5, 8, 8, 3]] {
        let render = Tensor::<Cpu, 4>::zeros(shape, &Device::default());
        assert!(target.loss(render).is_err(), "{shape:?}");
    }
}

/// A data set whose fifth picture is replaced. The replacement has another size, another shape with
/// as many pixels, or too few pixels.
struct Uneven(Shapes, Image);

impl Dataset for Uneven {
    fn len(&self) -> usize {
        6
    }

    fn image(&self, index: usize, rng: &mut ChaCha8Rng) -> Result<Image, DataError> {
        if index == 4 {
            return Ok(self.1.clone());
        }
        self.0.image(index, rng)
    }

    fn fingerprint(&self) -> String {
        self.0.fingerprint()
    }
}

#[test]
fn a_data_set_of_uneven_pictures_is_an_error() {
    let config = common::config();
    let whole = Image::filled(8, 8, [0.5; 3]);
    let mut torn = whole.clone();
    torn.pixels.truncate(100);
    for (odd, expected, got) in [
        (Image::filled(16, 16, [0.5; 3]), "8", "16"),
        (Image::filled(4, 16, [0.5; 3]), "8", "4"),
        (torn, "192", "100"),
    ] {
        let shapes = Shapes::new(7, 6, 8).expect("a valid size");
        let data = Uneven(shapes, odd);
        let mut sampler = Sampler::new(config, 6);
        for error in [
            held_out(&config, &data, 6).err(),
            sampler.batch(&data, 0).err(),
        ] {
            let words = error.expect("an odd picture").to_string();
            let end = format!("expected {expected}, got {got}");
            assert!(words.ends_with(&end), "{words}");
        }
    }
}

/// A sampler for a smaller set would train on only a part of this set.
#[test]
fn a_sampler_for_another_number_of_images_is_an_error() {
    let config = common::config();
    let data = Shapes::new(7, 12, config.image_size).expect("a valid size");
    for len in [6, 13] {
        let error = Sampler::new(config, len).batch(&data, 0);
        let words = error.expect_err("another length").to_string();
        assert!(
            words.contains(&len.to_string()) && words.contains("12"),
            "{words}"
        );
    }
    assert!(Sampler::new(config, 12).batch(&data, 0).is_ok());
}

#[test]
fn the_predicted_batch_is_the_whole_batch() {
    let config = common::config();
    let trainer = Trainer::new(config).expect("a trainer");
    let batch = batch(&config);
    let model = burn::module::AutodiffModule::valid(&trainer.model);
    let prediction = predict(&config, &model, &batch).expect("a prediction");
    assert_eq!(prediction.pixels.len(), batch.pixels.len());
    assert_eq!(prediction.gaussians.map(|scene| scene.images), Some(6));
}

/// Pieces are small enough for memory, and enough for many threads, unless they would be too small.
#[test]
fn pieces_are_sized_by_memory_and_batch() {
    let of = |preset: Preset, batch_size| {
        let config = Config {
            batch_size,
            ..preset.config()
        };
        config.images_per_piece()
    };
    assert_eq!(of(Preset::Nano, 16), 8);
    assert_eq!(of(Preset::Nano, 512), 32);
    assert_eq!(of(Preset::Base, 4096), 2);
    let chosen = Config {
        micro_batch: 5,
        ..Preset::Base.config()
    };
    assert_eq!(chosen.images_per_piece(), 5);
    let vast = Config {
        gaussians: 1 << 20,
        ..Preset::Base.config()
    };
    assert_eq!(vast.images_per_piece(), 2);
}
