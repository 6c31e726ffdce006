//! The loss variants against a computation patch by patch.

mod common;

use burn::tensor::Tensor;
use gmae_reference::backend::{Cpu, Device};
use gmae_reference::config::{Config, LossKind};
use gmae_reference::evaluation::{masked_mse, mean_colour_mse};
use gmae_reference::model::Mask;
use gmae_reference::training::Target;

/// Returns two images, their predictions, and their masks, which differ.
fn example(config: &Config) -> (Vec<f32>, Vec<f32>, Vec<Mask>) {
    let len = 2 * config.image_size * config.image_size * 3;
    let wave = |phase: f64| {
        (0..len)
            .map(move |i| (0.5 + 0.5 * (i as f64 * phase).sin()) as f32)
            .collect()
    };
    let masks = vec![
        Mask {
            visible: vec![2],
            masked: vec![0, 1, 3],
        },
        Mask {
            visible: vec![0],
            masked: vec![1, 2, 3],
        },
    ];
    (wave(0.37), wave(1.91), masks)
}

/// Returns the `3 P^2` values of a patch.
fn patch(config: &Config, pixels: &[f32], image: usize, patch: usize) -> Vec<f64> {
    let (size, side) = (config.image_size, config.patch_size);
    let (top, left) = (patch / (size / side) * side, patch % (size / side) * side);
    let mut numbers = Vec::new();
    for y in top..top + side {
        for x in left..left + side {
            for c in 0..3 {
                numbers.push(f64::from(pixels[((image * size + y) * size + x) * 3 + c]));
            }
        }
    }
    numbers
}

fn by_hand(config: &Config, kind: LossKind) -> f64 {
    let (pixels, prediction, masks) = example(config);
    let mut losses = Vec::new();
    for (image, mask) in masks.iter().enumerate() {
        let counted = if kind == LossKind::All {
            vec![0, 1, 2, 3]
        } else {
            mask.masked.clone()
        };
        for index in counted {
            let mut target = patch(config, &pixels, image, index);
            let mut predicted = patch(config, &prediction, image, index);
            let count = target.len() as f64;
            let mean = target.iter().sum::<f64>() / count;
            let variance = target.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (count - 1.0);
            // Where the prediction is standardised too, a patch of one colour must not dominate.
            let floor = if kind == LossKind::MaskedNormBoth {
                0.01
            } else {
                1e-6
            };
            let standardise = |v: &mut f64| *v = (*v - mean) / (variance + floor).sqrt();
            let both = kind == LossKind::MaskedNormBoth;
            if both || kind == LossKind::MaskedNormTarget || config.norm_pix {
                target.iter_mut().for_each(standardise);
            }
            if both {
                predicted.iter_mut().for_each(standardise);
            }
            let squares = target.iter().zip(&predicted).map(|(a, b)| (a - b).powi(2));
            losses.push(squares.sum::<f64>() / count);
        }
    }
    losses.iter().sum::<f64>() / losses.len() as f64
}

#[test]
fn variants_agree_with_a_computation_by_hand() {
    let mut seen = Vec::new();
    for (kind, norm_pix) in [
        (LossKind::All, false),
        (LossKind::Masked, false),
        (LossKind::MaskedNormTarget, false),
        (LossKind::MaskedNormBoth, false),
        (LossKind::All, true),
    ] {
        let config = Config {
            norm_pix,
            ..common::config()
        };
        let (pixels, prediction, masks) = example(&config);
        let size = config.image_size;
        let target = Target::new(&config, kind, &pixels, &masks).expect("lengths fit");
        let images = Tensor::<Cpu, 1>::from_floats(prediction.as_slice(), &Device::default());
        let got = f64::from(
            target
                .loss(images.reshape([2, size, size, 3]))
                .expect("shapes fit")
                .into_scalar(),
        );
        let want = by_hand(&config, kind);
        assert!(
            (got - want).abs() < 1e-5 * want,
            "{kind:?}: {got} against {want}"
        );
        assert!(!seen.contains(&got), "variants differ");
        seen.push(got);
    }
}

#[test]
fn masked_error_of_one_image_is_the_masked_loss() {
    let config = common::config();
    let (pixels, prediction, masks) = example(&config);
    let len = pixels.len() / 2;
    let each = [0, 1].map(|i| {
        let range = i * len..(i + 1) * len;
        masked_mse(
            &config,
            &pixels[range.clone()],
            &prediction[range],
            &masks[i],
        )
        .expect("lengths fit")
        .expect("masked patches")
    });
    let want = by_hand(&config, LossKind::Masked);
    assert!((each.iter().sum::<f64>() / 2.0 - want).abs() < 1e-6);
}

#[test]
fn mean_colour_baseline_knows_only_visible_patches() {
    let config = common::config();
    let mask = Mask {
        visible: vec![0, 1],
        masked: vec![2, 3],
    };
    let size = config.image_size;
    // Red upper half, black lower half. Painting all red is wrong by 1 in one of three channels.
    let image: Vec<f32> = (0..size * size * 3)
        .map(|i| {
            if i < size * size * 3 / 2 && i % 3 == 0 {
                1.0
            } else {
                0.0
            }
        })
        .collect();
    let error = mean_colour_mse(&config, &image, &mask);
    let error = error.expect("lengths fit").expect("masked patches");
    assert!((error - 1.0 / 3.0).abs() < 1e-9, "{error}");
}

#[test]
fn wrong_lengths_are_errors() {
    let config = common::config();
    let (pixels, _, masks) = example(&config);
    assert!(Target::new(&config, LossKind::All, &pixels[1..], &masks).is_err());
    assert!(Target::new(&config, LossKind::All, &[], &[]).is_err());
}

#[test]
fn errors_over_no_patch_are_none() {
    let config = common::config();
    let image = vec![0.25; 8 * 8 * 3];
    let (whole, hidden) = (
        Mask::none(4),
        Mask {
            visible: Vec::new(),
            masked: vec![0, 1, 2, 3],
        },
    );
    assert_eq!(
        masked_mse(&config, &image, &image, &whole).expect("lengths fit"),
        None
    );
    assert_eq!(
        mean_colour_mse(&config, &image, &whole).expect("lengths fit"),
        None
    );
    // If no patch is visible, there is no mean colour.
    assert_eq!(
        mean_colour_mse(&config, &image, &hidden).expect("lengths fit"),
        None
    );
    assert_eq!(
        masked_mse(&config, &image, &image, &hidden).expect("lengths fit"),
        Some(0.0)
    );
}

/// A loss over masked patches needs at least one masked patch. Otherwise every prediction would
/// have a loss of zero.
#[test]
fn a_loss_over_no_patch_is_refused() {
    let config = common::config();
    let image = vec![0.25; 8 * 8 * 3];
    let masks = [Mask::none(4)];
    assert!(Target::new(&config, LossKind::All, &image, &masks).is_ok());
    for kind in [
        LossKind::Masked,
        LossKind::MaskedNormTarget,
        LossKind::MaskedNormBoth,
    ] {
        let error = Target::new(&config, kind, &image, &masks).expect_err("no masked patch");
        assert!(error.to_string().contains("masked patch"), "{error}");
    }
}

/// A white picture among others, such as a drawing on paper, has a weight of the same order.
#[test]
fn patches_of_one_colour_do_not_decide_the_loss() {
    let config = common::config();
    let textured: Vec<f32> = (0..8 * 8 * 3)
        .map(|i| (i * 37 % 64) as f32 / 64.0)
        .collect();
    let masks = [Mask {
        visible: vec![0],
        masked: vec![1, 2, 3],
    }];
    let losses = [textured, vec![1.0; 8 * 8 * 3]].map(|pixels| {
        let target = Target::new(&config, LossKind::MaskedNormBoth, &pixels, &masks);
        let off: Vec<f32> = pixels.iter().map(|v| v - 0.1).collect();
        let images = Tensor::<Cpu, 1>::from_floats(off.as_slice(), &Device::default());
        let loss = target
            .expect("lengths fit")
            .loss(images.reshape([1, 8, 8, 3]));
        loss.expect("shapes fit").into_scalar()
    });
    let [textured, flat] = losses;
    assert!(flat > textured, "{flat} and {textured}");
    assert!(flat < 10.0 * textured, "{flat} and {textured}");
}
