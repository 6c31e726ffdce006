//! The two methods differ in the decoder alone, and their variants do what they say.

mod common;

use burn::module::Module;
use burn::tensor::{Tensor, TensorData};
use gmae_reference::backend::{Cpu, Device, Training};
use gmae_reference::config::{CameraKind, Config, LossKind, Method, Preset};
use gmae_reference::data::Shapes;
use gmae_reference::model::pixels::images;
use gmae_reference::model::{
    Autoencoder, Batch, Decoded, Gaussians, Mask, Patches, Visible, predict,
};
use gmae_reference::training::{Target, Trainer, held_out};

fn mae() -> Config {
    Config {
        method: Method::Mae,
        ..common::config()
    }
}

fn batch(config: &Config) -> Batch {
    let images = Shapes::new(3, 4, config.image_size).expect("a valid size");
    held_out(config, &images, 4).expect("images")
}

fn visible(config: &Config, batch: &Batch) -> Visible<Cpu> {
    Visible::new(config, &batch.pixels, &batch.masks, &Device::default()).expect("a batch")
}

fn values<const D: usize>(tensor: Tensor<Cpu, D>) -> Vec<f32> {
    tensor.into_data().into_vec().expect("f32")
}

#[test]
fn encoder_masks_and_order_are_the_same() {
    let (gmae, mae) = (common::config(), mae());
    let batch = batch(&gmae);
    assert_eq!(batch, self::batch(&mae));
    let tokens = |config: &Config| {
        let model = Autoencoder::<Cpu>::new(config, &Device::default());
        values(model.encode(&visible(config, &batch)))
    };
    assert_eq!(tokens(&gmae), tokens(&mae));
}

#[test]
fn mae_has_a_linear_map_to_pixels_and_no_queries() {
    for preset in [Preset::Nano, Preset::Small, Preset::Base] {
        let gmae = preset.config();
        let mae = Config {
            method: Method::Mae,
            ..gmae
        };
        let count =
            |config: &Config| Autoencoder::<Cpu>::new(config, &Device::default()).num_params();
        let (d, patch) = (gmae.decoder_width, gmae.patch_len());
        let queries = gmae.gaussians * d;
        assert_eq!(
            count(&mae) + queries + 14 * d,
            count(&gmae) + (d + 1) * patch
        );
        assert_eq!(mae.decoder_tokens(), 1 + mae.patches());
    }
}

/// The order in which the visible patches are listed has no influence on a patch, because each is
/// put back in its place.
#[test]
fn the_latents_are_put_back_in_their_places() {
    let config = Config {
        mask_ratio: 0.5,
        ..mae()
    };
    let model = Autoencoder::<Cpu>::new(&config, &Device::default());
    let pixels = batch(&config).pixels[..config.image_len()].to_vec();
    let patches = |visible: [usize; 2]| {
        let mask = Mask {
            visible: visible.to_vec(),
            masked: (0..4).filter(|patch| !visible.contains(patch)).collect(),
        };
        let batch = Batch {
            pixels: pixels.clone(),
            masks: vec![mask],
        };
        match model.forward(&self::visible(&config, &batch)) {
            Decoded::Patches(patches) => values(patches.values),
            Decoded::Gaussians(_) => panic!("expected patches"),
        }
    };
    let near = |a: &[f32], b: &[f32]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-5);
    assert!(near(&patches([1, 2]), &patches([2, 1])));
    assert!(!near(&patches([1, 2]), &patches([1, 3])));
}

/// Two masks are tokens with one content, so that hidden patches differ by their position alone.
#[test]
fn a_hidden_patch_is_the_mask_token_at_its_position() {
    let config = mae();
    let places = visible(
        &config,
        &Batch {
            pixels: vec![0.5; 2 * config.image_len()],
            masks: vec![
                Mask {
                    visible: vec![2],
                    masked: vec![0, 1, 3],
                },
                Mask {
                    visible: vec![0],
                    masked: vec![1, 2, 3],
                },
            ],
        },
    )
    .places;
    let places: Vec<i64> = places.into_data().convert::<i64>().into_vec().expect("i64");
    // Two images of two tokens each: CLS and one patch. Row 4 is the mask token.
    assert_eq!(places, [0, 4, 4, 1, 4, 2, 3, 4, 4, 4]);
}

/// Patches that hold the exact target give a loss of zero and, as a prediction, the true pixels.
#[test]
fn exact_patches_have_no_loss() {
    for norm_pix in [false, true] {
        let config = Config {
            norm_pix,
            loss: LossKind::All,
            ..mae()
        };
        let batch = batch(&config);
        let device = Device::default();
        let whole = Batch {
            pixels: batch.pixels.clone(),
            masks: vec![Mask::none(config.patches()); batch.masks.len()],
        };
        // The encoder's input holds each patch standardised with the statistics of ImageNet.
        let mut exact = values(visible(&config, &whole).patches);
        if norm_pix {
            for patch in exact.chunks_mut(config.patch_len()) {
                for (i, value) in patch.iter_mut().enumerate() {
                    let (mean, deviation) = [(0.485, 0.229), (0.456, 0.224), (0.406, 0.225)][i % 3];
                    *value = *value * deviation + mean;
                }
                let count = patch.len() as f32;
                let mean = patch.iter().sum::<f32>() / count;
                let squares = patch.iter().map(|v| (v - mean).powi(2)).sum::<f32>();
                let deviation = (squares / (count - 1.0) + 1e-6).sqrt();
                for v in patch {
                    *v = (*v - mean) / deviation;
                }
            }
        }
        let rows = batch.masks.len() * config.patches();
        let patches = Patches::<Training> {
            values: Tensor::from_data(TensorData::new(exact, [rows, config.patch_len()]), &device),
            images: batch.masks.len(),
        };
        let settings = gmae_reference::model::render::settings(&config);
        let image = images(&config, &settings, Decoded::Patches(patches)).expect("images");
        let target = Target::new(&config, config.loss, &batch.pixels, &batch.masks);
        let loss = target
            .and_then(|target| target.loss(image))
            .expect("a loss");
        assert!(loss.into_scalar() < 1e-10, "norm_pix {norm_pix}");
    }
}

#[test]
fn mae_learns() {
    for norm_pix in [false, true] {
        let config = Config { norm_pix, ..mae() };
        let batch = batch(&config);
        let mut trainer = Trainer::new(config).expect("a trainer");
        let (first, _) = trainer.step(&batch, 3e-3).expect("a step");
        for _ in 0..60 {
            trainer.step(&batch, 3e-3).expect("a step");
        }
        let (_, last) = trainer.gradient(&batch).expect("a loss");
        assert!(last < 0.5 * first, "norm_pix {norm_pix}: {first} to {last}");
        let prediction = trainer.predict(&batch).expect("a prediction");
        assert!(prediction.gaussians.is_none());
        assert_eq!(prediction.pixels.len(), batch.pixels.len());
    }
}

fn gaussians(config: &Config, batch: &Batch) -> Gaussians<Cpu> {
    let model = Autoencoder::<Cpu>::new(config, &Device::default());
    let prediction = predict(config, &model, batch).expect("a prediction");
    prediction.gaussians.expect("Gaussians")
}

/// Returns the column `z` of the centres.
fn depths(gaussians: Gaussians<Cpu>) -> Vec<f32> {
    values(gaussians.means.narrow(1, 2, 1))
}

#[test]
fn a_random_depth_order_depends_on_the_mask_alone() {
    let config = Config {
        random_depth_order: true,
        ..common::config()
    };
    let mut batch = batch(&config);
    batch.masks[1] = batch.masks[0].clone();
    batch.masks[2] = Mask {
        visible: vec![3 - batch.masks[0].visible[0]],
        masked: batch.masks[0].masked.clone(),
    };
    batch.masks[2].masked = (0..4)
        .filter(|patch| *patch != batch.masks[2].visible[0])
        .collect();
    let drawn = depths(gaussians(&config, &batch));
    let spaced = [-0.0075, -0.0025, 0.0025, 0.0075];
    for image in drawn.chunks(4) {
        let mut sorted = image.to_vec();
        sorted.sort_by(f32::total_cmp);
        assert!(
            sorted.iter().zip(spaced).all(|(a, b)| (a - b).abs() < 1e-7),
            "{image:?}"
        );
    }
    let images: Vec<&[f32]> = drawn.chunks(config.gaussians).collect();
    assert_eq!(images[0], images[1]);
    assert_ne!(images[0], images[2]);
    let whole = |of: Gaussians<Cpu>| values(of.means.narrow(1, 0, 2));
    let learned = common::config();
    assert_eq!(
        whole(gaussians(&config, &batch)),
        whole(gaussians(&learned, &batch)),
        "x and y are those of the model"
    );
}

/// Without a gradient, z moves less in a step than the other coordinates, but not because its value
/// differs.
#[test]
fn frozen_z_has_a_value_but_no_gradient() {
    let learned = common::config();
    let frozen = Config {
        freeze_z: true,
        ..learned
    };
    let batch = batch(&learned);
    assert_eq!(
        depths(gaussians(&learned, &batch)),
        depths(gaussians(&frozen, &batch))
    );
    // The slope of the sum of all z with respect to the parameters.
    let slope = |config: &Config| {
        let model = Autoencoder::<Training>::new(config, &Device::default());
        let input =
            Visible::new(config, &batch.pixels, &batch.masks, &Device::default()).expect("a batch");
        let decoded = model.forward(&input).into_gaussians().expect("Gaussians");
        let sum = (decoded.means.narrow(1, 2, 1)).sum() + decoded.scales.sum() * 0.0;
        gmae_reference::training::Gradient::of(sum.backward(), &model).norm(&model)
    };
    assert!(slope(&learned) > 1e-3);
    assert_eq!(slope(&frozen), 0.0);
}

#[test]
fn settings_of_the_other_method_are_refused() {
    let gmae = common::config();
    for (config, name) in [
        (
            Config {
                norm_pix: true,
                ..gmae
            },
            "norm-pix",
        ),
        (
            Config {
                freeze_z: true,
                ..mae()
            },
            "freeze-z",
        ),
        (
            Config {
                random_depth_order: true,
                ..mae()
            },
            "random-depth-order",
        ),
        (
            Config {
                loss: LossKind::MaskedNormBoth,
                ..mae()
            },
            "loss",
        ),
        (
            Config {
                freeze_z: true,
                random_depth_order: true,
                ..gmae
            },
            "freeze-z",
        ),
        (
            Config {
                freeze_z: true,
                camera: CameraKind::Orthographic,
                ..gmae
            },
            "freeze-z",
        ),
        (
            Config {
                random_depth_order: true,
                camera: CameraKind::Perspective,
                ..gmae
            },
            "random-depth-order",
        ),
    ] {
        let words = config.validate().expect_err(name).to_string();
        assert!(words.starts_with(&format!("setting {name}: ")), "{words}");
    }
}
